"""The C of the mains stream by itself: under the sanitizers, and as other processors run it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KERNEL = ROOT / "dsp/spotcheck_dsp"
CHECK = Path(__file__).with_name("waveform_kernels_check.c")
WARNINGS = ["-Wall", "-Wextra", "-Werror"]


def variants_that_agree(
    compiler: str, options: list[str], runner: list[str], folder: Path
) -> list[str]:
    """Runs the check; the variants that agreed with plain loops in double."""
    program = folder / "check"
    kernels = [str(KERNEL / name) for name in ("waveform_kernels.c", "decimation_cascade.c")]
    sources = [str(CHECK), *kernels, "-I", str(KERNEL), "-lm"]
    subprocess.run(
        [compiler, *options, *WARNINGS, "-fwrapv", *sources, "-o", str(program)], check=True
    )
    # What is leaked at the end of a short program is of no concern.
    ran = subprocess.run(
        [*runner, str(program)],
        env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    *variants, word = ran.stdout.split()
    assert word == "agree"
    return variants


def test_no_variant_reads_or_writes_beyond_its_arrays_and_all_are_right(tmp_path: Path) -> None:
    options = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    assert "plain" in variants_that_agree("gcc", options, [], tmp_path)


def test_all_are_right_as_they_are_shipped(tmp_path: Path) -> None:
    assert "plain" in variants_that_agree("gcc", ["-O3"], [], tmp_path)


@pytest.mark.skipif(not shutil.which("qemu-x86_64"), reason="needs Debian's qemu-user")
@pytest.mark.parametrize(
    ("processor", "expected"), [("qemu64", ["plain"]), ("Haswell", ["avx2", "plain"])]
)
def test_each_x86_64_processor_gets_what_it_can_run(
    processor: str, expected: list[str], tmp_path: Path
) -> None:
    runner = ["qemu-x86_64", "-cpu", processor]
    assert variants_that_agree("gcc", ["-O3", "-static"], runner, tmp_path) == expected


@pytest.mark.skipif(
    not (shutil.which("aarch64-linux-gnu-gcc") and shutil.which("qemu-aarch64")),
    reason="needs Debian's gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user",
)
def test_all_are_right_on_aarch64(tmp_path: Path) -> None:
    compiler, runner = "aarch64-linux-gnu-gcc", ["qemu-aarch64"]
    assert variants_that_agree(compiler, ["-O3", "-static"], runner, tmp_path) == ["plain"]
