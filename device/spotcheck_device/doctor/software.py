"""Python, its packages, and whether the kernels of this processor compute rightly."""

import platform
from collections.abc import Callable
from importlib import metadata

import numpy as np
from numpy.typing import NDArray

from spotcheck_device.doctor.finding import Finding, failed, ok, warning
from spotcheck_dsp.mains_stream import WAVEFORM_KERNELS
from spotcheck_dsp.slot_sums import KERNELS, SlotAccumulator, Slots, slot_sums_reference

PACKAGES = ("numpy", "GTC", "cbor2", "pyserial", "cryptography", "pyarrow", "soundfile")
_PLAIN = "plain"
_SLOT_LENGTH = 320

SumsOf = Callable[[NDArray[np.int32], int], Slots]


def check_packages(names: tuple[str, ...] = PACKAGES) -> Finding:
    """Versions of Python and of what the daemon imports."""
    found = []
    for name in names:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            return failed("packages.missing", package=name)
    return ok("packages.good", python=platform.python_version(), packages=", ".join(found))


def check_kernels(kernels: tuple[str, ...] = KERNELS, sums_of: SumsOf | None = None) -> Finding:
    """The vector class in use, and its sums against plain NumPy, which must be the same bits."""
    facts = {
        "sums": kernels[0],
        "waveforms": WAVEFORM_KERNELS[0],
        "machine": platform.machine(),
    }
    rng = np.random.default_rng(5)
    codes = rng.integers(-(1 << 23), 1 << 23, (10 * _SLOT_LENGTH, 6)).astype(np.int32)
    sums = (sums_of or _fast_sums)(codes, _SLOT_LENGTH)
    if not np.array_equal(sums, slot_sums_reference(codes, _SLOT_LENGTH)):
        return failed("kernels.wrong", **facts)
    if kernels[0] == _PLAIN:
        return warning("kernels.plain", **facts)
    return ok("kernels.good", **facts)


def _fast_sums(codes: NDArray[np.int32], slot_length: int) -> Slots:
    phases = codes.shape[1] // 2
    return SlotAccumulator(phases=phases, slot_length=slot_length).add(codes)[0]
