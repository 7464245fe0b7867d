"""Host messages: exactly the declared fields, exactly the declared types, canonical CBOR."""

import dataclasses
import types
import typing
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import Frame, FrameDecoder, FrameEncoder
from spotcheck_wire.host_messages import (
    HOST_TABLE,
    Acknowledge,
    BlobChunk,
    Credit,
    DeviceHello,
    Finished,
    HostHello,
    HostMessage,
    LiveView,
    Notice,
    Outcome,
    Progress,
    Refused,
    StartMeasurement,
    StopMeasurement,
    WatchLive,
    decode_host,
    encode_host,
)

DIGEST = "0123456789abcdef" * 4
i64 = st.integers(-(1 << 63), (1 << 64) - 1)
finite = st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | i64 | finite | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
BY_HINT: dict[Any, st.SearchStrategy[Any]] = {
    int: i64,
    str: st.text(max_size=20),
    bool: st.booleans(),
    float: finite,
    bytes: st.binary(max_size=20),
    dict[str, object]: st.dictionaries(st.text(max_size=5), plain, max_size=4),
}


def of_class(message_class: type[Any]) -> st.SearchStrategy[Any]:
    """Draw any value of each field's declared type."""
    strategies = {}
    for name, hint in typing.get_type_hints(message_class).items():
        if isinstance(hint, types.UnionType):
            present = next(part for part in typing.get_args(hint) if part is not type(None))
            strategies[name] = st.none() | BY_HINT[present]
        else:
            strategies[name] = BY_HINT[hint]
    if message_class is DeviceHello:
        strategies["correction_set_sha256"] = digests
    if message_class is Outcome:
        strategies["kind"] = st.sampled_from(["reading", "cannot judge"])
        strategies["evidence_sha256"] = st.none() | digests
        strategies["correction_set_sha256"] = digests
        strategies["signature"] = st.binary(min_size=64, max_size=64)
    if message_class is Credit:
        strategies["total_bytes"] = st.integers(0, (1 << 64) - 1)
    if message_class is BlobChunk:
        strategies["sha256"] = digests
        strategies["data"] = st.binary(min_size=1, max_size=20)
        strategies["offset"] = st.integers(0, 1000)
        strategies["total_bytes"] = st.integers(1020, 1 << 40)
    if message_class is WatchLive:
        strategies["interval_ms"] = st.just(0) | st.integers(50, 10_000)
        strategies["points"] = st.integers(16, 2048)
    if message_class is LiveView:
        return of_live_view(strategies)
    return st.builds(message_class, **strategies)


@st.composite
def of_live_view(draw: st.DrawFn, strategies: dict[str, st.SearchStrategy[Any]]) -> LiveView:
    """Draw a view whose arrays are as long as it says."""
    fields = {name: draw(strategy) for name, strategy in strategies.items()}
    for count, data in (("trace_points", "traces"), ("harmonic_orders", "harmonics")):
        fields[count] = draw(st.integers(0, 3))
        size = draw(st.sampled_from([8, 24])) * fields[count]
        fields[data] = draw(st.binary(min_size=size, max_size=size))
    return LiveView(**fields)


any_message = st.one_of(*(of_class(message_class) for message_class in HOST_TABLE.values()))
PROGRESS = Progress(
    request_id="r",
    sample=1,
    state="counting",
    pulses=3,
    power_w=1.5,
    error_percent=None,
    expanded_uncertainty_percent=None,
    expected_wait_s=None,
)

VIEW = LiveView(
    sample=1,
    state="idle",
    conditions={},
    obstacle="waiting for samples",
    overload=False,
    trace_interval_s=0.0,
    trace_points=0,
    traces=b"",
    harmonic_orders=0,
    harmonics=b"",
)

OUTCOME = Outcome(
    request_id="r",
    kind="reading",
    outcome_id="o",
    body={},
    evidence_sha256=None,
    device_id="SC-1",
    boot=1,
    correction_set_sha256=DIGEST,
    signature=bytes(64),
)


def frame(message_type: int, body: bytes) -> Frame:
    return Frame(version=2, type=message_type, sequence=0, body=body)


def changed(message: HostMessage, **values: object) -> Frame:
    """Encode `message` with fields set to what its class would not let through."""
    message_type, body = encode_host(message)
    return frame(message_type, cbor2.dumps({**cbor2.loads(body), **values}, canonical=True))


@given(any_message)
def test_message_comes_back_as_it_was_over_the_framing(message: HostMessage) -> None:
    line = FrameEncoder().encode(*encode_host(message))
    (event,) = FrameDecoder().feed(line)
    assert isinstance(event, Frame)
    assert decode_host(event) == message


@given(st.sampled_from(sorted(HOST_TABLE)), st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_named_error(message_type: int, body: bytes) -> None:
    with pytest.raises(MessageError):
        decode_host(frame(message_type, body))


@given(st.sampled_from(sorted(HOST_TABLE)), plain)
def test_any_cbor_that_is_no_message_is_a_named_error(message_type: int, value: object) -> None:
    with pytest.raises(MessageError):
        decode_host(frame(message_type, cbor2.dumps(value, canonical=True)))


@pytest.mark.parametrize("message_class", HOST_TABLE.values())
def test_every_field_is_demanded_by_name(message_class: type[Any]) -> None:
    message_type = next(kind for kind, known in HOST_TABLE.items() if known is message_class)
    names = [field.name for field in dataclasses.fields(message_class)]
    for missing in names:
        body = cbor2.dumps({name: None for name in names if name != missing})
        with pytest.raises(MessageError, match=message_class.__name__):
            decode_host(frame(message_type, body))
    first = names[0]
    with pytest.raises(MessageError, match=rf"{message_class.__name__}\.{first} is missing"):
        decode_host(frame(message_type, cbor2.dumps({})))


def test_unknown_field_is_named() -> None:
    with pytest.raises(MessageError, match="HostHello has no field 'extra'"):
        decode_host(changed(HostHello(protocol=1, software="s"), extra=1))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("pulses", 3.0, "pulses is float, not int"),
        ("pulses", True, "pulses is bool, not int"),
        ("pulses", None, "pulses is NoneType, not int"),
        ("pulses", 1 << 64, "pulses does not fit into 64 bits"),
        ("power_w", 2, "power_w is int, not float"),
        ("power_w", float("nan"), "power_w is nan"),
        ("error_percent", float("inf"), "error_percent is inf"),
        ("error_percent", "0.1", "error_percent is str, not float or NoneType"),
        ("state", b"counting", "state is bytes, not str"),
    ],
)
def test_mistyped_field_is_named(name: str, value: object, said: str) -> None:
    with pytest.raises(MessageError, match=said):
        decode_host(changed(PROGRESS, **{name: value}))
    with pytest.raises(MessageError, match=said):
        encode_host(dataclasses.replace(PROGRESS, **{name: value}))  # type: ignore[arg-type]


def test_free_form_field_holds_plain_values_only() -> None:
    start = StartMeasurement(
        request_id="r",
        start_sample=0,
        meter={"class": "1"},
        minimum_pulses=1,
        minimum_duration_ms=0,
        maximum_duration_ms=1,
        readings=1,
        conditions={},
    )
    with pytest.raises(MessageError, match="meter has a key that is int"):
        decode_host(changed(start, meter={1: "x"}))
    with pytest.raises(MessageError, match=r"meter\.when is CBORTag|meter\.when is datetime"):
        decode_host(changed(start, meter={"when": cbor2.CBORTag(1, 0)}))
    deep: object = 0
    for _ in range(20):
        deep = [deep]
    with pytest.raises(MessageError, match="nested deeper"):
        encode_host(dataclasses.replace(start, meter={"deep": deep}))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not CBOR"),
        (b"\xa1", "not CBOR"),
        (b"\x80", "list, not a map"),
        (b"\x81" * 5000, "not CBOR"),
        (b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff", "not CBOR"),
        (b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", "not CBOR"),
        (b"\x61\xff", "not CBOR"),
        (b"\xd8\x1d\x00", "not CBOR"),
        (b"\xa1\x80\x00", "has no field"),
        (b"\xa1\xa1\x61a\x00\x00", "has no field|not CBOR"),
    ],
)
def test_what_is_not_a_cbor_map_is_told(body: bytes, said: str) -> None:
    with pytest.raises(MessageError, match=said):
        decode_host(frame(0x27, body))


def test_second_spelling_of_a_message_is_refused() -> None:
    _, body = encode_host(Acknowledge(outcome_id="a"))
    assert body == b"\xa1\x6aoutcome_id\x61a"
    longer_length = b"\xa1\x78\x0aoutcome_id\x61a"
    doubled_key = b"\xa2\x6aoutcome_id\x61b\x6aoutcome_id\x61a"
    for spelling in (body + b"\x00", longer_length, doubled_key):
        with pytest.raises(MessageError, match=r"not in canonical form|not CBOR"):
            decode_host(frame(0x27, spelling))


def test_unknown_type_is_named() -> None:
    with pytest.raises(MessageError, match="0x2E is not in the host's table"):
        decode_host(frame(0x2E, b"\xa0"))


def test_kind_of_an_outcome_is_one_of_two() -> None:
    with pytest.raises(MessageError, match=r"Outcome\.kind is 'guess'"):
        dataclasses.replace(OUTCOME, kind="guess")


@pytest.mark.parametrize("length", [0, 63, 65])
def test_signature_of_an_outcome_has_its_length(length: int) -> None:
    with pytest.raises(MessageError, match=rf"signature has {length} bytes, not 64"):
        decode_host(changed(OUTCOME, signature=bytes(length)))


def test_credit_is_no_debt() -> None:
    with pytest.raises(MessageError, match="total_bytes is -1"):
        decode_host(changed(Credit(total_bytes=1), total_bytes=-1))


@pytest.mark.parametrize("interval_ms", [-1, 1, 49, 10_001])
def test_interval_of_watching_has_its_limits(interval_ms: int) -> None:
    with pytest.raises(MessageError, match=rf"WatchLive\.interval_ms is {interval_ms};"):
        decode_host(changed(WatchLive(interval_ms=0, points=16), interval_ms=interval_ms))


@pytest.mark.parametrize("points", [-1, 0, 15, 2049])
def test_points_of_a_trace_have_their_limits(points: int) -> None:
    with pytest.raises(MessageError, match=rf"WatchLive\.points is {points};"):
        decode_host(changed(WatchLive(interval_ms=50, points=16), points=points))


@pytest.mark.parametrize(
    ("count", "data"), [(-1, b""), (0, bytes(8)), (1, b""), (1, bytes(16)), (2, bytes(25))]
)
@pytest.mark.parametrize(
    ("count_name", "name"), [("trace_points", "traces"), ("harmonic_orders", "harmonics")]
)
def test_curves_of_a_view_are_as_long_as_it_says(
    count_name: str, name: str, count: int, data: bytes
) -> None:
    with pytest.raises(MessageError, match=rf"LiveView\.{name} has {len(data)} bytes"):
        decode_host(changed(VIEW, **{count_name: count, name: data}))


def test_largest_view_of_three_phases_fits_into_a_frame() -> None:
    phase: dict[str, object] = dict.fromkeys("abcdefgh", (0.1).hex())
    largest = dataclasses.replace(
        VIEW,
        conditions={"phases": [phase] * 3},
        trace_points=2048,
        traces=b"\x01" * 2048 * 24,
        harmonic_orders=50,
        harmonics=b"\x01" * 50 * 24,
    )
    (event,) = FrameDecoder().feed(FrameEncoder().encode(*encode_host(largest)))
    assert isinstance(event, Frame)
    assert decode_host(event) == largest


@pytest.mark.parametrize("digest", ["", "ab", DIGEST.upper(), DIGEST + "0", DIGEST[:-1] + "\n"])
def test_digest_is_spelt_one_way(digest: str) -> None:
    with pytest.raises(MessageError, match="evidence_sha256 is not 64"):
        dataclasses.replace(OUTCOME, evidence_sha256=digest)
    with pytest.raises(MessageError, match="correction_set_sha256 is not 64"):
        dataclasses.replace(OUTCOME, correction_set_sha256=digest)


def test_table_is_the_published_one() -> None:
    assert list(HOST_TABLE.items()) == [
        (0x20, DeviceHello),
        (0x21, HostHello),
        (0x22, StartMeasurement),
        (0x23, StopMeasurement),
        (0x24, Progress),
        (0x25, Outcome),
        (0x26, BlobChunk),
        (0x27, Acknowledge),
        (0x28, Finished),
        (0x29, Notice),
        (0x2A, Refused),
        (0x2B, WatchLive),
        (0x2C, LiveView),
        (0x2D, Credit),
    ]
