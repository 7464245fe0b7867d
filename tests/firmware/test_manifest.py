"""The firmware's manifests, the unix port's and the RP2040's, against the files beside them."""

from pathlib import Path

import pytest
from running_front_end import FIRMWARE

UNIX = FIRMWARE / "manifest.py"
RP2 = FIRMWARE / "rp2" / "manifest.py"
UNIX_ONLY = {FIRMWARE / "main.py", FIRMWARE / "hal_host.py"}
RP2_ONLY = {
    FIRMWARE / "hal_rp2.py",
    FIRMWARE / "pio_stamp.py",
    FIRMWARE / "pulse_segments.py",
    FIRMWARE / "record_ring.py",
}


def frozen(manifest: Path) -> set[Path]:
    modules: set[Path] = set()

    def module(name: str, base_path: str = ".") -> None:
        # The port's own modules lie in its source, not here.
        if not base_path.startswith("$"):
            modules.add((manifest.parent / base_path / name).resolve())

    names = {"module": module, "require": lambda _: None}
    exec(manifest.read_text(encoding="utf-8"), names)  # noqa: S102
    return modules


@pytest.mark.parametrize("manifest", [UNIX, RP2])
def test_every_frozen_module_exists(manifest: Path) -> None:
    assert [module for module in frozen(manifest) if not module.is_file()] == []


def test_every_file_of_the_firmware_is_frozen_where_it_runs() -> None:
    firmware = set(FIRMWARE.glob("*.py")) - {UNIX}
    codec = FIRMWARE.parent / "spotcheck_wire" / "frontend_codec.py"
    assert frozen(UNIX) == (firmware - RP2_ONLY) | {codec}
    assert frozen(RP2) == (firmware - UNIX_ONLY) | {codec, RP2.parent / "main.py"}
