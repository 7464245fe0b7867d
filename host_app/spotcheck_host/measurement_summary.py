"""A recorded measurement as plain numbers: what `spotcheck measure --json` prints."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spotcheck.load import Conditions
from spotcheck.verdict import Verdict
from spotcheck_dsp.window_quantities import WindowQuantities
from spotcheck_host.recorded_measurement import RecordedMeasurement
from spotcheck_host.recorded_meter import NoRecordedError, RecordedError

Complex = NDArray[np.complex128]

_THIRD = np.exp(2j * np.pi / 3)


def measurement_summary(measured: RecordedMeasurement, conditions: Conditions) -> dict[str, Any]:
    """Quantities by phase, in total, and as symmetrical components, in full double precision.

    Args:
        measured: The measurement.
        conditions: Its quantities in the words of a reading.
    """
    quantities, window = measured.quantities, measured.window
    return {
        "window_start_s": window.start_s,
        "window_s": window.duration_s,
        "kernel": str(measured.kernel),
        "sample_rate_hz": window.segment.sample_rate_hz,
        "frequency_hz": quantities.frequency_hz,
        "phases": [_phase(quantities, conditions, p) for p in range(len(conditions.phases))],
        "total": {
            "p_w": conditions.p_w,
            "q1_var": conditions.q1_var,
            "s_va": conditions.s_va,
            "pf": _ratio(conditions.p_w, conditions.s_va),
        },
        "sequence": _sequence(quantities) if len(conditions.phases) == 3 else None,
    }


def _phase(quantities: WindowQuantities, conditions: Conditions, p: int) -> dict[str, Any]:
    phase = conditions.phases[p]
    u, i = quantities.harmonics_rms[2 * p], quantities.harmonics_rms[2 * p + 1]
    return {
        "u_v": phase.u_v,
        "i_a": phase.i_a,
        "p_w": phase.p_w,
        "q1_var": phase.q1_var,
        "s_va": phase.s_va,
        "pf": _ratio(phase.p_w, phase.s_va),
        "u1_v": float(abs(quantities.fundamental[2 * p])),
        "i1_a": float(abs(quantities.fundamental[2 * p + 1])),
        "u_phase_deg": phase.u_phase_deg,
        "i_phase_deg": phase.i_phase_deg,
        "thd_u_percent": _thd_percent(u),
        "thd_i_percent": _thd_percent(i),
        "u_dc_v": float(quantities.direct_u_v[p]),
        "i_dc_a": float(quantities.direct_i_a[p]),
        "u_harmonics_v": [float(level) for level in u],
        "i_harmonics_a": [float(level) for level in i],
    }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _thd_percent(levels: NDArray[np.float64]) -> float | None:
    """√ΣX_h²/X₁ over the orders from 2 (IEC 61000-4-7, 3.3.2 by orders)."""
    if levels[0] == 0:
        return None
    return float(100 * np.sqrt(np.sum(levels[1:] ** 2)) / levels[0])


def _sequence(quantities: WindowQuantities) -> dict[str, float]:
    """RMS of the symmetrical components of the fundamentals (Fortescue)."""
    found: dict[str, float] = {}
    for name, unit, first in (("u", "v", 0), ("i", "a", 1)):
        one, two, three = quantities.fundamental[first::2]
        found |= {
            f"{name}_positive_{unit}": float(abs(one + _THIRD * two + _THIRD**2 * three) / 3),
            f"{name}_negative_{unit}": float(abs(one + _THIRD**2 * two + _THIRD * three) / 3),
            f"{name}_zero_{unit}": float(abs(one + two + three) / 3),
        }
    return found


def meter_summary(
    result: RecordedError | NoRecordedError, verdict: Verdict | None
) -> dict[str, Any]:
    """The meter's error, or the reason why it cannot be judged."""
    if isinstance(result, NoRecordedError):
        return {
            "cannot_judge": result.reason.value,
            "detail": result.detail,
            "cure": result.cure,
            "pulses_outside": result.pulses_outside,
        }
    budget = result.budget
    summary: dict[str, Any] = {
        "error_percent": budget.error_percent,
        "expanded_uncertainty_percent": budget.expanded_uncertainty_percent,
        "coverage_factor": budget.coverage_factor,
        "uncertainty_scope": result.uncertainty_scope,
        "gate_error_percent": result.gate_error_percent,
        "pulses_used": result.pulses_used,
        "pulses_rejected": result.pulses_rejected,
        "pulses_missing": result.pulses_missing,
        "pulses_outside": result.pulses_outside,
        "duration_s": result.duration_s,
        "pulse_output": result.kind,
        "hint": result.hint,
        "type_a_percent": budget.type_a_percent,
        "type_b_percent": budget.type_b_percent,
        "budget": [
            {
                "name": line.name,
                "standard_uncertainty_percent": line.standard_uncertainty_percent,
            }
            for line in budget.components
        ],
        "verdict": None,
    }
    if verdict is not None:
        summary["verdict"] = {
            "judgement": verdict.judgement.value,
            "reason": verdict.reason.value if verdict.reason else None,
            "explanation": verdict.explanation,
            "rule": verdict.rule_id,
            "clause": verdict.clause,
            "mpe_percent": str(verdict.mpe_percent) if verdict.mpe_percent is not None else None,
            "indicative": verdict.indicative,
        }
    return summary
