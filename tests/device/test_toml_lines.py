"""Where a key stands, held against texts whose writer knows, and against what tomllib reads."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_device.toml_lines import key_lines

# Whatever may stand between keys, and whatever a value may be, with what looks like a statement.
FILLERS = ["", "  ", "# a = 1", '# """', "\t# 'x' [t]", "#"]
VALUES = [
    "1", "-1.5e3", "true", "1979-05-27 07:32:00Z", "inf",
    '"a = 1 # no comment"', '"\\"]"', "'C:\\'", '""', "''",
    '"""\nb = 2\n[c]\n"""', '"""a""""', '"""""a"""""', '"""\\"""x"""', '""""""', '"""x\\\n  y"""',
    "'''\nb = '2'\n#'''", "''''a'''''", "''''''",
    "[1, 2]", '[\n  "]", # ]\n  [1, [2]],\n]', "[]", "[\n]",
    '{ a = 1, "b = 2" = [1,\n 2], c = { d = "}" } }', "{}", '[{ x = "]" },\n # }\n { y = 2 }]',
]  # fmt: skip


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


QUOTED = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6).map(quoted)
LITERAL = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="'"), max_size=6
)
PARTS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True),
    QUOTED,
    LITERAL.map(lambda text: f"'{text}'"),
)
KEYS = st.lists(PARTS, min_size=1, max_size=3)


def one(part: str) -> str:
    (name,) = tomllib.loads(f"{part} = 0")
    return name


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, dict[tuple[str, ...], int]]:
    """A TOML text, and the line on which its writer put each key."""
    text = ""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    for _ in range(draw(st.integers(0, 8))):
        text += "".join(filler + newline for filler in draw(st.lists(st.sampled_from(FILLERS))))
        parts = draw(KEYS)
        dots = draw(st.sampled_from([".", " . "])).join(parts)
        if draw(st.integers(0, 3)) == 0:
            table, written = tuple(map(one, parts)), f"[{dots}]"
            if draw(st.booleans()):
                written = f"[{written}]"
            path = table
        else:
            path = (*table, *map(one, parts))
            value = draw(st.sampled_from(VALUES)).replace("\n", newline)
            written = draw(st.sampled_from([f"{dots}={value}", f" {dots} = {value}  # = 3"]))
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], text.count("\n") + 1)
        text += written + newline
    if draw(st.booleans()):
        text = text.removesuffix(newline)
    return text, lines


@given(texts())
def test_every_key_has_the_line_on_which_it_was_written(
    written: tuple[str, dict[tuple[str, ...], int]],
) -> None:
    text, lines = written
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # the same key twice, or a table in a value
    assert key_lines(text) == lines
    assert {path[0] for path in key_lines(text)} == set(values)


@pytest.mark.parametrize("value", VALUES)
def test_no_value_hides_the_key_behind_it(value: str) -> None:
    text = f"a = {value}\nb = 1"
    assert set(tomllib.loads(text)) == {"a", "b"}
    assert key_lines(text) == {("a",): 1, ("b",): text.count("\n") + 1}


def test_arrays_of_tables_have_the_line_of_their_first_header() -> None:
    assert key_lines("[[x.y]]\na=1\n[[x.y]]\na=2\nb=1") == {
        ("x",): 1, ("x", "y"): 1, ("x", "y", "a"): 2, ("x", "y", "b"): 5,
    }  # fmt: skip
