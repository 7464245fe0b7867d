"""Random signals of legal loads and mains for `detector_rates.py`, with truth by construction."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RATE_HZ = 10_000.0
U_V, I_A = 230.0, 10.0
NOISE_DB = 90.0
TEMPLATE = 1 << 16


def band_limited(shape: Callable[[Array], Array], frequency_hz: float) -> Array:
    """One cycle of a current without what lies above 0.4 of the sample rate, RMS 1."""
    wave = shape(2 * np.pi * np.arange(TEMPLATE) / TEMPLATE)
    spectrum = np.fft.rfft(wave)
    spectrum[int(0.4 * RATE_HZ / frequency_hz) + 1 :] = 0
    wave = np.fft.irfft(spectrum, TEMPLATE)
    return wave / np.sqrt(np.mean(wave**2))


def sine(rng: np.random.Generator) -> Callable[[Array], Array]:
    lag = rng.uniform(-1.4, 1.4)
    return lambda a: np.sin(a - lag)


def fifth(rng: np.random.Generator) -> Callable[[Array], Array]:
    turn = rng.uniform(0, 2 * np.pi)
    return lambda a: np.sin(a) + 0.4 * np.sin(5 * a + turn)


def phase_fired(rng: np.random.Generator) -> Callable[[Array], Array]:
    angle = np.radians(rng.uniform(20, 150))
    return lambda a: np.where(a % np.pi >= angle, np.sin(a), 0.0)


def half_wave(_: np.random.Generator) -> Callable[[Array], Array]:
    return lambda a: np.maximum(np.sin(a), 0.0)


def half_wave_through_transformer(rng: np.random.Generator) -> Callable[[Array], Array]:
    shape = half_wave(rng)
    return lambda a: shape(a) - 1 / np.pi


def crest_five(rng: np.random.Generator) -> Callable[[Array], Array]:
    power = rng.integers(180, 240)
    return lambda a: np.sign(np.sin(a)) * np.abs(np.sin(a)) ** power


def blocks(_: np.random.Generator) -> Callable[[Array], Array]:
    """Blocks of 120° with soft edges, so that the tops do not ring."""

    def shape(a: Array) -> Array:
        from_edge = np.arcsin(np.abs(np.sin(a))) - np.pi / 6
        return np.asarray(np.sign(np.sin(a)) * (1 + np.tanh(from_edge / 0.1)) / 2, np.float64)

    return shape


SHAPES: dict[str, Callable[[np.random.Generator], Callable[[Array], Array]]] = {
    "sine, PF 1 … 0.17": sine,
    "40 % fifth harmonic": fifth,
    "phase-fired, 20° to 150°": phase_fired,
    "half-wave": half_wave,
    "half-wave through a CT": half_wave_through_transformer,
    "crest factor 5": crest_five,
}
COURSES = (
    "burst 2 on, 2 off",
    "burst 2 on, 4 off",
    "inrush 10 ×",
    "dip to 40 %, 5 cycles",
    "interruption, 1 to 8 cycles",
    "flicker 8.8 Hz, 1 % of U",
)
INDISTINGUISHABLE = "rectangular blocks of current"


@dataclass(frozen=True, slots=True, kw_only=True)
class Legal:
    """One legal signal with its noise."""

    name: str
    voltages_v: Array
    current_a: Array
    noise_v: float
    noise_a: float


def turns_of(rng: np.random.Generator, count: int, rate_hz: float = RATE_HZ) -> tuple[Array, float]:
    """Phase of U1 in turns, with a drift, and the frequency at its begin."""
    frequency = rng.uniform(46.0, 64.0)
    seconds = np.arange(count) / rate_hz
    drift = rng.uniform(-0.5, 0.5)
    return rng.uniform() + seconds * (frequency + seconds * drift / 2), frequency


def voltages(rng: np.random.Generator, turns: Array, phases: int = 3) -> Array:
    """Three voltages with up to 3 % third, 4 % fifth, 2 % seventh harmonic, unlike in each."""
    out = np.empty((len(turns), phases))
    for phase in range(phases):
        angle = 2 * np.pi * (turns - phase / 3)
        wave = np.sin(angle)
        for order, most in ((3, 0.03), (5, 0.04), (7, 0.02), (11, 0.01)):
            wave = wave + rng.uniform(0, most) * np.sin(order * angle + rng.uniform(0, 7))
        out[:, phase] = wave * U_V * rng.uniform(0.95, 1.05) * math.sqrt(2)
    return out


def shaped(rng: np.random.Generator, name: str, turns: Array, frequency: float) -> Array:
    shape = blocks if name == INDISTINGUISHABLE else SHAPES.get(name, sine)
    template = band_limited(shape(rng), frequency + 0.5)
    places = (turns % 1.0) * TEMPLATE
    return I_A * np.interp(places, np.arange(TEMPLATE + 1), np.append(template, template[0]))


def legal_signal(rng: np.random.Generator, name: str, count: int = 5000) -> Legal:
    turns, frequency = turns_of(rng, count)
    u, i = voltages(rng, turns), shaped(rng, name, turns, frequency)
    cycle = np.floor(turns)
    if name.startswith("burst"):
        # Fired at the voltage's zero crossings, as such controllers do.
        i = math.sqrt(2) * I_A * np.sin(2 * np.pi * turns)
        i = np.where(cycle % (4 if "2 off" in name else 6) < 2, i, 0.0)
    elif name.startswith("inrush"):
        since = np.maximum(np.arange(count) / RATE_HZ - rng.uniform(0.05, 0.15), 0.0)
        started = since > 0
        angle = 2 * np.pi * turns
        offset = np.sin(angle[int(np.argmax(started))])
        wave = np.sin(angle) * (1 + 9 * np.exp(-since / 0.08)) - 10 * offset * np.exp(-since / 0.05)
        i = np.where(started, math.sqrt(2) * I_A * wave, 0.0)
    elif name.startswith("dip"):
        begin = int(rng.integers(1000, 3000))
        # The edges of a dip take a quarter of a millisecond.
        ramp = np.interp(np.arange(count), [begin, begin + 3, begin + 1000, begin + 1003],
                         [1.0, 0.4, 0.4, 1.0])  # fmt: skip
        u, i = u * ramp[:, None], i * ramp
    elif name.startswith("interruption"):
        begin, length = int(rng.integers(900, 2800)), int(rng.integers(200, 1250))
        u[begin : begin + length] = 0.0
        i[begin : begin + length] = 0.0
    elif name.startswith("flicker"):
        waxing = 1 + 0.01 * np.sin(2 * np.pi * 8.8 * np.arange(count) / RATE_HZ)
        u, i = u * waxing[:, None], i * waxing
    noise_v = U_V * 10 ** (-NOISE_DB / 20)
    noise_a = float(np.sqrt(np.mean(i**2))) * 10 ** (-NOISE_DB / 20)
    return Legal(
        name=name,
        voltages_v=u + rng.normal(0, noise_v, u.shape),
        current_a=i + rng.normal(0, noise_a, i.shape),
        noise_v=noise_v,
        noise_a=noise_a,
    )
