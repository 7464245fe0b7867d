"""On which line of a TOML text each key stands; `tomllib` gives values without their place.

TOML v1.0.0. Only a text that `tomllib` has read is scanned, so the scan need not find mistakes:
it steps over whole statements, and lets `tomllib` decode each key.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

_STRING = (
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'  # two quotes may stand before the closing three
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
)
_SKIPPED = re.compile(r"(?:\s|#[^\n]*)*")
_KEY = re.compile(rf"(?:{_STRING}|[^\"'=\]\n])+", re.DOTALL)
_VALUE_PART = re.compile(rf"{_STRING}|#[^\n]*|[\[{{]|[\]}}]|\n|[^\"'#\[\]{{}}\n]+", re.DOTALL)


def key_lines(text: str) -> dict[tuple[str, ...], int]:
    """The line, from 1, on which each key and table first stands, by its path.

    Keys within inline tables and arrays are left out: they stand in the value of their key.

    Args:
        text: What `tomllib.loads` has read without an error.
    """
    lines: dict[tuple[str, ...], int] = {}
    for path, position in _statements(text):
        line = text.count("\n", 0, position) + 1
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], line)
    return lines


def _statements(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Path and position of each table header and each key."""
    table: tuple[str, ...] = ()
    position = _skip(text, 0)
    while position < len(text):
        begin = position
        if text[position] == "[":
            brackets = 2 if text.startswith("[[", position) else 1
            table, position = _key(text, position + brackets)
            position += brackets
            yield table, begin
        else:
            key, position = _key(text, position)
            position = _end_of_value(text, position + len("="))
            yield (*table, *key), begin
        position = _skip(text, position)


def _skip(text: str, position: int) -> int:
    match = _SKIPPED.match(text, position)
    return match.end() if match else position


def _key(text: str, position: int) -> tuple[tuple[str, ...], int]:
    """The parts of a dotted key, and where it ends."""
    match = _KEY.match(text, position)
    end = match.end() if match else position
    inner: Any = tomllib.loads(f"{text[position:end]} = 0")
    parts = []
    while isinstance(inner, dict):
        ((part, inner),) = inner.items()
        parts.append(part)
    return tuple(parts), end


def _end_of_value(text: str, position: int) -> int:
    """Where a value ends: at the first line's end outside of strings and brackets."""
    depth = 0
    while match := _VALUE_PART.match(text, position):
        part = match.group()
        if part == "\n" and not depth:
            break
        depth += (part in "[{") - (part in "]}")
        position = match.end()
    return position
