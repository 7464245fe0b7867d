"""Which channel is which is stated, never guessed."""

from pathlib import Path

import pytest

from spotcheck.errors import RecordingChannelError
from spotcheck_recording.channel_map import (
    MappedChannel,
    parse_channel_map,
    resolve,
    unit_quantity,
)
from spotcheck_recording.recording import Quantity, SourceChannel

FILE = Path("some.file")


def channel(number: int, key: str, unit: str = "", phase: str = "") -> SourceChannel:
    known = unit_quantity(unit)
    return SourceChannel(
        key=key,
        number=number,
        unit=unit,
        phase_label=phase,
        quantity=known[0] if known else None,
    )


def found(
    sources: list[SourceChannel],
    maps: list[str],
    scales: list[str] | None = None,
    *,
    strict: bool = False,
) -> tuple[MappedChannel, ...]:
    stated = parse_channel_map(maps, scales or [])
    return resolve(FILE, sources, stated, scale_without_unit=strict)


def test_channels_are_named_by_key_or_number_in_the_order_of_phases() -> None:
    sources = [channel(1, "Ia", "A"), channel(2, "Ua", "kV"), channel(3, "Ib"), channel(4, "x=y")]
    mapped = found(sources, ["i2=3", "u2=x=y", "U1=Ua", " i1 = Ia "], ["u1=2", "i2=-0.5"])
    assert [(m.name, m.source.number, m.factor) for m in mapped] == [
        ("u1", 2, 2000.0),
        ("i1", 1, 1.0),
        ("u2", 4, 1.0),
        ("i2", 3, -0.5),
    ]


@pytest.mark.parametrize("text", ["u1", "u4=x", "x1=2", "u1=", "=3", "u0=1", "u11=2"])
def test_malformed_options_are_refused(text: str) -> None:
    with pytest.raises(RecordingChannelError, match="write it as in --map u1=NAME"):
        parse_channel_map([text])


@pytest.mark.parametrize("text", ["u1=0", "u1=abc", "u1=nan", "u1=inf"])
def test_malformed_scales_are_refused(text: str) -> None:
    with pytest.raises(RecordingChannelError, match="is no factor"):
        parse_channel_map([], [text])


def test_options_given_twice_are_refused() -> None:
    with pytest.raises(RecordingChannelError, match="--map u1=… is given twice"):
        parse_channel_map(["u1=1", "u1=2"])
    with pytest.raises(RecordingChannelError, match="--scale u1=… is given twice"):
        parse_channel_map([], ["u1=1", "u1=2"])


def test_duplicate_names_must_be_given_by_number() -> None:
    sources = [channel(1, "U", "V"), channel(2, "U", "V"), channel(3, "I", "A")]
    with pytest.raises(RecordingChannelError, match=r"matches 2 channels.*u1=#1, --map u1=#2"):
        found(sources, ["u1=U", "i1=I"])
    assert found(sources, ["u1=2", "i1=I"])[0].source.number == 2


def test_name_that_is_the_number_of_another_must_be_given_by_number() -> None:
    sources = [channel(1, "2", "V"), channel(2, "I", "A")]
    with pytest.raises(RecordingChannelError, match="matches 2 channels"):
        found(sources, ["u1=1", "i1=2"])
    assert found(sources, ["u1=1", "i1=#2"])[1].source.key == "I"


def test_unknown_key_lists_at_most_forty_channels() -> None:
    sources = [channel(n, f"c{n}", "V", "A") for n in range(1, 46)]
    with pytest.raises(RecordingChannelError) as caught:
        found(sources, ["u1=zz", "i1=2"])
    message = str(caught.value)
    assert "some.file: no channel 'zz' for u1" in message
    assert "  40: c40 [V] phase A\n  and 5 more\n" in message
    assert "c41" not in message
    assert "--map u1=c1" in message


@pytest.mark.parametrize("maps", [["u1=1"], ["u2=1", "i2=2"], ["u1=1", "i1=2", "i3=3"]])
def test_each_phase_needs_voltage_and_current_and_the_first_is_there(maps: list[str]) -> None:
    sources = [channel(n, f"c{n}") for n in range(1, 5)]
    with pytest.raises(RecordingChannelError, match="is missing; the file has"):
        found(sources, maps)


def test_unit_that_contradicts_is_refused() -> None:
    sources = [channel(1, "a", "A"), channel(2, "b", "kV")]
    with pytest.raises(
        RecordingChannelError, match=r"channel 1 \(a\) is in A, but is mapped as u1"
    ):
        found(sources, ["u1=1", "i1=2"], ["u1=5"])


def test_foreign_unit_needs_a_scale() -> None:
    sources = [channel(1, "u", "pu"), channel(2, "i", "A")]
    with pytest.raises(RecordingChannelError, match="is in 'pu'; say how many V"):
        found(sources, ["u1=1", "i1=2"])
    assert found(sources, ["u1=1", "i1=2"], ["u1=230"])[0].factor == 230.0


def test_one_channel_is_not_mapped_twice() -> None:
    sources = [channel(1, "x"), channel(2, "y")]
    with pytest.raises(RecordingChannelError, match=r"channel 1 \(x\) is mapped as u1 and as i1"):
        found(sources, ["u1=1", "i1=1"])


def test_scale_of_what_is_not_mapped_is_refused() -> None:
    with pytest.raises(RecordingChannelError, match="u2 is not mapped"):
        found([channel(1, "x"), channel(2, "y")], ["u1=1", "i1=2"], ["u2=3"])


@pytest.mark.parametrize("labels", ["ABC", "abc", ("L1", "l2", "L3"), "123"])
def test_labels_of_phases_are_understood(labels: str) -> None:
    sources = [channel(n, f"u{x}", "V", x) for n, x in enumerate(labels, start=1)]
    sources += [channel(n, f"i{x}", "A", x) for n, x in enumerate(labels, start=4)]
    mapped = resolve(FILE, sources, None, scale_without_unit=True)
    assert [m.source.number for m in mapped] == [1, 4, 2, 5, 3, 6]


@pytest.mark.parametrize(
    "sources",
    [
        [channel(1, "u", "V", "A")],
        [channel(1, "u", "V", "B"), channel(2, "i", "A", "B")],
        [channel(1, "u", "V", "A"), channel(2, "i", "A", "A"), channel(3, "i", "A", "A")],
        [channel(1, "u", "V", "A"), channel(2, "i", "A", "A"), channel(3, "i", "A", "B")],
        [channel(1, "u", "V", ""), channel(2, "i", "A", "")],
        [channel(1, "u", "W", "A"), channel(2, "i", "A", "A")],
        [],
    ],
)
def test_doubtful_phases_are_not_guessed(sources: list[SourceChannel]) -> None:
    with pytest.raises(RecordingChannelError, match="--map u1=NAME --map i1=NAME"):
        resolve(FILE, sources, None, scale_without_unit=True)


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("V", (Quantity.VOLTAGE, 1.0)),
        ("KV", (Quantity.VOLTAGE, 1e3)),
        (" mA ", (Quantity.CURRENT, 1e-3)),
        ("µV", (Quantity.VOLTAGE, 1e-6)),
        ("VA", None),
        ("kVA", None),
        ("Hz", None),
        ("", None),
        ("cV", None),
    ],
)
def test_units(unit: str, expected: tuple[Quantity, float] | None) -> None:
    assert unit_quantity(unit) == expected
