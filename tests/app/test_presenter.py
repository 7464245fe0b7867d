"""The presenter without a screen: values in, screens out."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from spotcheck.load import Conditions, PhaseQuantities
from spotcheck.meter import AccuracyClass, Connection, Meter
from spotcheck.reading import Reason
from spotcheck.rule import load_rule
from spotcheck.verdict import CombinedError, Judgement, Verdict, cannot_judge
from spotcheck_host.app.app_text import TEXTS
from spotcheck_host.app.live_picture import LivePicture
from spotcheck_host.app.live_values import Waveforms
from spotcheck_host.app.meter_entry import MeterEntry, entry_of, parse_entry
from spotcheck_host.app.presenter import STALE_S, VerificationPresenter
from spotcheck_host.app.reader_values import (
    Asked,
    CannotWork,
    CaseAborted,
    CaseFinished,
    Connected,
    InstrumentLost,
    Noticed,
    WritingPapers,
)
from spotcheck_host.report_text import Language
from spotcheck_wire.host_messages import Progress

RULE = "jjg596-2012"


@dataclass
class Heard:
    """What the presenter asked of the reader."""

    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def start_case(self, meter: Meter, rule_id: str) -> None:
        self.asked.append(("start", meter, rule_id))

    def stop_case(self) -> None:
        self.asked.append(("stop",))

    def answer(self, yes: bool) -> None:
        self.asked.append(("answer", yes))


class Bench:
    """A presenter with a clock that stands until told."""

    def __init__(self, language: Language = "en", **entry: Any) -> None:
        self.heard, self.now_s = Heard(), 100.0
        values = {"accuracy_class": "1"} | entry
        self.presenter = VerificationPresenter(
            self.heard, lambda: self.now_s, entry=MeterEntry(**values), language=language,
            theme="dark",
        )  # fmt: skip

    @property
    def screen(self) -> Any:
        return self.presenter.screen()

    def connect(self, *, demonstration: bool = False, phases: int = 1) -> "Bench":
        self.presenter.take(
            Connected(
                device_id="SC-1", certificate="C-1", phases=phases, sample_rate_hz=8000,
                demonstration=demonstration, emulated=False, note="",
            )
        )  # fmt: skip
        return self

    def see(self, power_w: float = 2200.0, **changes: Any) -> "Bench":
        self.presenter.take(picture(power_w, **changes))
        return self

    def progress(self, sample: int, error: float | None = None, **changes: Any) -> "Bench":
        values: dict[str, Any] = {
            "request_id": "x/1", "sample": sample, "state": "measuring", "pulses": 5,
            "power_w": 2200.0, "error_percent": error, "expected_wait_s": 12.0,
            "expanded_uncertainty_percent": None if error is None else 0.03,
        }  # fmt: skip
        self.presenter.take(Progress(**(values | changes)))
        return self


def picture(power_w: float = 2200.0, **changes: Any) -> LivePicture:
    phase = PhaseQuantities(
        u_v=220.0, i_a=abs(power_w) / 220, p_w=power_w, q1_var=0.0, u_phase_deg=0.0,
        i_phase_deg=0.0, thd_u_percent=1.0, thd_i_percent=2.0,
    )  # fmt: skip
    conditions = Conditions(phases=(phase,), frequency_hz=50.0, power_instability_percent=None)
    zeros = np.zeros((1, 8), np.float32)
    values: dict[str, Any] = {
        "sample": 8000, "state": "idle", "conditions": conditions, "obstacle": "",
        "overload": False, "phasors": (), "harmonics": None,
        "waveforms": Waveforms(interval_s=1e-3, voltages_v=zeros, currents_a=zeros),
    }  # fmt: skip
    return LivePicture(**(values | changes))


def finished(judgement: Judgement = Judgement.PASS, **changes: Any) -> CaseFinished:
    verdict = Verdict(
        judgement=judgement, reason=None, explanation="", rule_id=RULE, clause="table 1",
        mpe_percent=Decimal("1.0"), acceptance_limit_percent=Decimal("1.05"),
        rounded_error_percent=Decimal("-0.8"), rounding_step_percent=Decimal("0.1"),
        indicative=True, rule_verified=False,
    )  # fmt: skip
    combined = CombinedError(
        error_percent=-0.842, expanded_uncertainty_percent=0.031, coverage_factor=1.96,
        degrees_of_freedom=200.0, reading_ids=("a",),
    )  # fmt: skip
    values: dict[str, Any] = {
        "case_id": "app-1", "verdict": verdict, "combined": combined,
        "points": (), "files": {"report_en": "/x/report-en.pdf", "report_zh": "/x/report-zh.pdf"},
    }  # fmt: skip
    return CaseFinished(**(values | changes))


def test_nothing_can_be_started_before_the_instrument_answers() -> None:
    bench = Bench()
    assert not bench.screen.can_start
    bench.presenter.start()
    assert bench.heard.asked == []
    assert not bench.connect().screen.can_start
    assert bench.see().screen.can_start


def test_start_hands_over_the_meter_as_typed() -> None:
    bench = Bench(constant="0.8 Wh/imp", currents="10(100)", serial=" 42 ").connect().see()
    bench.presenter.start()
    ((_, meter, rule_id),) = bench.heard.asked
    assert meter.constant.pulses_per_unit == 1250
    assert (meter.basic_current_a, meter.max_current_a) == (10, 100)
    assert meter.serial == "42"
    assert rule_id == RULE


def test_form_is_closed_while_a_verification_runs() -> None:
    bench = Bench().connect().see()
    bench.presenter.start()
    assert not bench.screen.can_edit
    assert not bench.screen.can_start
    assert bench.screen.can_stop
    bench.presenter.edit(MeterEntry(constant="9"))
    assert bench.screen.entry.constant == "1200 imp/kWh"
    bench.presenter.start()
    assert len(bench.heard.asked) == 1
    bench.presenter.stop()
    assert bench.heard.asked[-1] == ("stop",)


@pytest.mark.parametrize(
    ("field_name", "value"),
    [("constant", "abc"), ("currents", "5-60"), ("voltage", "-3"), ("currents", "60(5)")],
)
def test_wrong_data_are_named_at_their_field_and_bar_the_start(field_name: str, value: str) -> None:
    bench = Bench(**{field_name: value}).connect()
    assert list(bench.screen.faults) == [field_name]
    assert not bench.screen.can_start


def test_every_wrong_field_is_named_at_once() -> None:
    parsed = parse_entry(MeterEntry(constant="", currents="", voltage="", accuracy_class="7"), 1)
    assert set(parsed.faults) == {"class", "constant", "currents", "voltage"}
    assert parsed.meter is None


def test_full_width_brackets_are_brackets() -> None:
    parsed = parse_entry(MeterEntry(currents="5（60）A"), 3)
    assert parsed.meter is not None
    assert parsed.meter.phases == 3


def test_an_entry_made_of_a_meter_makes_that_meter_again() -> None:
    meter = parse_entry(MeterEntry(accuracy_class="0.5S", connection=Connection.TRANSFORMER), 3)
    assert meter.meter is not None
    assert meter.meter.accuracy_class is AccuracyClass.CLASS_0_5S
    assert parse_entry(entry_of(meter.meter, RULE), 3).meter == meter.meter


def test_expected_wait_is_shown_before_anything_is_started() -> None:
    # 1200 imp/kWh: 3000 J a pulse; at 2200 W one in 1.36 s
    assert "every 1.4 s" in Bench().connect().see(2200.0).screen.hint
    assert "larger load" in Bench().connect().see(50.0).screen.hint
    assert "no load" in Bench().connect().see(0.0).screen.hint


def test_error_appears_with_its_uncertainty_and_moves_through_time() -> None:
    bench = Bench().connect().see()
    bench.presenter.start()
    assert (bench.screen.error, bench.screen.uncertainty) == ("—", "")
    bench.progress(8000).progress(16000, -0.84).progress(24000, -0.83)
    assert (bench.screen.error, bench.screen.uncertainty) == ("−0.830 %", "± 0.030 %")
    assert [point.time_s for point in bench.screen.running.points] == [1.0, 2.0]
    assert bench.screen.running.mpe_percent == 1.0
    plan = load_rule(RULE).readings
    whole_s = max(plan.minimum_pulses * 3000 / 2200, plan.minimum_duration_s)
    assert bench.screen.running.time_left_s == pytest.approx(12.0 + (plan.minimum - 1) * whole_s)


def test_hint_waits_for_the_first_pulse_only_while_there_is_none() -> None:
    bench = Bench().connect().see()
    bench.presenter.start()
    bench.progress(8000, pulses=0)
    assert "first pulse" in bench.screen.hint
    bench.progress(16000, pulses=1)
    assert "third pulse" in bench.screen.hint


def test_verdict_has_its_clause_its_limit_and_its_report() -> None:
    bench = Bench().connect().see()
    bench.presenter.start()
    bench.presenter.take(WritingPapers())
    assert not bench.screen.can_stop
    bench.presenter.take(finished())
    screen = bench.screen
    assert screen.verdict.title == "Indicative verdict"
    assert screen.verdict.judgement == "PASS"
    assert "by jjg596-2012: table 1" in screen.verdict.lines
    assert screen.verdict.report == "/x/report-en.pdf"
    assert (screen.error, screen.uncertainty, screen.tone) == ("−0.842 %", "± 0.031 %", "pass")
    assert screen.can_start
    bench.presenter.set_language("zh")
    assert bench.screen.verdict.judgement == "合格"
    assert bench.screen.verdict.report == "/x/report-zh.pdf"


def test_no_verdict_has_its_reason_and_its_cure() -> None:
    bench = Bench().connect().see()
    verdict = cannot_judge(load_rule(RULE), Reason.NO_PULSES, "pulses: 0, none for 20 s")
    bench.presenter.take(finished(verdict=verdict, combined=None, files={}))
    screen = bench.screen
    assert screen.error == "—"
    assert screen.verdict.judgement == "CANNOT JUDGE"
    assert any("align the optical head" in line for line in screen.verdict.lines)
    assert screen.verdict.report is None


def test_a_new_start_forgets_the_case_before() -> None:
    bench = Bench().connect().see()
    bench.presenter.take(finished())
    bench.presenter.start()
    assert bench.screen.error == "—"
    assert bench.screen.verdict.judgement == "No verdict yet"


def banners(bench: Bench) -> str:
    return " | ".join(f"{severity}: {words}" for severity, words in bench.screen.banners)


def test_old_data_are_called_old() -> None:
    bench = Bench().connect().see()
    assert banners(bench) == ""
    assert not bench.screen.stale
    bench.now_s += STALE_S + 2
    assert "alarm: No new data for 4 s" in banners(bench)
    assert bench.screen.stale
    assert banners(bench.see()) == ""


def test_overload_negative_power_and_obstacles_are_told() -> None:
    assert "alarm: Overload" in banners(Bench().connect().see(overload=True))
    assert "Negative power on L1" in banners(Bench().connect().see(-500.0))
    told = banners(Bench().connect().see(conditions=None, obstacle="U1 is 0.2 V"))
    assert "U1 is 0.2 V" in told


def test_a_lost_instrument_is_told_and_comes_back() -> None:
    bench = Bench().connect().see()
    bench.presenter.take(InstrumentLost(what="the device closed the connection"))
    assert "alarm: The instrument is lost" in banners(bench)
    assert not bench.screen.can_start
    bench.connect().see()
    assert banners(bench) == ""
    assert bench.screen.can_start


def test_question_waits_for_an_answer() -> None:
    bench = Bench().connect().see(-500.0)
    bench.presenter.answer(True)
    assert bench.heard.asked == []
    bench.presenter.start()
    bench.presenter.take(Asked())
    assert bench.screen.question is not None
    assert "Negative" not in banners(bench)
    bench.presenter.answer(True)
    assert bench.heard.asked[-1] == ("answer", True)
    assert bench.screen.question is None


def test_what_failed_is_told_and_the_demonstration_says_so() -> None:
    bench = Bench().connect(demonstration=True)
    bench.presenter.take(Noticed(what="no space is left"))
    assert "no space is left" in banners(bench)
    assert "correction set is a demonstration's" in banners(bench)


def test_a_notice_leaves_question_and_case_alone() -> None:
    bench = Bench().connect().see(-500.0)
    bench.presenter.start()
    bench.presenter.take(Asked())
    bench.presenter.take(Noticed(what="something"))
    assert bench.screen.question is not None


def test_a_case_that_could_not_be_recorded_frees_the_window() -> None:
    bench = Bench().connect().see()
    bench.presenter.start()
    bench.presenter.take(CaseAborted(what="another program wrote to the record"))
    assert bench.screen.can_start
    assert bench.screen.can_edit
    assert "another program" in banners(bench)


def test_what_is_no_lost_link_is_not_called_one() -> None:
    bench = Bench().connect().see()
    bench.presenter.take(CannotWork(what="the key can be read by others"))
    assert "alarm: Cannot work: the key" in banners(bench)


def test_a_measurement_left_behind_can_be_stopped() -> None:
    bench = Bench().connect().see(state="measuring")
    assert "program that is gone" in bench.screen.status
    bench.presenter.stop()
    assert bench.heard.asked == [("stop",)]


def test_an_unloaded_phase_is_not_called_negative() -> None:
    noise = picture(0.0).conditions
    assert noise is not None
    phase = replace(noise.phases[0], p_w=-0.01, i_a=0.003)
    loaded = replace(noise, phases=(phase,))
    assert "Negative" not in banners(Bench().connect().see(conditions=loaded))


def test_a_load_without_limit_is_told_before_the_start() -> None:
    # 2 A of 5(60) A are within the rule's limits, 0.02 A are not.
    assert "no limit" in banners(Bench().connect().see(4.4))
    assert "no limit" not in banners(Bench().connect().see(440.0))


def test_an_old_cannot_judge_is_no_missing_limit() -> None:
    bench = Bench().connect().see()
    verdict = cannot_judge(load_rule(RULE), Reason.NO_PULSES, "pulses: 0, none for 20 s")
    bench.presenter.take(finished(verdict=verdict, combined=None, files={}))
    assert "no limit" not in banners(bench.connect().see())


def test_no_alarm_while_papers_are_written() -> None:
    bench = Bench().connect().see()
    bench.presenter.take(WritingPapers())
    bench.now_s += 10
    assert "No new data" not in banners(bench)


def test_a_long_case_keeps_its_beginning() -> None:
    bench = Bench().connect().see()
    bench.presenter.start()
    for second in range(5000):
        bench.progress(8000 * second, -0.8)
    points = bench.screen.running.points
    assert len(points) <= 2001
    assert points[0].time_s == 0.0
    assert points[-1].time_s == 4999.0


def test_the_verdict_names_its_meter_even_when_another_is_typed() -> None:
    bench = Bench(serial="123").connect().see()
    bench.presenter.start()
    bench.presenter.take(finished())
    bench.presenter.edit(MeterEntry(serial="456"))
    assert "Meter 123 · class 1" in bench.screen.verdict.lines


def test_every_text_is_there_in_both_languages_with_the_same_places() -> None:
    for key, (chinese, english) in TEXTS.items():
        assert chinese, key
        assert english, key
        places = [sorted(part.split("}")[0] for part in words.split("{")[1:])
                  for words in (chinese, english)]  # fmt: skip
        assert places[0] == places[1], key


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_stage_has_its_words(language: Language) -> None:
    bench = Bench(language=language)
    seen = {bench.screen.status}
    bench.connect().see()
    seen.add(bench.screen.status)
    bench.presenter.start()
    for state in ("settling", "waiting for a pulse", "measuring", "idle"):
        bench.progress(9000, state=state)
        seen.add(bench.screen.status)
    bench.presenter.take(finished())
    seen.add(bench.screen.status)
    assert len(seen) >= 6
    assert all(seen)
