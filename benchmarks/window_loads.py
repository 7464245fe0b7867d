"""Loads as lists of tones, with their truth in closed form: what windows are judged by.

Nothing here comes from the code under test. A load is two lists of tones, voltage and current;
tones of different frequencies share no power in the long run (orthogonality), so the long-run means
are sums over the list.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.window_quantities import WindowQuantities

Array = NDArray[np.float64]
RATE_HZ = 10_000.0
OFFSETS_HZ = (45.0, 47.31, 49.63, 50.0, 50.3, 55.5, 59.94, 61.7, 65.0)
FEW_HZ = (45.0, 50.3, 65.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Tones of a voltage and a current: {times the mains frequency: complex amplitude}."""

    name: str
    u: dict[float, complex]
    i: dict[float, complex]

    def below(self, highest: float) -> "Load":
        """The same without tones from so many times the mains frequency."""
        u, i = ({k: v for k, v in tones.items() if k < highest} for tones in (self.u, self.i))
        return Load(name=self.name, u=u, i=i)

    def turned(self, phase_rad: float) -> "Load":
        """The same, begun at another phase of the mains."""
        u, i = (
            {k: v * (np.exp(1j * k * phase_rad) if k else 1.0) for k, v in tones.items()}
            for tones in (self.u, self.i)
        )
        return Load(name=self.name, u=u, i=i)

    def samples(self, times_s: Array, frequency_hz: float) -> Array:
        """(n, 2) values at instants."""
        return np.column_stack([waveform(t, times_s, frequency_hz) for t in (self.u, self.i)])

    @property
    def means(self) -> tuple[float, float, float]:
        """Long-run P, U and I: tones of different frequencies share no power."""
        u, i = (
            float(np.sqrt(sum(mean_product(k, a, a) for k, a in tones.items())))
            for tones in (self.u, self.i)
        )
        return sum(mean_product(k, self.u[k], self.i[k]) for k in self.u if k in self.i), u, i

    @property
    def truth(self) -> "Truth":
        """The same, and Q1 of the fundamental."""
        power, u, i = self.means
        q1 = float((self.u.get(1.0, 0j) * np.conj(self.i.get(1.0, 0j))).imag) / 2
        return Truth(power=power, u=u, i=i, q1=q1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a window should come to."""

    power: float
    u: float
    i: float
    q1: float

    def errors_ppm(self, found: WindowQuantities) -> dict[str, float]:
        """Absolute errors of the first phase."""
        s = self.u * self.i
        apart = {
            "P": (found.power_w[0] - self.power) / s,
            "Q1": (found.q1_var[0] - self.q1) / s,
            "U": found.rms_u_v[0] / self.u - 1,
            "I": found.rms_i_a[0] / self.i - 1,
            "S": found.rms_u_v[0] * found.rms_i_a[0] / s - 1,
        }
        return {name: abs(float(value)) * 1e6 for name, value in apart.items()}


def mean_product(order: float, first: complex, second: complex) -> float:
    """Of two tones of one frequency; a direct one is no sinusoid."""
    return float((first * np.conj(second)).real) / (2 if order else 1)


def waveform(tones: dict[float, complex], times_s: Array, frequency_hz: float) -> Array:
    total = np.zeros_like(times_s)
    for order, amplitude in tones.items():
        turns = order * (frequency_hz * times_s)
        angle = 2 * np.pi * (turns - np.rint(turns)) + np.angle(amplitude)
        total += abs(amplitude) * np.cos(angle) if order else amplitude.real
    return total


def conducting(
    spans: list[tuple[float, float]], cycles: int, highest: float
) -> dict[float, complex]:
    """Fourier tones of sin θ that flows in these spans of θ only, and again every so many cycles.

    C = 1/(cycles·π) · ∫ sin θ · exp(−jkθ) dθ over the spans; half of it for k = 0.
    """

    def integral(k: float, low: float, high: float) -> complex:
        if k == 0:
            return high - low
        return (np.exp(1j * k * high) - np.exp(1j * k * low)) / (1j * k)

    tones = {}
    for m in range(int(highest * cycles) + 1):
        k = m / cycles
        total = sum(integral(1 - k, *s) - integral(-1 - k, *s) for s in spans) / 2j
        tone = complex(total / (cycles * np.pi)) * (0.5 if m == 0 else 1.0)
        if abs(tone) > 1e-14:
            tones[k] = tone
    return tones


SINE_U = {1.0: 325.0 + 0j}
HIGHEST_ORDER = 90.0


def in_sine(tones: dict[float, complex], peak: float) -> dict[float, complex]:
    """Turned so that the voltage is a cosine as all others are."""
    return {k: peak * v * np.exp(1j * k * np.pi / 2) if k else peak * v for k, v in tones.items()}


def periodic_loads() -> list[Load]:
    """All of row 1."""
    lag = np.exp(-1j * np.pi / 3)
    many = range(2, 51)
    half, fired = [(0.0, np.pi)], [(2.0, np.pi), (2.0 + np.pi, 2 * np.pi)]
    firing = in_sine(conducting(fired, 1, HIGHEST_ORDER), 14.0)
    rectified = in_sine(conducting(half, 1, HIGHEST_ORDER), 14.0)
    return [
        Load(name="sine, PF 0.5", u=SINE_U, i={1.0: 14 * lag}),
        Load(name="sine, PF 0.1 leading, export", u=SINE_U, i={1.0: -14 * np.exp(1.471j)}),
        Load(
            name="fifth harmonic, 10 % U, 40 % I",
            u={1.0: 325.0, 5.0: 32.5}, i={1.0: 14.0 * lag, 5.0: 5.6},
        ),
        Load(
            name="harmonics to the 50th",
            u=SINE_U | {float(h): 30 / h * np.exp(1j * h * h) for h in many},
            i={1.0: 14.0 * lag} | {float(h): 9 / h * np.exp(1j * h) for h in many},
        ),
        Load(name="phase-fired at 115°", u=SINE_U, i=firing),
        Load(name="half-wave rectified", u=SINE_U, i=rectified),
    ]  # fmt: skip


def burst(on: int, period: int) -> Load:
    tones = conducting([(0.0, 2 * np.pi * on)], period, HIGHEST_ORDER)
    name = f"burst {on} on, {period - on} off"
    return Load(name=name, u=SINE_U, i=in_sine(tones, 14.0))


def flicker(ratio: float, depth: float) -> Load:
    """A current whose level swings so many times per cycle."""
    side = 14.0 * depth / 2
    tones = {1.0: 14.0 + 0j, 1 - ratio: side + 0j, 1 + ratio: side + 0j}
    return Load(name=f"swing of {depth:.0%}, {ratio:g} f", u=SINE_U, i=tones)


def with_interharmonics(load: Load, seed: int, *, strength: float = 1.0) -> Load:
    """The load with interharmonics at least 0.3 f from all else: 20 % of I, 5 % of U and less."""
    rng = np.random.default_rng(seed)
    places = [1 + rng.choice([-1, 1]) * rng.uniform(0.3, 0.33)]
    places += [float(k + rng.uniform(0.3, 0.7)) for k in (2, 3, 6, 9, 14)]
    sizes = (0.2, 0.05, 0.05, 0.03, 0.02, 0.02)
    u, i = dict(load.u), dict(load.i)
    for place, size in zip(places, sizes, strict=True):
        turn = np.exp(2j * np.pi * rng.uniform(size=2))
        u[float(place)] = 325 * size / 4 * strength * turn[0]
        i[float(place)] = 14 * size * strength * turn[1]
    return Load(name=load.name + ", interharmonics", u=u, i=i)


def fundamental_angle_rad(load: Load) -> float:
    """Angle of the current's fundamental, counted from the voltage's."""
    return float(np.angle(load.i[1.0] / load.u[1.0]))


def step_energy(
    peak_v: float, peak_a: float, lag_rad: float, frequency_hz: float, step_s: float,
    factors: tuple[float, float], ends_s: tuple[float, float],
) -> float:  # fmt: skip
    """Energy of a sinusoidal load whose current steps, read without ripple at both ends, in J.

    p = VA/2·(cos φ + cos(2ωt − φ)) times a factor: of the ripple's integral, what runs up to the
    step stays, VA/2·sin(2ωt − φ)/(2ω) at the step times the difference of the factors.
    """
    omega = 2 * np.pi * frequency_hz
    before, after = factors
    half = peak_v * peak_a / 2
    steady = before * (step_s - ends_s[0]) + after * (ends_s[1] - step_s)
    ripple = (before - after) * np.sin(2 * omega * step_s - lag_rad) / (2 * omega)
    return float(half * (np.cos(lag_rad) * steady + ripple))


def table(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    print(f"\n### {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|---" + "|---:" * (len(head) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def cases(load: Load, frequencies: tuple[float, ...], phases: int) -> Iterator[tuple[Load, float]]:
    """A load at all frequencies, each begun at so many phases."""
    rng = np.random.default_rng(1)
    for frequency in frequencies:
        for _ in range(phases):
            yield load.turned(float(rng.uniform(0, 40 * np.pi))), frequency


def sampled(load: Load, frequency: float, rate: float, seconds: float) -> tuple[Array, Truth]:
    load = load.below(0.4 * rate / frequency)
    return load.samples(np.arange(round(rate * seconds)) / rate, frequency), load.truth
