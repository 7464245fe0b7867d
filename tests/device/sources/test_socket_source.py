"""The link to a source that waits for credit, and that may stand anywhere when it is met."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from spotcheck.samples import SampleBlock
from spotcheck_device.sources import socket_source as module
from spotcheck_device.sources.port import SourceListener
from spotcheck_device.sources.socket_source import SocketSource
from spotcheck_wire.sample_stream import (
    StreamCredit,
    StreamDecoder,
    StreamFormatMessage,
    encode_block,
    encode_format,
)

RATE = 8000
CHUNK = 800
FORMAT = StreamFormatMessage(
    sample_rate_hz=RATE, phases=1, voltage_range="480V", current_range="C100", epoch_utc_ns=0,
    counter_hz=24_000_000,
)  # fmt: skip


class Source:
    """Sends a block whenever it has the credit for it; a new connection begins without credit."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.delay_s = 0.0
        """Before the first block of the first connection."""
        self.connections = 0
        self.credit = 0
        self.largest_credit = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.credit = 0
        writer.write(encode_format(FORMAT))
        sending = asyncio.ensure_future(self._send(writer))
        decoder = StreamDecoder()
        with suppress(ConnectionError):
            while data := await reader.read(4096):
                for message in decoder.feed(data):
                    assert isinstance(message, StreamCredit)
                    self.credit = max(self.credit, message.up_to_sample)
                    self.largest_credit = max(self.credit, self.largest_credit)
        sending.cancel()
        writer.close()

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        delay_s, self.delay_s = self.delay_s, 0.0
        await asyncio.sleep(delay_s)
        while True:
            if self.credit >= self.at + CHUNK:
                writer.write(encode_block(self.at, CHUNK, bytes(8 * CHUNK)))
                self.at += CHUNK
            await asyncio.sleep(0.0002)


class Board:
    """Takes blocks, and grants as the daemon does: from where it stands, and again and again."""

    def __init__(self, wants: bool = True) -> None:
        self.wants = wants
        self.blocks: list[SampleBlock] = []
        self.losses: list[str] = []

    async def run(self, port: int) -> None:
        link = SocketSource(
            ("127.0.0.1", port),
            SourceListener(
                on_format=lambda _: None,
                on_block=self.blocks.append,
                on_loss=self.losses.append,
                on_gap=lambda _: None,
            ),
        )
        running = asyncio.ensure_future(link.run())
        try:
            while True:
                await asyncio.sleep(0.002)
                assert not running.done()
                # Three seconds from the first block, then it wants no more.
                have = self.blocks[-1].end_sample if self.blocks else 0
                if self.wants and (
                    not self.blocks or have < self.blocks[0].first_sample + 3 * RATE
                ):
                    link.grant_up_to(have)
        finally:
            running.cancel()


def run(source: Source, board: Board, until: Callable[[], bool]) -> None:
    async def main() -> None:
        server = await asyncio.start_server(source.serve, "127.0.0.1", 0)
        running = asyncio.ensure_future(board.run(server.sockets[0].getsockname()[1]))
        try:
            await asyncio.wait_for(_condition(until), 20.0)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            server.close()
            await asyncio.sleep(0.02)

    asyncio.run(main())


def _condition(until: Callable[[], bool]) -> Awaitable[None]:
    async def wait() -> None:
        while not until():
            await asyncio.sleep(0.005)

    return wait()


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEARCH_LOOK_S", 0.01)


@pytest.mark.parametrize("at_s", [1.5, 60, 90_000, 200 * 86_400])
def test_source_that_ran_on_for_another_board_is_found_where_it_stands(at_s: float) -> None:
    source, board = Source(round(at_s * RATE)), Board()
    run(source, board, lambda: len(board.blocks) >= 31)
    first = board.blocks[0].first_sample
    ends = [block.first_sample for block in board.blocks]
    assert ends == list(range(first, first + len(ends) * CHUNK, CHUNK))
    # What it was given too much has ended with the connection.
    assert at_s * RATE <= first <= (at_s + 20) * RATE
    assert source.credit <= board.blocks[-1].end_sample + (module.TOLERATED_S + 2) * RATE
    assert board.losses == []


def test_source_that_is_only_slow_loses_no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEARCH_LOOK_S", 0.5)
    monkeypatch.setattr(module, "PATIENT_LOOKS", 1)
    source, board = Source(0), Board()
    source.delay_s = 0.7
    run(source, board, lambda: len(board.blocks) >= 10)
    assert source.largest_credit > 2 * RATE
    assert board.blocks[0].first_sample == 0
    assert source.connections == 1


def test_source_that_hung_for_long_does_not_keep_what_it_was_given_meanwhile() -> None:
    source, board = Source(0), Board()
    source.delay_s = 0.5
    run(source, board, lambda: len(board.blocks) >= 10)
    assert source.largest_credit > 1000 * RATE
    assert source.connections > 1
    assert source.credit < board.blocks[-1].end_sample + 70 * RATE
    assert board.losses == []


def test_stream_that_began_anew_is_not_asked_again_and_again() -> None:
    """The board stands far ahead of it, and its grants do."""
    source = Source(0)
    board = Board()
    board.blocks = [SampleBlock(first_sample=500 * RATE, channels=2, codes=b"")]
    run(source, board, lambda: len(board.blocks) >= 10)
    assert (board.blocks[1].first_sample, source.connections) == (0, 1)


def test_source_that_nobody_wants_anything_of_is_left_where_it_stands() -> None:
    source, board = Source(60 * RATE), Board(wants=False)
    ends_at = 0.0

    def half_a_second_is_over() -> bool:
        nonlocal ends_at
        now_s = asyncio.get_running_loop().time()
        ends_at = ends_at or now_s + 0.5
        return now_s > ends_at

    run(source, board, half_a_second_is_over)
    assert (source.connections, source.largest_credit, board.blocks) == (1, 0, [])


def test_source_that_gives_credit_no_heed_is_taken_as_it_comes() -> None:
    source, board = Source(60 * RATE), Board()

    async def heedless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(encode_format(FORMAT))
        for _ in range(50):
            writer.write(encode_block(source.at, CHUNK, bytes(8 * CHUNK)))
            source.at += CHUNK
            await asyncio.sleep(0.01)
        writer.close()

    source.serve = heedless  # type: ignore[method-assign]
    run(source, board, lambda: len(board.blocks) >= 40)
    assert board.blocks[0].first_sample == 60 * RATE
