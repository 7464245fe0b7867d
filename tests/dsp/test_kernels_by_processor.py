"""Which kernels a processor gets, and that the whole package gives the same on each."""

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spotcheck_dsp.mains_stream import WAVEFORM_KERNELS
from spotcheck_dsp.slot_sums import KERNELS

CPU_FLAGS = Path("/proc/cpuinfo")
AVX512 = {"avx512f", "avx512bw", "avx512dq", "avx512vl"}
DIGEST = Path(__file__).with_name("kernel_digest.py")
RMS = 4e6 / np.sqrt(2)


def what_it_gives(*runner: str) -> dict[str, Any]:
    """The kernels, the digests of all sums and the phasors, by an interpreter of its own."""
    ran = subprocess.run(
        [*runner, sys.executable, str(DIGEST)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.mark.skipif(
    platform.machine() != "x86_64" or not CPU_FLAGS.exists(), reason="needs Linux on x86-64"
)
def test_kernels_are_those_for_which_the_processor_has_the_instructions() -> None:
    lines = CPU_FLAGS.read_text().splitlines()
    flags = set(next(line for line in lines if line.startswith("flags")).split())
    wide = ["avx512"] if flags >= AVX512 else []
    widest = ["avx512ifma"] if wide and "avx512ifma" in flags else []
    narrow = ["avx2"] if "avx2" in flags else []
    assert [*KERNELS] == [*widest, *wide, *narrow, "plain"]
    assert [*WAVEFORM_KERNELS] == [*wide, *(["avx2"] if flags >= {"avx2", "fma"} else []), "plain"]


@pytest.mark.skipif(
    platform.machine() != "x86_64" or not shutil.which("qemu-x86_64"),
    reason="needs Debian's qemu-user on x86-64",
)
@pytest.mark.parametrize(
    # Nehalem is x86-64-v2, the least that NumPy's wheels run on.
    ("processor", "expected"),
    [("Nehalem", ["plain"]), ("Haswell", ["avx2", "plain"])],
)
def test_package_gives_the_same_on_lesser_processors(processor: str, expected: list[str]) -> None:
    here, there = what_it_gives(), what_it_gives("qemu-x86_64", "-cpu", processor)
    assert there["sums"] == expected
    assert there["stream"] == expected
    assert len({*here["digests"].values(), *there["digests"].values()}) == 1
    for part in ("real", "imaginary"):
        # Decimation is done in float32.
        assert np.max(np.abs(np.subtract(there[part], here[part]))) < 1e-7 * RMS
