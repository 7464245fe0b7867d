"""What the sample clock rests on in a reading: PPS where there is one, else its calibration.

A second of PPS is a second of true time. Between the first and the last pulse the clock has gained
what its marks say (`spotcheck_dsp.clock_wander`); the calibrated value serves where that is better
known. A PPS that contradicts the calibration beyond doubt makes either of them wrong: no reading.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck.evidence import EvidenceHead
from spotcheck.pulses import STAMP_SUBDIVISION
from spotcheck.reading import TimeBase
from spotcheck_calibration.correction_set import CorrectionSet, UncertainValue
from spotcheck_dsp.clock_wander import FEWEST_MARKS, time_gained

LEAST_WANDER = 1e-9
"""Random walk of a good TCXO's relative frequency in a second, temperature included."""
LARGEST_RATE_ERROR = 1e-4
"""No sample clock that works is further off; a mark that would say so is none."""
LARGEST_JITTER_S = 1e-4
"""A mark further from its second is none."""
LARGEST_CONTRADICTION = 5.0
"""Standard uncertainties between PPS and calibration that chance does not make."""
HOLDOVER_AFTER_S = 2.5
"""PPS counts as lost when the last mark before the end of a reading is older."""
MARKS_AROUND_ENDS_S = 40.0
MOST_MARKS_BETWEEN = 64

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownClock:
    """How well the rate of the sample clock is known over a reading."""

    state: TimeBase
    """What it rests on."""
    relative_error: UncertainValue
    """(true − nominal)/nominal of the sample rate, as a mean over the reading."""


def known_clock(head: EvidenceHead, correction: CorrectionSet) -> KnownClock | str:
    """The clock between the first and the last pulse of evidence.

    Args:
        head: Head of the evidence, with the marks of PPS.
        correction: The instrument's correction set.

    Returns:
        The clock, or a sentence that says how PPS and calibration contradict each other.
    """
    calibrated = correction.sample_rate_relative_error
    free = KnownClock(state=TimeBase.FREE_RUNNING, relative_error=calibrated)
    per_second = STAMP_SUBDIVISION * head.stream.sample_rate_hz
    marks_s, seconds = seconds_of(np.array(head.pps_stamps, np.float64) / per_second)
    if len(marks_s) < FEWEST_MARKS or len(head.pulses.pulses) < 2:
        return free
    first_s = head.pulses.pulses[0].stamp / per_second
    last_s = head.pulses.pulses[-1].stamp / per_second
    kept = _thinned(marks_s, first_s, last_s)
    estimate = time_gained(
        marks_s[kept],
        (marks_s - seconds)[kept],
        from_s=first_s,
        to_s=last_s,
        least_wander=LEAST_WANDER,
    )
    # A clock that is fast by y counts (1 + y) seconds in a true one.
    counted_s = last_s - first_s
    true_s = counted_s - estimate.gained_s
    found = UncertainValue(
        value=estimate.gained_s / true_s,
        standard_uncertainty=estimate.standard_uncertainty_s / true_s,
        degrees_of_freedom=float(estimate.degrees_of_freedom),
    )
    apart = abs(found.value - calibrated.value)
    doubt = math.hypot(found.standard_uncertainty, calibrated.standard_uncertainty)
    if apart > LARGEST_CONTRADICTION * doubt:
        return (
            f"by PPS the sample clock is {1e6 * found.value:+.3f} ppm off, by calibration "
            f"{1e6 * calibrated.value:+.3f} ppm; standard uncertainty of the difference "
            f"{1e6 * doubt:.3f} ppm"
        )
    if found.standard_uncertainty >= calibrated.standard_uncertainty:
        return free
    is_held = last_s - marks_s[-1] > HOLDOVER_AFTER_S
    state = TimeBase.PPS_HOLDOVER if is_held else TimeBase.PPS_DISCIPLINED
    return KnownClock(state=state, relative_error=found)


def seconds_of(marks_s: Array) -> tuple[Array, Array]:
    """The marks that are PPS, and the true second of each.

    Seconds may be missing. Marks that lie a whole number of seconds after one another belong
    together; the largest such set is the PPS, and what else there is are stray edges, or what came
    before a receiver changed its mind. Of sets equally large the latest is taken.

    Args:
        marks_s: (n,) instants by the sample clock at its nominal rate, rising.

    Returns:
        (m,) instants, and (m,) seconds from 0 at the first of them.
    """
    sets: list[tuple[list[float], list[int]]] = []
    for mark_s in marks_s.tolist():
        for instants, seconds in sets:
            apart_s = mark_s - instants[-1]
            whole = round(apart_s)
            if whole and abs(apart_s - whole) <= LARGEST_JITTER_S + LARGEST_RATE_ERROR * whole:
                instants.append(mark_s)
                seconds.append(seconds[-1] + whole)
                break
        else:
            sets.append(([mark_s], [0]))
    if not sets:
        return np.empty(0), np.empty(0)
    instants, seconds = max(sets, key=lambda found: (len(found[0]), found[0][-1]))
    return np.array(instants), np.array(seconds, np.float64)


def _thinned(marks_s: Array, first_s: float, last_s: float) -> NDArray[np.intp]:
    """Numbers of the marks that matter: all near the two ends, some of those between."""
    near = np.minimum(np.abs(marks_s - first_s), np.abs(marks_s - last_s)) <= MARKS_AROUND_ENDS_S
    # Without PPS near an end, the marks next to it are what there is.
    near[:FEWEST_MARKS] = near[-FEWEST_MARKS:] = True
    far = np.flatnonzero(~near)
    step = max(1, -(-len(far) // MOST_MARKS_BETWEEN))
    return np.sort(np.concatenate([np.flatnonzero(near), far[::step]]))
