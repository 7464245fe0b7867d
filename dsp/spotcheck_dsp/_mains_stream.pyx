# cython: language_level=3, wraparound=False, cdivision=True
"""The mains stream block by block, without allocation; mains_stream.py says what it does."""

from libc.math cimport M_PI, atan2, cos, floor, hypot, rint
from libc.stdint cimport int32_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memmove, memset

import numpy as np


cdef extern from "<stdlib.h>" nogil:
    void *aligned_alloc(size_t, size_t)


cdef extern from "waveform_kernels.h" nogil:
    enum:
        FRAME
    ctypedef struct waveform_kernels:
        const char *name
        void (*halve_codes)(const int32_t *, size_t, size_t, size_t, const float *, float *) noexcept nogil
        void (*halve_frames)(const float *, size_t, size_t, const float *, float *) noexcept nogil
        void (*widen_codes)(const int32_t *, size_t, size_t, double *) noexcept nogil
        void (*widen_frames)(const float *, size_t, double *) noexcept nogil
        void (*narrow_frames)(const double *, size_t, float *) noexcept nogil
        void (*demodulate)(
            const float *, long, double, double, double *, double *
        ) noexcept nogil
        void (*resample)(
            const double *, long, double, double, double, size_t, const double *, size_t,
            size_t, double *,
        ) noexcept nogil
        void (*chebyshev_series)(const double *, size_t, double, size_t, double *) noexcept nogil
    const waveform_kernels *const *waveform_variants(size_t *)


cdef enum:
    CHUNK = 2048           # frames that are taken at once: they stay in the cache
    MOST_STAGES = 12
    KEPT_PHASORS = 64
    FIT_PHASORS = 25       # a second at 50 Hz
    MOST_BINS = 624        # 51 orders of 12, and whole vectors
    FAR = 100000           # radians of days would eat the digits of the phase

ctypedef struct Stage:
    size_t taps
    double stretch         # x0 of its response
    size_t held            # frames in `frames`
    float *frames          # what waits to be halved
    float coefficients[16]


cdef void *_memory(size_t size) except NULL:
    cdef void *found = aligned_alloc(64, (size + 63) // 64 * 64)
    if found == NULL:
        raise MemoryError
    memset(found, 0, size)
    return found


def variants():
    """Names of the kernels that this processor can run, the fastest first."""
    cdef size_t count
    cdef const waveform_kernels *const *found = waveform_variants(&count)
    return [found[k].name.decode() for k in range(count)]


cdef class MainsCore:
    """Analysis frames (double), track frames (float) and the phasors along the track."""

    cdef const waveform_kernels *_kernels
    cdef size_t _channels, _analysis_halvings, _stages
    cdef Stage _stage[MOST_STAGES + 1]
    cdef int32_t *_codes
    cdef size_t _codes_held
    cdef double *_analysis
    cdef size_t _analysis_held, _analysis_kept, _analysis_size
    cdef long _analysis_first
    cdef float *_track
    cdef size_t _track_held, _track_kept, _track_size
    cdef long _track_first
    # Where frames stand: sample = first + step·frame.
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
        self, size_t variant, size_t channels, list filters, size_t analysis_halvings,
        size_t analysis_kept, size_t track_kept,
    ):
        cdef size_t k, count
        cdef const waveform_kernels *const *found = waveform_variants(&count)
        if (
            variant >= count or not 1 <= channels <= FRAME
            or not analysis_halvings <= <size_t>len(filters) <= MOST_STAGES
            or any(len(coefficients) not in (5, 7, 9, 13) for coefficients, _ in filters)
        ):
            raise IndexError("no such variant, channels or stages")
        self._kernels = found[variant]
        self._channels, self._analysis_halvings = channels, analysis_halvings
        self._stages = len(filters)
        for k in range(self._stages):
            coefficients, stretch = filters[k]
            self._stage[k].taps, self._stage[k].stretch = len(coefficients), stretch
            for j, value in enumerate(coefficients):
                self._stage[k].coefficients[j] = value
            self._stage[k].frames = <float *>_memory((CHUNK + 32) * FRAME * sizeof(float))
        self._codes = <int32_t *>_memory((48 * channels + FRAME) * sizeof(int32_t))
        self._analysis_kept, self._analysis_size = analysis_kept, 2 * analysis_kept + CHUNK
        self._track_kept, self._track_size = track_kept, 2 * track_kept + CHUNK
        self._analysis = <double *>_memory(self._analysis_size * FRAME * sizeof(double))
        self._track = <float *>_memory(self._track_size * FRAME * sizeof(float))
        self._track_step = 1.0
        for k in range(self._stages):
            self._track_offset += self._track_step * (self._stage[k].taps - 1) / 2
            self._track_step *= 2

    def __dealloc__(self):
        cdef size_t k
        for k in range(self._stages):
            free(self._stage[k].frames)
        free(self._codes)
        free(self._analysis)
        free(self._track)

    @property
    def analysis_frames(self):
        """First kept analysis frame, and the one after the last."""
        return self._analysis_first, self._analysis_first + <long>self._analysis_held

    @property
    def track_frames(self):
        """First kept track frame, and the one after the last."""
        return self._track_first, self._track_first + <long>self._track_held

    def add(self, const int32_t[:, ::1] codes):
        """Take a block of interleaved codes."""
        cdef size_t done = 0, count, frames = codes.shape[0]
        if <size_t>codes.shape[1] != self._channels:
            raise IndexError("codes of another number of channels")
        with nogil:
            while done < frames:
                count = min(frames - done, <size_t>CHUNK)
                self._take(&codes[done, 0], count)
                done += count

    cdef void _take(self, const int32_t *codes, size_t count) noexcept nogil:
        cdef size_t held = self._codes_held, joined, outputs, offset
        cdef size_t channels = self._channels, taps = self._stage[0].taps
        if self._analysis_halvings == 0:
            self._widen(codes, count)
            return
        # What was held back goes first, with as many of the new instants as its last filter needs.
        joined = min(count, taps + 2)
        memcpy(self._codes + held * channels, codes, joined * channels * sizeof(int32_t))
        outputs = self._outputs(held + joined)
        offset = 2 * outputs - held
        if 2 * outputs < held or joined == count:
            self._halve_into_next(0, outputs, self._codes)
            self._codes_held = held + joined - 2 * outputs
            memmove(
                self._codes, self._codes + 2 * outputs * channels,
                self._codes_held * channels * sizeof(int32_t),
            )
            return
        self._halve_into_next(0, outputs, self._codes)
        outputs = self._outputs(count - offset)
        self._halve_into_next(0, outputs, codes + offset * channels)
        offset += 2 * outputs
        self._codes_held = count - offset
        memcpy(
            self._codes, codes + offset * channels,
            self._codes_held * channels * sizeof(int32_t),
        )

    cdef size_t _outputs(self, size_t instants) noexcept nogil:
        """Outputs of the first stage from so many instants."""
        cdef size_t taps = self._stage[0].taps
        return 0 if instants < taps else (instants - taps) // 2 + 1

    cdef void _widen(self, const int32_t *codes, size_t count) noexcept nogil:
        """Codes to the analysis as they are."""
        self._room_for_analysis(count)
        self._kernels.widen_codes(
            codes, self._channels, count, self._analysis + self._analysis_held * FRAME
        )
        self._grow_analysis(count)

    cdef void _halve_into_next(
        self, size_t k, size_t outputs, const int32_t *codes
    ) noexcept nogil:
        """Stage k makes `outputs` frames, the first one of codes where there are any; what follows
        goes on as far as it can."""
        cdef Stage *stage = &self._stage[k]
        cdef Stage *following = &self._stage[k + 1]
        cdef float *to
        cdef bint to_analysis = k + 1 == self._analysis_halvings
        cdef bint to_track = k + 1 == self._stages
        if to_analysis:
            # Kept as double; a stage of the track, or the track itself, narrows them again.
            to = self._scratch()
        elif to_track:
            self._room_for_track(outputs)
            to = self._track + self._track_held * FRAME
        else:
            to = following.frames + following.held * FRAME
        if codes != NULL:
            self._kernels.halve_codes(
                codes, self._channels, outputs, stage.taps, stage.coefficients, to
            )
        else:
            self._kernels.halve_frames(
                stage.frames, outputs, stage.taps, stage.coefficients, to
            )
        if to_analysis:
            self._room_for_analysis(outputs)
            self._kernels.widen_frames(
                to, outputs, self._analysis + self._analysis_held * FRAME
            )
            self._grow_analysis(outputs)
        elif to_track:
            self._track_held += outputs
        else:
            following.held += outputs
            self._go_on(k + 1)

    cdef void _go_on(self, size_t k) noexcept nogil:
        cdef Stage *stage = &self._stage[k]
        cdef size_t outputs, used
        if stage.held < stage.taps:
            return
        outputs = (stage.held - stage.taps) // 2 + 1
        used = 2 * outputs
        self._halve_into_next(k, outputs, NULL)
        stage.held -= used
        memmove(
            stage.frames, stage.frames + used * FRAME, stage.held * FRAME * sizeof(float)
        )

    cdef void _grow_analysis(self, size_t count) noexcept nogil:
        """`count` frames were written behind the analysis; the track gets them too."""
        cdef double *fresh = self._analysis + self._analysis_held * FRAME
        cdef Stage *stage = &self._stage[self._analysis_halvings]
        self._analysis_held += count
        if self._analysis_halvings == self._stages:
            self._room_for_track(count)
            self._kernels.narrow_frames(fresh, count, self._track + self._track_held * FRAME)
            self._track_held += count
            return
        self._kernels.narrow_frames(fresh, count, stage.frames + stage.held * FRAME)
        stage.held += count
        self._go_on(self._analysis_halvings)

    cdef float *_scratch(self) noexcept nogil:
        """Room for one chunk of halved frames: behind the codes' stage, which has none."""
        return self._stage[0].frames

    cdef void _room_for_analysis(self, size_t count) noexcept nogil:
        cdef size_t gone
        if self._analysis_held + count <= self._analysis_size:
            return
        gone = self._analysis_held - self._analysis_kept
        memmove(
            self._analysis, self._analysis + gone * FRAME,
            self._analysis_kept * FRAME * sizeof(double),
        )
        self._analysis_first += gone
        self._analysis_held = self._analysis_kept

    cdef void _room_for_track(self, size_t count) noexcept nogil:
        cdef size_t gone
        if self._track_held + count <= self._track_size:
            return
        gone = self._track_held - self._track_kept
        memmove(
            self._track, self._track + gone * FRAME, self._track_kept * FRAME * sizeof(float)
        )
        self._track_first += gone
        self._track_held = self._track_kept

    def track_values(self, size_t channel, long first, size_t count):
        """A copy of one channel of the kept track, from a frame on."""
        cdef size_t n
        if (
            channel >= self._channels or first < self._track_first
            or first + <long>count > self._track_first + <long>self._track_held
        ):
            raise IndexError("beyond the kept track")
        values = np.empty(count)
        cdef double[::1] out = values
        for n in range(count):
            out[n] = self._track[(first - self._track_first + n) * FRAME + channel]
        return values

    def lock(
        self, size_t reference, double cycles_per_sample, double lowest, double highest,
        long from_frame,
    ):
        """Begin to track a channel of which the frequency is roughly known.

        It is lost again where its frequency leaves the limits, or its level falls to a tenth.
        """
        if (
            reference >= self._channels or not 0 < lowest < cycles_per_sample < highest < 0.25
            or from_frame < self._track_first
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
        if (
            not self._lowest < self._frequency < self._highest
            or frame - 2 * cycle < self._track_first
        ):
            # Beyond the limits, or followed so late that its frames are gone.
            self._lost = True
            return False
        if frame + 2 * cycle > self._track_first + <long>self._track_held - 1:
            return False
        self._kernels.demodulate(
            self._track, self._track_first, frame, cycle, phasor[0], phasor[1]
        )
        droop = self._droop(self._frequency)
        for lane in range(FRAME):
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
        """Response of all stages to the fundamental: Chebyshev polynomials by their recurrence."""
        cdef double droop = 1.0, frequency = cycles_per_sample, x, before, now, after
        cdef double top_before, top_now
        cdef size_t k, j
        for k in range(self._stages):
            x = self._stage[k].stretch * cos(M_PI * frequency)
            before, now = 1.0, x
            top_before, top_now = 1.0, self._stage[k].stretch
            for j in range(1, self._stage[k].taps - 1):
                after = 2 * x * now - before
                before, now = now, after
                after = 2 * self._stage[k].stretch * top_now - top_before
                top_before, top_now = top_now, after
            droop *= now / top_now
            frequency *= 2
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
        phasors = np.empty((count, self._channels), np.complex128)
        cdef double[::1] at = instants
        cdef double complex[:, ::1] to = phasors
        for k in range(count):
            at[k] = self._instants[first + k]
            for lane in range(self._channels):
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
        # Asked so that a NaN fails; a frame more to either side, as the kernel may round otherwise.
        if (
            count < 1 or table.shape[0] < 1 or table.shape[1] != 4 or taps < FRAME or taps % FRAME
            or out.shape[1] != FRAME
            or not step >= 0 or not step + 2 * (count - 1) * bend >= 0
            or not floor(start) - <long>(taps // 2) >= self._analysis_first
            or not floor(last) + <long>(taps // 2)
            < self._analysis_first + <long>self._analysis_held - 1
        ):
            raise IndexError("beyond the kept frames")
        with nogil:
            self._kernels.resample(
                self._analysis, self._analysis_first, start, step, bend, count,
                &table[0, 0, 0], table.shape[0], taps, &out[0, 0],
            )

    def spectrum_bins(
        self, const double complex[:, ::1] spectrum, double per_bin, const double[::1] series,
        double highest, double complex[:, ::1] out,
    ):
        """Rows of bins from columns, divided by the response and turned to the window's centre.

        `series` is one over the response as a Chebyshev series in (frequency / highest)², from 0 to 1;
        bin k has the frequency k·per_bin.
        """
        cdef size_t bins = out.shape[1], channels = out.shape[0], k, c
        cdef double scale[MOST_BINS]
        if (
            <size_t>spectrum.shape[1] != channels or <size_t>spectrum.shape[0] < bins
            or series.shape[0] < 2 or bins + FRAME > MOST_BINS
        ):
            raise IndexError("bins of another shape")
        with nogil:
            self._kernels.chebyshev_series(
                &series[0], series.shape[0], per_bin / highest, bins, scale
            )
            for k in range(bins):
                # Half of the cycles have passed at the centre: every second bin has turned by half.
                if k % 2:
                    scale[k] = -scale[k]
            for c in range(channels):
                for k in range(bins):
                    out[c, k].real = spectrum[k, c].real * scale[k]
                    out[c, k].imag = spectrum[k, c].imag * scale[k]


def group_squares(const double complex[:, :] phasors, size_t bins, double[:, :, ::1] out):
    """Squared RMS of each order's groups, from the RMS phasors of all bins up to the next order.

    out[0] harmonic group, [1] harmonic subgroup, [2] interharmonic group, [3] interharmonic centred
    subgroup, [4] all bins from the order on; (5, channels, orders + 1).
    """
    cdef size_t channels = phasors.shape[0], orders = out.shape[2], half = bins // 2, c, h, j
    cdef double power[12]
    cdef double near, far, below_group, below_subgroup
    cdef double complex at
    if (
        bins != 10 and bins != 12 or <size_t>phasors.shape[1] != orders * bins
        or out.shape[0] != 5 or <size_t>out.shape[1] != channels
    ):
        raise IndexError("bins of another shape")
    with nogil:
        for c in range(channels):
            below_group = below_subgroup = 0
            for h in range(orders):
                for j in range(bins):
                    at = phasors[c, h * bins + j]
                    power[j] = at.real * at.real + at.imag * at.imag
                # Sums, no differences: little between two strong orders must not be lost.
                near = far = 0
                for j in range(2, half):
                    near += power[j]
                    far += power[j + half - 1]
                # The bin halfway between two orders belongs to both by half.
                out[0, c, h] = below_group + power[0] + power[1] + near + power[half] / 2
                out[1, c, h] = below_subgroup + power[0] + power[1]
                out[3, c, h] = near + power[half] + far
                out[2, c, h] = power[1] + out[3, c, h] + power[bins - 1]
                out[4, c, h] = power[0] + out[2, c, h]
                below_group = power[half] / 2 + far + power[bins - 1]
                below_subgroup = power[bins - 1]
