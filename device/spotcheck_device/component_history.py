"""Demodulated components of a measurement, window after window from its begin on."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from spotcheck.samples import StreamFormat
from spotcheck_calibration.components import Components
from spotcheck_dsp.mains_stream import MainsStream, StreamSpectrum

LATENCY_S = 0.3
"""A window is known so long after its end at the latest; what is asked for does not hang on how
much more of the stream has come."""
TWELVE_CYCLES_FROM_HZ = 55.0


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
        self._windows: list[StreamSpectrum] = []
        self._stream = MainsStream(
            phases=stream.phases, sample_rate_hz=stream.sample_rate_hz, cycles=self._cycles
        )

    def add(self, blocks: Iterable[tuple[int, NDArray[np.int32]]]) -> None:
        """Take blocks, each with the number of its first sample; what is known already is left.

        Args:
            blocks: Codes that `SlotHistory` has taken, without gaps.
        """
        for first_sample, codes in blocks:
            fresh = codes[max(0, self._next - first_sample) :]
            if len(fresh) == 0:
                continue
            self._next = first_sample + len(codes)
            self._windows += self._stream.add_checked(np.ascontiguousarray(fresh)).spectra

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
            if window.end_sample <= known
            and window.end_sample > first
            and window.start_sample < last
        ]
        if not found:
            return None
        orders = min(window.spectrum.orders for window in found)
        return Components(
            cycles=self._cycles,
            starts=np.array([window.start_sample for window in found]) + self._begin,
            ends=np.array([window.end_sample for window in found]) + self._begin,
            phasors=np.stack(
                [
                    window.spectrum.phasors[:, self._cycles :: self._cycles][:, :orders]
                    for window in found
                ]
            ),
        )

    def forget_before(self, sample: int) -> None:
        """Drop windows that ended before a sample."""
        self._windows = [w for w in self._windows if w.end_sample + self._begin > sample]
