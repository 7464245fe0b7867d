"""What the application asks of a HAL; `hal_host` and `hal_rp2` both follow it.

Everything is called from one loop, never from an interrupt.

    counter_hz                  nominal rate of the counter, which every event is stamped on
    boot_reason()               one of the codec's BOOT_ codes
    self_test()                 the codec's SELF_TEST_COUNTER and SELF_TEST_FIFO bits that failed
    wait()                      returns when an event, a command or a level may be there, and
                                after 1 ms at the latest where levels are sampled
    next_event()                None, or (kind, input, counter32) of the next record
    send(data)                  writes all of the bytes to the serial line
    command_bytes()             bytes that the board has sent since the last call
    optical_level(input)        ADC code 0..4095 of an optical head, a new one every 1 ms; None
                                before the next is due
    set_threshold(input, code)  level above which an optical input is on
    i2c_read(address, count)    bytes; OSError where nobody answers
    i2c_write(address, data)    OSError where nobody answers
    set_pulse_output(counter32, width)
                                one pulse of the output begins at that count and lasts `width`
                                counts; called in order, at most 250 ms ahead; a count that has
                                passed is put out at once
    flash_bytes()               room for updates, a multiple of FLASH_SECTOR; 0: none
    flash_read(offset, count)   bytes
    flash_view(offset, count)   the same without a copy, where the flash is mapped into memory
    flash_erase(offset)         makes one sector all 0xFF
    flash_program(offset, page) writes one page of erased flash
    feed_watchdog()             the first call starts the watchdog; later ones come only after a
                                turn of the loop that has served
    restart()                   starts the front end anew, and does not return where that is
                                possible; otherwise raises Restarting

Kinds of event; `input` is one of the five pulse inputs but where it says otherwise. Records of
one input come in the order of their counts; those of different inputs may swap a little. The
counter is read (T) every 100 ms, after all records of smaller counts have been handed over.
"""

EDGE_RISING = 0x52  # "R", the leading edge
EDGE_FALLING = 0x46  # "F"
ADC_MARKER = 0x4D  # "M", every marker interval; input is 0
PPS_EDGE = 0x50  # "P"; input is 0
COUNTER_NOW = 0x54  # "T"; input is 0
RECORDS_LOST = 0x4C  # "L", its counter field says how many since the last L of this input

OPTICAL_INPUTS = 2  # inputs 0 and 1; 2 and 3 are S0
HAND_SWITCH = 4
INPUTS = 5
LOST_MARKERS = 5  # `input` of an L whose lost records were ADC markers
LOST_PPS = 6  # `input` of an L whose lost records were PPS edges

FLASH_SECTOR = 4096
FLASH_PAGE = 256


class UnknownRecord(Exception):
    """The FIFO delivered a record that is none; what follows it cannot be trusted."""


class Restarting(Exception):
    """The front end starts anew; a HAL that cannot reset its processor raises it."""
