"""Exact integer sums of the samples per slot; everything that is measured follows from them.

Slot k holds the samples k·L … k·L+L−1 of the stream, so it does not depend on how the stream was
cut into blocks. Sums are int64 and exact; they are the uncorrected evidence that a record keeps.
"""

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp._slot_sums import FusedSums, variants

SUMS_PER_PHASE = 6
"""Σu·i, Σ(u[n]·i[n−1] − u[n−1]·i[n]), Σu², Σi², Σu, Σi."""
UI, LAG_DIFFERENCE, UU, II, U, I = range(SUMS_PER_PHASE)  # noqa: E741 - the field's symbols
LARGEST_CODE = 1 << 23
LONGEST_SLOT = 65_535
MOST_PHASES = 4
KERNELS = tuple(variants())
"""What this processor can run, the fastest first; all give the same bits."""

Slots = NDArray[np.int64]


class SlotAccumulator:
    """Turns blocks of any size into slots."""

    def __init__(
        self, *, phases: int, slot_length: int, lagged: bool = True, kernel: str = KERNELS[0]
    ) -> None:
        """Start before sample 0.

        Args:
            phases: 1 to 4; channels are interleaved u1, i1, u2, i2, …
            slot_length: Samples per slot, at most 65,535 so that no sum can overflow.
            lagged: Whether to form the lagged sums too; without them they are 0, and the pass
                takes two thirds of the time.
            kernel: One of `KERNELS`; those of AVX-512 leave slots of less than 128 samples to
                AVX2, which is quicker there.

        Raises:
            ValueError: phases, slot length or kernel are out of range.
        """
        if not 1 <= phases <= MOST_PHASES:
            raise ValueError(f"phases is {phases}; 1 to {MOST_PHASES} are possible")
        if not 1 <= slot_length <= LONGEST_SLOT:
            raise ValueError(f"slot_length is {slot_length}; 1 to {LONGEST_SLOT} is possible")
        if kernel not in KERNELS:
            raise ValueError(f"kernel is {kernel!r}; this processor runs {', '.join(KERNELS)}")
        self._phases = phases
        self._slot_length = slot_length
        self._sums = FusedSums(KERNELS.index(kernel), phases, slot_length, lagged)

    def add(self, codes: NDArray[np.int32]) -> tuple[Slots, int]:
        """Slots that `codes` completes, and the largest magnitude among the codes.

        Args:
            codes: (samples, 2·phases) int32. Of planar channels (2·phases, samples) give the
                transpose. What is not C-contiguous is copied first.

        Returns:
            (slots, phases, 6) int64, and the largest |code|.

        Raises:
            ValueError: wrong shape or type, or a code beyond ±2²³; the block leaves no trace.
        """
        if codes.ndim != 2 or codes.shape[1] != 2 * self._phases or codes.dtype != np.int32:
            raise ValueError(
                f"codes are {codes.dtype} {codes.shape}; expected int32 (n, {2 * self._phases})"
            )
        completed = (self._sums.filled + len(codes)) // self._slot_length
        out = np.empty((completed, self._phases, SUMS_PER_PHASE), np.int64)
        largest = self._sums.add(np.ascontiguousarray(codes), out, LARGEST_CODE)
        if largest > LARGEST_CODE:
            raise ValueError("a code lies beyond ±2²³; the front end delivers 24 bits")
        return out, largest


def slot_sums_reference(codes: NDArray[np.int32], slot_length: int) -> Slots:
    """The plain NumPy twin of the kernel, over a whole stream from sample 0.

    Args:
        codes: (samples, 2·phases) int32.
        slot_length: Samples per slot.

    Returns:
        (slots, phases, 6) int64; an incomplete last slot is left out.
    """
    count = len(codes) // slot_length
    wide = codes.astype(np.int64)
    before = np.vstack([np.zeros((1, wide.shape[1]), np.int64), wide[:-1]]) if len(wide) else wide
    u, i, u_before, i_before = wide[:, ::2], wide[:, 1::2], before[:, ::2], before[:, 1::2]
    products = np.stack([u * i, u * i_before - u_before * i, u * u, i * i, u, i], axis=-1)
    whole: Slots = products[: count * slot_length]
    shape = (count, slot_length, codes.shape[1] // 2, SUMS_PER_PHASE)
    sums: Slots = whole.reshape(shape).sum(axis=1)
    return sums
