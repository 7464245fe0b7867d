"""Codes of the converter, synthesised fast: one matrix product a chunk.

A channel shows Σ_h Re(c_h·exp(jhθ)), with gain, phase error and skew folded into the c_h. Within a
chunk θ = θ_chunk + 2πf·n/fs, so at constant frequency the basis exp(jh·2πf·n/fs) is the same for
all chunks and exp(jhθ_chunk) goes into the coefficients as well. With frequency drift the basis
is made anew for each chunk, and the delay of a channel counts at the frequency of the chunk's
middle (an error below 2e-7 rad at 0.01 Hz/s and 50 µs).

The stream is always made in batches of the same length, so that neither noise nor rounding depend
on how a consumer splits it.
"""

import math
from itertools import accumulate, repeat

import numpy as np
from numpy.typing import NDArray

from spotcheck_sim.front_end import FrontEnd
from spotcheck_sim.load import Load
from spotcheck_sim.mains import Mains
from spotcheck_sim.noise import GaussianNoise
from spotcheck_sim.waveform import PHASE_SHIFT_RAD, Envelope, FloatArray

ComplexArray = NDArray[np.complex128]

CHUNK_SAMPLES = 800
"""Samples that share their coefficients."""
CHUNKS_PER_BATCH = 10
BATCH_SAMPLES = CHUNK_SAMPLES * CHUNKS_PER_BATCH
"""Samples that are made at once; ten chunks of six channels stay within the cache."""

_NOISE_SIGMAS = 5.0


class Sampler:
    """Turns mains, load and front end into batches of codes."""

    def __init__(
        self, mains: Mains, load: Load, front_end: FrontEnd, seed: np.random.SeedSequence
    ) -> None:
        """Fold the channels' errors into coefficients."""
        self._mains = mains
        self._front_end = front_end
        self._period_s = 1 / front_end.true_sample_rate_hz
        channels = front_end.interleaved
        self._delays_s = np.array([c.delay_s(front_end.nominal_frequency_hz) for c in channels])
        self._offset_codes = np.array([c.offset_codes for c in channels])
        self._envelopes = (mains.envelope(), load.envelope()) * front_end.stream_format.phases
        self._orders, self._phasors = _channel_phasors(mains, load, front_end)
        noise_codes = np.array([c.noise_codes_rms for c in channels])
        self._largest_noise = float(np.max(noise_codes))
        self._relative_noise = (noise_codes / (self._largest_noise or 1.0)).astype(np.float32)
        self._noise = GaussianNoise(seed, self._largest_noise)
        self._basis = self._make_basis(np.zeros(1)) if self._is_steady else None
        self._codes = np.empty((CHUNKS_PER_BATCH, CHUNK_SAMPLES, len(channels)))
        self._may_clip = self._largest_code() >= front_end.full_scale_code

    @property
    def _is_steady(self) -> bool:
        return self._mains.frequency_drift_hz_per_s == 0.0

    def batch(self, first_sample: int) -> NDArray[np.int32]:
        """The next batch; batches must be made in order, for the sake of the noise.

        Args:
            first_sample: Index of the batch's first sample.

        Returns:
            Little-endian int32 codes of shape (BATCH_SAMPLES, channels).
        """
        codes = self._codes
        starts = first_sample + CHUNK_SAMPLES * np.arange(CHUNKS_PER_BATCH)
        starts_s = np.asarray(starts * self._period_s, dtype=np.float64)
        basis = self._make_basis(starts_s) if self._basis is None else self._basis
        np.matmul(basis, self._coefficients(starts_s), out=codes)
        flat = codes.reshape(BATCH_SAMPLES, -1)
        self._apply_envelopes(flat, first_sample)
        if self._offset_codes.any():
            flat += self._offset_codes
        self._add_noise(flat)
        np.rint(flat, out=flat)
        if self._may_clip:
            limit = self._front_end.full_scale_code
            np.clip(flat, -limit, limit, out=flat)
        return flat.astype("<i4")

    def _make_basis(self, starts_s: FloatArray) -> FloatArray:
        """Cos and −sin of each order's angle in its chunk: (chunks, samples, 2·orders)."""
        drift = self._mains.frequency_drift_hz_per_s
        since_s = np.arange(CHUNK_SAMPLES) * self._period_s
        frequency_hz = self._mains.frequency_hz + drift * starts_s[:, None]
        angle = 2 * math.pi * (frequency_hz + drift * since_s / 2) * since_s
        fundamental = np.cos(angle) + 1j * np.sin(angle)
        powers = list(accumulate(repeat(fundamental, self._orders[-1]), np.multiply))
        turned = np.stack([powers[order - 1] for order in self._orders], axis=-1)
        return np.concatenate((turned.real, -turned.imag), axis=-1)

    def _coefficients(self, starts_s: FloatArray) -> FloatArray:
        """Real and imaginary parts of c_h·exp(jhθ_chunk): (chunks, 2·orders, channels)."""
        orders = np.array(self._orders)
        middles_s = starts_s + CHUNK_SAMPLES / 2 * self._period_s
        angle = self._mains.angle_rad(starts_s)[:, None]
        omega = self._mains.angular_frequency_rad_s(middles_s)[:, None]
        shown = (angle - omega * self._delays_s)[:, None, :] * orders[:, None]
        turned = self._phasors * np.exp(1j * shown)
        return np.concatenate((turned.real, turned.imag), axis=1)

    def _apply_envelopes(self, codes: FloatArray, first_sample: int) -> None:
        """Load steps and dips, at the sample where each channel shows them."""
        for channel, envelope in enumerate(self._envelopes):
            if envelope.starts_s:
                codes[:, channel] *= self._factors(envelope, channel, first_sample)

    def _factors(self, envelope: Envelope, channel: int, first_sample: int) -> FloatArray:
        first_s = first_sample * self._period_s - self._delays_s[channel]
        last_s = first_s + BATCH_SAMPLES * self._period_s
        if envelope.constant_over(first_s, last_s):
            return envelope.at(np.array([first_s]))
        samples = np.arange(first_sample, first_sample + BATCH_SAMPLES)
        return envelope.at(samples * self._period_s - self._delays_s[channel])

    def _add_noise(self, codes: FloatArray) -> None:
        if not self._largest_noise:
            return
        noise = self._noise.draw(codes.size).reshape(codes.shape)
        if not np.all(self._relative_noise == 1.0):
            noise *= self._relative_noise
        codes += noise

    def _largest_code(self) -> float:
        """No less than the largest code that can occur."""
        factors = [max(map(abs, envelope.factors)) for envelope in self._envelopes]
        signal = np.sum(np.abs(self._phasors), axis=0) * np.array(factors)
        noise = _NOISE_SIGMAS * self._largest_noise
        return float(np.max(signal + np.abs(self._offset_codes))) + noise + 1


def _channel_phasors(
    mains: Mains, load: Load, front_end: FrontEnd
) -> tuple[tuple[int, ...], ComplexArray]:
    """Peak phasors in codes, undelayed: the orders, and an array (orders, channels)."""
    by_channel: list[dict[int, complex]] = []
    for phase in range(front_end.stream_format.phases):
        clamped = front_end.clamp_phases[phase]
        for of_phase, phasors in ((phase, mains.phasors()), (clamped, load.phasors(clamped))):
            shift = PHASE_SHIFT_RAD[of_phase]
            by_channel.append({h: x * np.exp(1j * h * shift) for h, x in phasors.items()})
    orders = tuple(sorted({order for phasors in by_channel for order in phasors}))
    channels = front_end.interleaved
    per_unit = np.array([c.is_connected / c.gain_per_code for c in channels])
    table = [[phasors.get(order, 0j) for phasors in by_channel] for order in orders]
    return orders, np.array(table, dtype=np.complex128) * (math.sqrt(2) * per_unit)
