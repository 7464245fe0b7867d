"""Energy per pulse from register readings at the stamps, and whether to believe such pulses."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spotcheck.meter import PulseOutput
from spotcheck.reading import Reason
from spotcheck_dsp.pulses.filtered_lines import PulseEnergies, StampNoise
from spotcheck_dsp.pulses.interruption import interruption
from spotcheck_dsp.pulses.pulse_fit import PulseEnergyFit, PulseFilter, fit_energy_per_pulse
from spotcheck_dsp.pulses.pulse_line import PulseLine, gate, least_squares_line
from spotcheck_dsp.pulses.pulse_ripple import RippleAtPulses
from spotcheck_dsp.pulses.pulse_train import PulseFault, RepairedTrain, repair_train
from spotcheck_dsp.pulses.stamp_lattice import TOLERANCE_S, tick_of
from spotcheck_dsp.pulses.tick_bounds import bound_by_tick

FEWEST_PULSES = 3
"""Two pulses leave no residual: nothing would say how well they were stamped."""
FEWEST_OF_UNKNOWN_FILTER = 4
"""Where the power pulsates and the kind is not declared: some filter explains any three pulses."""
_STAMPS = StampNoise(standard_deviation_s=1e-6, degrees_of_freedom=0.0)
"""Nothing is known of the stamps beforehand but their size; the residuals say the rest."""
_NEAR_AN_END_DEG = 10.0
"""So near to 0° or 90° a filter is named as one of the two kinds."""
DECISIVE_RESIDUAL_RATIO = 3.0
"""One kind of pulse output is taken as found when its residual is this much the smaller."""
LARGEST_INTERVAL_RATIO = 1.5
"""Energies of single intervals may differ by this in a train that needs no repair; a missed or a
double pulse makes it 2."""
PLAUSIBLE_METER_TO_REFERENCE = (0.2, 5.0)

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulsation:
    """How the power pulsates at each pulse."""

    power_w: Array
    """(n,) mean power, positive."""
    ripple: RippleAtPulses
    """What that adds to the energy."""

    def of(self, pulses: Indices) -> "Pulsation":
        """Of some of the pulses."""
        return Pulsation(power_w=self.power_w[pulses], ripple=self.ripple.at(pulses))


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergiesAtPulses:
    """What the register held at each pulse."""

    smoothed_j: Array
    """(n,) free of ripple: for a meter whose pulses follow the mean power."""
    with_ripple_j: Array
    """(n,) the running integral itself: for a meter without any smoothing."""
    pulsation: Pulsation | None = None
    """Components of the ripple: for a meter of any filter; None where they are not known."""

    def of(self, pulses: Indices) -> "EnergiesAtPulses":
        """Of some of the pulses."""
        return EnergiesAtPulses(
            smoothed_j=self.smoothed_j[pulses],
            with_ripple_j=self.with_ripple_j[pulses],
            pulsation=self.pulsation.of(pulses) if self.pulsation else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedPulses:
    """Which edges are the meter's pulses, and their numbers."""

    used: Indices
    """(n,) the edges that are pulses."""
    numbers: Indices
    """(n,) their numbers, 0 for the first; a pulse that is missing leaves its number out."""
    rejected: int
    """Edges that are no pulses: doubles, bounces, stray light."""
    missing: int
    """Pulses that the meter gave and nobody saw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseEnergy:
    """The line taken, and what is not known about it."""

    line: PulseLine
    """Energy per pulse with its scatter."""
    kind: PulseOutput
    """Kind of pulse output that it rests on."""
    ambiguity_j: float
    """Standard uncertainty of the energy per pulse from not knowing the kind; 0 where known."""
    gate_j: float
    """Energy per pulse of the classic gate from the first to the last pulse."""
    tick_j: float = 0.0
    """Distance to the farther of the bounds that the meter's tick leaves, in J; 0 where no tick is
    seen."""


def number_pulses(
    stamps_s: Array, energies: EnergiesAtPulses, claimed_j: float
) -> NumberedPulses | str:
    """The meter's pulses among the edges: all of them where they are regular, else repaired.

    Args:
        stamps_s: (n,) times of the edges, rising.
        energies: Register readings there.
        claimed_j: Energy of one pulse by the meter constant; a hint only.

    Returns:
        The pulses, or as a sentence why they cannot be numbered.
    """
    found = _numbered(stamps_s, energies, claimed_j)
    if isinstance(found, str):
        return found
    used_j = energies.smoothed_j[found.used]
    return interruption(stamps_s[found.used], used_j, found.numbers) or found


def _numbered(
    stamps_s: Array, energies: EnergiesAtPulses, claimed_j: float
) -> NumberedPulses | str:
    count = len(stamps_s)
    intervals = np.diff(energies.smoothed_j)
    if intervals.min() > 0 and intervals.max() / intervals.min() <= LARGEST_INTERVAL_RATIO:
        every = np.arange(count)
        return NumberedPulses(used=every, numbers=every, rejected=0, missing=0)
    rises = np.all(np.diff(stamps_s) > 0)
    train = repair_train(stamps_s, energies.smoothed_j, claimed_j=claimed_j) if rises else None
    if not isinstance(train, RepairedTrain):
        worst = int(np.argmax(np.abs(intervals - np.median(intervals))))
        return (
            f"the energy between pulses {worst} and {worst + 1} is "
            f"{intervals[worst] / np.median(intervals):.2f} times the median: "
            "a pulse was missed or came double"
        )
    return NumberedPulses(
        used=train.used,
        numbers=train.numbers,
        rejected=count - len(train.used),
        missing=train.count(PulseFault.MISSING),
    )


def energy_per_pulse(
    energies: EnergiesAtPulses, numbers: Indices, declared: PulseOutput
) -> PulseEnergy:
    """Energy per pulse by the declared kind of pulse output, or for any filter that it may have.

    Without the ripple's components only the two kinds are tried, and the one that fits better, if
    it does so clearly, is taken.

    Args:
        energies: Register readings at three pulses or more, at `FEWEST_OF_UNKNOWN_FILTER` or more
            where they hold the ripple's components and no kind is declared.
        numbers: (n,) their numbers.
        declared: What the operator says of the meter.
    """
    if energies.pulsation is not None:
        return _for_any_filter(energies.smoothed_j, energies.pulsation, numbers, declared)
    candidates = {
        PulseOutput.SMOOTHED: energies.smoothed_j,
        PulseOutput.PULSATING: energies.with_ripple_j,
    }
    lines = {kind: least_squares_line(energy, numbers) for kind, energy in candidates.items()}
    gates = {kind: gate(energy, numbers) for kind, energy in candidates.items()}
    smoothed, pulsating = lines[PulseOutput.SMOOTHED], lines[PulseOutput.PULSATING]
    kind = declared
    if declared is PulseOutput.UNKNOWN:
        if smoothed.residual * DECISIVE_RESIDUAL_RATIO < pulsating.residual:
            kind = PulseOutput.SMOOTHED
        elif pulsating.residual * DECISIVE_RESIDUAL_RATIO < smoothed.residual:
            kind = PulseOutput.PULSATING
    if kind is not PulseOutput.UNKNOWN:
        return PulseEnergy(line=lines[kind], kind=kind, ambiguity_j=0.0, gate_j=gates[kind])
    middle = (smoothed.energy_per_pulse + pulsating.energy_per_pulse) / 2
    wider = max(lines.values(), key=lambda line: line.standard_uncertainty)
    return PulseEnergy(
        line=PulseLine(
            energy_per_pulse=middle,
            standard_uncertainty=wider.standard_uncertainty,
            residual=wider.residual,
            degrees_of_freedom=wider.degrees_of_freedom,
        ),
        kind=PulseOutput.UNKNOWN,
        # The truth lies at one of two known points: their half distance is its deviation.
        ambiguity_j=abs(smoothed.energy_per_pulse - pulsating.energy_per_pulse) / 2,
        gate_j=(gates[PulseOutput.SMOOTHED] + gates[PulseOutput.PULSATING]) / 2,
    )


def _for_any_filter(
    smoothed_j: Array, pulsation: Pulsation, numbers: Indices, declared: PulseOutput
) -> PulseEnergy:
    known = {
        PulseOutput.UNKNOWN: PulseFilter.FIRST_ORDER,
        PulseOutput.SMOOTHED: PulseFilter.SMOOTHED,
        PulseOutput.PULSATING: PulseFilter.PULSATING,
    }[declared]
    fit = fit_energy_per_pulse(
        PulseEnergies(
            smoothed_j=smoothed_j,
            power_w=pulsation.power_w,
            ripple=pulsation.ripple,
            numbers=numbers,
        ),
        _STAMPS,
        known,
    )
    open_j = 0.0
    if known is PulseFilter.FIRST_ORDER:
        scatter_half_width_j = fit.coverage_factor * fit.standard_uncertainty_j
        open_j = max(fit.expanded_uncertainty_j - scatter_half_width_j, 0.0)
    return PulseEnergy(
        line=PulseLine(
            energy_per_pulse=fit.energy_per_pulse_j,
            standard_uncertainty=fit.standard_uncertainty_j,
            residual=fit.scatter_s * float(np.mean(pulsation.power_w)),
            degrees_of_freedom=int(fit.degrees_of_freedom),
        ),
        kind=declared if declared is not PulseOutput.UNKNOWN else _kind(fit),
        # All that some filter explains beyond the scatter is equally likely (JCGM 100, 4.3.7).
        ambiguity_j=open_j / math.sqrt(3),
        gate_j=fit.gate_j,
    )


def _kind(fit: PulseEnergyFit) -> PulseOutput:
    low_deg, high_deg = fit.smoothing_range_deg
    if high_deg <= _NEAR_AN_END_DEG:
        return PulseOutput.PULSATING
    if low_deg >= 90 - _NEAR_AN_END_DEG:
        return PulseOutput.SMOOTHED
    return PulseOutput.UNKNOWN


def bounded_by_tick(
    found: PulseEnergy, energies: EnergiesAtPulses, numbers: Indices, stamps_s: Array
) -> PulseEnergy:
    """The energy per pulse, and what a tick that is seen leaves open of it.

    The line stays where it is as long as the tick allows it: pulses at equal distances may keep
    step with a tick by chance, and then the line is right.

    Args:
        found: What a line through the pulses gives.
        energies: Register readings at the pulses used.
        numbers: (n,) their numbers.
        stamps_s: (n,) their instants, in s.
    """
    tick_s = tick_of(stamps_s)
    if tick_s is None:
        return found
    pulsation = energies.pulsation
    mean_w = float(np.ptp(energies.smoothed_j) / np.ptp(stamps_s))
    bounds = bound_by_tick(
        PulseEnergies(
            smoothed_j=energies.smoothed_j,
            power_w=pulsation.power_w if pulsation else np.full(len(stamps_s), mean_w),
            ripple=pulsation.ripple if pulsation else None,
            numbers=numbers,
        ),
        tick_s=tick_s,
        slack_s=2 * TOLERANCE_S,
    )
    if bounds is None:
        # No filter of first order explains the tick: any pulse may be late by all of it.
        return replace(found, tick_j=tick_s * mean_w / float(numbers[-1]))
    middle_j, half_j = bounds.energy_per_pulse_j, bounds.half_width_j
    slope_j = min(max(found.line.energy_per_pulse, middle_j - half_j), middle_j + half_j)
    line = replace(found.line, energy_per_pulse=slope_j)
    return replace(found, line=line, tick_j=half_j + abs(slope_j - middle_j))


def too_few_for_any_filter(
    energies: EnergiesAtPulses, pulses: int, declared: PulseOutput
) -> tuple[Reason, str] | None:
    """Why so many pulses leave nothing to judge by, or None.

    Args:
        energies: Register readings at the edges.
        pulses: Pulses among them.
        declared: What the operator says of the meter.
    """
    is_open = energies.pulsation is not None and declared is PulseOutput.UNKNOWN
    if not is_open or pulses >= FEWEST_OF_UNKNOWN_FILTER:
        return None
    return Reason.TOO_FEW_PULSES, (
        f"pulses: {pulses}; while the kind of the meter's pulse output is not known, at least "
        f"{FEWEST_OF_UNKNOWN_FILTER} are needed"
    )


def implausible(claimed_j: float, found_j: float) -> tuple[Reason, str] | None:
    """Why pulses of such an energy cannot be the meter's, or None.

    Args:
        claimed_j: Energy of one pulse by the meter constant.
        found_j: Energy of one pulse by the instrument.
    """
    low, high = PLAUSIBLE_METER_TO_REFERENCE
    ratio = claimed_j / found_j
    if not low <= ratio <= high:
        return Reason.PULSES_IMPLAUSIBLE, (
            f"the pulses claim {ratio:.3g} times the energy measured; "
            f"with this load the constant would be {3.6e6 / found_j:.0f} imp/kWh"
        )
    return None
