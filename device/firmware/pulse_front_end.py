"""Pulse front end: turns records of one 32-bit counter into messages in 64-bit stream time.

No hardware is touched here; a HAL hands over events and carries bytes (hal_contract.py).
"""

import frontend_codec as codec
from clamp_memory import ClampMemory
from command_server import CommandServer
from environment_sensor import EnvironmentSensor
from firmware_update import FirmwareUpdate
from frame_writer import FrameWriter
from hal_contract import (
    ADC_MARKER,
    COUNTER_NOW,
    EDGE_FALLING,
    EDGE_RISING,
    HAND_SWITCH,
    INPUTS,
    LOST_MARKERS,
    LOST_PPS,
    OPTICAL_INPUTS,
    PPS_EDGE,
    RECORDS_LOST,
    UnknownRecord,
)
from hand_switch import HandSwitch
from optical_threshold import OpticalThreshold
from pulse_input import PulseInput
from pulse_output import PulseOutput
from self_test import self_test
from stream_time import StreamTime
from update_key import BOARD, PUBLIC_KEY, VENDOR

FIRMWARE_VERSION = (2, 0, 0)
EVENTS_PER_TURN = 128
SWITCH_QUIET_PER_SECOND = 50  # a contact that was quiet for 20 ms has stopped bouncing
OUTPUT_AHEAD_PER_SECOND = 5  # pulses of the output are handed over 200 ms ahead


class PulseFrontEnd:
    """The application.

    Args:
        hal: what hal_contract.py describes.
        boot_id: number that differs between boots.
        marker_interval: samples between two ADC frame markers.
    """

    def __init__(self, hal, boot_id, marker_interval):
        self._hal = hal
        self._boot_id = boot_id
        self._marker_interval = marker_interval
        self._writer = FrameWriter(hal.send)
        self._time = StreamTime()
        self._inputs = [PulseInput(number, self._time, self._writer) for number in range(INPUTS)]
        quiet = hal.counter_hz // SWITCH_QUIET_PER_SECOND
        self._inputs[HAND_SWITCH] = HandSwitch(HAND_SWITCH, self._time, self._writer, quiet)
        self._thresholds = [OpticalThreshold() for _ in range(OPTICAL_INPUTS)]
        self._output = PulseOutput(self._put_out)
        self._output_ahead = hal.counter_hz // OUTPUT_AHEAD_PER_SECOND
        self._markers = 0
        self._pps = 0
        self._records_lost = 0
        self._next_signal = 0
        self._failed = 0
        self._has_served = False
        self._sensor = EnvironmentSensor(hal)
        self._clamp = ClampMemory(hal)
        self._commands = CommandServer(
            hal,
            self._writer,
            {
                "say_hello": self._hello,
                "inputs": self._inputs,
                "thresholds": self._thresholds,
                "output": self._output,
                "sensor": self._sensor,
                "clamp": self._clamp,
                "update": FirmwareUpdate(hal, VENDOR, BOARD, PUBLIC_KEY),
            },
        )

    def boot(self):
        """Test ourselves and say who we are."""
        self._failed = self_test(self._hal, self._sensor, self._clamp)
        self._hello()
        self._writer.flush()

    def turn(self):
        """Wait, serve commands, a batch of events and the light, and send what came of it.

        Raises:
            UnknownRecord: the FIFO cannot be trusted any more.
        """
        self._hal.wait()
        try:
            commands = self._hal.command_bytes()
            if commands:
                self._commands.take(commands)
            for _ in range(EVENTS_PER_TURN):
                event = self._hal.next_event()
                if event is None:
                    break
                self._event(event[0], event[1], event[2])
            self._look_at_light()
        finally:
            self._writer.flush()
        # A loop that turns without serving the counter must not keep the watchdog quiet.
        if self._has_served:
            self._has_served = False
            self._hal.feed_watchdog()

    def _event(self, kind, number, counter32):
        if kind == RECORDS_LOST:
            self._lost(number, counter32)
            return
        counter = self._time.extend(counter32)
        if kind == EDGE_RISING and number < INPUTS:
            self._inputs[number].rising(counter)
        elif kind == EDGE_FALLING and number < INPUTS:
            self._inputs[number].falling(counter)
        elif kind == ADC_MARKER:
            self._marker(counter)
        elif kind == PPS_EDGE:
            self._second(counter)
        elif kind == COUNTER_NOW:
            self._now(counter)
        else:
            self._unknown(kind, number)

    def _unknown(self, kind, number):
        self._writer.fault(codec.FAULT_UNKNOWN_RECORD)
        raise UnknownRecord("0x%02X of input %d is no record of the FIFO" % (kind, number))

    def _lost(self, number, records):
        self._records_lost += records
        if number < INPUTS:
            self._inputs[number].lost(records)
            self._writer.fault(codec.FAULT_RECORDS_LOST, records)
        elif number == LOST_MARKERS:
            # The next marker keeps its sample, because the lost ones are counted.
            self._markers += records
            self._writer.fault(codec.FAULT_MARKERS_LOST, records)
        elif number == LOST_PPS:
            self._pps += records
            self._writer.fault(codec.FAULT_PPS_LOST, records)
        else:
            self._unknown(RECORDS_LOST, number)

    def _in_order(self, counter):
        if counter >= self._time.complete:
            return True
        # It was promised that nothing before this count is still to come.
        self._writer.fault(codec.FAULT_EVENT_OUT_OF_ORDER)
        return False

    def _marker(self, counter):
        sample = self._markers * self._marker_interval
        self._markers += 1
        if self._in_order(counter):
            self._writer.put(codec.MARKER, sample, counter)

    def _second(self, counter):
        number = self._pps
        self._pps += 1
        if self._in_order(counter):
            self._writer.put(codec.PPS, counter, number)

    def _now(self, counter):
        self._has_served = True
        if self._in_order(counter):
            self._promise(counter)
        self._output.advance(counter + self._output_ahead)
        self._commands.go_on()
        if counter >= self._next_signal:
            self._next_signal = counter + self._hal.counter_hz
            self._tell_light()

    def _promise(self, counter):
        complete = counter
        dropped = 0
        for pulse_input in self._inputs:
            pulse_input.release_long_enough(counter)
            dropped += pulse_input.dropped
            # A pulse that may yet turn out to be a glitch holds the promise back.
            if pulse_input.open_pulse is not None:
                complete = min(complete, pulse_input.open_pulse)
        self._time.complete = complete
        pulses = [pulse_input.pulses for pulse_input in self._inputs]
        self._writer.put(codec.COMPLETE, complete, *pulses, dropped, self._records_lost)

    def _look_at_light(self):
        for number in range(OPTICAL_INPUTS):
            level = self._hal.optical_level(number)
            if level is not None:
                threshold = self._thresholds[number].sample(level)
                if threshold is not None:
                    self._hal.set_threshold(number, threshold)

    def _tell_light(self):
        for number in range(OPTICAL_INPUTS):
            if self._thresholds[number].has_samples:
                signal = self._thresholds[number].signal()
                self._writer.put(codec.INPUT_SIGNAL, number, *signal)

    def _put_out(self, counter, width):
        self._hal.set_pulse_output(counter & 0xFFFFFFFF, width)

    def _hello(self):
        self._writer.put(
            codec.HELLO,
            self._hal.counter_hz,
            self._boot_id,
            self._marker_interval,
            *FIRMWARE_VERSION,
            INPUTS,
            self._hal.boot_reason(),
            self._failed,
        )
