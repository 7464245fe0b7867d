"""Energy per pulse from register readings at the stamps, and whether to believe such pulses."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck.meter import PulseOutput
from spotcheck.reading import Reason
from spotcheck_dsp.pulses.pulse_fit import PulseLine, gate, least_squares_line

FEWEST_PULSES = 3
"""Two pulses leave no residual: nothing would say how well they were stamped."""
DECISIVE_RESIDUAL_RATIO = 3.0
"""One kind of pulse output is taken as found when its residual is this much the smaller."""
LARGEST_INTERVAL_RATIO = 1.5
"""Energies of single intervals may differ by this; a missed or a double pulse makes it 2."""
PLAUSIBLE_METER_TO_REFERENCE = (0.2, 5.0)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergiesAtPulses:
    """What the register held at each pulse."""

    smoothed_j: Array
    """(n,) free of ripple: for a meter whose pulses follow the mean power."""
    with_ripple_j: Array
    """(n,) the running integral itself: for a meter without any smoothing."""


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


def energy_per_pulse(energies: EnergiesAtPulses, declared: PulseOutput) -> PulseEnergy:
    """Energy per pulse by the declared kind of pulse output, or by the kind that fits better.

    Args:
        energies: Register readings at three pulses or more.
        declared: What the operator says of the meter.
    """
    candidates = {
        PulseOutput.SMOOTHED: energies.smoothed_j,
        PulseOutput.PULSATING: energies.with_ripple_j,
    }
    lines = {kind: least_squares_line(energy) for kind, energy in candidates.items()}
    smoothed, pulsating = lines[PulseOutput.SMOOTHED], lines[PulseOutput.PULSATING]
    kind = declared
    if declared is PulseOutput.UNKNOWN:
        if smoothed.residual * DECISIVE_RESIDUAL_RATIO < pulsating.residual:
            kind = PulseOutput.SMOOTHED
        elif pulsating.residual * DECISIVE_RESIDUAL_RATIO < smoothed.residual:
            kind = PulseOutput.PULSATING
    if kind is not PulseOutput.UNKNOWN:
        return PulseEnergy(
            line=lines[kind], kind=kind, ambiguity_j=0.0, gate_j=gate(candidates[kind])
        )
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
        gate_j=(gate(candidates[PulseOutput.SMOOTHED]) + gate(candidates[PulseOutput.PULSATING]))
        / 2,
    )


def implausible(
    energies: EnergiesAtPulses, claimed_j: float, found_j: float
) -> tuple[Reason, str] | None:
    """Why these pulses cannot be the meter's, or None.

    Args:
        energies: Register readings at the pulses.
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
    intervals = np.diff(energies.smoothed_j)
    if intervals.min() <= 0 or intervals.max() / intervals.min() > LARGEST_INTERVAL_RATIO:
        worst = int(np.argmax(np.abs(intervals - np.median(intervals))))
        return Reason.PULSES_IRREGULAR, (
            f"the energy between pulses {worst} and {worst + 1} is "
            f"{intervals[worst] / np.median(intervals):.2f} times the median: "
            "a pulse was missed or came double"
        )
    return None
