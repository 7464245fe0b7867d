"""A source around a converter that does not number its frames: opens it, reads, numbers, blocks.

closed ── open ──► armed ── first edge ──► begun ── first marker ──► blocks
▲                 │                       │                         │
└──── 0.5 s ◄─────┴────── a loss, told ───┴─────────────────────────┘
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Protocol

from spotcheck.errors import SampleSourceError
from spotcheck.samples import SampleBlock
from spotcheck_device.sources.numbered_stream import NumberedStream, StampedFrames
from spotcheck_device.sources.port import SourceListener
from spotcheck_device.sources.sampler import FrameReader, RawFrames, Sampler
from spotcheck_wire.sample_stream import StreamFormatMessage

_RETRY_S = 0.5


class Converter(FrameReader, Protocol):
    """An open converter."""

    @property
    def stream_format(self) -> StreamFormatMessage:
        """What its stream looks like, from now on."""

    @property
    def starts_here(self) -> bool:
        """Whether it was started for this stream, so that its first frame is sample 0."""

    def first_edge_ns(self, stamped: StampedFrames) -> int:
        """Instant of the first frame, when the first frames have been read."""

    def arrival_ns(self, now_ns: int) -> int:
        """An instant of the monotonic clock on the clock of the stamps."""

    def decode(self, raw: RawFrames) -> StampedFrames:
        """Codes of what was read.

        Raises:
            SampleSourceError: the converter says that something is wrong with it.
        """


class SampledSource:
    """Keeps a converter open; a `LiveSource` that cannot wait."""

    def __init__(self, open_converter: Callable[[], Converter], listener: SourceListener) -> None:
        """Nothing is opened before `run`.

        Args:
            open_converter: Opens, configures and starts the converter; called in a thread.
            listener: Who takes what comes.
        """
        self._open = open_converter
        self._listener = listener
        self._converter: Converter | None = None
        self._stream: NumberedStream | None = None
        self._contradiction: SampleSourceError | None = None
        self._last_told = ""

    async def run(self) -> None:
        """Open, read, and open again after a loss, until cancelled."""
        while True:
            try:
                converter = await self._opened()
            except (OSError, SampleSourceError) as error:
                self._tell_once(str(error))
            else:
                self._last_told = ""
                self._tell_once(await self._serve(converter))
            await asyncio.sleep(_RETRY_S)

    def grant_up_to(self, sample: int) -> None:
        """Nothing: a converter does not wait."""

    def add_marker(self, sample_index: int) -> None:
        """Hold the front end's count of frames against those that were read."""
        if self._stream is None or self._converter is None or self._contradiction is not None:
            return
        try:
            arrival_ns = self._converter.arrival_ns(time.monotonic_ns())
            self._stream.add_marker(sample_index, arrival_ns)
        except SampleSourceError as error:
            self._contradiction = error

    async def _opened(self) -> Converter:
        opening = asyncio.ensure_future(asyncio.to_thread(self._open))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The thread cannot be stopped, and what it opens must not stay open.
            with contextlib.suppress(OSError, SampleSourceError):
                (await opening).close()
            raise

    async def _serve(self, converter: Converter) -> str:
        """Read until something is wrong; returns what."""
        stream_format = converter.stream_format
        sampler = Sampler(converter, stream_format.sample_rate_hz)
        self._converter, self._stream = converter, None
        self._contradiction = None
        self._listener.on_format(stream_format)
        sampler.start()
        try:
            while True:
                found, dropped = await sampler.next()
                for raw in found:
                    self._take(converter, raw)
                if self._stream is not None and dropped:
                    self._stream.note_no_room(dropped)
        except (OSError, SampleSourceError) as error:
            return str(error)
        finally:
            self._converter = self._stream = None
            await sampler.close()

    def _take(self, converter: Converter, raw: RawFrames) -> None:
        stamped = converter.decode(raw)
        if self._stream is None:
            channels = 2 * converter.stream_format.phases
            self._stream = NumberedStream(converter.stream_format.sample_rate_hz, channels)
            first_ns = converter.first_edge_ns(stamped)
            self._stream.begin(first_ns, is_started_here=converter.starts_here)
        for part in self._stream.feed(stamped):
            if isinstance(part, SampleBlock):
                self._listener.on_block(part)
            else:
                self._listener.on_gap(part)
        if self._contradiction is not None:
            raise self._contradiction

    def _tell_once(self, reason: str) -> None:
        """The same reason again and again is told once: the converter may be absent for days."""
        if reason != self._last_told:
            self._last_told = reason
            self._listener.on_loss(reason)
