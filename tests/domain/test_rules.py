"""The rule profiles against the tables of standards.md, typed here a second time."""

from decimal import Decimal
from fractions import Fraction
from importlib import resources
from typing import Any

import pytest

from spotcheck.errors import RuleError
from spotcheck.load import Lead, LoadPoint
from spotcheck.meter import AccuracyClass, Connection, Meter, MeterConstant
from spotcheck.rule import load_rule, parse_rule, rule_ids

JJG, HEBEI = load_rule("jjg596-2012"), load_rule("jjf-hebei-174-2020")
CLASSES = ("0.2S", "0.5S", "1", "2")
L, C = Lead.LAGGING, Lead.LEADING
DIRECT, CT = Connection.DIRECT, Connection.TRANSFORMER

# (connection, multiples of Ib or In, (PF, side), limits of 0.2S, 0.5S, 1, 2 in %).
FULL, SMALL = ("0.2", "0.5", "1.0", "2.0"), ("0.4", "1.0", "1.5", "2.5")
INDUCTIVE, INDUCTIVE_SMALL = ("0.3", "0.6", "1.0", "2.0"), ("0.5", "1.0", "1.5", "2.5")
PF_1, PF_05L, PF_08C = (1.0, L), (0.5, L), (0.8, C)
JJG_TABLE = [
    (DIRECT, (0.1, 0.2, 1.0, 12.0), [PF_1], FULL),
    (DIRECT, (0.05, 0.07, 0.099), [PF_1], SMALL),
    (DIRECT, (0.2, 0.5, 1.0, 12.0), [PF_05L, PF_08C], INDUCTIVE),
    (DIRECT, (0.1, 0.15, 0.198), [PF_05L, PF_08C], INDUCTIVE_SMALL),
    (DIRECT, (0.2, 1.0, 12.0), [(0.25, L)], ("0.5", "1.0", "3.5", None)),
    (DIRECT, (0.2, 1.0, 12.0), [(0.5, C)], ("0.5", "1.0", "2.5", None)),
    (CT, (0.05, 0.1, 1.0, 12.0), [PF_1], FULL),
    (CT, (0.02, 0.03, 0.049), [PF_1], SMALL),
    (CT, (0.1, 0.2, 1.0, 12.0), [PF_05L, PF_08C], INDUCTIVE),
    # Without a limit: below the table.
    (DIRECT, (0.001, 0.02, 0.049), [PF_1], (None,) * 4),
    (CT, (0.001, 0.019), [PF_1], (None,) * 4),
    (DIRECT, (0.01, 0.05, 0.09), [PF_05L, PF_08C], (None,) * 4),
    (DIRECT, (0.1, 0.15), [(0.25, L), (0.5, C)], (None,) * 4),
    (DIRECT, (0.1, 1.0), [(0.1, L), (0.24, L), (0.45, C)], (None,) * 4),
    # Without a limit: beyond Imax.
    (DIRECT, (12.1, 20.0), [PF_1, PF_05L, PF_08C, (0.25, L)], (None,) * 4),
    (CT, (12.1, 20.0), [PF_1, PF_05L, PF_08C], (None,) * 4),
]


def meter(name: str, connection: Connection = DIRECT) -> Meter:
    return Meter(
        serial="1",
        accuracy_class=AccuracyClass(name),
        constant=MeterConstant.parse("1200"),
        connection=connection,
        basic_current_a=Decimal(5),
        max_current_a=Decimal(60),
    )


def mpe(rule: Any, multiple: float, factor: float, lead: Lead, under_test: Meter) -> str | None:
    load = LoadPoint(current_a=5 * multiple, power_factor=factor, lead=lead)
    limit = rule.limit_at(load, under_test)
    return None if limit is None else str(limit.mpe_percent[under_test.accuracy_class])


@pytest.mark.parametrize(("connection", "multiples", "factors", "limits"), JJG_TABLE)
def test_jjg_596_basic_error_table(
    connection: Connection, multiples: Any, factors: Any, limits: Any
) -> None:
    for multiple in multiples:
        for factor, lead in factors:
            found = [mpe(JJG, multiple, factor, lead, meter(n, connection)) for n in CLASSES]
            assert tuple(found) == limits, (multiple, factor, lead)


@pytest.mark.parametrize(("connection", "lowest"), [(DIRECT, 0.1), (CT, 0.05)])
def test_hebei_running_error_table(connection: Connection, lowest: float) -> None:
    for multiple in (lowest, 1.0, 12.0):
        for factor, lead in ((1.0, L), (0.8, C), (0.5, L), (0.5, C)):
            assert mpe(HEBEI, multiple, factor, lead, meter("1", connection)) == "1.75"
            assert mpe(HEBEI, multiple, factor, lead, meter("2", connection)) == "3.5"
    for multiple, factor in ((0.9 * lowest, 1.0), (12.1, 1.0), (1.0, 0.48)):
        assert mpe(HEBEI, multiple, factor, L, meter("1", connection)) is None
    for name in ("0.2S", "0.5S"):
        assert mpe(HEBEI, 1.0, 1.0, L, meter(name, connection)) is None


def test_rounding_steps() -> None:
    steps = {AccuracyClass(n): Decimal(s) for n, s in zip(CLASSES, ("0.02", "0.05", "0.1", "0.2"),
                                                          strict=True)}  # fmt: skip
    assert dict(JJG.rounding_step_percent) == steps
    assert dict(HEBEI.rounding_step_percent) == {
        AccuracyClass.CLASS_1: Decimal("0.1"),
        AccuracyClass.CLASS_2: Decimal("0.2"),
    }


def test_readings_wanted() -> None:
    for rule, pulses in ((JJG, 25), (HEBEI, 10)):
        plan = rule.readings
        assert (plan.minimum, plan.maximum) == (2, 5)
        assert plan.largest_difference_to_class == 1
        assert (plan.minimum_pulses, plan.minimum_duration_s) == (pulses, 30)


def test_conditions_wanted() -> None:
    for rule, smallest_factor in ((JJG, "0.25"), (HEBEI, "0.5")):
        limits = rule.conditions
        assert limits.voltage_deviation_percent == 10
        assert limits.smallest_power_factor == Decimal(smallest_factor)
        assert limits.largest_thd_u_percent == 5
        assert (limits.smallest_frequency_hz, limits.largest_frequency_hz) == (45, 65)


def test_decision_and_standing() -> None:
    for rule, place, edition in ((JJG, "laboratory", "2012"), (HEBEI, "on-site", "2020")):
        assert (rule.decision.judged_value, rule.decision.rule) == ("rounded", "guarded")
        assert rule.decision.largest_uncertainty_to_mpe == Fraction(1, 3)
        assert (rule.place, rule.edition) == (place, edition)
        assert rule.indicative_on_site is (place == "laboratory")
        assert not rule.verified
        assert rule.source
        assert rule.decision.clause
        assert rule.readings.clause
        assert all(rule.edition in limit.clause for limit in rule.limits)


def test_numbers_of_limits_there_are_no_others() -> None:
    assert (len(JJG.limits), len(HEBEI.limits)) == (14, 2)
    assert rule_ids() == ("jjf-hebei-174-2020", "jjg596-2012")


@pytest.mark.parametrize(
    ("multiple", "factor", "lead", "expected"),
    [
        # A load set to 0.1Ib is at 0.1Ib though it reads half a percent less.
        (0.0996, 1.0, L, "1.0"),
        (0.0994, 1.0, L, "1.5"),
        (0.0498, 1.0, L, "1.5"),
        (0.0497, 1.0, L, None),
        (0.1995, 0.5, L, "1.0"),
        (0.1985, 0.5, L, "1.5"),
        (12.05, 1.0, L, "1.0"),
        (12.07, 1.0, L, None),
        # Between the regulation's points the wider limit is taken.
        (1.0, 0.98, L, "1.0"),
        (0.15, 0.98, L, "1.0"),
        (0.15, 0.979, L, "1.5"),
        (0.15, 0.979, C, "1.5"),
        (1.0, 0.49, L, "1.0"),
        (1.0, 0.489, L, "3.5"),
        (1.0, 0.79, C, "1.0"),
        (1.0, 0.789, C, "2.5"),
        (1.0, 0.245, L, "3.5"),
        (1.0, 0.244, L, None),
    ],
)
def test_limit_at_the_edges(
    multiple: float, factor: float, lead: Lead, expected: str | None
) -> None:
    assert mpe(JJG, multiple, factor, lead, meter("1")) == expected


def test_limit_names_its_clause() -> None:
    limit = JJG.limit_at(LoadPoint(current_a=5, power_factor=0.5, lead=L), meter("1"))
    assert limit is not None
    assert limit.clause == "JJG 596-2012, table of basic error, 0.2Ib…Imax, PF 0.5L"


TEXT = (resources.files("spotcheck") / "rules" / "jjg596-2012.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('id = "jjg596-2012"', "my.toml: id is missing"),
        ("verified = false", "my.toml: verified is missing"),
        ('judged_value = "rounded"', r"my.toml: \[decision\]: judged_value is missing"),
        ("minimum_pulses = 25", r"my.toml: \[readings\]: minimum_pulses is missing"),
        (
            'largest_thd_u_percent = "5"',
            r"my.toml: \[conditions\]: largest_thd_u_percent is missing",
        ),
        ('current_from = "0.1"', r"my.toml: \[\[limit\]\] 1: current_from is missing"),
        ('power_factor_to = "1"', r"my.toml: \[\[limit\]\] 1: power_factor_to is missing"),
    ],
)
def test_missing_or_misspelt_key_is_named_with_its_file(line: str, message: str) -> None:
    assert line in TEXT
    for replacement in ("", "mis" + line):
        with pytest.raises(RuleError, match=message):
            parse_rule(TEXT.replace(line, replacement, 1), "my.toml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("verified = false", 'verified = "no"', "verified = 'no': expected true or false"),
        ('place = "laboratory"', 'place = "abroad"', "place = 'abroad': expected one of"),
        ('rule = "guarded"', 'rule = "lenient"', "expected one of guarded, simple"),
        ("minimum = 2", 'minimum = "2"', "minimum = '2': expected an integer"),
        ("minimum = 2", "minimum = true", "expected an integer"),
        ('current_from = "0.1"', "current_from = 0.1", "current_from = 0.1: expected a text"),
        ('current_from = "0.1"', 'current_from = "0,1"', "current_from = '0,1'"),
        ('to_mpe = "1/3"', 'to_mpe = "1/0"', "largest_uncertainty_to_mpe = '1/0'"),
        ('connection = "direct"', 'connection = "wireless"', "connection = 'wireless'"),
        ('lead = "L"', 'lead = "R"', "lead = 'R'"),
        ('{ "0.2S" = "0.2",', '{ "0.3S" = "0.2",', r"\[\[limit\]\] 1: mpe_percent"),
        ('"2" = "0.2"\n', '"2" = 0.2\n', "rounding_step_percent"),
        ('id = "jjg596-2012"', "id = ", "my.toml: "),
    ],
)
def test_wrong_value_is_named_with_its_file_and_key(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(RuleError, match=message) as caught:
        parse_rule(TEXT.replace(old, new, 1), "my.toml")
    assert str(caught.value).startswith("my.toml")


@pytest.mark.parametrize(
    ("old", "new"),
    [("current_below =", "current_belov ="), ('lead = "L"', 'leed = "L"'), ("edition", "edititon")],
)
def test_misspelt_key_does_not_widen_a_limit(old: str, new: str) -> None:
    with pytest.raises(
        RuleError, match=f"{new.split(maxsplit=1)[0]} is unknown|edition is missing"
    ):
        parse_rule(TEXT.replace(old, new, 1), "my.toml")


def test_unknown_rule_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RuleError, match="there are jjf-hebei-174-2020, jjg596-2012"):
        load_rule("../secrets")


# (connection, from, below, PF from, PF to, side), also where an earlier limit hides an edge.
JJG_EDGES = [
    ("direct", "0.1", None, "0.98", "1", None),
    ("direct", "0.05", "0.1", "0.98", "1", None),
    ("direct", "0.2", None, "0.49", "0.98", "L"),
    ("direct", "0.2", None, "0.79", "0.98", "C"),
    ("direct", "0.1", "0.2", "0.49", "0.98", "L"),
    ("direct", "0.1", "0.2", "0.79", "0.98", "C"),
    ("direct", "0.2", None, "0.245", "0.49", "L"),
    ("direct", "0.2", None, "0.49", "0.79", "C"),
    ("transformer", "0.05", None, "0.98", "1", None),
    ("transformer", "0.02", "0.05", "0.98", "1", None),
    ("transformer", "0.1", None, "0.49", "0.98", "L"),
    ("transformer", "0.1", None, "0.79", "0.98", "C"),
    ("transformer", "0.05", "0.1", "0.49", "0.98", "L"),
    ("transformer", "0.05", "0.1", "0.79", "0.98", "C"),
]


def test_every_edge_of_the_limits_of_jjg_596() -> None:
    found = [
        (
            limit.connection.value,
            str(limit.current_from),
            None if limit.current_below is None else str(limit.current_below),
            str(limit.power_factor_from),
            str(limit.power_factor_to),
            None if limit.lead is None else limit.lead.value,
        )
        for limit in JJG.limits
    ]
    assert sorted(found, key=str) == sorted(JJG_EDGES, key=str)
