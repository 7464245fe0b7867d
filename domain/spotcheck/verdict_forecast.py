"""How long a sequential verdict will still take, should the estimate stay where it is."""

import enum
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from spotcheck.guard_band import (
    Look,
    StoppingPlan,
    Tally,
    guard_band,
    next_look_pulses,
    stamp_noise_percent,
    tick_bound_percent,
    type_b_guard,
)


class Outlook(enum.Enum):
    """What is forecast, should the estimate stay where it is; a forecast is no verdict."""

    VERDICT_EXPECTED = "verdict expected"
    TIME_TOO_SHORT = "time too short"
    """The maximum time comes before the scatter is small enough."""
    INSTRUMENT_TOO_UNCERTAIN = "instrument too uncertain"
    """The Type B part alone reaches the limit: measuring longer does not help."""


def forecast(plan: StoppingPlan, look: Look, tally: Tally) -> tuple[Outlook, float | None]:
    """Time to the first look at which the guard band will be narrow enough for the estimate.

    Args:
        plan: When it may stop.
        look: What is known now.
        tally: The looks taken, this one included if it was one.

    Returns:
        The outlook, and the time in seconds where a verdict is expected.
    """
    margin = abs(plan.limit_percent - abs(look.error_percent))
    if abs(look.error_percent) <= plan.limit_percent:
        margin = min(margin, plan.largest_pass_guard_percent)
    if type_b_guard(plan, look) >= margin:
        return Outlook.INSTRUMENT_TOO_UNCERTAIN, None
    for coming in _coming_looks(plan, look, tally):
        grown = _grown(look, coming.pulses)
        guard = guard_band(plan, grown, number=coming.number, is_last=coming.is_last)
        if guard.total_percent <= margin:
            return Outlook.VERDICT_EXPECTED, coming.wait_s
    return Outlook.TIME_TOO_SHORT, None


class _ComingLook(NamedTuple):
    pulses: int
    number: int
    wait_s: float
    is_last: bool


def _coming_looks(plan: StoppingPlan, look: Look, tally: Tally) -> Iterator[_ComingLook]:
    """Looks that satisfy the plan's minimum, at the present rate of pulses, up to the last."""
    interval_s = look.duration_s / (look.pulses - 1)
    at_maximum = 1 + math.floor(plan.maximum_duration_s / interval_s)
    # A hair less, so that 15 intervals of 2.0000001 s still make 30 s.
    for_duration = 1 + math.ceil(plan.minimum_duration_s / interval_s * (1 - 1e-6))
    fewest = max(plan.minimum_pulses, for_duration)
    pulses = max(next_look_pulses(tally), fewest, look.pulses + 1)
    number = tally.looks + 1
    while pulses <= at_maximum:
        wait_s = (pulses - 1) * interval_s - look.elapsed_s
        yield _ComingLook(pulses, number, max(wait_s, 0.0), is_last=False)
        pulses, number = next_look_pulses(Tally(pulses=pulses)), number + 1
    if max(at_maximum, look.pulses) >= fewest:
        at_end_s = plan.maximum_duration_s - look.elapsed_s
        yield _ComingLook(max(at_maximum, look.pulses), number, at_end_s, is_last=True)


def _grown(look: Look, pulses: int) -> Look:
    """The look as it will be with more pulses, should their noise be white."""
    white = partial(stamp_noise_percent, stamp_noise_s=1.0, interval_s=1.0)
    tick = partial(tick_bound_percent, tick_s=1.0, interval_s=1.0)
    shrink = white(pulses=pulses) / white(pulses=look.pulses)
    tick_shrink = tick(pulses=pulses) / tick(pulses=look.pulses)
    # Scatter of few degrees is small more often than not: half of all lie below this share of σ
    # (median of χ² after Wilson and Hilferty, 1.7 % off at one degree and less beyond).
    median_share = (1 - 2 / (9 * look.degrees_of_freedom)) ** 1.5
    duration_s = look.duration_s * (pulses - 1) / (look.pulses - 1)
    return replace(
        look,
        elapsed_s=max(duration_s, look.elapsed_s),
        duration_s=duration_s,
        pulses=pulses,
        type_a_percent=look.type_a_percent / median_share * shrink,
        degrees_of_freedom=look.degrees_of_freedom + pulses - look.pulses,
        type_a_floor_percent=look.type_a_floor_percent * shrink,
        tick_bound_percent=look.tick_bound_percent * tick_shrink,
    )
