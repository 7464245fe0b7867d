import re
import string
from dataclasses import replace

import pytest

from spotcheck.errors import ConfigurationError
from spotcheck.reading import CURES, Reason
from spotcheck.rule import load_rule, rule_ids
from spotcheck.verdict import Judgement
from spotcheck_host.report_fonts import NO_CHINESE_FONT, report_fonts, settable
from spotcheck_host.report_text import JUDGEMENTS, LABELS, REASONS, WORDS, phrase

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SAME_IN_BOTH = {"u_standard", "thd_u", "thd_i"}


def test_every_label_is_there_in_both_languages() -> None:
    for key, (chinese, english) in LABELS.items():
        assert chinese, key
        assert english, key
        assert not CHINESE.search(english), key
        if key not in SAME_IN_BOTH:
            assert CHINESE.search(chinese), key


def test_both_languages_of_a_label_have_the_same_places_to_fill() -> None:
    def places(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    for key, (chinese, english) in LABELS.items():
        assert places(chinese) == places(english), key


def test_every_value_that_a_report_prints_has_a_word_in_both_languages() -> None:
    assert set(JUDGEMENTS) == set(Judgement)
    assert set(REASONS) == set(Reason) == set(CURES)
    kinds = {type(value) for value in WORDS}
    assert {value for kind in kinds for value in kind} == set(WORDS)
    for chinese, english in [*WORDS.values(), *JUDGEMENTS.values()]:
        assert chinese
        assert english.isascii()
        assert not chinese.isascii() or chinese.startswith("PPS")
    assert all(CHINESE.search(text) for pair in REASONS.values() for text in pair)


def test_clauses_of_all_rules_leave_no_english_in_the_chinese_report() -> None:
    for rule_id in rule_ids():
        rule = load_rule(rule_id)
        for text in [*(limit.clause for limit in rule.limits), rule.source]:
            words = re.findall(r"[A-Za-z]{3,}", phrase(text, "zh"))
            assert set(words) <= {"JJG", "JJF", "Imax"}, text
            assert phrase(text, "en") == text


def test_every_character_of_every_text_can_be_set() -> None:
    fonts = report_fonts()
    assert fonts.chinese_family is not None, NO_CHINESE_FONT
    texts = [*LABELS.values(), *REASONS.values(), *WORDS.values(), *JUDGEMENTS.values()]
    for pair in texts:
        for text in pair:
            assert settable(text, fonts) == text


def test_what_cannot_be_set_or_would_reorder_text_is_spelled_out() -> None:
    fonts = report_fonts()
    assert settable("a\u202eb", fonts) == "a[U+202E]b"
    assert settable("\U0001f9ff", fonts) == "[U+1F9FF]"
    assert settable("a\nb\x00", fonts) == "a b[U+0000]"
    assert settable("#*$<张>", fonts) == "#*$<张>"


def test_missing_chinese_font_is_an_error_that_says_what_to_install() -> None:
    latin = frozenset(range(32, 127))
    fonts = replace(report_fonts(), chinese_family=None, chinese_path=None, characters=latin)
    assert settable("Zhang", fonts) == "Zhang"
    with pytest.raises(ConfigurationError, match="apt-get install fonts-wqy-microhei"):
        settable("张", fonts)
