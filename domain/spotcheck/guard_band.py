"""How far from the limit an error must lie when a measurement is looked at again and again.

At each look the error is x = θ + B + ε: θ the meter's true error, B the instrument's own error
(Type B), one draw that is common to all looks and never averages out, ε the scatter of the pulses
(Type A), which shrinks. With the limit ±L a look says

    pass when |x| + g ≤ L,    fail when |x| − g > L,    g = k_B·u_B + max(t·u_A, z·u_0 + τ),

the guarded decision of JCGM 106:2012, 8.3, with a guard band g that pays for looking repeatedly.
The risk r (2.5 %) is split once, r = r_B + r_A. k_B is Student's quantile at r_B: |B| > k_B·u_B on
the wrong side takes a risk of r_B, once for all looks, because B is the same in all. Look i spends
r_A/(i·(i+1)) of r_A, both sides together: t is Student's quantile at half of it with the look's own
degrees of freedom, z the normal one. The last look takes all that is left, r_A/i. These sum to r_A
however many looks there are, so by the union bound a wrong verdict has a probability of at most
r_B + r_A, whatever the correlation of the looks. A Type B part as wide as the limit can err past
either limit and gets half of r_B for each.

u_0 is what is known beforehand of the stamps' noise: three pulses may lie on a line by luck. τ is
the largest error that the meter's tick can make: stamps on a raster may lie on a line for long and
all lean one way, in a nearly commensurate train.

On condition of the instrument: as long as |B| ≤ k_B·u_B, a wrong verdict has at most r_A; beyond
that it is likely for a meter at the limit. No rule can do better: B does not show in the looks.

What it rests on: scatter that is about normal, looks whose times do not depend on the errors seen,
and honest u_A. A least-squares line takes its u_A from residuals that are independent; noise that
walks from pulse to pulse (that of a front end, say) shows less in them than in the slope and has
to be in u_0. A tick that was not told made a false pass of one meter in four at the limit, and a
false fail of as many: where nothing is known of the meter, assume a tick of 1 ms.

Sources (from memory): spending of risk over looks, Lan and DeMets, Biometrika 70 (1983) 659, and
Jennison and Turnbull, "Group Sequential Methods" (2000), ch. 7; looks on a geometric grid,
Howard et al., Annals of Statistics 49 (2021) 1055. What else was tried:
benchmarks/sequential_verdict.py.
"""

import math
from dataclasses import dataclass

from spotcheck.errors import EvidenceError, RuleError
from spotcheck.student_distribution import student_quantile

FEWEST_PULSES = 3
"""Two pulses leave no residual: nothing would say how well they were stamped."""
LOOK_EVERY = 10
"""A look comes after a tenth more pulses, and after each pulse at first: as quick as a look at each
pulse, and with less of the risk spent once there are many (benchmarks/sequential_verdict.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppingPlan:
    """When a measurement may stop, and with what risk."""

    limit_percent: float
    """Largest |error| that is accepted, ± (`Verdict.acceptance_limit_percent`)."""
    minimum_pulses: int
    """Pulses below which there is no verdict; 3 at least."""
    minimum_duration_s: float
    """Time from the first to the last pulse below which there is no verdict."""
    maximum_duration_s: float
    """Time since the first pulse at which it ends, with or without a verdict."""
    risk: float = 0.025
    """Largest probability of a false pass, and of a false fail."""
    type_a_share: float = 0.2
    """Share of the risk that the scatter gets, over all looks; the rest is the instrument's."""
    largest_pass_guard_percent: float = math.inf
    """A pass wants a guard band no wider than this, such as a third of the MPE."""

    def __post_init__(self) -> None:
        for name, value, is_possible, wanted in (
            ("limit_percent", self.limit_percent, self.limit_percent > 0, "above 0"),
            ("minimum_pulses", self.minimum_pulses, self.minimum_pulses >= FEWEST_PULSES,
             f"{FEWEST_PULSES} or more, so that residuals are left"),
            ("minimum_duration_s", self.minimum_duration_s, self.minimum_duration_s >= 0,
             "0 or more"),
            ("maximum_duration_s", self.maximum_duration_s,
             self.maximum_duration_s >= self.minimum_duration_s and self.maximum_duration_s > 0,
             "above 0 and not below minimum_duration_s"),
            ("risk", self.risk, 0 < self.risk < 0.5, "between 0 and 0.5"),
            ("type_a_share", self.type_a_share, 0 < self.type_a_share < 1, "between 0 and 1"),
        ):  # fmt: skip
            if not (is_possible and math.isfinite(value)):
                raise RuleError(f"{name} is {value}; it must be {wanted}")
        if not self.largest_pass_guard_percent > 0:
            raise RuleError(
                f"largest_pass_guard_percent is {self.largest_pass_guard_percent}; "
                "it must be above 0, or nothing could ever pass"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is known of the meter's error after some pulses."""

    elapsed_s: float
    """Time since the first pulse, now."""
    duration_s: float
    """Time from the first to the last pulse used; what has passed since is the difference."""
    pulses: int
    """Pulses used."""
    error_percent: float
    """Estimate of the meter's error."""
    type_a_percent: float
    """Standard uncertainty from the scatter of the pulses."""
    degrees_of_freedom: float
    """Of the scatter; pulses less two for a line."""
    type_a_floor_percent: float
    """Standard uncertainty by what is known beforehand of the noise (`stamp_noise_percent`)."""
    tick_bound_percent: float
    """Largest error that the meter's tick can make (`tick_bound_percent`); 0 says it has none."""
    type_b_percent: float
    """Standard uncertainty of the instrument, common to all looks."""
    type_b_degrees_of_freedom: float = math.inf
    """Of the instrument's; inf where it is taken as known."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.duration_s) and self.duration_s > 0):
            raise EvidenceError(f"duration_s is {self.duration_s}; pulses need time between them")
        for name, value, smallest in (
            ("elapsed_s", self.elapsed_s, self.duration_s),
            ("pulses", self.pulses, FEWEST_PULSES),
            ("type_a_percent", self.type_a_percent, 0.0),
            ("type_a_floor_percent", self.type_a_floor_percent, 0.0),
            ("tick_bound_percent", self.tick_bound_percent, 0.0),
            ("type_b_percent", self.type_b_percent, 0.0),
        ):
            if not (math.isfinite(value) and value >= smallest):
                raise EvidenceError(f"{name} is {value}; it must be finite, {smallest} or more")
        if not math.isfinite(self.error_percent):
            raise EvidenceError(f"error_percent is {self.error_percent}; it must be finite")
        for name, freedom in (
            ("degrees_of_freedom", self.degrees_of_freedom),
            ("type_b_degrees_of_freedom", self.type_b_degrees_of_freedom),
        ):
            if not freedom >= 1:
                raise EvidenceError(
                    f"{name} is {freedom}; below 1 the scatter tells nothing: wait for a pulse"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The looks that were taken: all that has to be kept from one pulse to the next."""

    looks: int = 0
    """Looks that risk was spent on."""
    pulses: int = 0
    """Pulses at the last of them."""
    is_over: bool = False
    """Whether a judgement was given; looking on would spend risk that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """The guard band of a look."""

    type_a_percent: float
    """For the scatter."""
    type_b_percent: float
    """For the instrument."""

    @property
    def total_percent(self) -> float:
        """Width that is kept from the limit."""
        return self.type_a_percent + self.type_b_percent


def stamp_noise_percent(*, stamp_noise_s: float, interval_s: float, pulses: int) -> float:
    """Standard uncertainty of a least-squares line through pulses with white stamp noise.

    u = 100·σ/T·√(12/(n³ − n)), the standard deviation of a slope over n equal steps.

    Args:
        stamp_noise_s: Standard deviation σ of one stamp.
        interval_s: Time T between pulses.
        pulses: n, 2 or more.

    Raises:
        EvidenceError: one of them is out of its range.
    """
    _refuse_stamps("stamp_noise_s", stamp_noise_s, interval_s, pulses)
    return 100 * stamp_noise_s / interval_s * math.sqrt(12 / (pulses**3 - pulses))


def tick_bound_percent(*, tick_s: float, interval_s: float, pulses: int) -> float:
    """Largest error of a least-squares line through pulses that the meter gives at its ticks.

    100·τ/(2T)·Σ|k − k̄|/Σ(k − k̄)² = 100·τ/T·6·⌊n²/4⌋/(n³ − n): each stamp is off by half a tick
    at most, and at worst the first half of them to one side, the second to the other.

    Args:
        tick_s: Raster τ of the meter's pulses.
        interval_s: Time T between pulses.
        pulses: n, 2 or more.

    Raises:
        EvidenceError: one of them is out of its range.
    """
    _refuse_stamps("tick_s", tick_s, interval_s, pulses)
    return 100 * tick_s / interval_s * 6 * (pulses**2 // 4) / (pulses**3 - pulses)


def _refuse_stamps(name: str, size_s: float, interval_s: float, pulses: int) -> None:
    if not (math.isfinite(size_s) and size_s >= 0):
        raise EvidenceError(f"{name} is {size_s}; it must be finite, 0 or more")
    if not (math.isfinite(interval_s) and interval_s > 0):
        raise EvidenceError(f"interval_s is {interval_s}; it must be finite and above 0")
    if pulses < 2:
        raise EvidenceError(f"pulses is {pulses}; two are needed for a line")


def next_look_pulses(tally: Tally) -> int:
    """Pulses from which the next look is due, the plan's minimum apart."""
    return max(FEWEST_PULSES, tally.pulses + max(1, tally.pulses // LOOK_EVERY))


def guard_band(plan: StoppingPlan, look: Look, *, number: int, is_last: bool) -> Guard:
    """Guard band of a look.

    Args:
        plan: When it may stop, and with what risk.
        look: What is known.
        number: How many looks risk was spent on, this one included: 1, 2, …
        is_last: Whether it is the last, which takes all the risk that is left.
    """
    side_risk = _type_a_risk(plan, number, is_last) / 2
    scatter = look.type_a_percent * student_quantile(side_risk, look.degrees_of_freedom)
    known = look.type_a_floor_percent * student_quantile(side_risk, math.inf)
    type_a = max(scatter, known + look.tick_bound_percent)
    return Guard(type_a_percent=type_a, type_b_percent=type_b_guard(plan, look))


def type_b_guard(plan: StoppingPlan, look: Look) -> float:
    """The instrument's part of the guard band, in percent: what no number of pulses takes away."""
    risk, freedom = plan.risk * (1 - plan.type_a_share), look.type_b_degrees_of_freedom
    guard = look.type_b_percent * student_quantile(risk, freedom)
    if guard <= plan.limit_percent:
        return guard
    return look.type_b_percent * student_quantile(risk / 2, freedom)


def risk_spent(plan: StoppingPlan, tally: Tally) -> float:
    """Largest probability of a false verdict on one side over the looks of a tally."""
    if tally.looks == 0:
        return 0.0
    unspent = plan.risk * plan.type_a_share / (tally.looks + 1)
    return plan.risk - unspent


def _type_a_risk(plan: StoppingPlan, number: int, is_last: bool) -> float:
    """Risk that a look may spend on scatter, both sides together; 1/(i(i+1)) sums to 1."""
    share = plan.risk * plan.type_a_share
    return share / number if is_last else share / (number * (number + 1))
