"""The sequential verdict: looks at a measurement as it grows, and stops when it is certain.

Pure: a plan, a look and the tally of looks before give the step. What the guard band rests on, and
why the risk holds over all looks: `spotcheck.guard_band`.
"""

from dataclasses import dataclass, replace

from spotcheck.errors import EvidenceError
from spotcheck.guard_band import (
    Guard,
    Look,
    StoppingPlan,
    Tally,
    guard_band,
    next_look_pulses,
    risk_spent,
)
from spotcheck.verdict import Judgement
from spotcheck.verdict_forecast import Outlook, forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to do after a pulse."""

    judgement: Judgement | None
    """Pass, fail or undecided; None: go on."""
    guard: Guard | None
    """Guard band of this look; None where no look was due."""
    risk_spent: float
    """Largest probability of a false verdict on one side, this and all earlier looks included."""
    outlook: Outlook | None
    """Forecast while it goes on; None after a judgement."""
    time_left_s: float | None
    """Time to the verdict if the estimate stays; None where none is expected before the end."""
    tally: Tally
    """To be given to the next step."""
    explanation: str
    """One sentence with the numbers."""


def decide(plan: StoppingPlan, look: Look, tally: Tally) -> Step:
    """What is to be done after a pulse, or when the time is up.

    Args:
        plan: When it may stop.
        look: What is known now.
        tally: Of the step before; `Tally()` at the first.

    Returns:
        The step. Most pulses between two looks cost no risk and give the forecast only.

    Raises:
        EvidenceError: a judgement was given before, or there are fewer pulses than at the look
            before.
    """
    if tally.is_over:
        raise EvidenceError(
            "tally is over: a judgement was given, and looking on would spend more risk than is "
            "stated; begin a new tally with a new measurement"
        )
    if look.pulses < tally.pulses:
        raise EvidenceError(
            f"pulses is {look.pulses}, but the look before had {tally.pulses}; "
            "begin a new tally with a new measurement"
        )
    is_last = look.elapsed_s >= plan.maximum_duration_s
    if not _is_due(plan, look, tally, is_last):
        if is_last:
            return _undecided_below_minimum(plan, look, tally)
        return _go_on(plan, look, tally, None)
    after = Tally(looks=tally.looks + 1, pulses=look.pulses)
    guard = guard_band(plan, look, number=after.looks, is_last=is_last)
    judgement = _judgement(plan, look.error_percent, guard)
    if judgement is None and not is_last:
        return _go_on(plan, look, after, guard)
    judged = judgement or Judgement.UNDECIDED
    return _end(
        judged,
        guard,
        plan.risk if is_last else risk_spent(plan, after),
        after,
        _explain(plan, look, guard, judged),
    )


def _is_due(plan: StoppingPlan, look: Look, tally: Tally, is_last: bool) -> bool:
    if look.pulses < plan.minimum_pulses or look.duration_s < plan.minimum_duration_s:
        return False
    return is_last or look.pulses >= next_look_pulses(tally)


def _judgement(plan: StoppingPlan, error_percent: float, guard: Guard) -> Judgement | None:
    width = guard.total_percent
    if abs(error_percent) - width > plan.limit_percent:
        return Judgement.FAIL
    is_narrow = width <= plan.largest_pass_guard_percent
    if is_narrow and abs(error_percent) + width <= plan.limit_percent:
        return Judgement.PASS
    return None


def _go_on(plan: StoppingPlan, look: Look, tally: Tally, guard: Guard | None) -> Step:
    outlook, time_left_s = forecast(plan, look, tally)
    if outlook is Outlook.VERDICT_EXPECTED:
        then = f"a verdict is expected in {time_left_s:.3g} s"
    elif outlook is Outlook.TIME_TOO_SHORT:
        then = f"no verdict is expected within the {plan.maximum_duration_s:g} s allowed"
    else:
        then = (
            f"the instrument's own uncertainty of {look.type_b_percent:.3f} % (standard) "
            "allows no verdict so near the limit"
        )
    return Step(
        judgement=None,
        guard=guard,
        risk_spent=risk_spent(plan, tally),
        outlook=outlook,
        time_left_s=time_left_s,
        tally=tally,
        explanation=f"{look.error_percent:+.3f} % after {look.pulses} pulses: {then}",
    )


def _undecided_below_minimum(plan: StoppingPlan, look: Look, tally: Tally) -> Step:
    explanation = (
        f"{look.pulses} pulses in {look.duration_s:.3g} s when the time was up; the rule wants "
        f"{plan.minimum_pulses} pulses and {plan.minimum_duration_s:g} s"
    )
    return _end(Judgement.UNDECIDED, None, risk_spent(plan, tally), tally, explanation)


def _end(
    judgement: Judgement, guard: Guard | None, risk: float, tally: Tally, explanation: str
) -> Step:
    return Step(
        judgement=judgement,
        guard=guard,
        risk_spent=risk,
        outlook=None,
        time_left_s=None,
        tally=replace(tally, is_over=True),
        explanation=explanation,
    )


def _explain(plan: StoppingPlan, look: Look, guard: Guard, judgement: Judgement) -> str:
    lies = {
        Judgement.PASS: "lies wholly within",
        Judgement.FAIL: "lies wholly beyond",
        Judgement.UNDECIDED: "still straddles",
    }[judgement]
    if judgement is Judgement.UNDECIDED and abs(look.error_percent) + guard.total_percent <= (
        plan.limit_percent
    ):
        lies = f"is wider than the ±{plan.largest_pass_guard_percent:.3f} % of a pass within"
    return (
        f"{look.error_percent:+.3f} % ± {guard.total_percent:.3f} % (guard band of the scatter "
        f"{guard.type_a_percent:.3f} %, of the instrument {guard.type_b_percent:.3f} %) {lies} "
        f"±{plan.limit_percent:g} % after {look.pulses} pulses"
    )
