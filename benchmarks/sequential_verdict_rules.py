"""Other ways to look repeatedly, against which the domain's plan is held.

Used by sequential_verdict.py. All but `naive` keep the risk where their assumptions hold.
"""

import math

import numpy as np
from sequential_verdict_trains import Array, Rule, Scene, last_pulses, planned_looks

from spotcheck.guard_band import stamp_noise_percent
from spotcheck.student_distribution import student_quantile


def _type_b_guard(scene: Scene) -> float:
    risk = scene.plan.risk * (1 - scene.plan.type_a_share)
    return scene.type_b_percent * student_quantile(risk, math.inf)


def _by_factors(scene: Scene, pulses: list[int], t: list[float]) -> Rule:
    b = _type_b_guard(scene)

    def guard(number: int, u_percent: Array) -> Array:
        return t[number] * u_percent + b

    return Rule(pulses=pulses, guard=guard)


def every_pulse(scene: Scene) -> Rule:
    """A look at every pulse, look i spending r/(i(i+1)) as the plan does."""
    pulses = list(range(3, last_pulses(scene) + 1))
    share = scene.plan.risk * scene.plan.type_a_share
    t = [student_quantile(share / (i * (i + 1)) / 2, n - 2) for i, n in enumerate(pulses, 1)]
    return _by_factors(scene, pulses, t)


def mixture(scene: Scene, prior: float) -> Rule:
    """A look at every pulse: mixture martingale over the slope, σ unknown (after Lai 1976).

    e = √w·((1 + t²/ν)/(1 + w·t²/ν))^((ν+1)/2) ≥ 1/r with w = c/(c + Sxx) is an anytime-valid test.
    """
    pulses = list(range(3, last_pulses(scene) + 1))
    share, t = scene.plan.risk * scene.plan.type_a_share, []
    for n in pulses:
        w, freedom = prior / (prior + (n**3 - n) / 12), n - 2
        q = (1 / (share * math.sqrt(w))) ** (2 / (freedom + 1))
        t.append(math.sqrt(freedom * (q - 1) / (1 - q * w)) if q * w < 1 else math.inf)
    return _by_factors(scene, pulses, t)


def naive(scene: Scene) -> Rule:
    """The 95 % interval after each look: the risk is stated for one look and not kept."""
    pulses = planned_looks(scene)

    def guard(number: int, u_percent: Array) -> Array:
        n = pulses[number]
        told = 1.96 * scene.noise.floor_percent(scene.interval_s, n)
        told += scene.noise.bound_percent(scene.interval_s, n)
        type_a = np.maximum(student_quantile(0.025, n - 2) * u_percent, told)
        return np.hypot(type_a, 1.96 * scene.type_b_percent)

    return Rule(pulses=pulses, guard=guard)


def _known_variance(scene: Scene, pulses: int) -> float:
    noise = stamp_noise_percent(
        stamp_noise_s=scene.noise.jitter_s, interval_s=scene.interval_s, pulses=pulses
    )
    return noise**2 + scene.type_b_percent**2


def o_brien_fleming(scene: Scene) -> Rule:
    """Boundary c/√I over the information I = u_B²/(u_B² + s²), at every pulse; s must be known.

    For a continuous look the risk is twice the normal tail at c (reflection principle).
    """
    pulses = list(range(3, last_pulses(scene) + 1))
    c = student_quantile(scene.plan.risk / 2, math.inf)

    def guard(number: int, u_percent: Array) -> Array:
        width = c * _known_variance(scene, pulses[number]) / scene.type_b_percent
        return np.full_like(u_percent, width)

    return Rule(pulses=pulses, guard=guard)


def pocock(scene: Scene, factor: float) -> Rule:
    """The same factor on √(u_B² + s²) at every pulse; s must be known."""
    pulses = list(range(3, last_pulses(scene) + 1))

    def guard(number: int, u_percent: Array) -> Array:
        return np.full_like(u_percent, factor * math.sqrt(_known_variance(scene, pulses[number])))

    return Rule(pulses=pulses, guard=guard)
