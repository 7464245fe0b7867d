"""Canonical JSON: one value has exactly one byte string, so that hashes mean something.

Holds objects, arrays, strings, integers, booleans and null. Keys are sorted by code point,
there is no white space, text is UTF-8 and unescaped but for what JSON demands. Floating-point
numbers are refused; they are written as `float.hex` strings by `spotcheck.plain`.
(Like RFC 8785 but for two things: no floats, and keys beyond U+FFFF sort by code point.)
"""

import json
from typing import Any

from spotcheck.errors import CanonicalFormError

LARGEST_INTEGER = (1 << 63) - 1


def canonical_bytes(value: Any) -> bytes:
    """The one byte string of `value`.

    Raises:
        CanonicalFormError: names the path of what cannot be held.
    """
    try:
        _refuse_what_has_no_canonical_form(value, "$")
        text = json.dumps(
            value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
        )
        return text.encode()
    except UnicodeEncodeError as error:
        raise CanonicalFormError(f"a text holds half a character: {error}") from error
    except RecursionError as error:
        raise CanonicalFormError("nested too deeply") from error


def parse_canonical(data: bytes) -> Any:
    """The value of canonical bytes.

    Raises:
        CanonicalFormError: the bytes are no JSON, or not the canonical form of their value.
    """
    try:
        value = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise CanonicalFormError(f"not JSON: {error}") from error
    if canonical_bytes(value) != data:
        raise CanonicalFormError("JSON, but not in canonical form: it was altered or reformatted")
    return value


def _refuse_what_has_no_canonical_form(value: Any, path: str) -> None:
    match value:
        case None | bool() | str():
            return
        case int():
            if abs(value) > LARGEST_INTEGER:
                raise CanonicalFormError(f"{path} is {value}, beyond 63 bits")
        case dict():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise CanonicalFormError(f"{path} has the key {key!r}, which is no string")
                _refuse_what_has_no_canonical_form(item, f"{path}.{key}")
        case list() | tuple():
            for number, item in enumerate(value):
                _refuse_what_has_no_canonical_form(item, f"{path}[{number}]")
        case _:
            raise CanonicalFormError(f"{path} is a {type(value).__name__}; write it as a string")
