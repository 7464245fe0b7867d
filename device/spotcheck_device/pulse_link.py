"""The pulse front end over a serial port: frames in, stamped pulses of each input out."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from spotcheck.errors import DeviceLostError, ProtocolVersionError
from spotcheck.ports import PulseBatch
from spotcheck.pulses import Pulse
from spotcheck.reading import Reason
from spotcheck_device.clock_map import ClockMap
from spotcheck_device.front_end_commands import FrontEndCommands
from spotcheck_device.serial_stream import SerialStream, open_serial
from spotcheck_wire import frontend_codec as codec
from spotcheck_wire import frontend_messages as table
from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import (
    FRONT_END_MAX_FRAME,
    Frame,
    FrameDamaged,
    FrameDecoder,
    FrameEncoder,
    FramesLost,
    WrongVersion,
)

FAULT_TEXTS = {
    codec.FAULT_EVENT_OUT_OF_ORDER: "an event came before a count already promised complete",
    codec.FAULT_UNKNOWN_RECORD: "the FIFO held a record of no known kind",
    codec.FAULT_EDGE_MISSING: "a trailing edge is missing",
    codec.FAULT_COMMAND_DAMAGED: "a damaged frame came from the board",
    codec.FAULT_COMMAND_UNKNOWN: "a command that this firmware does not know came from the board",
    codec.FAULT_RECORDS_LOST: "records of a pulse input were lost in a full FIFO",
    codec.FAULT_MARKERS_LOST: "ADC frame markers were lost in a full FIFO",
    codec.FAULT_PPS_LOST: "PPS edges were lost in a full FIFO",
}
SELF_TEST_TEXTS = {
    codec.SELF_TEST_CODEC: "the codec",
    codec.SELF_TEST_COUNTER: "the counter stands",
    codec.SELF_TEST_FIFO: "a FIFO is not empty",
}
"""Sensor and clamps may be plugged in later; who needs them is told then."""
_RETRY_S = 0.5
_READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseSinks:
    """Who takes what comes of the link."""

    on_open: Callable[[], None]
    """Told when the port is open: from then on nothing is missed."""
    on_pulses: Callable[[PulseBatch], None]
    """Takes pulses of one input; each promise of the front end makes a batch for every input,
    and the first of them carries the new marks of PPS."""
    on_pulses_lost: Callable[[int, str], None]
    """Takes an input, and how many of its pulses are missing at least."""
    on_loss: Callable[[Reason, str], None]
    """Takes what makes a running measurement worthless."""
    on_notice: Callable[[str, str], None]
    """Takes what a person should know (code, text)."""
    on_marker: Callable[[int], None]
    """Takes the number of a frame that the front end has counted."""
    on_signal: Callable[[table.InputSignal], None] | None = None
    """Takes light and threshold of an optical input once a second; None: nobody does."""


@dataclass(slots=True, kw_only=True)
class _Input:
    """What is known of one pulse input since the front end's boot."""

    next_index: int | None = None
    unstamped: list[table.Pulse] = field(default_factory=list)


class PulseLink:
    """Keeps the serial port open and maps the front end's counter to the sample clock."""

    def __init__(self, port: str, baud: int, sinks: PulseSinks) -> None:
        """Nothing is open before `run`.

        Args:
            port: Serial port of the front end.
            baud: Its speed.
            sinks: Who takes what comes of it.
        """
        self._port = port
        self._baud = baud
        self._sinks = sinks
        self.is_open = False
        self.commands = FrontEndCommands(self._send_command)
        """For whoever has an order for the front end."""
        self._encoder = FrameEncoder(max_frame=FRONT_END_MAX_FRAME)
        self._stream: SerialStream | None = None
        self._restart(None)

    def _restart(self, boot_id: int | None) -> None:
        self._boot_id = boot_id
        self._clock = ClockMap()
        self._inputs = [_Input() for _ in range(codec.INPUTS)]
        self._unstamped_pps: list[table.Pps] = []
        self._pps_stamps: list[int] = []
        self._told_version: int | None = None

    async def run(self) -> None:
        """Open, read, and open again until cancelled."""
        while True:
            try:
                stream = await open_serial(self._port, self._baud)
            except OSError:
                await asyncio.sleep(_RETRY_S)
                continue
            self.is_open = True
            self._stream = stream
            try:
                self._send_command(table.HelloRequest())
                self._sinks.on_open()
                await self._read(stream.reader)
            finally:
                self.is_open = False
                self._stream = None
                self.commands.lose_line()
                stream.close()
            self._restart(None)
            gone = "the serial line of the pulse front end went away"
            self._sinks.on_loss(Reason.FRONT_END_LOST, gone)
            await asyncio.sleep(_RETRY_S)

    def _send_command(self, command: table.FrontEndCommand) -> int:
        if self._stream is None:
            raise DeviceLostError("the serial line of the pulse front end is not open")
        line = self._encoder.encode(*table.encode_front_end(command))
        self._stream.transport.write(line)
        return codec.parse_frame(line[:-1])[2]

    async def _read(self, reader: asyncio.StreamReader) -> None:
        decoder = FrameDecoder(max_frame=FRONT_END_MAX_FRAME)
        while True:
            try:
                data = await reader.read(_READ_BYTES)
            except OSError:
                return  # a pty or USB port that is pulled reads as an error, not as an end
            if not data:
                return
            for event in decoder.feed(data):
                self._take_event(event)

    def _take_event(self, event: object) -> None:
        if isinstance(event, FrameDamaged):
            text = f"{event.reason}, {event.length} bytes"
            self._sinks.on_notice("front-end-frame-damaged", text)
        elif isinstance(event, FramesLost):
            self._sinks.on_notice("front-end-frames-lost", f"{event.count} frames")
        elif isinstance(event, WrongVersion):
            self._tell_version(event.version)
        elif isinstance(event, Frame):
            try:
                self._take(table.decode_front_end(event))
            except MessageError as error:
                self._sinks.on_notice("front-end-message", str(error))

    def _tell_version(self, version: int) -> None:
        # Every frame of such a front end says it again; a person needs it once.
        if self._told_version != version:
            self._told_version = version
            self._sinks.on_loss(Reason.FRONT_END_LOST, str(_version_error(version)))

    def _take(self, message: table.FrontEndMessage) -> None:
        match message:
            case table.FrontEndHello():
                self._greet(message)
            case table.Marker():
                self._stamp_what_waits()
                self._take_marker(message)
            case table.Pulse() if message.input < codec.INPUTS:
                self._expect(message.input, message.index)
                pulse_input = self._inputs[message.input]
                pulse_input.next_index = message.index + 1
                pulse_input.unstamped.append(message)
            case table.Complete():
                for number, so_far in enumerate(message.pulses_so_far):
                    self._expect(number, so_far)
                    self._inputs[number].next_index = so_far
                self._complete(message.counter)
            case table.Pps():
                self._unstamped_pps.append(message)
            case table.InputSignal() if self._sinks.on_signal is not None:
                self._sinks.on_signal(message)
            case table.Fault():
                name = FAULT_TEXTS.get(message.code, f"code {message.code}")
                self._sinks.on_notice("front-end-fault", f"{name}, {message.count} times")
            case _:
                self.commands.take(message)

    def _take_marker(self, marker: table.Marker) -> None:
        late = self._clock.add_marker(marker.sample_index, marker.counter)
        if late:
            detail = f"the front end's marker of sample {marker.sample_index} is {late} samples off"
            self._sinks.on_loss(Reason.DATA_LOST, detail)
        self._sinks.on_marker(marker.sample_index)

    def _greet(self, hello: table.FrontEndHello) -> None:
        if self._boot_id not in (None, hello.boot_id):
            self._restart(hello.boot_id)
            self._sinks.on_loss(Reason.FRONT_END_LOST, "the pulse front end has restarted")
        if self._boot_id != hello.boot_id:
            # A new image stays once it has answered a question, and the one at the opening may
            # have been put before it listened.
            self._send_command(table.HelloRequest())
        self._boot_id = hello.boot_id
        failed = [text for bit, text in SELF_TEST_TEXTS.items() if hello.self_test & bit]
        if failed:
            self._sinks.on_notice("front-end-self-test", "failed at boot: " + ", ".join(failed))

    def _expect(self, number: int, index: int) -> None:
        """The front end numbers its pulses: a jump says how many never arrived."""
        expected = self._inputs[number].next_index
        if expected is not None and index > expected:
            lost = index - expected
            self._sinks.on_pulses_lost(number, f"pulses lost on the line of the front end: {lost}")

    def _stamp_what_waits(self) -> None:
        if not self._clock.is_ready:
            return
        self._pps_stamps += [self._clock.stamp(pps.counter) for pps in self._unstamped_pps]
        self._unstamped_pps = []
        for number, pulse_input in enumerate(self._inputs):
            if pulse_input.unstamped:
                pulses = tuple(
                    Pulse(stamp=self._clock.stamp(p.counter), index=p.index)
                    for p in pulse_input.unstamped
                )
                pulse_input.unstamped = []
                batch = PulseBatch(pulses=pulses, complete_to_stamp=pulses[-1].stamp, input=number)
                self._sinks.on_pulses(batch)

    def _complete(self, counter: int) -> None:
        self._stamp_what_waits()
        if self._clock.is_ready:
            stamp = self._clock.stamp(counter)
            for number in range(len(self._inputs)):
                pps_stamps, self._pps_stamps = tuple(self._pps_stamps), []
                batch = PulseBatch(
                    pulses=(), complete_to_stamp=stamp, input=number, pps_stamps=pps_stamps
                )
                self._sinks.on_pulses(batch)


def _version_error(version: int) -> ProtocolVersionError:
    ours = codec.TABLE_VERSION
    cure = "update the front end's firmware" if version < ours else "update the board's software"
    return ProtocolVersionError(
        f"the pulse front end speaks message table {version}, the board {ours}: {cure}"
    )
