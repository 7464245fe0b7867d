"""Demodulated components of a measurement, window after window from its begin on."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import EvidenceError
from spotcheck.samples import StreamFormat
from spotcheck_calibration.components import Components
from spotcheck_dsp.mains_stream import MainsStream

LATENCY_S = 0.3
"""A window is known so long after its end at the latest; what is asked for does not hang on how
much more of the stream has come."""
TWELVE_CYCLES_FROM_HZ = 55.0


class _Window(NamedTuple):
    """What evidence keeps of a spectrum: the orders, a tenth of its bins."""

    start: float
    end: float
    phasors: NDArray[np.complex128]


class ComponentHistory:
    """Follows a stream from a sample on; the same samples give the same windows."""

    def __init__(
        self, stream: StreamFormat, nominal_frequency_hz: float, begin_sample: int
    ) -> None:
        """Nothing yet.

        Args:
            stream: Rate and phases.
            nominal_frequency_hz: Of the mains: windows of 10 or 12 cycles.
            begin_sample: The first sample that counts.
        """
        self._cycles = 12 if nominal_frequency_hz >= TWELVE_CYCLES_FROM_HZ else 10
        self._rate_hz = stream.sample_rate_hz
        self._begin = self._next = begin_sample
        self._windows: list[_Window] = []
        self._stream = MainsStream(
            phases=stream.phases, sample_rate_hz=stream.sample_rate_hz, cycles=self._cycles
        )

    @property
    def begin_sample(self) -> int:
        """The first sample that counts."""
        return self._begin

    def add(self, blocks: Iterable[tuple[int, NDArray[np.int32]]]) -> None:
        """Take blocks, each with the number of its first sample; what is known already is left.

        Args:
            blocks: Codes that `SlotHistory` has taken.

        Raises:
            EvidenceError: samples are missing between what came before and a block.
        """
        for first_sample, codes in blocks:
            if first_sample > self._next:
                raise EvidenceError(
                    f"block at sample {first_sample} does not follow {self._next}; components "
                    "would be of another time than they say"
                )
            fresh = codes[self._next - first_sample :]
            if len(fresh) == 0:
                continue
            self._next = first_sample + len(codes)
            for found in self._stream.add_checked(np.ascontiguousarray(fresh)).spectra:
                orders = found.spectrum.phasors[:, self._cycles :: self._cycles].copy()
                self._windows.append(_Window(found.start_sample, found.end_sample, orders))

    def between(self, first_sample: int, last_sample: int, now_sample: int) -> Components | None:
        """Windows that overlap an interval and had been known for certain at a sample.

        Args:
            first_sample: Begin of the interval.
            last_sample: Its end.
            now_sample: The sample up to which the stream had come.
        """
        known = now_sample - LATENCY_S * self._rate_hz - self._begin
        first, last = first_sample - self._begin, last_sample - self._begin
        found = [
            window
            for window in self._windows
            if window.end <= known and window.end > first and window.start < last
        ]
        if not found:
            return None
        orders = min(window.phasors.shape[1] for window in found)
        return Components(
            cycles=self._cycles,
            starts=np.array([window.start for window in found]) + self._begin,
            ends=np.array([window.end for window in found]) + self._begin,
            phasors=np.stack([window.phasors[:, :orders] for window in found]),
        )

    def forget_before(self, sample: int) -> None:
        """Drop windows that ended before a sample."""
        self._windows = [w for w in self._windows if w.end + self._begin > sample]
