# ruff: noqa: F821  (the PIO assembler provides the names of its instructions)
# mypy: disable-error-code=name-defined
"""PIO programs: edges stamped on one counter, and pulses put out on it (RP2040 data sheet, 3.4).

A stamping machine counts down in X, once every two clocks, whatever way it takes through its
program: every instruction takes one clock, none of them waits, and each path has twice as many
instructions as it has decrements. So machines that started together agree for ever, a full FIFO
included. `jmp(x_dec)` to the next line decrements and goes on, whether X was zero or not.

All machines wait for one pin that the HAL raises once: both PIO blocks start at one clock.
Why it is done so: docs/explanations/front_end.md.
"""

import rp2

CLOCKS_PER_COUNT = 2
START_PIN = 9  # the assembler sees no names of this file; the programs say 9 themselves

# A stamp in the FIFO: bit 0 is 1 for a rising edge, above it stand the low 31 bits of X.
STAMP_ROSE = 1
COUNT_BITS = 31

# The clocks of a segment of the pulse output whose word says 0, and when its pin changes.
SEGMENT_CLOCKS = 4
PIN_AFTER_CLOCKS = 1


@rp2.asm_pio(in_shiftdir=rp2.PIO.SHIFT_RIGHT, fifo_join=rp2.PIO.JOIN_RX)
def stamp_edges():
    """Stamp both edges of the pin; Y holds 1.

    After an edge of either kind the pin is looked at for the other kind, so leading and trailing
    edges alternate even where a pulse was shorter than the way through its stamp.
    """
    wait(1, gpio, 9)
    wrap_target()
    label("low")
    jmp(x_dec, "low_test")
    label("low_test")
    jmp(pin, "rising")
    wrap()
    label("rising")
    in_(y, 1)
    in_(x, 31)
    push(noblock)
    jmp(x_dec, "rising_2")
    label("rising_2")
    jmp(x_dec, "rising_3")
    label("rising_3")
    jmp(x_dec, "high")
    label("high")
    jmp(x_dec, "high_test")
    label("high_test")
    jmp(pin, "high")
    in_(x, 31)
    push(noblock)
    jmp(x_dec, "falling_2")
    label("falling_2")
    jmp(x_dec, "falling_3")
    label("falling_3")
    jmp(x_dec, "falling_end")
    label("falling_end")
    jmp("low")


@rp2.asm_pio(in_shiftdir=rp2.PIO.SHIFT_RIGHT)
def stamp_every_nth_fall():
    """Stamp the first falling edge of the pin and each n-th after it; OSR holds n - 1, Y 0.

    Its FIFO is not joined, as n comes in by the other half.
    """
    wait(1, gpio, 9)
    wrap_target()
    label("low")
    jmp(x_dec, "low_test")
    label("low_test")
    jmp(pin, "high")
    wrap()
    label("high")
    jmp(x_dec, "high_test")
    label("high_test")
    jmp(pin, "high")
    jmp(y_dec, "skipped")
    in_(x, 31)
    push(noblock)
    mov(y, osr)
    jmp(x_dec, "stamped_2")
    label("stamped_2")
    jmp(x_dec, "stamped_3")
    label("stamped_3")
    jmp(x_dec, "skipped")
    label("skipped")
    jmp(x_dec, "skipped_2")
    label("skipped_2")
    jmp(x_dec, "skipped_end")
    label("skipped_end")
    jmp("low")


@rp2.asm_pio(out_init=rp2.PIO.OUT_LOW, out_shiftdir=rp2.PIO.SHIFT_RIGHT, fifo_join=rp2.PIO.JOIN_TX)
def put_out_segments():
    """Hold the pin at the level of one segment after the other; X holds the idle segment.

    Where no segment waits in the FIFO the idle one is taken, so time never stops here either.
    """
    wait(1, gpio, 9)
    wrap_target()
    pull(noblock)
    out(pins, 1)
    out(y, 31)
    label("hold")
    jmp(y_dec, "hold")
    wrap()
