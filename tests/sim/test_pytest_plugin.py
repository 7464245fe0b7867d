"""The plugin as somebody else's tests use it, and what its report says."""

import csv
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from spotcheck.errors import ConfigurationError
from spotcheck.meter import AccuracyClass, Meter, MeterConstant
from spotcheck_sim.bench import BenchConfig
from spotcheck_sim.hil.bench import Backend, HilBench, MeterOnBench, Source
from spotcheck_sim.hil.instrument import MeasuredError, MeasurementOrder, NoMeasurement
from spotcheck_sim.hil.report import Check, CheckVerdict, check_of, table, write_report
from spotcheck_sim.meter_under_test import MeterUnderTest

ROOT = Path(__file__).parents[2]


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    plugins = ["-p", "spotcheck_sim.pytest_plugin", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, *arguments, str(folder)]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)


def test_example_passes_and_its_report_holds_truth_measured_value_and_limit(tmp_path: Path) -> None:
    report = tmp_path / "checks.csv"
    done = run_pytest(
        ROOT / "examples" / "hil", "-p", "spotcheck_cli.hil_instrument",
        f"--bench-report={report}", "-k", "60.0 or register or bounce or lamp or 0.015",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
    assert "meter checks, backend sim" in done.stdout
    rows = {row["name"]: row for row in csv.DictReader(report.read_text("utf-8").splitlines())}
    row = rows["60 A, PF 1"]
    assert float(row["truth_percent"]) == -0.2
    assert float(row["measured_percent"]) == pytest.approx(-0.2, abs=0.01)
    assert (row["limit_percent"], row["verdict"], row["holds_truth"]) == ("1.0", "pass", "True")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--backend=hw",), "--backend=hw needs the instrument: --instrument=HOST:PORT"),
        (("--bench-report=checks.pdf",), "a report ends in .json or .csv"),
        ((), "no instrument: add -p spotcheck_cli.hil_instrument"),
    ],
)
def test_run_that_cannot_be_says_so_and_pretends_nothing(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(bench): bench.measure()\n")
    done = run_pytest(tmp_path, *arguments)
    assert done.returncode != 0
    assert words in done.stdout + done.stderr
    assert " passed" not in done.stdout


class EvenInstrument:
    """Says that every meter is right to 0.1 %, five seconds after the start."""

    def __init__(self) -> None:
        self.orders: list[MeasurementOrder] = []

    def measure(self, order: MeasurementOrder) -> MeasuredError:
        self.orders.append(order)
        return MeasuredError(
            error_percent=0.1, expanded_uncertainty_percent=0.05, pulses=9, end_s=order.start_s + 5
        )


def made(backend: Backend = Backend.SIM) -> tuple[HilBench, EvenInstrument, list[Check]]:
    instrument, checks = EvenInstrument(), []  # type: ignore[var-annotated]
    bench = HilBench(
        BenchConfig(meter=MeterUnderTest(error_percent=0.12)),
        Meter(
            serial="1",
            accuracy_class=AccuracyClass.CLASS_1,
            constant=MeterConstant(pulses_per_unit=Fraction(1200)),
        ),
        seed=3, backend=backend, instrument=instrument, test="t", keep=checks.append,
    )  # fmt: skip
    return bench, instrument, checks


def test_bench_orders_what_is_set_up_from_the_present_time_on() -> None:
    bench, instrument, _ = made()
    Source(bench).load(current_a=7.0)
    Source(bench).mains(voltage_v=230.0)
    bench.clock.wait(12.0)
    bench.measure(minimum_pulses=4)
    bench.measure()
    first, second = instrument.orders
    assert (first.config.load.current_a, first.config.mains.voltage_v) == (7.0, 230.0)
    assert (first.start_s, second.start_s, bench.clock.now_s) == (12.0, 17.0, 22.0)
    assert (first.minimum_pulses, first.seed) == (4, 3)


def test_check_is_kept_with_the_truth_of_the_simulated_bench_and_without_on_hardware() -> None:
    bench, _, checks = made()
    bench.check("load", bench.measure(), limit_percent=1.0)
    assert (checks[0].truth_percent, checks[0].verdict, checks[0].holds_truth) == (
        0.12, CheckVerdict.PASS, True,
    )  # fmt: skip
    real, _, checks = made(Backend.HW)
    real.check("load", real.measure(), limit_percent=0.1)
    assert (checks[0].truth_percent, checks[0].holds_truth) == (None, None)
    assert checks[0].verdict is CheckVerdict.UNDECIDED


def test_check_of_nothing_measured_fails_with_the_reason() -> None:
    bench, _, _ = made()
    nothing = NoMeasurement(reason="no load", detail="0 mA", end_s=1.0)
    with pytest.raises(AssertionError, match=r"no load \(0 mA\)"):
        bench.check("load", nothing, limit_percent=1.0)


def test_what_only_a_simulated_bench_can_do_is_refused_on_hardware() -> None:
    bench, _, _ = made(Backend.HW)
    for attempt in (
        lambda: Source(bench).load(current_a=1.0),
        lambda: bench.fault("pulse missed", at=1.0),
        lambda: MeterOnBench(bench).true_error_percent,
        lambda: MeterOnBench(bench).registers(),
    ):
        with pytest.raises(ConfigurationError, match="simulated bench only"):
            attempt()


def test_unknown_fault_and_time_backwards_are_refused() -> None:
    bench, _, _ = made()
    with pytest.raises(ConfigurationError, match="known are pulse missed"):
        bench.fault("gremlin", at=1.0)
    with pytest.raises(ConfigurationError, match="cannot be waited for"):
        bench.clock.wait(-1.0)


@pytest.mark.parametrize(
    ("error_percent", "verdict"),
    [(0.94, "pass"), (-0.96, "undecided"), (1.04, "undecided"), (-1.06, "fail")],
)
def test_verdict_is_guarded_by_the_whole_interval(error_percent: float, verdict: str) -> None:
    measured = MeasuredError(
        error_percent=error_percent, expanded_uncertainty_percent=0.05, pulses=9, end_s=1.0
    )
    check = check_of(measured, test="t", name="n", truth_percent=None, limit_percent=1.0)
    assert check.verdict == verdict


def test_report_file_and_table_say_where_the_truth_lies_outside(tmp_path: Path) -> None:
    measured = MeasuredError(
        error_percent=0.3, expanded_uncertainty_percent=0.05, pulses=9, end_s=1.0
    )
    check = check_of(measured, test="t", name="n", truth_percent=0.4, limit_percent=1.0)
    assert "TRUTH OUTSIDE U" in table([check])[1]
    write_report([check], tmp_path / "r.json")
    (row,) = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert (row["truth_percent"], row["measured_percent"], row["holds_truth"]) == (0.4, 0.3, False)
    with pytest.raises(ConfigurationError):
        write_report([check], tmp_path / "r.pdf")
    with pytest.raises(ConfigurationError):
        check_of(measured, test="t", name="n", truth_percent=0.4, limit_percent=0.0)
