"""The firmware's manifest against the files beside it."""

from pathlib import Path

from running_front_end import FIRMWARE


def run_manifest() -> tuple[list[Path], list[str]]:
    modules: list[Path] = []
    required: list[str] = []

    def module(name: str, base_path: str = ".") -> None:
        modules.append((FIRMWARE / base_path / name).resolve())

    names = {"module": module, "require": required.append}
    exec((FIRMWARE / "manifest.py").read_text(encoding="utf-8"), names)  # noqa: S102
    return modules, required


def test_every_frozen_module_exists() -> None:
    modules, _ = run_manifest()
    assert [module for module in modules if not module.is_file()] == []


def test_every_file_of_the_firmware_is_frozen() -> None:
    modules, _ = run_manifest()
    firmware = set(FIRMWARE.glob("*.py")) - {FIRMWARE / "manifest.py"}
    assert firmware <= set(modules)


def test_the_codec_is_the_boards_own_file() -> None:
    modules, _ = run_manifest()
    assert FIRMWARE.parent / "spotcheck_wire" / "frontend_codec.py" in modules
