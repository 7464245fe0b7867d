"""HAL of the RP2040 (hal_contract.py): PIO and DMA for the edges, a UART to the board.

XIN takes the board's TCXO, which the ADC's clock comes from too. The system clock is that by a
PLL, and a count is two of its clocks. Why so: docs/explanations/front_end.md.
"""

import time
from array import array

import machine
import pio_stamp
import rp2
import uctypes
from frontend_codec import (
    BOOT_COMMAND,
    BOOT_POWER_ON,
    BOOT_WATCHDOG,
    SELF_TEST_COUNTER,
    SELF_TEST_FIFO,
)
from hal_contract import (
    ADC_MARKER,
    COUNTER_NOW,
    EDGE_FALLING,
    EDGE_RISING,
    FLASH_SECTOR,
    LOST_MARKERS,
    LOST_PPS,
    OPTICAL_INPUTS,
    PPS_EDGE,
    RECORDS_LOST,
)
from machine import ADC, I2C, PWM, UART, Pin, mem32
from pulse_segments import IDLE_CLOCKS, WRITE_WITHIN_CLOCKS, PulseSegments, segment_word
from record_ring import WORD_BYTES, RecordRing

# Streams of records: the five inputs, then markers and PPS.
STREAMS = 7

CLOCK_HZ = 125_000_000
CLOCKS_PER_US = 125
COUNTER_HZ = CLOCK_HZ // pio_stamp.CLOCKS_PER_COUNT
LINE_BAUD = 3_000_000
NOW_INTERVAL_US = 100_000
LONGEST_WATCHDOG_MS = 8388
FLASH_END = 0x10000000 + 2 * 1024 * 1024
FLASH_BLOCKS = 4
FLASH_ERASE = 6
LEVEL_INTERVAL_US = 1000

LINE_TX_PIN = 0
LINE_RX_PIN = 1
# The five inputs, the ADC's DRDY (falls when a sample is there), PPS (rises on the second).
STREAM_PINS = (2, 3, 4, 5, 6, 7, 8)
# State machines 4 and above are the second block's. A block's programs fill its memory.
STREAM_MACHINES = (0, 1, 2, 4, 5, 3, 6)
# Powers of two, in falling order, so that each ring begins at a multiple of its bytes.
STREAM_WORDS = (2048, 2048, 2048, 2048, 2048, 256, 64)
OUTPUT_MACHINE = 7
OUTPUT_PIN = 10
THRESHOLD_PINS = (12, 13)
THRESHOLD_HZ = 100_000
SDA_PIN = 16
SCL_PIN = 17
LEVEL_PINS = (26, 27)

# Far more than the two words take from the last look at the clock into the FIFO.
WRITING_CLOCKS = 5_000
OUTPUT_FIFO_WORDS = 8
PULSE_WORDS = 2

MACHINES_PER_BLOCK = 4
PIO_BASES = (0x50200000, 0x50300000)
PIO_FDEBUG = 0x08
PIO_RXF0 = 0x20
FIRST_RX_REQUESTS = (4, 12)
WATCHDOG_SCRATCH0 = 0x4005800C
RESTARTED = 0x53504F54
GPIO_CONTROLS = 0x40014004
INOVER_NORMAL = 0
INOVER_LOW = 2 << 16
INOVER_HIGH = 3 << 16
INOVER_MASK = 3 << 16

# The clock is read in whole microseconds, and the start was between two readings of it.
COUNTS_UNSURE = COUNTER_HZ // 10_000

COUNT_TURN = 1 << pio_stamp.COUNT_BITS
COUNT_MASK = COUNT_TURN - 1
WORD_MASK = 0xFFFFFFFF
# The stamp of a pin that was high already when the counter started.
HIGH_AT_START = COUNT_MASK - 1 << 1 | pio_stamp.STAMP_ROSE


class Rp2Hal:
    """The front end's hardware; made once, it starts the counter.

    Args:
        marker_interval: samples of the ADC from one marker to the next.
    """

    counter_hz = COUNTER_HZ

    def __init__(self, marker_interval):
        machine.freq(CLOCK_HZ)
        self._boot_reason = _boot_reason()
        self._line = UART(0, LINE_BAUD, tx=Pin(LINE_TX_PIN), rx=Pin(LINE_RX_PIN), rxbuf=1024)
        self._i2c = I2C(0, sda=Pin(SDA_PIN), scl=Pin(SCL_PIN))
        self._levels = [ADC(Pin(pin)) for pin in LEVEL_PINS]
        self._thresholds = [PWM(Pin(pin), freq=THRESHOLD_HZ, duty_u16=0) for pin in THRESHOLD_PINS]
        self._level_due_us = [time.ticks_us()] * OPTICAL_INPUTS
        self._watchdog = None
        self._flash = rp2.Flash()
        self._memory = bytearray(WORD_BYTES * (sum(STREAM_WORDS) + STREAM_WORDS[0]))
        self._rings = _rings(uctypes.addressof(self._memory))
        self._machines = [_stamper(stream, marker_interval) for stream in range(STREAMS)]
        self._output = _pulse_output()
        self._segments = PulseSegments()
        self._output_words = array("I", (0, 0))
        self._losses = []
        self._waiting = [0] * STREAMS
        self._stream = STREAMS
        self._now_told_us = 0
        self._elapsed_us = 0
        self._start_took_us = 0
        self._looked_us = time.ticks_us()
        self._counts = 0
        self._start()

    def boot_reason(self):
        """Return why the processor started, a BOOT_ code."""
        return self._boot_reason

    def self_test(self):
        """Force one pulse onto each input and PPS; return the SELF_TEST_ bits that failed.

        The markers' machine is left alone, as it must count every sample from the first one on.
        What the inputs themselves do meanwhile goes unseen.
        """
        failed = 0
        for stream in range(STREAMS):
            if stream != LOST_MARKERS:
                failed |= self._test_stream(stream)
        return failed

    def wait(self):
        """Return when an event or a command may be there; after 1 ms at the latest."""
        self._feed_output()
        if not self._line.any():
            machine.idle()

    def next_event(self):
        """Return (kind, input, counter32) of the next record, or None while there is none.

        The counter is told every 100 ms, after all records of smaller counts.
        """
        while self._stream < STREAMS:
            event = self._next_of(self._stream)
            if event is not None:
                return event
            self._stream += 1
        if self._losses:
            return self._losses.pop()
        return self._next_round()

    def send(self, data):
        """Write all of `data` to the line."""
        view = memoryview(data)
        while view:
            view = view[self._line.write(view) or 0 :]

    def command_bytes(self):
        """Return the bytes that the board has sent since the last call."""
        return self._line.read(self._line.any()) or b""

    def optical_level(self, number):
        """Return the ADC's code of an optical head, 0..4095, None within 1 ms of the last one."""
        now = time.ticks_us()
        if time.ticks_diff(now, self._level_due_us[number]) < 0:
            return None
        due = time.ticks_add(self._level_due_us[number], LEVEL_INTERVAL_US)
        # Where the loop came late, no two samples follow closely to make up for it.
        late = time.ticks_diff(now, due) > 0
        self._level_due_us[number] = time.ticks_add(now, LEVEL_INTERVAL_US) if late else due
        return self._levels[number].read_u16() >> 4

    def set_threshold(self, number, code):
        """Set the level, 0..4095, above which an optical input is on."""
        self._thresholds[number].duty_u16(code << 4)

    def i2c_read(self, address, count):
        """Return bytes of a device; OSError where none answers."""
        return self._i2c.readfrom(address, count)

    def i2c_write(self, address, data):
        """Write bytes to a device; OSError where none answers."""
        self._i2c.writeto(address, data)

    def set_pulse_output(self, counter32, width):
        """Put out one pulse from a count on, for `width` counts; at once where it has passed."""
        counts = self._look_at_clock()
        ahead = (counter32 - counts) & WORD_MASK
        if ahead > WORD_MASK >> 1:
            ahead = 0
        # The pin changes one clock before the one at which it would be stamped with that count.
        rise = (counts + ahead - 1) * pio_stamp.CLOCKS_PER_COUNT
        self._segments.add(rise, width * pio_stamp.CLOCKS_PER_COUNT)
        self._feed_output()

    def flash_bytes(self):
        """Return how much flash there is for updates."""
        blocks: int = self._flash.ioctl(FLASH_BLOCKS, 0)  # type: ignore[assignment]
        return blocks * FLASH_SECTOR

    def flash_read(self, offset, count):
        """Return bytes of the flash."""
        data = bytearray(count)
        self._flash.readblocks(offset // FLASH_SECTOR, data, offset % FLASH_SECTOR)
        return data

    def flash_view(self, offset, count):
        """Return bytes of the flash where they are; its end is the flash's end."""
        return uctypes.bytearray_at(FLASH_END - self.flash_bytes() + offset, count)

    def flash_erase(self, offset):
        """Make one sector all 0xFF."""
        self._flash.ioctl(FLASH_ERASE, offset // FLASH_SECTOR)

    def flash_program(self, offset, page):
        """Write one page of erased flash."""
        self._flash.writeblocks(offset // FLASH_SECTOR, page, offset % FLASH_SECTOR)

    def feed_watchdog(self):
        """Say that the loop serves; the first call starts the watchdog."""
        if self._watchdog is None:
            self._watchdog = machine.WDT(timeout=LONGEST_WATCHDOG_MS)
        self._watchdog.feed()

    def restart(self):
        """Start the processor anew."""
        mem32[WATCHDOG_SCRATCH0] = RESTARTED
        machine.reset()

    def _start(self):
        for stamper in self._machines:
            stamper.active(1)
        self._output.active(1)
        start = Pin(pio_stamp.START_PIN, Pin.OUT, value=0)
        interrupts = machine.disable_irq()
        before = time.ticks_us()
        start(1)
        self._looked_us = time.ticks_us()
        machine.enable_irq(interrupts)
        self._start_took_us = time.ticks_diff(self._looked_us, before)
        for ring in self._rings:
            if ring.waiting() and ring.oldest() == HIGH_AT_START:
                ring.take()

    def _look_at_clock(self):
        # The timer counts the same crystal. It is read whole microseconds at a time, so this
        # count has surely been reached; all that was stamped before it is in the rings.
        now = time.ticks_us()
        self._elapsed_us += time.ticks_diff(now, self._looked_us)
        self._looked_us = now
        return max(self._elapsed_us - 1, 0) * CLOCKS_PER_US // pio_stamp.CLOCKS_PER_COUNT

    def _next_round(self):
        told = None
        if self._elapsed_us - self._now_told_us >= NOW_INTERVAL_US:
            if self._fifo_losses():
                return self._losses.pop()
            self._now_told_us = self._elapsed_us
            told = (COUNTER_NOW, 0, self._counts & WORD_MASK)
        self._counts = self._look_at_clock()
        for stream in range(STREAMS):
            self._waiting[stream] = self._rings[stream].waiting()
        self._stream = 0
        return told

    def _next_of(self, stream):
        ring = self._rings[stream]
        while self._waiting[stream] > 0:
            word = ring.take()
            if word is None:
                missed = ring.pass_over()
                self._waiting[stream] = ring.waiting()
                # Both edges of PPS are stamped, and one of them is told.
                return (RECORDS_LOST, stream, missed if stream != LOST_PPS else missed // 2)
            self._waiting[stream] -= 1
            kind = _kind(stream, word)
            if kind is not None:
                return (kind, stream if stream < LOST_MARKERS else 0, self._count32(word))
        return None

    def _count32(self, word):
        # Of all counts that end in these bits, the nearest to now.
        ahead = (COUNT_MASK - (word >> 1) - self._counts) & COUNT_MASK
        if ahead > COUNT_MASK >> 1:
            ahead -= COUNT_TURN
        return (self._counts + ahead) & WORD_MASK

    def _fifo_losses(self):
        for stream in range(STREAMS):
            block, machine_bit = _block_and_bit(stream)
            # RXSTALL: set also where `push(noblock)` dropped a record; a one clears it.
            register = PIO_BASES[block] + PIO_FDEBUG
            if mem32[register] & machine_bit:
                mem32[register] = machine_bit
                self._losses.append((RECORDS_LOST, stream, 1))
        return bool(self._losses)

    def _feed_output(self):
        while self._output.tx_fifo() <= OUTPUT_FIFO_WORDS - PULSE_WORDS:
            self._look_at_clock()
            looked = self._looked_us
            earliest = (self._elapsed_us - 1) * CLOCKS_PER_US
            latest = earliest + (self._start_took_us + 2) * CLOCKS_PER_US
            words = self._segments.next_words(earliest, latest)
            if words is None or not self._write_output(words, looked):
                return
            self._segments.words_written()

    def _write_output(self, words, looked_us):
        self._output_words[0], self._output_words[1] = words
        interrupts = machine.disable_irq()
        late_us = time.ticks_diff(time.ticks_us(), looked_us)
        in_time = late_us * CLOCKS_PER_US < WRITE_WITHIN_CLOCKS - WRITING_CLOCKS
        if in_time:
            self._output.put(self._output_words)
        machine.enable_irq(interrupts)
        return in_time

    def _test_stream(self, stream):
        ring = self._rings[stream]
        self._override(stream, INOVER_LOW)
        ring.skip()
        self._counts = self._look_at_clock()
        self._override(stream, INOVER_HIGH)
        self._override(stream, INOVER_LOW)
        if ring.waiting() != 2:
            failed = SELF_TEST_FIFO
        else:
            rose = self._count32(ring.take())
            fell = self._count32(ring.take())
            in_order = self._counts <= rose < fell <= self._look_at_clock() + COUNTS_UNSURE
            failed = 0 if in_order else SELF_TEST_COUNTER
        self._override(stream, INOVER_NORMAL)
        ring.skip()
        return failed

    def _override(self, stream, level):
        register = GPIO_CONTROLS + 8 * STREAM_PINS[stream]
        mem32[register] = mem32[register] & ~INOVER_MASK | level


def _kind(stream, word):
    rose = word & pio_stamp.STAMP_ROSE
    if stream < LOST_MARKERS:
        return EDGE_RISING if rose else EDGE_FALLING
    if stream == LOST_MARKERS:
        return ADC_MARKER
    return PPS_EDGE if rose else None


def _boot_reason():
    restarted = mem32[WATCHDOG_SCRATCH0] == RESTARTED
    mem32[WATCHDOG_SCRATCH0] = 0
    if restarted:
        return BOOT_COMMAND
    return BOOT_WATCHDOG if machine.reset_cause() == machine.WDT_RESET else BOOT_POWER_ON


def _block_and_bit(stream):
    block, number = divmod(STREAM_MACHINES[stream], MACHINES_PER_BLOCK)
    return block, 1 << number


def _rings(memory):
    largest = WORD_BYTES * STREAM_WORDS[0]
    address = (memory + largest - 1) // largest * largest
    rings = []
    for stream in range(STREAMS):
        block, number = divmod(STREAM_MACHINES[stream], MACHINES_PER_BLOCK)
        fifo = PIO_BASES[block] + PIO_RXF0 + WORD_BYTES * number
        request = FIRST_RX_REQUESTS[block] + number
        rings.append(RecordRing(fifo, request, address, STREAM_WORDS[stream]))
        address += WORD_BYTES * STREAM_WORDS[stream]
    return rings


def _stamper(stream, marker_interval):
    pin = Pin(STREAM_PINS[stream], Pin.IN)
    program = pio_stamp.stamp_every_nth_fall if stream == LOST_MARKERS else pio_stamp.stamp_edges
    stamper = rp2.StateMachine(STREAM_MACHINES[stream], program, jmp_pin=pin)
    stamper.exec("mov(x, invert(null))")
    if stream == LOST_MARKERS:
        stamper.put(marker_interval - 1)
        stamper.exec("pull()")
        stamper.exec("set(y, 0)")
    else:
        stamper.exec("set(y, 1)")
    return stamper


def _pulse_output():
    output = rp2.StateMachine(OUTPUT_MACHINE, pio_stamp.put_out_segments, out_base=Pin(OUTPUT_PIN))
    output.put(segment_word(0, IDLE_CLOCKS))
    output.exec("pull()")
    output.exec("mov(x, osr)")
    return output
