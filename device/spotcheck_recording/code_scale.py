"""Between integer codes of the analogue front end and V or A."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import RecordingError

CODE_TOLERANCE = 1e-3
"""A value further from a whole code was not scaled by this correction set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelScale:
    """How codes of a channel become V or A: value = (code - offset_codes)·gain_per_code."""

    name: str
    """u1, i1, u2 and so on."""
    unit: str
    """V or A."""
    gain_per_code: float
    """V or A per code."""
    offset_codes: float
    """Code of 0 V or 0 A."""
    skew_s: float
    """Sample n of this channel was taken at t_n + skew_s."""

    def __post_init__(self) -> None:
        numbers = (self.gain_per_code, self.offset_codes, self.skew_s)
        if self.unit not in ("V", "A") or not all(map(math.isfinite, numbers)):
            raise RecordingError(f"channel {self.name}: {self} is no scale in V or A")
        if self.gain_per_code == 0:
            raise RecordingError(f"channel {self.name}: a gain of 0 makes codes unrecoverable")

    @property
    def column(self) -> str:
        """Column of its values in tables, such as u1_v."""
        return f"{self.name}_{self.unit.lower()}"


def scaled(codes: NDArray[np.int32], scales: tuple[ChannelScale, ...]) -> NDArray[np.float64]:
    """Return V and A of codes, both of shape (samples, channels)."""
    offsets = np.array([scale.offset_codes for scale in scales])
    gains = np.array([scale.gain_per_code for scale in scales])
    values: NDArray[np.float64] = (codes - offsets) * gains
    return values


def unscaled(
    path: Path,
    first_sample: int,
    values: NDArray[np.float64],
    scales: tuple[ChannelScale, ...],
) -> NDArray[np.int32]:
    """Return the codes of V and A, both of shape (samples, channels).

    Raises:
        RecordingError: a value is no whole code of 32 bits.
    """
    offsets = np.array([scale.offset_codes for scale in scales])
    gains = np.array([scale.gain_per_code for scale in scales])
    exact = values / gains + offsets
    codes = np.rint(exact)
    bad = (np.abs(exact - codes) > CODE_TOLERANCE) | (np.abs(codes + 0.5) > 2**31)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        raise RecordingError(
            f"{path}: sample {first_sample + row + 1} of {scales[column].name} would be code "
            f"{exact[row, column]:.6f}: these values are not codes scaled by this correction set; "
            f"use the correction set with which it was recorded"
        )
    whole: NDArray[np.int32] = codes.astype(np.int32)
    return whole
