"""Cases for the tests of the report: one for every verdict, single- and three-phase."""

import math
from dataclasses import replace
from decimal import Decimal

from spotcheck.load import Conditions, PhaseQuantities
from spotcheck.meter import (
    AccuracyClass,
    Connection,
    Direction,
    Meter,
    MeterConstant,
    MeteredQuantity,
    PulseOutput,
)
from spotcheck.reading import (
    CannotJudge,
    ErrorReading,
    Method,
    Reason,
    TimeBase,
    UncertaintyComponent,
)
from spotcheck.rule import load_rule
from spotcheck.verdict import CombinedError, cannot_judge, judge
from spotcheck_host.report import InstrumentIdentity, ReportData
from spotcheck_host.running_error_plot import FinalError, RunningPoint, render_running_error

ISSUED_NS = 1_767_225_600_123_456_789  # 2026-01-01 00:00:00 UTC
METER = Meter(
    serial="31 00012 345678",
    accuracy_class=AccuracyClass.CLASS_1,
    constant=MeterConstant.parse("1200 imp/kWh"),
    pulse_output=PulseOutput.SMOOTHED,
)
THREE_PHASE_METER = replace(
    METER,
    serial="TP-3×4-000817",
    phases=3,
    constant=MeterConstant.parse("6400 imp/kWh"),
    connection=Connection.TRANSFORMER,
    basic_current_a=Decimal("1.5"),
    max_current_a=Decimal(6),
)
PARTS = (
    ("reference standard", 0.0062, 60.0),
    ("pulse scatter (Type A)", 0.0041, 23.0),
    ("current gain 1", 0.0035, math.inf),
    ("phase lag 1", 0.0021, math.inf),
    ("voltage gain 1", 0.0018, math.inf),
    ("sample clock", 0.0012, math.inf),
    ("front-end noise", 0.0006, math.inf),
    ("kind of pulse output", 0.0003, math.inf),
)


def conditions(phases: int) -> Conditions:
    angles = (0.0, -120.0, 120.0)
    return Conditions(
        phases=tuple(
            PhaseQuantities(
                u_v=229.87 + n,
                i_a=4.987 - n / 3,
                p_w=(229.87 + n) * (4.987 - n / 3) * 0.91,
                q1_var=460.2,
                u_phase_deg=angles[n],
                i_phase_deg=angles[n] - 24.5,
                thd_u_percent=1.83,
                thd_i_percent=12.4,
            )
            for n in range(phases)
        ),
        frequency_hz=49.983,
        power_instability_percent=0.137,
    )


def reading(number: int, error_percent: float, phases: int = 1) -> ErrorReading:
    return ErrorReading(
        reading_id=f"r{number}",
        quantity=MeteredQuantity.ACTIVE_ENERGY,
        direction=Direction.IMPORT,
        error_percent=error_percent + 0.003 * (-1) ** number,
        expanded_uncertainty_percent=0.0171,
        coverage_factor=1.98,
        degrees_of_freedom=[117.3, 5321.0, math.inf][number % 3],
        type_a_percent=0.0041,
        type_b_percent=0.0076,
        budget=tuple(
            UncertaintyComponent(name=name, standard_uncertainty_percent=u, degrees_of_freedom=nu)
            for name, u, nu in PARTS
        ),
        method=Method.LEAST_SQUARES_LINE,
        pulse_output=PulseOutput.SMOOTHED,
        gate_error_percent=error_percent + 0.011,
        residual_s=0.000_412,
        first_stamp=1_000_000,
        last_stamp=40_000_000_000,
        meter_energy_j=90_000.0,
        reference_energy_j=90_100.0,
        duration_s=86.4,
        pulses_used=31,
        pulses_rejected=number - 1,
        time_base=TimeBase.PPS_DISCIPLINED,
        conditions=conditions(phases),
        correction_set_sha256="ab" * 32,
        evidence_sha256="cd" * 32,
        software="spotcheck 0.1.0",
    )


def plot_points(error_percent: float) -> list[RunningPoint]:
    return [
        RunningPoint(
            duration_s=3.0 * n,
            pulses=n,
            error_percent=error_percent + 0.9 * math.cos(n) / n,
            expanded_uncertainty_percent=0.02 + 2.2 / n**1.2,
        )
        for n in range(2, 60)
    ]


def example(
    error_percent: float = -0.832,
    phases: int = 1,
    rule_id: str = "jjg596-2012",
    language: str = "zh",
    uncertainty_percent: float = 0.0164,
) -> ReportData:
    """A case of that error; the verdict is the domain's own."""
    rule = load_rule(rule_id)
    meter = METER if phases == 1 else THREE_PHASE_METER
    readings = tuple(reading(number, error_percent, phases) for number in (1, 2, 3))
    combined = CombinedError(
        error_percent=error_percent,
        expanded_uncertainty_percent=uncertainty_percent,
        coverage_factor=1.96,
        degrees_of_freedom=312.0,
        reading_ids=("r1", "r2", "r3"),
    )
    verdict = judge(rule, meter, combined, readings[-1].conditions)
    final = FinalError(
        error_percent=error_percent, expanded_uncertainty_percent=uncertainty_percent
    )
    plot = render_running_error(
        plot_points(error_percent),
        final,
        verdict.mpe_percent,
        error_percent + 0.005,
        "zh" if language == "zh" else "en",
    )
    return ReportData(
        case_id="2026-0101-001",
        meter=meter,
        rule=rule,
        verdict=verdict,
        combined=combined,
        readings=readings,
        cannot_judge=None,
        instrument=InstrumentIdentity(
            device_id="SC-0007",
            certificate="DCC-2025-0815",
            correction_set_sha256="ab" * 32,
            valid_until="2026-08-15",
            software="spotcheck 0.1.0",
            key_id="key:0123456789abcdef",
        ),
        operator="张三 Zhang San",
        issued_utc_ns=ISSUED_NS,
        record_head_hash="5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        plot_svg=plot,
        demonstration=True,
        emulated=True,
    )


def unjudged_example(reason: Reason = Reason.NO_LOAD, phases: int = 1) -> ReportData:
    """A case without a verdict."""
    data = example(phases=phases)
    detail = "the power is 0.4 W; the meter starts at 4.4 W"
    return replace(
        data,
        verdict=cannot_judge(data.rule, reason, detail),
        combined=None,
        readings=(),
        cannot_judge=CannotJudge(
            outcome_id="o1",
            reason=reason,
            detail=detail,
            at_sample=81_000,
            conditions=conditions(phases),
        ),
        plot_svg=None,
    )
