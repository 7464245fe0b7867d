"""`spotcheck measure` as a person calls it: JSON, table, plot, verdict, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from typer.testing import CliRunner, Result

from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_cli.main import app

RATE, FREQUENCY = 8000, 50.04
ROOT2 = np.sqrt(2)


def waves(seconds: float, phases: int = 1) -> dict[str, np.ndarray]:
    """220 V, 8 A at 60° lag, with 3 % third harmonic in U and 10 % fifth in I."""
    t = np.arange(round(seconds * RATE)) / RATE
    columns = {"time_s": t}
    for phase in range(phases):
        turn = 2 * np.pi * (FREQUENCY * t - phase / 3)
        columns[f"u{phase + 1}_v"] = ROOT2 * (220 * np.cos(turn) + 6.6 * np.cos(3 * turn))
        columns[f"i{phase + 1}_a"] = ROOT2 * (8 * np.cos(turn - np.pi / 3) + 0.8 * np.cos(5 * turn))
    return columns


def write_csv(path: Path, columns: dict[str, np.ndarray]) -> Path:
    np.savetxt(
        path, np.column_stack(list(columns.values())), delimiter=",", fmt="%.17g",
        header=",".join(columns), comments="",
    )  # fmt: skip
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["measure", *map(str, arguments)])


def measured(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def check(found: dict[str, Any], phases: int = 1) -> None:
    assert found["frequency_hz"] == pytest.approx(FREQUENCY, rel=1e-11)
    assert len(found["phases"]) == phases
    for number, phase in enumerate(found["phases"]):
        assert phase["u_v"] == pytest.approx(np.hypot(220, 6.6), rel=1e-11)
        assert phase["i_a"] == pytest.approx(np.hypot(8, 0.8), rel=1e-11)
        assert phase["p_w"] == pytest.approx(880, rel=1e-11)
        assert phase["q1_var"] == pytest.approx(1760 * np.sin(np.pi / 3), rel=1e-10)
        assert phase["s_va"] == pytest.approx(phase["u_v"] * phase["i_a"], rel=1e-12)
        assert phase["pf"] == pytest.approx(phase["p_w"] / phase["s_va"], rel=1e-12)
        assert phase["thd_u_percent"] == pytest.approx(3, rel=1e-9)
        assert phase["thd_i_percent"] == pytest.approx(10, rel=1e-9)
        assert phase["u_harmonics_v"][2] == pytest.approx(6.6, rel=1e-9)
        turned = (phase["u_phase_deg"] + 120 * number + 180) % 360 - 180
        assert turned == pytest.approx(0, abs=1e-8)
        lag = (phase["u_phase_deg"] - phase["i_phase_deg"]) % 360
        assert lag == pytest.approx(60, abs=1e-8)


def test_csv_with_the_standard_header_needs_no_mapping(tmp_path: Path) -> None:
    found = measured(write_csv(tmp_path / "a.csv", waves(1.0)))
    check(found)
    assert found["window_s"] == 1.0
    assert found["kernel"] == "4 boxes of 4 cycles"
    assert found["sequence"] is None
    assert "meter" not in found


def test_three_phases_have_symmetrical_components(tmp_path: Path) -> None:
    found = measured(write_csv(tmp_path / "a.csv", waves(1.0, 3)))
    check(found, 3)
    assert found["total"]["p_w"] == pytest.approx(2640, rel=1e-11)
    assert found["sequence"]["u_positive_v"] == pytest.approx(220, rel=1e-10)
    assert found["sequence"]["u_negative_v"] < 1e-6
    assert found["sequence"]["i_zero_a"] < 1e-6


def test_parquet_with_other_names_is_mapped(tmp_path: Path) -> None:
    columns = waves(1.0)
    table = pa.table({"time_s": columns["time_s"], "spannung": columns["u1_v"] / 1000,
                      "strom": columns["i1_a"]})  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet")
    check(
        measured(tmp_path / "a.parquet", "--map", "u1=spannung", "--map", "i1=strom",
                 "--scale", "u1=1000")
    )  # fmt: skip


@pytest.mark.parametrize(("suffix", "subtype"), [(".wav", "PCM_24"), (".flac", "PCM_24")])
def test_audio_with_a_scale(tmp_path: Path, suffix: str, subtype: str) -> None:
    columns = waves(1.0)
    full = {"u1": 400.0, "i1": 20.0}
    samples = np.column_stack([columns["u1_v"] / full["u1"], columns["i1_a"] / full["i1"]])
    path = tmp_path / f"a{suffix}"
    soundfile.write(path, samples, RATE, subtype=subtype)
    found = measured(path, "--map", "u1=1", "--map", "i1=2", "--scale", "u1=400",
                     "--scale", "i1=20")  # fmt: skip
    # 24 bits of 400 V are 48 µV a code.
    assert found["phases"][0]["p_w"] == pytest.approx(880, rel=1e-6)
    assert found["frequency_hz"] == pytest.approx(FREQUENCY, rel=1e-9)


def test_window_is_chosen_and_said(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", waves(2.0))
    found = measured(path, "--start", 0.5, "--duration", 0.2)
    check(found)
    assert (found["window_start_s"], found["window_s"]) == (0.5, 0.2)
    assert found["kernel"] == "4 boxes of 1 cycle"


def pulses(path: Path, error_percent: float, seconds: float) -> Path:
    interval_s = 3.6e6 / 6400 / (880 * (1 + error_percent / 100))
    times = np.arange(0.21, seconds, interval_s)
    path.write_text("time_s\n" + "".join(f"{t!r}\n" for t in times.tolist()), "utf-8")
    return path


def test_pulses_give_the_meters_error_and_its_scope(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", waves(10.0))
    meter = measured(path, "--pulses", pulses(tmp_path / "p.csv", -0.6, 10.0), "--constant", 6400)[
        "meter"
    ]
    assert meter["error_percent"] == pytest.approx(-0.6, abs=1e-6)
    assert meter["gate_error_percent"] == pytest.approx(-0.6, abs=1e-5)
    assert meter["uncertainty_scope"] == "algorithm and pulses"
    assert meter["expanded_uncertainty_percent"] < 1e-5
    assert meter["verdict"] is None
    assert meter["pulses_rejected"] == 0
    assert meter["pulses_used"] >= 13


def test_a_stated_reference_gives_a_verdict_where_a_class_is_given(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", waves(70.0))
    times = pulses(tmp_path / "p.csv", -0.6, 70.0)
    arguments = (path, "--pulses", times, "--constant", 6400,
                 "--reference-uncertainty-percent", 0.1)  # fmt: skip
    assert measured(*arguments)["meter"]["verdict"] is None
    meter = measured(*arguments, "--class", 1)["meter"]
    assert meter["expanded_uncertainty_percent"] == pytest.approx(0.098, rel=0.01)
    assert meter["verdict"]["judgement"] == "pass"
    assert meter["verdict"]["clause"]


def test_too_few_pulses_are_a_reason_with_a_cure(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", waves(1.0))
    times = pulses(tmp_path / "p.csv", 0.0, 1.0)
    meter = measured(path, "--pulses", times, "--constant", 6400)["meter"]
    assert meter["cannot_judge"] == "too few pulses"
    assert meter["cure"]


def test_table_and_plot_are_made(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", waves(4.0, 3))
    times = pulses(tmp_path / "p.csv", 0.0, 4.0)
    plot = tmp_path / "plot.png"
    result = run(path, "--plot", plot, "--pulses", times, "--constant", 6400 / 3)
    assert result.exit_code == 0, result.output
    for words in ("U / V", "Q1 / var", "positive", "THD I / %", "gate", "not known"):
        assert words in result.stdout, words
    assert plot.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_codes_of_an_instrument_are_corrected_by_its_set(tmp_path: Path) -> None:
    """FLAC holds the converter's codes; the demonstration's set says what they are."""
    correction = demonstration_correction_set()
    (tmp_path / "set.json").write_bytes(correction.to_bytes())
    u, i = correction.voltages[0], correction.currents[1]
    t = np.arange(10 * RATE) / (RATE * (1 + correction.sample_rate_relative_error.value))
    lag_s = i.phase_lag_rad.value / (2 * np.pi * 50) + i.skew_s.value
    volts = ROOT2 * 220 * np.cos(2 * np.pi * 50 * t)
    amperes = ROOT2 * 8 * np.cos(2 * np.pi * 50 * (t - lag_s) - np.pi / 3)
    codes = np.column_stack([
        volts / u.gain_v_per_code.value + u.offset_codes.value,
        amperes / i.gain_a_per_code.value + i.offset_codes.value,
    ])  # fmt: skip
    soundfile.write(
        tmp_path / "a.flac", (np.rint(codes) * 256).astype(np.int32), RATE, subtype="PCM_24"
    )
    arguments = [tmp_path / "a.flac", "--correction", tmp_path / "set.json"]
    assert "several current ranges (C100, C5)" in run(*arguments).output.replace("\n", " ")
    found = measured(*arguments, "--current-range", "C100")
    assert found["phases"][0]["p_w"] == pytest.approx(880, rel=1e-6)
    assert found["phases"][0]["i_phase_deg"] == pytest.approx(-60, abs=1e-4)
    assert found["frequency_hz"] == pytest.approx(50, rel=1e-9)
    times = pulses(tmp_path / "p.csv", 0.3, 10.0)
    meter = measured(*arguments, "--current-range", "C100", "--pulses", times, "--constant",
                     6400)["meter"]  # fmt: skip
    assert meter["uncertainty_scope"] == "instrument, algorithm and pulses"
    # The pulses were stamped by the instrument's clock, which is 3 ppm fast.
    assert meter["error_percent"] == pytest.approx(0.3, abs=5e-4)
    assert 0.01 < meter["expanded_uncertainty_percent"] < 0.1


def test_volts_of_another_instrument_are_not_taken_for_codes(tmp_path: Path) -> None:
    (tmp_path / "set.json").write_bytes(demonstration_correction_set().to_bytes())
    path = write_csv(tmp_path / "a.csv", waves(1.0))
    result = run(path, "--correction", tmp_path / "set.json", "--current-range", "C5")
    assert result.exit_code == 2
    assert "no whole number" in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--start", "5"], "there are no samples at 5"),
        (["--duration", "9"], "across a gap"),
        (["--duration", "nan"], "is no time"),
        (["--duration", "0.03"], "too few"),
        (["--constant", "1200"], "of no use without --pulses"),
        (["--pulses", "a.csv"], "needs the meter constant"),
        (["--class", "1"], "needs the uncertainty of the reference"),
        (["--plot", "x.doc"], "name the plot with"),
        (["--plot", "nowhere/x.png"], "no folder"),
        (["--current-range", "C5"], "belong to --correction"),
        (["--map", "u1=nothing", "--map", "i1=i1_a"], "no channel 'nothing'"),
        (["--rate-from", "stamps"], "only COMTRADE"),
        (["--side", "primary"], "only COMTRADE"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: list[str], words: str) -> None:
    path = write_csv(tmp_path / "a.csv", waves(1.0))
    result = run(path, *arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.output.split())


def test_channels_are_listed(tmp_path: Path) -> None:
    result = run(write_csv(tmp_path / "a.csv", waves(0.1)), "--channels")
    assert result.exit_code == 0
    assert "u1_v" in result.stdout
