"""Rule profiles: limits with their clauses, read from `rules/*.toml`."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from importlib import resources
from typing import Any, TypeVar

from spotcheck.errors import RuleError
from spotcheck.load import Lead, LoadPoint
from spotcheck.meter import AccuracyClass, Connection, Meter

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A maximum permissible error, where it holds, and the clause that gives it."""

    connection: Connection
    """Direct or transformer connection."""
    current_from: Decimal
    """Smallest current, in multiples of Ib or In."""
    current_below: Decimal | None
    """Current from which it no longer holds, in multiples of Ib or In; None up to Imax."""
    power_factor_from: Decimal
    """Smallest power factor."""
    power_factor_to: Decimal
    """Power factor from which it no longer holds; 1 is included."""
    lead: Lead | None
    """Side of the power factor; None for both."""
    mpe_percent: Mapping[AccuracyClass, Decimal]
    """Maximum permissible error by accuracy class, ±."""
    clause: str
    """Where it stands."""

    def holds_at(self, load: LoadPoint, meter: Meter) -> bool:
        """Whether it covers this load of this meter."""
        if self.connection is not meter.connection or meter.accuracy_class not in self.mpe_percent:
            return False
        return self._covers_current(load, meter) and self._covers_power_factor(load)

    def _covers_current(self, load: LoadPoint, meter: Meter) -> bool:
        # Half a percent of slack: a load set to 0.1Ib is at 0.1Ib though it reads 0.0998Ib.
        multiple = load.current_a / float(meter.basic_current_a)
        if multiple < float(self.current_from) * 0.995:
            return False
        if self.current_below is not None:
            return multiple < float(self.current_below) * 0.995
        return load.current_a <= float(meter.max_current_a) * 1.005

    def _covers_power_factor(self, load: LoadPoint) -> bool:
        if self.lead is not None and load.lead is not self.lead:
            return False
        below = load.power_factor < float(self.power_factor_to) or self.power_factor_to == 1
        return below and load.power_factor >= float(self.power_factor_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How a verdict is reached from a measured error and its uncertainty."""

    judged_value: str
    """`rounded` or `unrounded`."""
    rule: str
    """`guarded` (the whole 95 % interval on one side of the limit) or `simple`."""
    largest_uncertainty_to_mpe: Fraction
    """Largest U relative to the MPE with which a verdict may be given."""
    clause: str
    """Where the rounding stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPlan:
    """How many readings of what length make a result."""

    minimum: int
    """Readings to be averaged."""
    maximum: int
    """Readings at most, when successive ones disagree."""
    largest_difference_to_class: Decimal
    """Largest difference of successive readings, as a multiple of the class index in percent."""
    minimum_pulses: int
    """Pulses of a reading at least."""
    minimum_duration_s: int
    """Duration of a reading at least."""
    clause: str
    """Where it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionLimits:
    """Conditions under which the rule may be applied."""

    voltage_deviation_percent: Decimal
    """Largest deviation from the nominal voltage."""
    smallest_power_factor: Decimal
    """Smallest power factor."""
    largest_thd_u_percent: Decimal
    """Largest distortion of the voltage."""
    smallest_frequency_hz: Decimal
    """Lowest frequency."""
    largest_frequency_hz: Decimal
    """Highest frequency."""
    largest_current_unbalance_percent: Decimal | None = None
    """Largest deviation of a phase's current from their mean; None where any load is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One regulation in one edition."""

    id: str
    """Name of the profile."""
    title_en: str
    """Title in English."""
    title_zh: str
    """Title in Chinese."""
    edition: str
    """Edition."""
    place: str
    """`laboratory` or `on-site`; a laboratory rule judged on site is indicative."""
    source: str
    """Where the numbers were read."""
    verified: bool
    """Whether the regulation's own text was read."""
    decision: Decision
    """Decision rule."""
    readings: ReadingPlan
    """Readings wanted."""
    conditions: ConditionLimits
    """Conditions wanted."""
    rounding_step_percent: Mapping[AccuracyClass, Decimal]
    """Rounding step of an error by class."""
    limits: tuple[Limit, ...]
    """Limits; the first that holds counts."""

    @property
    def indicative_on_site(self) -> bool:
        """Whether a verdict by this rule on site is indicative only."""
        return self.place != "on-site"

    def limit_at(self, load: LoadPoint, meter: Meter) -> Limit | None:
        """The limit at a load of a meter, or None when the rule has none there."""
        return next((limit for limit in self.limits if limit.holds_at(load, meter)), None)

    def smallest_current_a(self, meter: Meter) -> float | None:
        """Smallest current at which the rule has any limit for a meter; None without one."""
        multiples = [
            limit.current_from
            for limit in self.limits
            if limit.connection is meter.connection and meter.accuracy_class in limit.mpe_percent
        ]
        return float(min(multiples) * meter.basic_current_a) if multiples else None


def rule_ids() -> tuple[str, ...]:
    """Names of the profiles that come with the software."""
    folder = resources.files("spotcheck") / "rules"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def load_rule(rule_id: str) -> Rule:
    """The profile of that name.

    Raises:
        RuleError: there is none, or its file is broken.
    """
    if rule_id not in rule_ids():
        raise RuleError(f"no rule {rule_id!r}; there are {', '.join(rule_ids())}")
    text = (resources.files("spotcheck") / "rules" / f"{rule_id}.toml").read_text("utf-8")
    return parse_rule(text, f"{rule_id}.toml")


def parse_rule(text: str, name: str) -> Rule:
    """The profile that a TOML text holds.

    Raises:
        RuleError: names the file and the key that is missing or wrong.
    """
    try:
        return _rule(_Table(tomllib.loads(text), name))
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{name}: {error}") from error


class _Table:
    """A TOML table that names the key when something is missing or wrong."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values = values
        self._known: set[str] = set()
        self.where = where

    def refuse_unknown(self) -> None:
        """A misspelt key must not silently widen a limit."""
        if unknown := sorted(self._values.keys() - self._known):
            raise RuleError(f"{self.where}: {', '.join(unknown)} is unknown")

    def get(self, key: str, convert: Callable[[Any], T]) -> T:
        self._known.add(key)
        if key not in self._values:
            raise RuleError(f"{self.where}: {key} is missing")
        try:
            return convert(self._values[key])
        except (ValueError, TypeError, InvalidOperation, ZeroDivisionError) as error:
            raise RuleError(f"{self.where}: {key} = {self._values[key]!r}: {error}") from error

    def maybe(self, key: str, convert: Callable[[Any], T]) -> T | None:
        self._known.add(key)
        return self.get(key, convert) if key in self._values else None

    def table(self, key: str) -> "_Table":
        return _Table(self.get(key, dict), f"{self.where}: [{key}]")

    def tables(self, key: str) -> list["_Table"]:
        entries = self.get(key, list)
        return [_Table(e, f"{self.where}: [[{key}]] {n}") for n, e in enumerate(entries, 1)]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("expected a text in quotes")
    return value


def _decimal(value: Any) -> Decimal:
    return Decimal(_text(value))


def _fraction(value: Any) -> Fraction:
    return Fraction(_text(value))


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("expected an integer")
    return value


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError("expected true or false")
    return value


def _one_of(*choices: str) -> Callable[[Any], str]:
    def choose(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"expected one of {', '.join(choices)}")
        return str(value)

    return choose


def _by_class(value: Any) -> dict[AccuracyClass, Decimal]:
    return {AccuracyClass(name): _decimal(number) for name, number in dict(value).items()}


def _rule(table: _Table) -> Rule:
    found = Rule(
        id=table.get("id", _text),
        title_en=table.get("title_en", _text),
        title_zh=table.get("title_zh", _text),
        edition=table.get("edition", _text),
        place=table.get("place", _one_of("laboratory", "on-site")),
        source=table.get("source", _text),
        verified=table.get("verified", _truth),
        decision=_decision(table.table("decision")),
        readings=_reading_plan(table.table("readings")),
        conditions=_condition_limits(table.table("conditions")),
        rounding_step_percent=table.get("rounding_step_percent", _by_class),
        limits=tuple(_limit(entry) for entry in table.tables("limit")),
    )
    table.refuse_unknown()
    return found


def _decision(table: _Table) -> Decision:
    found = Decision(
        judged_value=table.get("judged_value", _one_of("rounded", "unrounded")),
        rule=table.get("rule", _one_of("guarded", "simple")),
        largest_uncertainty_to_mpe=table.get("largest_uncertainty_to_mpe", _fraction),
        clause=table.get("clause", _text),
    )
    table.refuse_unknown()
    return found


def _reading_plan(table: _Table) -> ReadingPlan:
    found = ReadingPlan(
        minimum=table.get("minimum", _integer),
        maximum=table.get("maximum", _integer),
        largest_difference_to_class=table.get("largest_difference_to_class", _decimal),
        minimum_pulses=table.get("minimum_pulses", _integer),
        minimum_duration_s=table.get("minimum_duration_s", _integer),
        clause=table.get("clause", _text),
    )
    table.refuse_unknown()
    return found


def _condition_limits(table: _Table) -> ConditionLimits:
    found = ConditionLimits(
        voltage_deviation_percent=table.get("voltage_deviation_percent", _decimal),
        smallest_power_factor=table.get("smallest_power_factor", _decimal),
        largest_thd_u_percent=table.get("largest_thd_u_percent", _decimal),
        smallest_frequency_hz=table.get("smallest_frequency_hz", _decimal),
        largest_frequency_hz=table.get("largest_frequency_hz", _decimal),
        largest_current_unbalance_percent=table.maybe(
            "largest_current_unbalance_percent", _decimal
        ),
    )
    table.refuse_unknown()
    return found


def _limit(table: _Table) -> Limit:
    found = Limit(
        connection=table.get("connection", Connection),
        current_from=table.get("current_from", _decimal),
        current_below=table.maybe("current_below", _decimal),
        power_factor_from=table.get("power_factor_from", _decimal),
        power_factor_to=table.get("power_factor_to", _decimal),
        lead=table.maybe("lead", Lead),
        mpe_percent=table.get("mpe_percent", _by_class),
        clause=table.get("clause", _text),
    )
    table.refuse_unknown()
    return found
