"""The verdict on a meter by a rule, with the clause that gave its limit.

Guarded acceptance and rejection after JCGM 106:2012, 8.3: pass or fail only when the whole 95 %
interval lies on one side of the acceptance limit, so that the risk of either wrong verdict is at
most 2.5 %; between, the verdict is "undecided".
"""

import enum
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from spotcheck.load import Conditions, LoadPoint
from spotcheck.meter import Meter
from spotcheck.reading import ErrorReading, Reason
from spotcheck.rounding import measured_decimal, round_to_step
from spotcheck.rule import Limit, Rule


class Judgement(enum.Enum):
    """What is said of the meter."""

    PASS = "pass"  # noqa: S105 - a word of the field, no password
    FAIL = "fail"
    UNDECIDED = "undecided"
    CANNOT_JUDGE = "cannot judge"


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinedError:
    """The mean of several readings of one load point."""

    error_percent: float
    """Mean error."""
    expanded_uncertainty_percent: float
    """Half width of the 95 % interval; Type B parts are common to the readings."""
    coverage_factor: float
    """k of that interval."""
    degrees_of_freedom: float
    """Effective degrees of freedom."""
    reading_ids: tuple[str, ...]
    """The readings that were averaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement and everything that it rests on."""

    judgement: Judgement
    """Pass, fail, undecided or cannot judge."""
    reason: Reason | None
    """Why it cannot be judged; None when it was judged."""
    explanation: str
    """One sentence with the numbers."""
    rule_id: str
    """The rule profile."""
    clause: str
    """The clause that gave the limit; empty without a limit."""
    acceptance_limit_percent: Decimal | None
    """Largest |error| that is accepted: the MPE, or half a rounding step past it, ±."""
    mpe_percent: Decimal | None
    """The limit, ±."""
    rounded_error_percent: Decimal | None
    """The error rounded as the rule wants."""
    rounding_step_percent: Decimal | None
    """Step of that rounding."""
    indicative: bool
    """A laboratory rule applied on site: indicative only."""
    rule_verified: bool
    """Whether the rule's numbers were read in the regulation's own text."""


def judge(rule: Rule, meter: Meter, error: CombinedError, conditions: Conditions) -> Verdict:
    """Judge a meter's mean error at its present load.

    Args:
        rule: The rule profile.
        meter: Nameplate data.
        error: Mean error with its 95 % interval.
        conditions: Conditions of the last reading averaged.
    """
    if obstacle := condition_obstacle(rule, meter, conditions):
        return cannot_judge(rule, *obstacle)
    load = conditions.load_point
    limit = rule.limit_at(load, meter)
    step = rule.rounding_step_percent.get(meter.accuracy_class)
    if limit is None or step is None:
        return cannot_judge(rule, *_why_no_limit(rule, meter, load))
    return _judge_against(rule, limit, limit.mpe_percent[meter.accuracy_class], step, error)


def judge_readings(
    rule: Rule, meter: Meter, error: CombinedError, readings: tuple[ErrorReading, ...]
) -> Verdict:
    """Judge the mean of readings, each of which must be long enough and fall under one limit.

    Args:
        rule: The rule profile.
        meter: Nameplate data.
        error: Their mean.
        readings: The readings that were averaged, one or more.
    """
    verdicts = [judge(rule, meter, error, reading.conditions) for reading in readings]
    for verdict in verdicts:
        if verdict.judgement is Judgement.CANNOT_JUDGE:
            return verdict
    plan = rule.readings
    for reading in readings:
        if (
            reading.pulses_used < plan.minimum_pulses
            or reading.duration_s < plan.minimum_duration_s
        ):
            detail = (
                f"{reading.reading_id} has {reading.pulses_used} pulses in "
                f"{reading.duration_s:.0f} s; {rule.id} wants {plan.minimum_pulses} pulses and "
                f"{plan.minimum_duration_s} s"
            )
            return cannot_judge(rule, Reason.TOO_FEW_PULSES, detail)
    if len({verdict.clause for verdict in verdicts}) > 1:
        detail = "the load moved from one limit of the rule to another between the readings"
        return cannot_judge(rule, Reason.UNSTABLE_LOAD, detail)
    return verdicts[-1]


def cannot_judge(rule: Rule, reason: Reason, detail: str) -> Verdict:
    """The verdict when no number may be judged."""
    return Verdict(
        judgement=Judgement.CANNOT_JUDGE,
        reason=reason,
        explanation=detail,
        rule_id=rule.id,
        clause="",
        acceptance_limit_percent=None,
        mpe_percent=None,
        rounded_error_percent=None,
        rounding_step_percent=None,
        indicative=rule.indicative_on_site,
        rule_verified=rule.verified,
    )


def condition_obstacle(
    rule: Rule, meter: Meter, conditions: Conditions
) -> tuple[Reason, str] | None:
    """What in the conditions forbids a verdict by this rule, with the numbers; None if nothing."""
    limits = rule.conditions
    nominal_v = float(meter.nominal_voltage_v)
    frequency_hz = conditions.frequency_hz
    if (
        not float(limits.smallest_frequency_hz)
        <= frequency_hz
        <= float(limits.largest_frequency_hz)
    ):
        return Reason.FREQUENCY_OUT_OF_RANGE, f"the frequency is {frequency_hz:.2f} Hz"
    for number, phase in enumerate(conditions.phases, 1):
        deviation_percent = 100 * (phase.u_v / nominal_v - 1)
        if abs(deviation_percent) > limits.voltage_deviation_percent:
            return Reason.VOLTAGE_ABNORMAL, (
                f"U{number} is {phase.u_v:.1f} V, {deviation_percent:+.1f} % off {nominal_v:g} V; "
                f"the rule allows ±{limits.voltage_deviation_percent} %"
            )
        if phase.thd_u_percent > limits.largest_thd_u_percent:
            return Reason.DISTORTION, (
                f"the distortion of U{number} is {phase.thd_u_percent:.1f} %; "
                f"the rule allows {limits.largest_thd_u_percent} %"
            )
    if limits.largest_current_unbalance_percent is not None and (
        conditions.current_unbalance_percent > limits.largest_current_unbalance_percent
    ):
        return Reason.NO_LIMIT_AT_THIS_LOAD, (
            f"the currents differ by {conditions.current_unbalance_percent:.0f} % from their "
            f"mean; the rule's limits here hold for a balanced load "
            f"(±{limits.largest_current_unbalance_percent} %)"
        )
    if conditions.power_factor < float(limits.smallest_power_factor) * 0.99:
        return Reason.POWER_FACTOR_TOO_LOW, (
            f"the power factor is {conditions.power_factor:.2f}; "
            f"the rule wants {limits.smallest_power_factor} or more"
        )
    return None


def _why_no_limit(rule: Rule, meter: Meter, load: LoadPoint) -> tuple[Reason, str]:
    smallest_a = rule.smallest_current_a(meter)
    if smallest_a is not None and load.current_a < smallest_a:
        return Reason.LOAD_TOO_SMALL, (
            f"the current is {load.current_a:.3g} A; {rule.id} has limits from {smallest_a:g} A"
        )
    detail = f"{rule.id} has no limit for class {meter.accuracy_class.value} at {load}"
    return Reason.NO_LIMIT_AT_THIS_LOAD, detail


def _acceptance_limit(rule: Rule, mpe: Decimal, step: Decimal) -> Decimal:
    """Largest |error| that the rule accepts: with rounding, half a step past the last multiple."""
    if rule.decision.judged_value == "unrounded":
        return mpe
    return (mpe / step).to_integral_value(rounding=ROUND_FLOOR) * step + step / 2


def _judge_against(
    rule: Rule, limit: Limit, mpe: Decimal, step: Decimal, error: CombinedError
) -> Verdict:
    value = measured_decimal(error.error_percent)
    u = measured_decimal(error.expanded_uncertainty_percent)
    rounded = round_to_step(value, step)
    accepted = _acceptance_limit(rule, mpe, step)
    if rule.decision.rule == "simple":
        judged = rounded if rule.decision.judged_value == "rounded" else value
        judgement = Judgement.PASS if abs(judged) <= mpe else Judgement.FAIL
    else:
        judgement = _guarded(value, u, accepted)
    reason = None
    share = rule.decision.largest_uncertainty_to_mpe
    if judgement is not Judgement.FAIL and u > mpe * share.numerator / share.denominator:
        judgement, reason = Judgement.CANNOT_JUDGE, Reason.UNCERTAINTY_TOO_LARGE
    return Verdict(
        judgement=judgement,
        reason=reason,
        explanation=_explain(rule, judgement, value, u, mpe, accepted),
        rule_id=rule.id,
        clause=limit.clause,
        acceptance_limit_percent=accepted,
        mpe_percent=mpe,
        rounded_error_percent=rounded,
        rounding_step_percent=step,
        indicative=rule.indicative_on_site,
        rule_verified=rule.verified,
    )


def _guarded(value: Decimal, u: Decimal, accepted: Decimal) -> Judgement:
    if abs(value) + u <= accepted:
        return Judgement.PASS
    return Judgement.FAIL if abs(value) - u > accepted else Judgement.UNDECIDED


def _explain(
    rule: Rule, judgement: Judgement, value: Decimal, u: Decimal, mpe: Decimal, accepted: Decimal
) -> str:
    measured = f"{value:+.3f} % ± {u:.3f} %"
    if judgement is Judgement.CANNOT_JUDGE:
        return f"U = {u:.3f} % is too large against the MPE of ±{mpe} %"
    if rule.decision.rule == "simple":
        side = "within" if judgement is Judgement.PASS else "beyond"
        return f"{measured}: the value lies {side} ±{accepted} % (MPE ±{mpe} %), whatever its U"
    lies = {
        Judgement.PASS: "lies wholly within",
        Judgement.FAIL: "lies wholly beyond",
        Judgement.UNDECIDED: "straddles",
    }[judgement]
    return f"{measured} {lies} ±{accepted} % (MPE ±{mpe} %)"
