"""The plain form of every value of the vocabulary, there and back."""

import dataclasses
import enum
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck.canonical_json import canonical_bytes, parse_canonical
from spotcheck.errors import InvalidInputError
from spotcheck.evidence import EvidenceHead
from spotcheck.load import Conditions, LoadPoint, PhaseQuantities
from spotcheck.meter import (
    AccuracyClass,
    Connection,
    Direction,
    Meter,
    MeterConstant,
    MeteredQuantity,
    PulseOutput,
)
from spotcheck.plain import from_plain, to_plain
from spotcheck.pulses import Pulse, PulseTrain
from spotcheck.reading import CannotJudge, ErrorReading, UncertaintyComponent
from spotcheck.samples import StreamFormat
from spotcheck.verdict import CombinedError, Verdict

CURRENTS = st.tuples(st.integers(1, 999), st.integers(0, 999)).map(
    lambda pair: (Decimal(pair[0]).scaleb(-2), Decimal(sum(pair)).scaleb(-2))
)
METERS = st.builds(
    lambda currents, **rest: Meter(basic_current_a=currents[0], max_current_a=currents[1], **rest),
    CURRENTS,
    serial=st.text(st.characters(exclude_categories=("Cs",)), max_size=12),
    accuracy_class=st.sampled_from(AccuracyClass),
    constant=st.builds(
        MeterConstant,
        pulses_per_unit=st.fractions(min_value=Fraction(1, 999), max_value=10**6),
        quantity=st.sampled_from(MeteredQuantity),
    ),
    phases=st.sampled_from([1, 3]),
    connection=st.sampled_from(Connection),
    nominal_voltage_v=st.decimals("0.1", "500", places=3),
    pulse_output=st.sampled_from(PulseOutput),
)
TRAINS = st.lists(st.integers(0, 2**50), unique=True, max_size=5).map(
    lambda stamps: PulseTrain(
        pulses=tuple(Pulse(stamp=s, index=n) for n, s in enumerate(sorted(stamps)))
    )
)
STREAMS = st.builds(
    StreamFormat,
    sample_rate_hz=st.integers(4000, 200_000),
    phases=st.sampled_from([1, 3]),
    voltage_range=st.text("UV0123", max_size=5),
    current_range=st.text("IC0123", max_size=5),
)
HEADS = st.builds(EvidenceHead, stream=STREAMS, meter=METERS, pulses=TRAINS)
PLAIN_BUILT: list[type] = [
    UncertaintyComponent, ErrorReading, CannotJudge, Conditions, PhaseQuantities, LoadPoint,
    CombinedError, Verdict, Pulse,
]  # fmt: skip
st.register_type_strategy(
    float, st.floats(allow_nan=False) | st.sampled_from([math.inf, -math.inf, -0.0, 5e-324])
)
st.register_type_strategy(Decimal, st.decimals(allow_nan=False, allow_infinity=False))
st.register_type_strategy(str, st.text(st.characters(exclude_categories=("Cs",)), max_size=8))
VALUES = st.one_of(METERS, TRAINS, STREAMS, HEADS, *map(st.from_type, PLAIN_BUILT))


@given(VALUES)
def test_every_value_of_the_vocabulary_comes_back_from_its_bytes(value: Any) -> None:
    data = canonical_bytes(clipped(to_plain(value)))
    read = from_plain(type(value), parse_canonical(data))
    assert canonical_bytes(clipped(to_plain(read))) == data
    assert_same(read, from_plain(type(value), clipped(to_plain(value))))
    if clipped(to_plain(value)) == to_plain(value):
        assert_same(read, value)


def clipped(plain: Any) -> Any:
    """Integers beyond 63 bits have no bytes; hypothesis likes them."""
    if isinstance(plain, dict):
        return {key: clipped(item) for key, item in plain.items()}
    if isinstance(plain, list):
        return [clipped(item) for item in plain]
    if type(plain) is int:
        return max(min(plain, 2**62), -(2**62))
    return plain


def assert_same(read: Any, value: Any) -> None:
    """Equal in every field, the signs of zeros and the digits of decimals included."""
    assert type(read) is type(value)
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            assert_same(getattr(read, field.name), getattr(value, field.name))
    elif isinstance(value, tuple):
        assert len(read) == len(value)
        for one, other in zip(read, value, strict=True):
            assert_same(one, other)
    elif isinstance(value, Decimal):
        assert read.as_tuple() == value.as_tuple()
    elif isinstance(value, float):
        assert read == value
        assert math.copysign(1, read) == math.copysign(1, value)
    else:
        assert read == value


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """One field of each kind."""

    number: float
    count: int = 1
    flag: bool = False
    side: Direction = Direction.IMPORT
    share: Fraction = Fraction(1, 2)
    limit: Decimal | None = None
    many: tuple[int, ...] = ()


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.5, "0x1.8000000000000p+0"),
        (-0.0, "-0x0.0p+0"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
        (0.1, "0x1.999999999999ap-4"),
    ],
)
def test_floats_are_written_exactly(number: float, text: str) -> None:
    assert to_plain(number) == text
    read = from_plain(Sample, {"number": text}).number
    assert math.isnan(read) if math.isnan(number) else read == number


def test_plain_form_by_hand() -> None:
    value = Sample(number=2.0, count=3, flag=True, limit=Decimal("1.50"), many=(1, 2))
    assert to_plain(value) == {
        "number": "0x1.0000000000000p+1",
        "count": 3,
        "flag": True,
        "side": "import",
        "share": "1/2",
        "limit": "1.50",
        "many": [1, 2],
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number": 1.5}, r"^\$\.number is 1\.5; expected the text of a float"),
        ({"number": "one"}, r"^\$\.number is 'one'; expected a float"),
        ({"number": None}, r"^\$\.number is None"),
        ({"count": True}, r"^\$\.count is True; expected int"),
        ({"count": "3"}, r"^\$\.count is '3'; expected int"),
        ({"flag": 1}, r"^\$\.flag is 1; expected bool"),
        ({"side": "sideways"}, r"^\$\.side is 'sideways'; expected a Direction"),
        ({"share": "1/0"}, r"^\$\.share is '1/0'; expected a Fraction"),
        ({"limit": "1,5"}, r"^\$\.limit is '1,5'; expected a Decimal"),
        ({"limit": 1}, r"^\$\.limit is 1; expected the text of a Decimal"),
        ({"many": 1}, r"^\$\.many is 1; expected a list"),
        ({"many": [1, "2"]}, r"^\$\.many\[1\] is '2'; expected int"),
        ({"extra": 1}, r"^\$ has an unknown field 'extra'"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_path(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        from_plain(Sample, {"number": "0x1p+0", **change})


def test_missing_field_is_named() -> None:
    with pytest.raises(InvalidInputError, match=r"^\$ lacks the field 'number'"):
        from_plain(Sample, {})


def test_nested_path_is_named() -> None:
    with pytest.raises(InvalidInputError, match=r"^\$\.pulses\[1\]\.stamp is 'x'; expected int"):
        from_plain(PulseTrain, {"pulses": [{"stamp": 1, "index": 0}, {"stamp": "x", "index": 1}]})


@pytest.mark.parametrize("plain", [None, [], "x", 3])
def test_a_dataclass_is_read_from_a_map_only(plain: Any) -> None:
    with pytest.raises(InvalidInputError, match="expected the fields of Pulse"):
        from_plain(Pulse, plain)


@pytest.mark.parametrize("value", [b"x", object(), {"a": 1}, 1j])
def test_what_has_no_plain_form_is_refused(value: object) -> None:
    with pytest.raises(InvalidInputError, match="has no plain form"):
        to_plain(value)


def test_contradicting_values_are_refused_when_read() -> None:
    stamps = [{"stamp": 5, "index": 0}, {"stamp": 5, "index": 1}]
    with pytest.raises(InvalidInputError, match="pulse 1 is stamped 5, not after pulse 0"):
        from_plain(PulseTrain, {"pulses": stamps})


def test_enumerations_are_written_as_their_value() -> None:
    class Colour(enum.Enum):
        RED = "red"

    assert to_plain(Colour.RED) == "red"
