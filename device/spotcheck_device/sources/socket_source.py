"""The sample stream over a socket: blocks in, credit out; it connects again when it is lost.

    connected ── credit, and no block for 2 s ──► searching: credit ×4, every 0.25 s
        ▲                                              │ the first block
        └── come again, credit from that block on ◄────┘

A source that waits for credit may stand anywhere: it ran on for a daemon before this one. It tells
where only by its next block, so credit rises until one comes. The source forgets its credit with
the connection: what it was given too much ends there, and the samples of that one look are lost,
which nobody had asked for.
"""

import asyncio

from spotcheck.samples import SampleBlock
from spotcheck_device.sources.port import SourceListener
from spotcheck_wire.errors import StreamDamagedError
from spotcheck_wire.sample_stream import (
    StreamBlock,
    StreamDecoder,
    StreamFormatMessage,
    StreamMessage,
    encode_credit,
)

CREDIT_AHEAD_S = 1.0
SEARCH_LOOK_S = 0.25
PATIENT_LOOKS = 8
"""So many looks without a block, and a source that has credit counts as standing beyond it. Looks
are counted, not time: a daemon that was itself held up has not waited."""
SEARCH_FACTOR = 4
"""A stream of two days is found in nine looks: before the silence counts as a loss."""
TOLERATED_S = 2.0
"""Credit that may stay with a source that was found; for more than that it is asked anew."""
TOLERATED_OF_SLOW_S = 60.0
"""Credit that may stay with one that was only slow, and whose samples are wanted from the first."""
_LARGEST_CREDIT = 2**62
_RETRY_S = 0.5
_READ_BYTES = 1 << 20


class SocketSource:
    """Keeps one connection to a source that speaks the sample stream."""

    def __init__(self, address: tuple[str, int], listener: SourceListener) -> None:
        """Nothing is connected before `run`."""
        self._address = address
        self._listener = listener
        self._found_at = 0
        self._begin_connection(None)

    def _begin_connection(self, writer: asyncio.StreamWriter | None) -> None:
        self._writer = writer
        self._format: StreamFormatMessage | None = None
        self._granted = 0
        self._asked = 0
        self._block_came = False
        self._comes_again = False

    async def run(self) -> None:
        """Connect, read, and connect again until cancelled."""
        while True:
            # The source may not be up yet, or may be restarting: that is told, not fatal.
            try:
                await self._serve_connection()
            except OSError:
                self._found_at = 0
            if not self._comes_again:
                await asyncio.sleep(_RETRY_S)

    def grant_up_to(self, sample: int) -> None:
        """Let the source send up to a sample, a second further than what is needed."""
        if self._writer is None or self._format is None or self._comes_again:
            return
        goal = max(sample, self._found_at) + round(CREDIT_AHEAD_S * self._format.sample_rate_hz)
        # Half a second at a time: a message for each block would only cost.
        if goal - self._granted >= self._format.sample_rate_hz // 2:
            self._asked = goal
            self._grant(goal)

    def add_marker(self, sample_index: int) -> None:
        """Nothing: blocks of this stream carry their number."""

    def _grant(self, credit: int) -> None:
        if self._writer is not None:
            self._granted = credit
            self._writer.write(encode_credit(credit))

    async def _serve_connection(self) -> None:
        self._comes_again = False
        reader, writer = await asyncio.open_connection(*self._address, limit=_READ_BYTES)
        self._begin_connection(writer)
        searching = asyncio.ensure_future(self._search())
        try:
            reason = await self._read(reader)
        finally:
            searching.cancel()
            self._writer = None
            writer.close()
        if not self._comes_again:
            self._found_at = 0
            self._listener.on_loss(reason)

    async def _read(self, reader: asyncio.StreamReader) -> str:
        """Take what comes; returns why the connection is at its end."""
        decoder = StreamDecoder()
        try:
            while not self._comes_again and (data := await reader.read(_READ_BYTES)):
                for message in decoder.feed(data):
                    self._take(message)
        except StreamDamagedError as error:
            return f"the sample stream is damaged: {error}"
        except OSError as error:
            return f"the sample source is gone: {error}"
        return "the sample source closed the connection"

    async def _search(self) -> None:
        """Raise the credit of a source that has some and sends nothing, until a block comes."""
        # A source that is met anew may have run on until it saw the connection end.
        looks, step = PATIENT_LOOKS if self._found_at else 0, round(CREDIT_AHEAD_S)
        while not self._block_came and self._granted < _LARGEST_CREDIT:
            await asyncio.sleep(SEARCH_LOOK_S)
            looks = looks + 1 if self._granted else 0
            if looks >= PATIENT_LOOKS and self._format is not None and not self._block_came:
                step *= SEARCH_FACTOR
                credit = self._asked + step * self._format.sample_rate_hz
                self._grant(min(credit, _LARGEST_CREDIT))

    def _take(self, message: StreamMessage) -> None:
        if isinstance(message, StreamFormatMessage):
            self._format = message
            self._listener.on_format(message)
        elif isinstance(message, StreamBlock) and self._format is not None:
            block = SampleBlock(
                first_sample=message.first_sample,
                channels=2 * self._format.phases,
                codes=message.codes,
            )
            if not self._block_came:
                self._block_came = True
                self._comes_again = self._has_too_much(block, self._format.sample_rate_hz)
            if self._comes_again:
                self._found_at = block.end_sample
            else:
                self._found_at = 0
                self._listener.on_block(block)

    def _has_too_much(self, first: SampleBlock, sample_rate_hz: int) -> bool:
        """Whether a source that was searched for would run on further than anybody has asked."""
        was_beyond = first.end_sample > self._asked
        tolerated_s = TOLERATED_S if was_beyond else TOLERATED_OF_SLOW_S
        too_much = self._granted - first.end_sample > tolerated_s * sample_rate_hz
        return self._granted > self._asked and too_much
