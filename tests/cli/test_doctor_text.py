"""Every finding has its words in both languages; the table and the JSON say the same."""

import io
import re
import string
from pathlib import Path

import pytest
from rich.console import Console

from spotcheck_cli.doctor_table import findings_summary, print_findings, worst
from spotcheck_cli.doctor_text import OUTCOMES, TITLES, WORDS, title_of, words_of
from spotcheck_device.doctor import finding as findings_module
from spotcheck_device.doctor.finding import Outcome, failed, ok, warning

CHECKS = Path(findings_module.__file__).parent
CODES = {
    code
    for path in CHECKS.glob("*.py")
    for code in re.findall(r'"([a-z-]+\.[a-z-]+)"', path.read_text("utf-8"))
    if not code.endswith(".service")
}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_code_has_words_and_every_check_a_title() -> None:
    assert set(WORDS) == CODES
    assert set(TITLES) == {code.partition(".")[0] for code in CODES}
    assert set(OUTCOMES) == set(Outcome)


@pytest.mark.parametrize("code", WORDS)
def test_both_languages_name_the_same_facts_and_have_a_cure_both_or_neither(code: str) -> None:
    (found_en, found_zh), (cure_en, cure_zh) = WORDS[code]
    assert placeholders(found_en) == placeholders(found_zh)
    assert placeholders(cure_en) == placeholders(cure_zh)
    assert bool(cure_en) == bool(cure_zh)
    assert found_en
    assert found_zh


def test_only_what_is_ok_has_no_cure() -> None:
    for path in CHECKS.glob("*.py"):
        text = path.read_text("utf-8")
        for kind, code in re.findall(r'\b(ok|warning|failed)\(\s*"([a-z-]+\.[a-z-]+)"', text):
            assert bool(WORDS[code][1][0]) == (kind != "ok"), code


FINDINGS = [
    ok("room.good", free_mb=5000),
    warning("front-end.left-alone"),
    failed("correction.unreadable", text="[red]/etc/x[/]: no such file"),
]


@pytest.mark.parametrize(("language", "word"), [("en", "failed"), ("zh", "不合格")])
def test_table_shows_every_finding_with_outcome_and_cure(language: str, word: str) -> None:
    console = Console(file=io.StringIO(), width=200)
    print_findings(console, FINDINGS, language)
    shown = console.file.getvalue()
    for finding in FINDINGS:
        assert title_of(finding, language) in shown
        for text in words_of(finding, language):
            assert text in shown
    assert f"1 {word}" in shown.splitlines()[-1]


def test_json_holds_codes_facts_and_the_worst_outcome() -> None:
    summary = findings_summary(FINDINGS, "en")
    assert summary["outcome"] == "failed"
    assert summary["findings"][0] == {
        "check": "room", "code": "room.good", "outcome": "ok", "facts": {"free_mb": 5000},
        "found": "5000 MB", "cure": "",
    }  # fmt: skip
    assert worst(FINDINGS[:2]) is Outcome.WARNING
    assert worst(FINDINGS[:1]) is Outcome.OK
