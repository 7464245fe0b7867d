"""The pulse front end over a serial port: frames in, stamped pulses out."""

import asyncio
from collections.abc import Callable

from spotcheck.ports import PulseBatch
from spotcheck.pulses import Pulse
from spotcheck.reading import Reason
from spotcheck_device.clock_map import ClockMap
from spotcheck_device.serial_stream import open_serial
from spotcheck_wire import frontend_messages as table
from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import (
    FRONT_END_MAX_FRAME,
    Frame,
    FrameDamaged,
    FrameDecoder,
    FrameEncoder,
    FramesLost,
)

METER_INPUT = 0
_RETRY_S = 0.5
_READ_BYTES = 1 << 16


class PulseLink:
    """Keeps the serial port open and maps the front end's counter to the sample clock."""

    def __init__(
        self,
        port: str,
        baud: int,
        *,
        on_open: Callable[[], None],
        on_marker: Callable[[int], None],
        on_pulses: Callable[[PulseBatch], None],
        on_loss: Callable[[Reason, str], None],
        on_notice: Callable[[str, str], None],
    ) -> None:
        """Nothing is open before `run`.

        Args:
            port: Serial port of the front end.
            baud: Its speed.
            on_open: Told when the port is open: from then on nothing is missed.
            on_marker: Takes the number of a frame that the front end has counted.
            on_pulses: Takes pulses with their promise of completeness.
            on_loss: Takes what makes a running measurement worthless.
            on_notice: Takes what a person should know (code, text).
        """
        self._port = port
        self._baud = baud
        self._on_open = on_open
        self._on_marker = on_marker
        self._on_pulses = on_pulses
        self._on_loss = on_loss
        self._on_notice = on_notice
        self.is_open = False
        self._restart(None)

    def _restart(self, boot_id: int | None) -> None:
        self._boot_id = boot_id
        self._clock = ClockMap()
        self._unstamped: list[table.Pulse] = []
        self._next_index: int | None = None

    async def run(self) -> None:
        """Open, read, and open again until cancelled."""
        encoder = FrameEncoder(max_frame=FRONT_END_MAX_FRAME)
        while True:
            try:
                stream = await open_serial(self._port, self._baud)
            except OSError:
                await asyncio.sleep(_RETRY_S)
                continue
            self.is_open = True
            try:
                hello = encoder.encode(*table.encode_front_end(table.HelloRequest()))
                stream.transport.write(hello)
                self._on_open()
                await self._read(stream.reader)
            finally:
                self.is_open = False
                stream.close()
            self._restart(None)
            self._on_loss(Reason.FRONT_END_LOST, "the serial line of the pulse front end went away")
            await asyncio.sleep(_RETRY_S)

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
            self._on_notice("front-end-frame-damaged", f"{event.reason}, {event.length} bytes")
        elif isinstance(event, FramesLost):
            self._on_notice("front-end-frames-lost", f"{event.count} frames")
        elif isinstance(event, Frame):
            try:
                self._take(table.decode_front_end(event))
            except MessageError as error:
                self._on_notice("front-end-message", str(error))

    def _take(self, message: table.FrontEndMessage) -> None:
        match message:
            case table.FrontEndHello():
                if self._boot_id not in (None, message.boot_id):
                    self._restart(message.boot_id)
                    self._on_loss(Reason.FRONT_END_LOST, "the pulse front end has restarted")
                self._boot_id = message.boot_id
            case table.Marker():
                self._stamp_what_waits()
                self._clock.add_marker(message.sample_index, message.counter)
                self._on_marker(message.sample_index)
            case table.Pulse() if message.input == METER_INPUT:
                self._expect(message.index)
                self._next_index = message.index + 1
                self._unstamped.append(message)
            case table.Complete():
                self._expect(message.pulses_so_far)
                self._next_index = message.pulses_so_far
                self._complete(message.counter)
            case table.Fault():
                self._on_notice("front-end-fault", f"code {message.code}, {message.count} times")

    def _expect(self, index: int) -> None:
        """The front end numbers its pulses: a jump says how many never arrived."""
        if self._next_index is not None and index > self._next_index:
            lost = index - self._next_index
            self._on_loss(Reason.DATA_LOST, f"pulses lost on the line of the front end: {lost}")

    def _stamp_what_waits(self) -> None:
        if self._clock.is_ready and self._unstamped:
            pulses = tuple(
                Pulse(stamp=self._clock.stamp(p.counter), index=p.index) for p in self._unstamped
            )
            self._unstamped = []
            self._on_pulses(PulseBatch(pulses=pulses, complete_to_stamp=pulses[-1].stamp))

    def _complete(self, counter: int) -> None:
        self._stamp_what_waits()
        if self._clock.is_ready:
            stamp = self._clock.stamp(counter)
            self._on_pulses(PulseBatch(pulses=(), complete_to_stamp=stamp))
