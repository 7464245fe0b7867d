"""The sample stream over a socket: blocks in, credit out; it connects again when it is lost."""

import asyncio
import contextlib
from collections.abc import Callable

from spotcheck.samples import SampleBlock
from spotcheck_wire.errors import StreamDamagedError
from spotcheck_wire.sample_stream import (
    StreamBlock,
    StreamDecoder,
    StreamFormatMessage,
    StreamMessage,
    encode_credit,
)

CREDIT_AHEAD_S = 1.0
_RETRY_S = 0.5
_READ_BYTES = 1 << 20


class SampleLink:
    """Keeps one connection to the sample source."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        on_format: Callable[[StreamFormatMessage], None],
        on_block: Callable[[SampleBlock], None],
        on_loss: Callable[[str], None],
    ) -> None:
        """Nothing is connected before `run`."""
        self._address = address
        self._on_format = on_format
        self._on_block = on_block
        self._on_loss = on_loss
        self._writer: asyncio.StreamWriter | None = None
        self._format: StreamFormatMessage | None = None
        self._granted = 0

    async def run(self) -> None:
        """Connect, read, and connect again until cancelled."""
        while True:
            # The source may not be up yet, or may be restarting: that is told, not fatal.
            with contextlib.suppress(OSError):
                await self._serve_connection()
            await asyncio.sleep(_RETRY_S)

    def grant_up_to(self, sample: int) -> None:
        """Let the source send up to a sample, a second further than what is needed."""
        if self._writer is None or self._format is None:
            return
        goal = sample + round(CREDIT_AHEAD_S * self._format.sample_rate_hz)
        # Half a second at a time: a message for each block would only cost.
        if goal - self._granted >= self._format.sample_rate_hz // 2:
            self._granted = goal
            self._writer.write(encode_credit(goal))

    async def _serve_connection(self) -> None:
        reader, writer = await asyncio.open_connection(*self._address, limit=_READ_BYTES)
        self._writer, self._granted = writer, 0
        reason = "the sample source closed the connection"
        decoder = StreamDecoder()
        try:
            while data := await reader.read(_READ_BYTES):
                for message in decoder.feed(data):
                    self._take(message)
        except StreamDamagedError as error:
            reason = f"the sample stream is damaged: {error}"
        except OSError as error:
            reason = f"the sample source is gone: {error}"
        finally:
            self._writer = None
            writer.close()
        self._on_loss(reason)

    def _take(self, message: StreamMessage) -> None:
        if isinstance(message, StreamFormatMessage):
            self._format = message
            self._on_format(message)
        elif isinstance(message, StreamBlock) and self._format is not None:
            self._on_block(
                SampleBlock(
                    first_sample=message.first_sample,
                    channels=2 * self._format.phases,
                    codes=message.codes,
                )
            )
