"""One value, one byte string."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck.canonical_json import canonical_bytes, parse_canonical
from spotcheck.errors import CanonicalFormError

TEXT = st.text(st.characters(exclude_categories=("Cs",)))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**63, 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    data = canonical_bytes(value)
    assert parse_canonical(data) == value
    assert json.loads(data) == value


@given(st.dictionaries(TEXT, st.integers(0, 9), min_size=2, max_size=6))
def test_order_of_insertion_leaves_no_trace(value: dict[str, int]) -> None:
    backwards = dict(reversed(value.items()))
    assert canonical_bytes(backwards) == canonical_bytes(value)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ({"b": 1, "a": [True, None, "x"]}, b'{"a":[true,null,"x"],"b":1}'),
        ({"kind": "误差"}, '{"kind":"误差"}'.encode()),
        ('"\\/\n\t\x01\x7f', b'"\\"\\\\/\\n\\t\\u0001\x7f"'),
        ({"\U0001f600": 1, "\uffff": 2}, '{"\uffff":2,"\U0001f600":1}'.encode()),
        (-(2**63) + 1, b"-9223372036854775807"),
        ([], b"[]"),
        ((1, 2), b"[1,2]"),
        ({}, b"{}"),
    ],
)
def test_golden_bytes(value: Any, data: bytes) -> None:
    assert canonical_bytes(value) == data


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (1.0, r"\$ is a float"),
        ({"a": [0, 2.5]}, r"\$\.a\[1\] is a float"),
        ({"a": float("nan")}, r"\$\.a is a float"),
        ({"a": b"x"}, r"\$\.a is a bytes"),
        ({1: "a"}, r"\$ has the key 1"),
        ({"a": {None: 1}}, r"\$\.a has the key None"),
        ({"n": 2**63}, r"\$\.n is 9223372036854775808, beyond 63 bits"),
        (-(2**63), "beyond 63 bits"),
        ({1, 2}, "is a set"),
        ("\ud800", "half a character"),
        ({"\udfff": 1}, "half a character"),
    ],
)
def test_what_has_no_canonical_form_is_refused_with_its_path(value: Any, path: str) -> None:
    with pytest.raises(CanonicalFormError, match=path):
        canonical_bytes(value)


def test_endless_nesting_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(CanonicalFormError, match="nested too deeply"):
        canonical_bytes(value)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1}', b'{"b":1,"a":2}', b'{"a":1,"a":1}', b'{"a":1,"a":2}', b"1.0", b"1e3", b"-0",
        b" 1", b"1\n", b'"\\u0041"', b'"\\/"', b"NaN", b"Infinity", b"9223372036854775808",
        b'"\\ud800"', b"\xef\xbb\xbf1",
    ],
)  # fmt: skip
def test_json_in_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(CanonicalFormError):
        parse_canonical(data)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b"1" * 5000])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(CanonicalFormError, match="not JSON"):
        parse_canonical(data)


def test_golden_file_is_read_and_written_again_byte_for_byte() -> None:
    data = (Path(__file__).parent / "golden" / "canonical_v1.json").read_bytes()
    value = parse_canonical(data)
    assert value == {
        "€": 2**63 - 1,
        "zh": "电能表",
        "é": "composed",
        "quote": '"\\\n\x01',
        "a": {"z": 0, "n": -(2**63 - 1)},
        "A": [True, False, None],
        "": "empty key",
    }
    assert canonical_bytes(value) == data
