# cython: language_level=3, wraparound=False, cdivision=True
"""The mains stream block by block, without allocation; mains_stream.py says what it does."""

from libc.math cimport M_PI, M_SQRT1_2, atan2, cos, floor, hypot, rint
from libc.stdint cimport int32_t
from libc.string cimport memcpy, memmove

import numpy as np


cdef extern from "waveform_kernels.h" nogil:
    enum:
        FRAME
        MOST_DECIMATION_TAPS
        MOST_RESAMPLING_TAPS
        SERIES_AT_ONCE
    ctypedef struct decimation_filter:
        size_t by, taps
        float *coefficients
    ctypedef struct waveform_kernels:
        const char *name
        void (*demodulate)(
            const float *, long, size_t, double, double, double *, double *
        ) noexcept nogil
        void (*resample)(
            const float *, long, size_t, double, double, double, size_t, const double *, size_t,
            size_t, double *,
        ) noexcept nogil
        void (*transform)(const double *, size_t, size_t, const double *, double *) noexcept nogil
        void (*chebyshev_series)(const double *, size_t, double, size_t, double *) noexcept nogil
        void (*unfold)(
            const double *, size_t, size_t, const double *, const double *, size_t, double *
        ) noexcept nogil
        void (*group_levels)(
            const double *, size_t, size_t, size_t, double *, double *
        ) noexcept nogil
    const waveform_kernels *const *waveform_variants(size_t *)


cdef extern from "decimation_cascade.h" nogil:
    enum:
        MOST_STAGES
    ctypedef struct frame_ring:
        size_t size
        long end
    ctypedef struct decimation_stage:
        decimation_filter filter
    ctypedef struct decimation_cascade:
        const waveform_kernels *kernels
        size_t channels, stages, analysis_stages
        decimation_stage stage[12]
        frame_ring analysis, track
    long ring_first(const frame_ring *)
    float *ring_frames(const frame_ring *, long)
    bint cascade_open(decimation_cascade *, size_t, size_t)
    void cascade_close(decimation_cascade *)
    void cascade_take(decimation_cascade *, const int32_t *, size_t)


cdef enum:
    LEAST_KEPT = 64        # frames: what filters hold back, and as much again
    KEPT_PHASORS = 64
    FIT_PHASORS = 25       # a second at 50 Hz
    MOST_BINS = 612        # 51 orders of 12
    BINS_ROOM = 640        # that, in a multiple of SERIES_AT_ONCE
    FAR = 100000           # radians of days would eat the digits of the phase


def variants():
    """Names of the kernels that this processor can run, the fastest first."""
    cdef size_t count
    cdef const waveform_kernels *const *found = waveform_variants(&count)
    return [found[k].name.decode() for k in range(count)]


cdef class MainsCore:
    """Frames of the analysis and of the track, and the phasors along the track."""

    cdef decimation_cascade _cascade
    # Where frames stand: sample = offset + step·frame.
    cdef double _track_step, _track_offset
    # The tracked voltage: instants, unwrapped phases, frequency in cycles per sample.
    cdef size_t _reference, _held, _fresh
    cdef bint _lost
    cdef double _level, _lowest, _highest
    cdef double _instants[KEPT_PHASORS]
    cdef double _phases[KEPT_PHASORS]
    cdef double _phasors[KEPT_PHASORS][2][8]
    cdef double _next_instant, _frequency, _change
    cdef double _window_phase, _window_start

    def __cinit__(
        self, size_t variant, size_t channels, list filters, size_t analysis_stages,
        size_t analysis_kept, size_t track_kept,
    ):
        cdef size_t k, count
        cdef const waveform_kernels *const *found = waveform_variants(&count)
        if (
            variant >= count or not 1 <= channels <= FRAME
            or not analysis_stages <= <size_t>len(filters) <= MOST_STAGES
            or any(
                (by, len(taps)) not in (
                    (2, 5), (2, 7), (2, 9), (2, 13), (4, 10), (4, 13), (4, 16)
                )
                for taps, by in filters
            )
            or min(analysis_kept, track_kept) < LEAST_KEPT
        ):
            raise IndexError("no such variant, channels, stages or frames")
        self._cascade.kernels = found[variant]
        self._cascade.channels, self._cascade.stages = channels, len(filters)
        self._cascade.analysis_stages = analysis_stages
        self._track_step = 1.0
        for k in range(self._cascade.stages):
            coefficients, self._cascade.stage[k].filter.by = filters[k]
            self._cascade.stage[k].filter.taps = len(coefficients)
            for j, value in enumerate(coefficients):
                self._cascade.stage[k].filter.coefficients[j] = value
            self._track_offset += self._track_step * (len(coefficients) - 1) / 2
            self._track_step *= self._cascade.stage[k].filter.by
        if not cascade_open(&self._cascade, analysis_kept, track_kept):
            raise MemoryError

    def __dealloc__(self):
        cascade_close(&self._cascade)

    @property
    def analysis_frames(self):
        """First kept analysis frame, and the one after the last."""
        return ring_first(&self._cascade.analysis), self._cascade.analysis.end

    @property
    def track_frames(self):
        """First kept track frame, and the one after the last."""
        return ring_first(&self._cascade.track), self._cascade.track.end

    def add(self, const int32_t[:, ::1] codes):
        """Take a block of interleaved codes."""
        if <size_t>codes.shape[1] != self._cascade.channels:
            raise IndexError("codes of another number of channels")
        if codes.shape[0]:
            with nogil:
                cascade_take(&self._cascade, &codes[0, 0], codes.shape[0])

    def track_values(self, size_t channel, long first, size_t count):
        """A copy of one channel of the kept track, from a frame on."""
        cdef size_t n
        if (
            channel >= self._cascade.channels or first < ring_first(&self._cascade.track)
            or first + <long>count > self._cascade.track.end
        ):
            raise IndexError("beyond the kept track")
        values = np.empty(count)
        cdef double[::1] out = values
        cdef const float *frames = ring_frames(&self._cascade.track, first)
        for n in range(count):
            out[n] = frames[n * FRAME + channel]
        return values

    def lock(
        self, size_t reference, double cycles_per_sample, double lowest, double highest,
        long from_frame,
    ):
        """Begin to track a channel of which the frequency is roughly known.

        It is lost again where its frequency leaves the limits, or its level falls to a tenth.
        """
        if (
            reference >= self._cascade.channels
            or not 0 < lowest < cycles_per_sample < highest < 0.25
            or from_frame < ring_first(&self._cascade.track)
        ):
            raise IndexError("no such channel, frequency or frame")
        self._reference, self._frequency, self._change = reference, cycles_per_sample, 0.0
        self._lowest, self._highest, self._level, self._lost = lowest, highest, 0.0, False
        self._held = self._fresh = 0
        self._window_start = -1.0
        # A frame later, so that rounding cannot ask for what is not there.
        self._next_instant = (
            self._track_offset + self._track_step * (from_frame + 1) + 2 / cycles_per_sample
        )

    @property
    def lost(self):
        """Whether the tracked channel was lost since `lock`."""
        return self._lost

    @property
    def next_frame(self):
        """Frame of the track around which the next phasor stands."""
        return <long>floor((self._next_instant - self._track_offset) / self._track_step)

    def follow(self):
        """Phasors for which the frames have come; how many are new since they were taken."""
        with nogil:
            while not self._lost and self._fresh < KEPT_PHASORS and self._one_phasor():
                self._fresh += 1
        return self._fresh

    cdef bint _one_phasor(self) noexcept nogil:
        cdef double frame = (self._next_instant - self._track_offset) / self._track_step
        cdef double cycle = 1 / (self._frequency * self._track_step)
        cdef double droop, phase, expected
        cdef double phasor[2][8]
        cdef size_t lane, last
        cdef long first = ring_first(&self._cascade.track)
        if not self._lowest < self._frequency < self._highest or frame - 2 * cycle < first:
            # Beyond the limits, or followed so late that its frames are gone.
            self._lost = True
            return False
        if frame + 2 * cycle > self._cascade.track.end - 1:
            return False
        self._cascade.kernels.demodulate(
            ring_frames(&self._cascade.track, first), first, self._cascade.channels, frame, cycle,
            phasor[0], phasor[1],
        )
        droop = self._droop(self._frequency)
        for lane in range(self._cascade.channels):
            phasor[0][lane] /= droop
            phasor[1][lane] /= droop
        phase = hypot(phasor[1][self._reference], phasor[0][self._reference])
        self._level = max(self._level, phase)
        self._lost = phase <= 0.1 * self._level
        if self._lost:
            return False
        phase = atan2(phasor[1][self._reference], phasor[0][self._reference])
        if self._held:
            last = self._held - 1
            expected = self._phases[last] + 2 * M_PI * (
                self._frequency * (self._next_instant - self._instants[last])
            )
            phase = expected + self._wrapped(phase - expected)
        if self._held == KEPT_PHASORS:
            memmove(self._instants, self._instants + 1, sizeof(self._instants) - sizeof(double))
            memmove(self._phases, self._phases + 1, sizeof(self._phases) - sizeof(double))
            memmove(self._phasors, self._phasors[1], sizeof(self._phasors) - sizeof(phasor))
            self._held -= 1
        self._instants[self._held], self._phases[self._held] = self._next_instant, phase
        memcpy(self._phasors[self._held], phasor, sizeof(phasor))
        self._held += 1
        self._fit()
        if phase > FAR:
            expected = 2 * M_PI * rint(phase / (2 * M_PI))
            self._window_phase -= expected
            for lane in range(self._held):
                self._phases[lane] -= expected
        self._next_instant += 2 / self._frequency
        return True

    cdef double _wrapped(self, double angle) noexcept nogil:
        return angle - 2 * M_PI * rint(angle / (2 * M_PI))

    cdef double _droop(self, double cycles_per_sample) noexcept nogil:
        """Response of all stages, as their coefficients are rounded, to the fundamental."""
        cdef double droop = 1.0, frequency = cycles_per_sample, x, before, now, after, response
        cdef const decimation_filter *filter
        cdef size_t k, j
        for k in range(self._cascade.stages):
            filter = &self._cascade.stage[k].filter
            # Taps whose distance is j weigh cos jπf together; the cosines follow from each other.
            x = cos(M_PI * frequency)
            before, now, response = x, 1.0, 0.0
            for j in range(filter.taps):
                if (filter.taps - 1 - j) % 2 == 0:
                    response += (2 if j else 1) * now * filter.coefficients[
                        (filter.taps - 1 - j) // 2
                    ]
                after = 2 * x * now - before
                before, now = now, after
            droop *= response
            frequency *= filter.by
        return droop

    cdef void _fit(self) noexcept nogil:
        """Least squares on the newest phases: a line, from eight of them on a parabola."""
        cdef size_t count = min(self._held, <size_t>FIT_PHASORS), first = self._held - count, k
        cdef double middle, t, y, s2 = 0, s3 = 0, s4 = 0, y0 = 0, y1 = 0, y2 = 0, base, scale
        cdef double bend, slope
        if count < 2:
            return
        middle = 0.5 * (self._instants[first] + self._instants[first + count - 1])
        scale = 1 / (self._instants[first + count - 1] - middle)
        base = self._phases[first + count // 2]
        cdef double mean = 0
        for k in range(first, first + count):
            mean += (self._instants[k] - middle) * scale
        mean /= count
        for k in range(first, first + count):
            t = (self._instants[k] - middle) * scale - mean
            y = self._phases[k] - base
            s2 += t * t
            s3 += t * t * t
            s4 += t * t * t * t
            y0 += y
            y1 += t * y
            y2 += t * t * y
        bend = 0.0
        slope = y1 / s2
        if count >= 8:
            # Normal equations of 1, t, t² with Σt = 0.
            bend = (y2 - y0 * s2 / count - y1 * s3 / s2) / (s4 - s2 * s2 / count - s3 * s3 / s2)
            slope = (y1 - bend * s3) / s2
        t = (self._instants[self._held - 1] - middle) * scale - mean
        self._frequency = (slope + 2 * bend * t) * scale / (2 * M_PI)
        self._change = 2 * bend * scale * scale / (2 * M_PI)

    @property
    def tracked(self):
        """Cycles per sample at the newest phasor, and their change per sample."""
        return self._frequency, self._change

    def take_phasors(self):
        """New instants (n,) and phasors (n, channels), as copies."""
        cdef size_t count = min(self._fresh, self._held), first = self._held - count, k, lane
        instants = np.empty(count)
        phasors = np.empty((count, self._cascade.channels), np.complex128)
        cdef double[::1] at = instants
        cdef double complex[:, ::1] to = phasors
        for k in range(count):
            at[k] = self._instants[first + k]
            for lane in range(self._cascade.channels):
                to[k, lane].real = self._phasors[first + k][0][lane]
                to[k, lane].imag = self._phasors[first + k][1][lane]
        self._fresh = 0
        return instants, phasors

    def next_window(self, int cycles):
        """Begin, middle and end of the next whole cycles, in samples; None until they have come."""
        cdef double end
        if self._held < 8:
            return None
        if self._window_start < 0:
            # Not earlier: the first phasors stand in the frame of a rough frequency.
            self._window_phase, self._window_start = self._phases[5], self._instants[5]
        end = self._instant_of(self._window_phase + 2 * M_PI * cycles)
        if end < 0:
            return None
        window = (
            self._window_start, self._instant_of(self._window_phase + M_PI * cycles), end
        )
        self._window_phase += 2 * M_PI * cycles
        self._window_start = end
        return window

    cdef double _instant_of(self, double phase) noexcept nogil:
        """Sample at which the tracked voltage has an unwrapped phase; −1 where it is not known.

        A parabola through two phasors around it and the next: a steady drift is met exactly.
        """
        cdef size_t k = 1
        cdef double t, x0, x1, x2, y1, y2, first, second
        if self._held < 3 or phase < self._phases[0] or phase > self._phases[self._held - 2]:
            return -1.0
        while self._phases[k] < phase:
            k += 1
        x0, x1, x2 = self._instants[k - 1], self._instants[k], self._instants[k + 1]
        y1, y2 = self._phases[k] - self._phases[k - 1], self._phases[k + 1] - self._phases[k - 1]
        first = y1 / (x1 - x0)
        second = ((y2 - y1) / (x2 - x1) - first) / (x2 - x0)
        phase -= self._phases[k - 1]
        t = phase / first
        for _ in range(4):
            t -= (t * (first + second * (t - (x1 - x0))) - phase) / (
                first + second * (2 * t - (x1 - x0))
            )
        return x0 + t

    def resample(
        self, double start, double step, double bend, const double[:, :, ::1] table,
        double[:, ::1] out,
    ):
        """Analysis frames at start + k·step + k²·bend to the rows of `out`."""
        cdef size_t taps = table.shape[2], count = out.shape[0]
        cdef double last = start + (count - 1) * (step + (count - 1) * bend)
        cdef long first
        # Asked so that a NaN fails; a frame more to either side, as the kernel may round otherwise.
        if (
            count < 1 or table.shape[0] < 1 or table.shape[1] != 4 or taps < FRAME or taps % FRAME
            or taps > MOST_RESAMPLING_TAPS or out.shape[1] != FRAME
            or not step >= 0 or not step + 2 * (count - 1) * bend >= 0
            or not floor(start) - <long>(taps // 2) >= ring_first(&self._cascade.analysis)
            or not floor(last) + <long>(taps // 2) < self._cascade.analysis.end - 1
        ):
            raise IndexError("beyond the kept frames")
        first = <long>floor(start) - <long>(taps // 2)
        with nogil:
            self._cascade.kernels.resample(
                ring_frames(&self._cascade.analysis, first), first, self._cascade.channels,
                start, step, bend, count, &table[0, 0, 0], table.shape[0], taps, &out[0, 0],
            )

    def spectrum_bins(
        self, const double[:, ::1] values, const double[::1] turns, double per_bin,
        const double[::1] series, double highest, double[:, ::1] transformed,
        double complex[:, ::1] out,
    ):
        """RMS phasors of the bins of 10·160 or 12·160 resampled frames, in rows, channel by channel.

        Each is divided by the response of what was before, and turned to the window's centre.
        `turns` are cosine and −sine of each value's share of a turn. `series` is one over the response
        as a Chebyshev series in (frequency / highest)², from 0 to 1; bin k has the frequency k·per_bin.
        """
        cdef size_t bins = out.shape[1], channels = out.shape[0], count = values.shape[0], k
        cdef double scale[BINS_ROOM]
        if (
            count != 1600 and count != 1920 or values.shape[1] != FRAME
            or turns.shape[0] != 2 * values.shape[0] or transformed.shape[0] != values.shape[0]
            or transformed.shape[1] != FRAME or not 1 <= channels <= self._cascade.channels
            or series.shape[0] < 2 or not 1 <= bins <= MOST_BINS
        ):
            raise IndexError("bins of another shape")
        with nogil:
            self._cascade.kernels.transform(
                &values[0, 0], channels, count // 320, &turns[0], &transformed[0, 0]
            )
            self._cascade.kernels.chebyshev_series(
                &series[0], series.shape[0], per_bin / highest, bins, scale
            )
            scale[0] *= M_SQRT1_2
            for k in range(1, bins, 2):
                # Half of the cycles have passed at the centre: every second bin has turned by half.
                scale[k] = -scale[k]
            self._cascade.kernels.unfold(
                &transformed[0, 0], channels, count // 320, &turns[0], scale, bins,
                <double *>&out[0, 0],
            )


def group_levels(
    const double complex[:, ::1] phasors, size_t bins, double[:, :, ::1] out, double[:, ::1] whole
):
    """RMS of each order's groups, from the RMS phasors of all bins up to the next order.

    out[0] harmonic group, [1] harmonic subgroup, [2] interharmonic group, [3] interharmonic centred
    subgroup; (4, channels, orders + 1). whole[0] DC with its sign, [1] RMS of all; (2, channels).
    """
    cdef size_t channels = phasors.shape[0], orders = out.shape[2], c, count
    if (
        bins != 10 and bins != 12 or orders < 1 or channels < 1
        or <size_t>phasors.shape[1] != orders * bins
        or out.shape[0] != 4 or <size_t>out.shape[1] != channels
        or whole.shape[0] != 2 or <size_t>whole.shape[1] != channels
    ):
        raise IndexError("bins of another shape")
    with nogil:
        for c in range(channels):
            whole[0, c] = phasors[c, 0].real
        waveform_variants(&count)[0].group_levels(
            <const double *>&phasors[0, 0], channels, orders, bins, &out[0, 0, 0], &whole[1, 0]
        )
