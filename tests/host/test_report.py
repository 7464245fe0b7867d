import io
import time
from dataclasses import replace
from types import ModuleType

import pypdf
import pytest

from spotcheck.errors import ConfigurationError
from spotcheck.meter import Meter
from spotcheck.reading import CURES, Reason
from spotcheck.verdict import Judgement
from spotcheck_host import report
from spotcheck_host.report import ReportData, render_report
from spotcheck_host.report_text import REASONS, Language, with_uncertainty

LANGUAGES: tuple[Language, ...] = ("zh", "en")


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def text_of(data: ReportData, language: Language) -> str:
    """The text without white space: a PDF does not say where words end."""
    return "".join("".join(pages(render_report(data, language))).split())


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("phases", [1, 3])
@pytest.mark.parametrize(
    ("error_percent", "zh", "en"),
    [(-0.832, "合格", "PASS"), (2.31, "不合格", "FAIL"), (1.046, "待定", "UNDECIDED")],
)
def test_report_fits_one_page_and_says_error_verdict_and_clause(
    examples: ModuleType, language: Language, phases: int, error_percent: float, zh: str, en: str
) -> None:
    data = examples.example(error_percent, phases, language=language)
    pdf = render_report(data, language)
    assert len(pages(pdf)) == 1
    text = squeezed(pages(pdf)[0])
    error = f"{error_percent:+.3f}".replace("-", "−") + "%±0.016%"
    assert f"{'该表误差为' if language == 'zh' else 'Thismetererrsby'}{error}" in text
    assert (zh if language == "zh" else en) in text
    assert "JJG596-2012,基本误差限表" in text or "JJG596-2012,tableofbasicerror" in text
    assert squeezed(data.meter.serial) in text
    assert data.record_head_hash in text
    assert data.verdict.judgement is not Judgement.CANNOT_JUDGE


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", list(Reason))
def test_cannot_judge_gives_reason_and_cure_in_both_languages_and_no_error(
    examples: ModuleType, language: Language, reason: Reason
) -> None:
    text = text_of(examples.unjudged_example(reason), language)
    for part in (reason.value, CURES[reason], *REASONS[reason]):
        assert squeezed(part) in text
    assert ("不能判定" if language == "zh" else "CANNOTJUDGE") in text
    assert "±" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_too_large_uncertainty_gives_no_headline_with_an_error(
    examples: ModuleType, language: Language
) -> None:
    data = examples.example(0.5, uncertainty_percent=0.9)
    assert data.verdict.reason is Reason.UNCERTAINTY_TOO_LARGE
    text = text_of(data, language)
    assert "errsby" not in text
    assert "该表误差为" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_notices_stand_where_they_are_due_only(examples: ModuleType, language: Language) -> None:
    data = examples.example(-0.2)
    notices = {
        "emulated": ("仿真硬件", "simulatedhardware"),
        "demonstration": ("演示密钥", "demonstrationkey"),
        "indicative": ("仅供参考", "indicativeonly"),
        "unverified": ("未与规程正式文本核对", "notverifiedagainst"),
    }
    text = text_of(data, language)
    assert all(pair[language == "en"] in text for pair in notices.values())
    official = replace(
        data,
        demonstration=False,
        emulated=False,
        verdict=replace(data.verdict, indicative=False, rule_verified=True),
    )
    text = text_of(official, language)
    assert not any(pair[language == "en"] in text for pair in notices.values())


def test_texts_of_people_are_set_literally_and_never_as_markup(examples: ModuleType) -> None:
    hostile = '#panic("x") $x^2$ *b* _i_ <l> @r `c` \\u{41} [z] // /* = - ~ {page}'
    data = examples.example()
    data = replace(
        data, operator=hostile, meter=replace(data.meter, serial=hostile), case_id="a#b$c*<x>"
    )
    for language in LANGUAGES:
        text = text_of(data, language)
        assert text.count(squeezed(hostile).removesuffix("{page}")) == 2
        assert "a#b$c*<x>" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_overlong_texts_spoil_neither_layout_nor_page_count(
    examples: ModuleType, language: Language
) -> None:
    data = examples.example(phases=3)
    long = replace(data, operator="x" * 300, meter=replace(data.meter, serial="9" * 200))
    reader = pypdf.PdfReader(io.BytesIO(render_report(long, language)))
    assert len(reader.pages) <= 2
    ends: list[float] = []
    reader.pages[0].extract_text(
        visitor_text=lambda text, _, matrix, *__: ends.append(matrix[4] + 3.0 * len(text.strip()))
    )
    assert max(ends) < reader.pages[0].mediabox.width


@pytest.mark.parametrize("language", LANGUAGES)
def test_same_data_gives_the_same_bytes(examples: ModuleType, language: Language) -> None:
    data = examples.example(language=language)
    first = render_report(data, language)
    time.sleep(1.1)
    assert render_report(examples.example(language=language), language) == first
    assert render_report(replace(data, operator="other"), language) != first
    date = pypdf.PdfReader(io.BytesIO(first)).metadata
    assert date is not None
    assert str(date.creation_date).startswith("2026-01-01 00:00:00")


def test_missing_chinese_font_is_told_and_no_empty_boxes_are_set(
    examples: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    fonts = replace(report.report_fonts(), chinese_family=None, chinese_path=None)
    latin = frozenset(code for code in fonts.characters if code < 0x2E80)
    monkeypatch.setattr(report, "report_fonts", lambda: replace(fonts, characters=latin))
    data = examples.unjudged_example()
    with pytest.raises(ConfigurationError, match="apt-get install fonts-wqy-microhei"):
        render_report(data, "zh")
    with pytest.raises(ConfigurationError, match="apt-get install fonts-wqy-microhei"):
        render_report(data, "en")  # the operator's name is Chinese
    assert b"%PDF" in render_report(replace(data, operator="Zhang"), "en")


@pytest.mark.parametrize(
    ("error", "u", "expected"),
    [
        (-0.8321, 0.0164, ("−0.832", "0.016")),
        (0.5, 0.0996, ("+0.50", "0.10")),
        (12.34, 3.4, ("+12.3", "3.4")),
        (123.4, 34.0, ("+123", "34")),
        (-0.00001, 0.02, ("0.000", "0.020")),
        (0.1, 0.0, ("+0.100", "0.000")),
    ],
)
def test_error_is_given_to_the_second_digit_of_its_uncertainty(
    error: float, u: float, expected: tuple[str, str]
) -> None:
    assert with_uncertainty(error, u) == expected


def test_meter_of_the_examples_is_a_meter(examples: ModuleType) -> None:
    assert isinstance(examples.METER, Meter)
