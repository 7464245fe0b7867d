"""The line of the pulses on loads of three phases, of harmonics and of export."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from spotcheck_dsp.edge_window import QUICK_KERNEL
from spotcheck_dsp.mains_fit import fit_mains
from spotcheck_dsp.pulses.filtered_lines import PulseEnergies, StampNoise
from spotcheck_dsp.pulses.pulse_fit import PulseFilter, fit_energy_per_pulse
from spotcheck_dsp.pulses.pulse_ripple import power_components, ripple_at_pulses

FINE = StampNoise(standard_deviation_s=0.29e-6, degrees_of_freedom=20)


def test_three_phases_over_two_seconds_at_95_db_meet_half_a_ppm() -> None:
    rng, rate = np.random.default_rng(1), 10_000.0
    t, noise, errors = np.arange(22_500) / rate, 10 ** (-95 / 20), []
    for _ in range(12):
        frequency = rng.uniform(49.5, 50.5)
        power = np.zeros_like(t)
        for phase in range(3):
            turn = 2 * np.pi * (frequency * t - phase / 3)
            u, i = (
                size * (np.sqrt(2) * np.cos(turn) + noise * rng.standard_normal(len(t)))
                for size in (220.0, 5.0)
            )
            power += u * i
        cycle = fit_mains(u, 0, rate).cycle_samples(len(t) / 2)
        stamps = np.round(rng.uniform(0.1, 0.11) + np.arange(3.0), 6)
        steps = QUICK_KERNEL.smooth_step((stamps[:, None] * rate - np.arange(len(t))) / cycle)
        pulses = PulseEnergies(
            smoothed_j=steps @ power / rate, power_w=np.full(3, 3300.0), ripple=None
        )
        fit = fit_energy_per_pulse(pulses, FINE)
        errors.append(1e6 * (fit.energy_per_pulse_j / 3300 - 1))
    assert np.sqrt(np.mean(np.square(errors))) <= 0.5


VOLTAGES = np.array([[230.0, 0, 5 * np.exp(1j), 0, 8 * np.exp(-2j)]])
CURRENTS = np.array([[10 * np.exp(-0.3j), 0.5j, 6 * np.exp(2.8j), 0, 3 * np.exp(1j)]])
MAINS_HZ, INTERVAL_S = 49.83, 0.1031


def distorted(time_constant_s: float, count: int) -> tuple[PulseEnergies, float]:
    """A distorted load as a meter with a first-order filter counts it, and its quantum."""
    components = power_components(VOLTAGES, CURRENTS)
    orders, omega = np.arange(1, len(components)), 2 * math.pi * MAINS_HZ
    passed = components[1:] / (1j * orders * omega) / (1 + 1j * orders * omega * time_constant_s)
    mean_w = float(components[0].real)

    def counted_j(t: float) -> float:
        return mean_w * t + float((passed @ np.exp(1j * orders * omega * t)).real)

    due = mean_w * INTERVAL_S * (3.4 + np.arange(count))
    stamps = np.array(
        [
            brentq(
                lambda t, e=e: counted_j(t) - e, e / mean_w - 0.02, e / mean_w + 0.02, xtol=1e-13
            )
            for e in due
        ]
    )
    pulses = PulseEnergies(
        smoothed_j=mean_w * stamps,
        power_w=np.full(count, mean_w),
        ripple=ripple_at_pulses(components, omega * stamps, MAINS_HZ),
    )
    return pulses, mean_w * INTERVAL_S


@pytest.mark.parametrize("time_constant_s", [0.0, 5e-4, 2e-3, 1e-2, 1.0])
def test_distorted_load_behind_any_filter_is_exact(time_constant_s: float) -> None:
    pulses, quantum_j = distorted(time_constant_s, 101)
    fit = fit_energy_per_pulse(pulses, FINE)
    assert fit.filter is PulseFilter.FIRST_ORDER
    assert abs(fit.energy_per_pulse_j / quantum_j - 1) < 1e-8
    lag_deg = math.degrees(math.atan(4 * math.pi * MAINS_HZ * time_constant_s))
    assert fit.smoothing_deg == pytest.approx(lag_deg, abs=0.05)


def test_export_is_the_mirror_of_import() -> None:
    pulses, _ = distorted(1e-3, 12)
    assert pulses.ripple is not None
    mirrored = PulseEnergies(
        smoothed_j=-pulses.smoothed_j,
        power_w=-pulses.power_w,
        ripple=ripple_at_pulses(
            -power_components(VOLTAGES, CURRENTS),
            2 * np.pi * MAINS_HZ * pulses.smoothed_j / pulses.power_w,
            MAINS_HZ,
        ),
    )
    there, back = fit_energy_per_pulse(pulses, FINE), fit_energy_per_pulse(mirrored, FINE)
    assert back.energy_per_pulse_j == pytest.approx(-there.energy_per_pulse_j, rel=1e-9)
    assert back.expanded_uncertainty_j == pytest.approx(there.expanded_uncertainty_j, rel=1e-3)
    assert back.residuals_s == pytest.approx(there.residuals_s, abs=1e-9)


def test_step_of_the_load_moves_only_the_times() -> None:
    rng = np.random.default_rng(2)
    power = np.repeat([500.0, 2500.0, 900.0], 20)
    energies = 300.0 * np.arange(1, 61) + power * rng.normal(0, 20e-6, 60)
    pulses = PulseEnergies(smoothed_j=energies, power_w=power, ripple=None)
    fit = fit_energy_per_pulse(pulses, StampNoise(standard_deviation_s=2e-5, degrees_of_freedom=9))
    assert abs(fit.energy_per_pulse_j - 300) <= 2 * fit.standard_uncertainty_j
    assert fit.scatter_s == pytest.approx(20e-6, rel=0.3)
