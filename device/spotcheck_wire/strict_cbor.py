"""Dataclasses as CBOR maps (RFC 8949), read strictly: exactly the fields, exactly the types."""

import dataclasses
import math
import types
import typing
from typing import Any, TypeVar

import cbor2

from spotcheck_wire.errors import MessageError

MAX_DEPTH = 16
"""Deepest nesting of maps and lists inside a free-form field."""

_SMALLEST_INT = -(1 << 63)
_LARGEST_INT = (1 << 64) - 1

_Message = TypeVar("_Message")
_declarations: dict[type, dict[str, tuple[type, ...]]] = {}


def encode_fields(message: Any) -> bytes:
    """Return the dataclass `message` as one canonical CBOR map.

    Raises:
        MessageError: a field holds what its declaration does not allow.
    """
    values = {name: getattr(message, name) for name in _declared(type(message))}
    _check_fields(type(message), values)
    return cbor2.dumps(values, canonical=True)


def decode_fields(message_class: type[_Message], body: bytes) -> _Message:
    """Return the `message_class` that `body` holds.

    Raises:
        MessageError: the body is not CBOR, no map, not canonical, or a field is missing,
            unknown or mistyped; the field is named.
    """
    name = message_class.__name__
    try:
        values = cbor2.loads(body)
    except (cbor2.CBORDecodeError, ValueError, RecursionError, OverflowError) as error:
        raise MessageError(f"{name}: the body is not CBOR: {error}") from error
    if not isinstance(values, dict):
        raise MessageError(f"{name}: the body is {type(values).__name__}, not a map")
    _check_fields(message_class, values)
    message = message_class(**values)
    # One comparison finds doubled keys, bytes behind the map and long forms of numbers.
    if encode_fields(message) != body:
        raise MessageError(f"{name}: the body is not in canonical form")
    return message


def _declared(message_class: type) -> dict[str, tuple[type, ...]]:
    # functools.cache would do, but mypy holds classes not to be hashable.
    if message_class not in _declarations:
        hints = typing.get_type_hints(message_class)
        _declarations[message_class] = {
            field.name: _alternatives(hints[field.name])
            for field in dataclasses.fields(message_class)
        }
    return _declarations[message_class]


def _alternatives(hint: Any) -> tuple[type, ...]:
    parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return tuple(typing.get_origin(part) or part for part in parts)


def _check_fields(message_class: type, values: dict[Any, Any]) -> None:
    name = message_class.__name__
    declared = _declared(message_class)
    for unknown in values.keys() - declared.keys():
        raise MessageError(f"{name} has no field {unknown!r}")
    for field, allowed in declared.items():
        if field not in values:
            raise MessageError(f"{name}.{field} is missing")
        if type(values[field]) not in allowed:
            wanted = " or ".join(kind.__name__ for kind in allowed)
            found = type(values[field]).__name__
            raise MessageError(f"{name}.{field} is {found}, not {wanted}")
        _check_plain(f"{name}.{field}", values[field], MAX_DEPTH)


def _check_plain(where: str, value: Any, depth: int) -> None:
    if depth < 0:
        raise MessageError(f"{where} is nested deeper than {MAX_DEPTH}")
    if type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise MessageError(f"{where} has a key that is {type(key).__name__}, not str")
            _check_plain(f"{where}.{key}", item, depth - 1)
    elif type(value) is list:
        for position, item in enumerate(value):
            _check_plain(f"{where}[{position}]", item, depth - 1)
    else:
        _check_scalar(where, value)


def _check_scalar(where: str, value: Any) -> None:
    if type(value) not in (type(None), bool, int, float, str, bytes):
        raise MessageError(f"{where} is {type(value).__name__}, which the wire does not carry")
    if type(value) is int and not _SMALLEST_INT <= value <= _LARGEST_INT:
        raise MessageError(f"{where} does not fit into 64 bits")
    if type(value) is float and not math.isfinite(value):
        raise MessageError(f"{where} is {value}, which is no number")
