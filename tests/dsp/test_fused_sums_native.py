"""The C of the fused sums by itself: under the sanitizers, and as built for another processor."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KERNEL = ROOT / "dsp/spotcheck_dsp"
CHECK = Path(__file__).with_name("fused_sums_check.c")
WARNINGS = ["-Wall", "-Wextra", "-Werror"]


def digest(compiler: str, options: list[str], runner: list[str], folder: Path) -> tuple[str, str]:
    """What the check prints: the variants that ran, and the digest of all sums."""
    program = folder / "check"
    sources = [str(CHECK), str(KERNEL / "fused_sums.c"), "-I", str(KERNEL)]
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
    variants, _, found = ran.stdout.strip().partition(" digest ")
    return variants, found


@pytest.fixture(scope="module")
def digest_here(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the kernels as they are shipped, on this processor."""
    return digest("gcc", ["-O3"], [], tmp_path_factory.mktemp("here"))[1]


def test_no_variant_reads_or_writes_beyond_its_arrays_and_all_agree(tmp_path: Path) -> None:
    options = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    variants, found = digest("gcc", options, [], tmp_path)
    assert "plain" in variants
    assert len(found) == 16


@pytest.mark.skipif(not shutil.which("qemu-x86_64"), reason="needs Debian's qemu-user")
@pytest.mark.parametrize(
    ("processor", "expected"),
    [("qemu64", "plain"), ("Haswell", "avx2 plain")],
)
def test_sums_of_each_x86_64_processor_are_bit_identical(
    processor: str, expected: str, digest_here: str, tmp_path: Path
) -> None:
    variants, there = digest(
        "gcc", ["-O3", "-static"], ["qemu-x86_64", "-cpu", processor], tmp_path
    )
    assert variants == expected
    assert there == digest_here


@pytest.mark.skipif(
    not (shutil.which("aarch64-linux-gnu-gcc") and shutil.which("qemu-aarch64")),
    reason="needs Debian's gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user",
)
def test_sums_on_aarch64_are_bit_identical(digest_here: str, tmp_path: Path) -> None:
    variants, there = digest(
        "aarch64-linux-gnu-gcc", ["-O3", "-static"], ["qemu-aarch64"], tmp_path
    )
    assert variants.startswith("neon")
    assert there == digest_here
