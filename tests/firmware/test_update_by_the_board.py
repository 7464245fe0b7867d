"""The board's own link installs an image on the real firmware, which starts it and keeps it."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from running_front_end import FIRMWARE, MICROPYTHON, environment
from signed_images import KEY, manifest_of

from spotcheck.errors import CommandRefusedError, InvalidInputError
from spotcheck_device.firmware_image import SignedImage, build_image, build_manifest, install
from spotcheck_device.pulse_link import PulseLink, PulseSinks
from spotcheck_sim.pty_port import PtyPort
from spotcheck_wire import frontend_codec as codec

NAMES = {"vendor": "spotcheck", "board": "pulse-front-end"}


def signed(image: bytes, counter: int) -> SignedImage:
    manifest = build_manifest(image, counter=counter, **NAMES)
    return SignedImage(manifest=manifest, signature=KEY.sign(manifest), image=image)


class RunningBoard:
    """A board's link and the firmware, joined by two ptys."""

    def __init__(self, flash: Path, loses_writes: frozenset[int] = frozenset()) -> None:
        self._flash = flash
        self._loses_writes = loses_writes
        self._writes = 0
        self.lost: list[str] = []
        self._heard = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        board = PtyPort(self._to_firmware)
        firmware = self._firmware = PtyPort(board.write)
        arguments = {
            "--serial": firmware.path, "--counter-hz": "24000000", "--marker-interval": "1000",
            "--boot-id": "1", "--flash": str(self._flash),
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            MICROPYTHON, FIRMWARE / "main.py", *(x for pair in arguments.items() for x in pair),
            stdin=asyncio.subprocess.PIPE, env=environment(),
        )  # fmt: skip
        self.link = PulseLink(
            board.path, 115200,
            PulseSinks(
                on_open=lambda: None, on_pulses=lambda batch: self._heard.set(),
                on_pulses_lost=lambda number, text: self.lost.append(text),
                on_loss=lambda reason, text: self.lost.append(text),
                on_notice=lambda code, text: self.lost.append(text),
                on_marker=lambda sample: None,
            ),
        )  # fmt: skip
        tasks = [asyncio.ensure_future(job) for job in (self.link.run(), count(process))]
        try:
            await self._heard.wait()
            yield process
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()
            board.close()
            firmware.close()

    def _to_firmware(self, data: bytes) -> None:
        self._writes += 1
        if self._writes not in self._loses_writes:
            self._firmware.write(data)


async def count(process: asyncio.subprocess.Process) -> None:
    """Read the counter for the firmware, quicker than 100 ms."""
    assert process.stdin is not None
    counter = 3_000_000
    with contextlib.suppress(ConnectionError):
        # Two markers, so that the link has a clock and says that it hears the front end.
        for marker in range(2):
            process.stdin.write(struct.pack("<BBI", ord("M"), 0, 3_000_000 * marker))
        while True:
            counter += 2_400_000
            process.stdin.write(struct.pack("<BBI", ord("T"), 0, counter % (1 << 32)))
            await process.stdin.drain()
            await asyncio.sleep(0.001)


@pytest.mark.processes
def test_board_installs_an_image_and_a_rollback_is_refused_by_name(tmp_path: Path) -> None:
    flash = tmp_path / "flash"
    flash.write_bytes(b"\xff" * (4096 * 2 + 2 * 4096 * 16))
    source = (FIRMWARE / "pulse_front_end.py").read_bytes()
    image = signed(build_image({"pulse_front_end.py": source}), 3)

    async def scenario() -> list[int]:
        progress: list[int] = []
        # A question at the opening and one at the HELLO, then the manifest, then pieces.
        board = RunningBoard(flash, frozenset({9, 30, 31}))
        async with board.running() as process:
            await install(board.link.commands, image, progress.append)
            assert await process.wait() == 3
        assert board.lost == []
        # The link's own question at the opening confirms the image.
        board = RunningBoard(flash)
        async with board.running():
            with pytest.raises(CommandRefusedError, match="not newer") as refused:
                await install(board.link.commands, image, progress.append)
            assert refused.value.reason == codec.REFUSED_ROLLBACK
        return progress

    progress = asyncio.run(scenario())
    assert progress[-1] == len(image.image)


def test_manifest_is_laid_out_as_documented() -> None:
    assert build_manifest(b"image", counter=7, **NAMES) == manifest_of(b"image", 7)


@pytest.mark.parametrize(
    "wrong", [{"vendor": "v" * 13}, {"board": "b" * 21}, {"counter": 0}, {"counter": 1 << 32}]
)
def test_manifest_with_a_field_that_does_not_fit_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match="at most 12 bytes"):
        build_manifest(b"image", **{"counter": 7, **NAMES, **wrong})  # type: ignore[arg-type]


def test_file_of_an_image_comes_back_and_damage_is_named() -> None:
    image = signed(b"image", 7)
    data = image.to_bytes()
    assert SignedImage.from_bytes(data) == image
    for damaged, reason in (
        (data[:-1], "cut or changed"),
        (data[:-1] + b"E", "cut or changed"),
        (data[:100], "no file"),
        (b"x" + data[1:], "no file"),
    ):
        with pytest.raises(InvalidInputError, match=reason):
            SignedImage.from_bytes(damaged)
