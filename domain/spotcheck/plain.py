"""Values of the vocabulary as plain integers, strings, lists and maps, and back.

Floats become `float.hex` strings (exact), decimals and fractions their exact text, enums their
value, tuples lists. What cannot be read back raises, with the path of the field.
"""

import enum
import re
import types
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from spotcheck.errors import InvalidInputError

T = TypeVar("T")
LATER = "added later"
"""Metadata of a field that a version did not have at first: written only where it differs from its
default, so that what was written before keeps its bytes."""
_FRACTION = re.compile(r"-?\d{1,40}(/\d{1,40})?")


def to_plain(value: Any) -> Any:
    """`value` in integers, strings, booleans, None, lists and maps."""
    match value:
        case enum.Enum():
            return value.value
        case None | bool() | int() | str():
            return value
        case float():
            return value.hex()
        case Decimal() | Fraction():
            return str(value)
        case tuple() | list():
            return [to_plain(item) for item in value]
    if is_dataclass(value):
        written = ((field, getattr(value, field.name)) for field in fields(value))
        return {
            field.name: to_plain(item)
            for field, item in written
            if not (LATER in field.metadata and item == field.default)
        }
    raise InvalidInputError(f"a {type(value).__name__} has no plain form")


def from_plain(cls: type[T], plain: Any, path: str = "$") -> T:
    """The `cls` that `to_plain` wrote.

    Raises:
        InvalidInputError: names the path, what stands there and what was expected.
    """
    result: T = _read(cls, plain, path)
    return result


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _read(hint: Any, plain: Any, path: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _read_optional(get_args(hint), plain, path)
    if origin is tuple:
        if not isinstance(plain, list):
            raise _wrong(path, plain, "a list")
        item_hint = get_args(hint)[0]
        return tuple(_read(item_hint, item, f"{path}[{n}]") for n, item in enumerate(plain))
    if is_dataclass(hint):
        return _read_dataclass(hint, plain, path)
    return _read_scalar(hint, plain, path)


def _read_optional(choices: tuple[Any, ...], plain: Any, path: str) -> Any:
    if plain is None and type(None) in choices:
        return None
    (inner,) = (choice for choice in choices if choice is not type(None))
    return _read(inner, plain, path)


def _read_dataclass(cls: Any, plain: Any, path: str) -> Any:
    if not isinstance(plain, dict):
        raise _wrong(path, plain, f"the fields of {cls.__name__}")
    known = {field.name: field for field in fields(cls)}
    for name in plain:
        if name not in known:
            raise InvalidInputError(f"{path} has an unknown field {name!r}")
    for name, field in known.items():
        if name not in plain and field.default is MISSING and field.default_factory is MISSING:
            raise InvalidInputError(f"{path} lacks the field {name!r}")
    hints = _hints(cls)
    return cls(**{name: _read(hints[name], item, f"{path}.{name}") for name, item in plain.items()})


def _read_scalar(hint: Any, plain: Any, path: str) -> Any:
    if hint is int or hint is bool or hint is str:
        if type(plain) is not hint:
            raise _wrong(path, plain, hint.__name__)
        return plain
    if not isinstance(plain, str):
        raise _wrong(path, plain, f"the text of a {hint.__name__}")
    if hint is Fraction and not _FRACTION.fullmatch(plain):
        raise _wrong(path, plain, "a fraction of integers")
    try:
        return float.fromhex(plain) if hint is float else hint(plain)
    except (ValueError, InvalidOperation, OverflowError, ZeroDivisionError) as error:
        raise _wrong(path, plain, f"a {hint.__name__}") from error


def _wrong(path: str, plain: Any, expected: str) -> InvalidInputError:
    return InvalidInputError(f"{path} is {plain!r:.60}; expected {expected}")
