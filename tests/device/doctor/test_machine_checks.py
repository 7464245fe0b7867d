"""What the doctor finds of the machine: software, clocks, board."""

import datetime
import resource
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from spotcheck_device.doctor.board import check_governor, check_limits, check_memory
from spotcheck_device.doctor.clocks import (
    KernelClock,
    check_battery_clock,
    check_pps,
    check_utc,
    kernel_clock,
)
from spotcheck_device.doctor.software import check_kernels, check_packages
from spotcheck_dsp.slot_sums import KERNELS, Slots, slot_sums_reference


def test_packages_are_those_that_are_installed() -> None:
    finding = check_packages()
    assert finding.code == "packages.good"
    assert f"numpy {np.__version__}" in str(finding.facts["packages"])
    missing = check_packages(("numpy", "no-such-package-here"))
    assert (missing.code, missing.facts) == (
        "packages.missing", {"package": "no-such-package-here"},
    )  # fmt: skip


def test_kernels_are_tried_against_numpy() -> None:
    finding = check_kernels()
    assert finding.code == ("kernels.plain" if KERNELS[0] == "plain" else "kernels.good")
    assert finding.facts["sums"] == KERNELS[0]
    assert check_kernels(("plain",)).code == "kernels.plain"


def test_sum_that_is_wrong_in_one_bit_is_found() -> None:
    def wrong(codes: NDArray[np.int32], slot_length: int) -> Slots:
        sums = slot_sums_reference(codes, slot_length)
        sums[-1, 0, 0] ^= 1
        return sums

    assert check_kernels(("avx2", "plain"), wrong).code == "kernels.wrong"


HELD = KernelClock(is_synchronised=True, largest_error_s=0.02)
FREE = KernelClock(is_synchronised=False, largest_error_s=16.0)


@pytest.mark.parametrize(
    ("date", "clock", "code"),
    [
        ("2026-11-28", HELD, "utc.good"), ("2026-11-28", FREE, "utc.not-synchronised"),
        ("2026-11-28", None, "utc.unknown"), ("1970-01-01", HELD, "utc.implausible"),
        ("2025-12-31", None, "utc.implausible"),
    ],
)  # fmt: skip
def test_utc_is_plausible_and_held(date: str, clock: KernelClock | None, code: str) -> None:
    now = datetime.datetime.fromisoformat(f"{date}T12:00:00+00:00")
    assert check_utc(now, clock).code == code


def test_kernel_tells_of_its_clock_or_says_nothing() -> None:
    clock = kernel_clock()
    # adjtimex(2): the bound is in µs and saturates at 16 s.
    assert clock is None or 0 <= clock.largest_error_s <= 17


def test_battery_clock_is_compared_with_utc(tmp_path: Path) -> None:
    assert check_battery_clock(tmp_path).code == "battery-clock.none"
    (tmp_path / "since_epoch").write_text(f"{time.time():.0f}\n")
    assert check_battery_clock(tmp_path).code == "battery-clock.good"
    (tmp_path / "since_epoch").write_text(f"{time.time() - 3600:.0f}\n")
    finding = check_battery_clock(tmp_path)
    assert finding.code == "battery-clock.off"
    assert finding.facts["offset_s"] == pytest.approx(-3600, abs=1)


def test_pps_is_fresh_silent_or_none(tmp_path: Path) -> None:
    assert check_pps(tmp_path).code == "pps.none"
    stamps = tmp_path / "pps0" / "assert"
    stamps.parent.mkdir()
    stamps.write_text(f"{time.time() - 0.5:.9f}#17\n")
    assert (check_pps(tmp_path).code, check_pps(tmp_path).facts["source"]) == ("pps.good", "pps0")
    stamps.write_text(f"{time.time() - 60:.9f}#17\n")
    assert check_pps(tmp_path).code == "pps.silent"
    stamps.write_text("0.000000000#0\n")
    assert check_pps(tmp_path).code == "pps.silent"


def test_slow_governor_of_any_processor_is_named(tmp_path: Path) -> None:
    assert check_governor(tmp_path).code == "governor.none"
    for number in range(2):
        file = tmp_path / f"cpu{number}" / "cpufreq" / "scaling_governor"
        file.parent.mkdir(parents=True)
        file.write_text("schedutil\n")
    assert check_governor(tmp_path).code == "governor.good"
    file.write_text("powersave\n")
    finding = check_governor(tmp_path)
    assert (finding.code, finding.facts) == ("governor.slow", {"governor": "powersave"})


@pytest.mark.parametrize(
    ("available_kb", "code"),
    [(97_656, "memory.none"), (97_657, "memory.little"), (292_969, "memory.good")],
)
def test_memory_is_what_a_program_can_still_get(
    available_kb: int, code: str, tmp_path: Path
) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(f"MemTotal: 99999999 kB\nMemFree: 1 kB\nMemAvailable: {available_kb} kB\n")
    assert check_memory(meminfo).code == code


def test_memory_of_this_machine_can_be_read() -> None:
    assert int(check_memory().facts["available_mb"]) > 0


def test_limit_of_open_files_is_judged() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (255, hard))
        assert (check_limits().code, check_limits().facts["open_files"]) == ("limits.files", 255)
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        assert check_limits().code == "limits.good"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
