"""Power and energy in closed form against quadrature of u·i written out here."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from spotcheck_sim.load import Load, LoadStep
from spotcheck_sim.mains import Mains, VoltageDip
from spotcheck_sim.power_truth import PlantPower
from spotcheck_sim.waveform import Harmonic

VOLTAGE_HARMONICS = (
    Harmonic(order=3, fraction=0.05, phase_deg=25.0),
    Harmonic(order=5, fraction=0.03, phase_deg=-70.0),
)
CURRENT_HARMONICS = (
    Harmonic(order=3, fraction=0.30, phase_deg=160.0),
    Harmonic(order=7, fraction=0.10, phase_deg=10.0),
)


def oracle_power_w(
    t: float, phase: int, frequency_hz: float, drift: float, phi_deg: float
) -> float:
    """u·i of one phase as an electrician would write it down; 230 V, 10 A."""
    theta = 2 * math.pi * (frequency_hz * t + drift * t * t / 2) + math.radians(30)
    theta += math.radians([0, -120, 120][phase])
    u = 230 * math.sqrt(2) * math.cos(theta)
    i = 10 * math.sqrt(2) * math.cos(theta + math.radians(phi_deg))
    for h in VOLTAGE_HARMONICS:
        u += 230 * math.sqrt(2) * h.fraction * math.cos(h.order * theta + math.radians(h.phase_deg))
    for h in CURRENT_HARMONICS:
        i += 10 * math.sqrt(2) * h.fraction * math.cos(h.order * theta + math.radians(h.phase_deg))
    return u * i


def plant(phases: int = 1, **changes: object) -> PlantPower:
    settings: dict[str, object] = {
        "voltage_v": 230.0,
        "harmonics": VOLTAGE_HARMONICS,
        "phase_angle0_deg": 30.0,
    }
    load: dict[str, object] = {
        "current_a": 10.0,
        "power_factor": 0.5,
        "harmonics": CURRENT_HARMONICS,
    }
    for name, value in changes.items():
        (settings if name in Mains.__dataclass_fields__ and name != "harmonics" else load)[name] = (
            value
        )
    return PlantPower(Mains(**settings), Load(**load), phases)  # type: ignore[arg-type]


def integral_j(power: object, edges: list[float]) -> float:
    """Sum of quadratures over cycles, so that each has a smooth, short integrand."""
    return sum(
        quad(power, a, b, epsabs=1e-10, epsrel=1e-12)[0]  # type: ignore[arg-type]
        for a, b in pairwise(edges)
    )


@pytest.mark.parametrize(("lagging", "phi_deg"), [(True, -60.0), (False, 60.0)])
def test_mean_power_is_the_quadrature_over_one_cycle(lagging: bool, phi_deg: float) -> None:
    mean_w = quad(lambda t: oracle_power_w(t, 0, 50, 0, phi_deg), 0, 0.02, epsrel=1e-12)[0] / 0.02
    assert plant(lagging=lagging).power_w() == pytest.approx(mean_w, rel=1e-10)


def test_inductive_load_has_positive_reactive_power() -> None:
    expected = 230 * 10 * math.sin(math.radians(60))
    assert plant().phase_reactive_power_var() == pytest.approx((expected,))
    assert plant(lagging=False).phase_reactive_power_var() == pytest.approx((-expected,))


@pytest.mark.parametrize("phases", [1, 3])
def test_instantaneous_energy_is_the_integral_of_u_times_i(phases: int) -> None:
    ends_s = [0.0013, 0.0171, 0.2345]
    power = plant(phases)
    for end_s in ends_s:
        edges = [*np.arange(0, end_s, 0.005), end_s]
        expected = integral_j(
            lambda t: sum(oracle_power_w(t, p, 50, 0, -60) for p in range(phases)), edges
        )
        found = power.instantaneous_energy_j(np.array([end_s]))[0]
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-7)


def test_energy_under_frequency_drift_is_right_to_the_documented_order() -> None:
    power = plant(frequency_drift_hz_per_s=1.0)
    edges = [*np.arange(0, 0.5, 0.005), 0.5031]
    expected = integral_j(lambda t: oracle_power_w(t, 0, 50, 1.0, -60), edges)
    found = power.instantaneous_energy_j(np.array([0.5031]))[0]
    ripple_j = 230 * 10 / (2 * math.pi * 100)
    assert abs(found - expected) < 1e-6 * ripple_j


def test_steps_and_dips_multiply_and_energies_stay_continuous() -> None:
    power = plant(
        steps=(LoadStep(at_s=0.1003, current_factor=3.0),),
        dips=(VoltageDip(start_s=0.05, duration_s=0.1, residual_fraction=0.4),),
    )

    def stepped(t: float) -> float:
        dip = 0.4 if 0.05 <= t < 0.15 else 1.0
        return oracle_power_w(t, 0, 50, 0, -60) * dip * (3.0 if t >= 0.1003 else 1.0)

    edges = sorted([*np.arange(0, 0.2, 0.005), 0.1003, 0.2071])
    found = power.instantaneous_energy_j(np.array([0.2071]))[0]
    assert found == pytest.approx(integral_j(stepped, edges), rel=1e-9)
    mean_w = plant().power_w()
    blocks = 0.05 + 0.0503 * 0.4 + (0.15 - 0.1003) * 1.2 + 0.0571 * 3
    assert power.energy_j(np.array([0.2071]))[0] == pytest.approx(mean_w * blocks, rel=1e-12)
    assert power.power_w(0.12) == pytest.approx(mean_w * 1.2, rel=1e-12)


def test_phase_factors_scale_each_phase_and_negative_ones_export() -> None:
    power = plant(3, phase_factors=(1.0, 0.5, -2.0))
    single = plant().power_w()
    assert power.phase_power_w() == pytest.approx((single, 0.5 * single, -2 * single))
    assert power.power_w() == pytest.approx(-0.5 * single)


def test_symmetrical_three_phase_load_without_harmonics_has_no_ripple() -> None:
    power = PlantPower(Mains(), Load(current_a=5.0, power_factor=0.8), 3)
    times = np.linspace(0, 0.02, 50)
    assert np.allclose(power.instantaneous_energy_j(times), power.energy_j(times), atol=1e-9)
