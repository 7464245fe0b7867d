"""The error as it stood while the readings grew, worked out again from their evidence."""

from collections.abc import Sequence
from dataclasses import replace

from spotcheck.evidence import Evidence
from spotcheck.pulses import PulseTrain
from spotcheck.reading import ErrorReading
from spotcheck_calibration.budget import combine_readings
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_calibration.evaluation import evaluate
from spotcheck_calibration.pulse_energy import FEWEST_PULSES
from spotcheck_host.running_error_plot import RunningPoint

MOST_POINTS = 40


def running_error(
    readings: Sequence[ErrorReading], evidence: Sequence[Evidence], correction: CorrectionSet
) -> tuple[RunningPoint, ...]:
    """Error and U after each pulse (of long readings: after every few), readings combined.

    Args:
        readings: Readings in order.
        evidence: Evidence of each.
        correction: The correction set that they rest on.
    """
    points: list[RunningPoint] = []
    done: tuple[ErrorReading, ...] = ()
    for reading, proof in zip(readings, evidence, strict=True):
        for count in _counts(reading.pulses_used):
            partial = _after(proof, count, correction)
            if partial is None:
                continue
            combined = combine_readings((*done, partial))
            points.append(
                RunningPoint(
                    duration_s=sum(r.duration_s for r in done) + partial.duration_s,
                    pulses=sum(r.pulses_used for r in done) + count,
                    error_percent=combined.error_percent,
                    expanded_uncertainty_percent=combined.expanded_uncertainty_percent,
                )
            )
        done = (*done, reading)
    return tuple(points)


def _counts(pulses: int) -> list[int]:
    step = max(1, pulses // MOST_POINTS)
    return sorted({*range(FEWEST_PULSES, pulses + 1, step), pulses})


def _after(evidence: Evidence, count: int, correction: CorrectionSet) -> ErrorReading | None:
    train = PulseTrain(pulses=evidence.head.pulses.pulses[:count])
    partial = replace(evidence, head=replace(evidence.head, pulses=train))
    outcome = evaluate(partial, correction, "so far")
    return outcome if isinstance(outcome, ErrorReading) else None
