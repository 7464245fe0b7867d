"""`spotcheck measure` against signals whose truth is a closed formula, made without product code.

Nothing here imports the product but the command itself. Signals are sums of cosines, so that U, I,
P, Q1 follow from Parseval; phase-fired, half-wave and burst currents are their Fourier sums,
truncated below 0.4 of the sampling rate so that sampling loses nothing.
"""

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from spotcheck_cli.main import app

Array = NDArray[np.float64]
Line = tuple[float, float, float]
"""Order, RMS, phase in degrees (cosine)."""

TURN = 2 * math.pi


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["measure", *map(str, arguments)])


def measured(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def wave(angle: Array, lines: list[Line], dc: float = 0.0) -> Array:
    total = np.full(angle.shape, float(dc))
    for order, rms, phase in lines:
        total += math.sqrt(2) * rms * np.cos(order * angle + math.radians(phase))
    return total


def truth(u: list[Line], i: list[Line], u_dc: float = 0.0, i_dc: float = 0.0) -> dict[str, float]:
    """By Parseval."""
    power, reactive = u_dc * i_dc, 0.0
    for order, volts, phase in u:
        for other, amperes, other_phase in i:
            if order == other:
                power += volts * amperes * math.cos(math.radians(phase - other_phase))
                if order == 1:
                    reactive += volts * amperes * math.sin(math.radians(phase - other_phase))
    u_rms = math.sqrt(sum(a * a for _, a, _ in u) + u_dc**2)
    i_rms = math.sqrt(sum(a * a for _, a, _ in i) + i_dc**2)
    return {"u_v": u_rms, "i_a": i_rms, "p_w": power, "q1_var": reactive, "s_va": u_rms * i_rms}


def worst_ppm(phase: dict[str, Any], true: dict[str, float]) -> float:
    """U and I of themselves, P, Q1 and S of S."""
    apparent = true["s_va"]
    return 1e6 * max(
        abs(phase[name] - value) / (value if name in ("u_v", "i_a") else apparent)
        for name, value in true.items()
    )


def fired(begin: float, rate: float, hertz: float, *, half: bool) -> tuple[float, list[Line]]:
    """7 A peak from `begin` rad to π, and (unless `half`) from π + `begin` to 2π: DC and lines."""

    def integral(order: int, low: float, high: float) -> complex:
        def power_of_e(n: int) -> complex:
            if n == 0:
                return complex(high - low)
            return complex((np.exp(1j * n * high) - np.exp(1j * n * low)) / (1j * n))

        return (power_of_e(1 - order) - power_of_e(-1 - order)) / (2j) / TURN

    dc, lines = 0.0, []
    for order in range(int(0.4 * rate / hertz) + 1):
        value = 7 * integral(order, begin, math.pi)
        if not half:
            value += 7 * integral(order, math.pi + begin, TURN)
        if order == 0:
            dc = value.real
        elif abs(value) > 1e-12:
            lines.append((order, math.sqrt(2) * abs(value), math.degrees(np.angle(value))))
    return dc, lines


def bursts(rate: float, hertz: float) -> tuple[float, list[Line]]:
    """10 A RMS for two cycles, none for two."""
    dc, lines, on = 0.0, [], 2 * TURN
    for number in range(int(0.4 * rate / (hertz / 4)) + 1):
        order = number / 4

        def power_of_e(n: float) -> complex:
            return complex(on) if n == 0 else complex((np.exp(1j * n * on) - 1) / (1j * n))

        value = 10 * math.sqrt(2) * (power_of_e(1 - order) - power_of_e(-1 - order)) / 2j / 4 / TURN
        if number == 0:
            dc = value.real
        elif abs(value) > 1e-13:
            lines.append((order, math.sqrt(2) * abs(value), math.degrees(np.angle(value))))
    return dc, lines


def parquet(path: Path, columns: dict[str, Array]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def csv(path: Path, columns: dict[str, Array], times: str = "%.17g") -> Path:
    np.savetxt(
        path, np.column_stack(list(columns.values())), delimiter=",", comments="",
        fmt=[times] + ["%.17g"] * (len(columns) - 1), header=",".join(columns),
    )  # fmt: skip
    return path


def one_phase(
    rate: float, hertz: float, seconds: float, u: list[Line], i: list[Line],
    u_dc: float = 0.0, i_dc: float = 0.0, drift: float = 0.0,
) -> dict[str, Array]:  # fmt: skip
    t = np.arange(int(seconds * rate)) / rate
    angle = TURN * (hertz * t + drift / 2 * t * t)
    return {"time_s": t, "u1_v": wave(angle, u, u_dc), "i1_a": wave(angle, i, i_dc)}


RICH_U: list[Line] = [(1, 230, 77), (2, 1, 9), (3, 7, 50), (5, 4, 200), (13, 2, 3)]
RICH_I: list[Line] = [(1, 5, 0), (2, 0.3, 40), (3, 1, 20), (5, 0.7, 1), (13, 0.4, 99)]


@pytest.mark.parametrize(
    ("seconds", "ppm"), [(0.2, 1e-5), (0.2093, 1e-5), (1.0, 1e-6), (1.0471, 1e-6)]
)
@pytest.mark.parametrize(
    ("rate", "hertz"),
    [(4000.0, 52.3179), (5000.0, 63.6574), (6400.123, 50.0), (7812.5, 47.111),
     (12800.0, 64.93), (50000.0, 50.137)],
)  # fmt: skip
def test_periodic_signals(
    tmp_path: Path, rate: float, hertz: float, seconds: float, ppm: float
) -> None:
    for number, lag in enumerate([0.0, 84.26, -84.26, 180.0]):
        current = [(k, a, p + (77 - lag if k == 1 else 0)) for k, a, p in RICH_I]
        u_dc, i_dc = (3.0, 0.7) if number % 2 else (0.0, 0.0)
        found = measured(
            parquet(tmp_path / "a.parquet",
                    one_phase(rate, hertz, seconds, RICH_U, current, u_dc, i_dc))
        )  # fmt: skip
        phase = found["phases"][0]
        assert worst_ppm(phase, truth(RICH_U, current, u_dc, i_dc)) < ppm
        assert found["frequency_hz"] == pytest.approx(hertz, rel=1e-11)
        assert (phase["i_phase_deg"] + lag + 180) % 360 - 180 == pytest.approx(0, abs=1e-8)
        assert phase["u_dc_v"] == pytest.approx(u_dc, abs=1e-8)
        for order, rms, _ in RICH_U:
            assert phase["u_harmonics_v"][int(order) - 1] == pytest.approx(rms, abs=1e-8)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(
    ("rate", "hertz"), [(4000.0, 62.3248), (10000.0, 49.97), (48000.0, 53.547)]
)
def test_phase_fired_and_half_wave(tmp_path: Path, rate: float, hertz: float, half: bool) -> None:
    u: list[Line] = [(1, 230, -90)]
    for begin in (0.5, 2.2):
        dc, i = fired(begin, rate, hertz, half=half)
        found = measured(
            parquet(tmp_path / "a.parquet", one_phase(rate, hertz, 1.013, u, i, 0, dc))
        )
        assert worst_ppm(found["phases"][0], truth(u, i, 0, dc)) < 1e-6
        assert found["phases"][0]["i_dc_a"] == pytest.approx(dc, abs=1e-8)


@pytest.mark.parametrize(("rate", "hertz"), [(8000.0, 50.0), (12800.0, 49.37), (10000.0, 63.1)])
@pytest.mark.parametrize("seconds", [0.55, 1.013, 4.6])
def test_bursts_of_two_cycles(tmp_path: Path, rate: float, hertz: float, seconds: float) -> None:
    u: list[Line] = [(1, 230, -90)]
    dc, i = bursts(rate, hertz)
    found = measured(parquet(tmp_path / "a.parquet", one_phase(rate, hertz, seconds, u, i, 0, dc)))
    assert worst_ppm(found["phases"][0], truth(u, i, 0, dc)) < 1e-6
    assert found["phases"][0]["thd_i_percent"] < 1e-6
    assert any("not steady" in note for note in found["notes"])


def test_interharmonics_are_no_harmonics(tmp_path: Path) -> None:
    u: list[Line] = [(1, 230, 10)]
    for order in (0.45, 1.4, 2.65, 6.33):
        i: list[Line] = [(1, 5, -50), (order, 1, 33)]
        phase = measured(
            parquet(tmp_path / "a.parquet", one_phase(8000, 50.3, 1.02, u, i))
        )["phases"][0]  # fmt: skip
        assert worst_ppm(phase, truth(u, i)) < 10
        assert phase["thd_i_percent"] < 0.01


@pytest.mark.parametrize(("hertz", "drift"), [(50.0, 0.5), (47.3, -0.5), (63.0, 0.5)])
def test_drift(tmp_path: Path, hertz: float, drift: float) -> None:
    for seconds, ppm in ((0.207, 10.0), (1.013, 1e-4), (3.9, 1e-4), (9.7, 1e-4)):
        columns = one_phase(8000, hertz, seconds, RICH_U, RICH_I, drift=drift)
        found = measured(parquet(tmp_path / "a.parquet", columns))
        assert worst_ppm(found["phases"][0], truth(RICH_U, RICH_I)) < ppm
        middle = hertz + drift * columns["time_s"][-1] / 2
        assert found["frequency_hz"] == pytest.approx(middle, rel=2e-7)


def test_a_long_window_says_the_same_as_short_ones(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", one_phase(5000, 50.137, 20, RICH_U, RICH_I, 0.5, 0.05))
    for start, seconds in ((0, 20), (0, 4.5), (3.3333, 8.1), (7.77, 4.01), (7.77, 3.99), (18.9, 1)):
        found = measured(path, "--start", start, "--duration", seconds)
        # 1e-6 ppm is also what 2π·f·t loses at 20 s when the signal is made.
        assert worst_ppm(found["phases"][0], truth(RICH_U, RICH_I, 0.5, 0.05)) < 2e-6
        assert found["frequency_hz"] == pytest.approx(50.137, rel=1e-11)


def test_unbalanced_and_negative_sequence(tmp_path: Path) -> None:
    a = np.exp(2j * np.pi / 3)
    for turn in (-1, 1):
        u = np.array([231, 207 * a**turn * np.exp(0.1j), 244 * a ** (2 * turn) * np.exp(-0.07j)])
        i = np.array([5, 0.5, 3]) * u / abs(u) * np.exp(1j * np.array([-1.1, 2.9, 0.4]))
        t = np.arange(6400) / 6400
        columns = {"time_s": t}
        for number in range(3):
            for name, values in (("u{}_v", u), ("i{}_a", i)):
                columns[name.format(number + 1)] = math.sqrt(2) * np.real(
                    values[number] * np.exp(1j * (TURN * 50.21 * t + 0.6))
                )
        found = measured(parquet(tmp_path / "a.parquet", columns))
        for values, name, unit in ((u, "u", "v"), (i, "i", "a")):
            for word, first, second in (
                ("positive", a, a * a),
                ("negative", a * a, a),
                ("zero", 1, 1),
            ):
                true = abs(values[0] + first * values[1] + second * values[2]) / 3
                assert found["sequence"][f"{name}_{word}_{unit}"] == pytest.approx(true, abs=1e-9)
        power = u * i.conj()
        for phase, one in zip(found["phases"], power, strict=True):
            assert (phase["p_w"], phase["q1_var"]) == pytest.approx((one.real, one.imag), abs=1e-8)
        assert found["total"]["p_w"] == pytest.approx(power.real.sum(), abs=1e-8)


@pytest.mark.parametrize("rate", [6400.0, 12800.0, 7812.5, 8000.37, 44100.0, 3201.02])
def test_times_with_six_decimals(tmp_path: Path, rate: float) -> None:
    found = measured(
        csv(tmp_path / "a.csv", one_phase(rate, 50.13, 0.4, RICH_U, RICH_I), times="%.6f")
    )
    assert found["sample_rate_hz"] == pytest.approx(rate, rel=1e-12)
    assert worst_ppm(found["phases"][0], truth(RICH_U, RICH_I)) < 1e-5


def test_comtrade_by_own_hand_with_skews_ratios_and_three_rates(tmp_path: Path) -> None:
    u: list[Line] = [(1, 57.7, 20), (3, 1, 9), (11, 0.6, 70), (25, 0.3, 0)]
    i: list[Line] = [(1, 1, -40), (5, 0.1, 3), (25, 0.05, 10)]
    rates = [(6400, 1000), (3200, 1600), (12800, 3000)]
    t = np.concatenate(
        [b + np.arange(n) / r for (r, n), b in zip(rates, (0, 0.15625, 0.65625), strict=True)]
    )
    head, codes, end = ["站,rec,2013", "6,6A,0D"], [], 0
    for number in range(6):
        name, lines, step, ratio = (
            ("母线U", u, 1e-7, "110.0,0.1") if number < 3 else ("线路I", i, 1e-9, "600.0,5.0")
        )
        letter, skew = "ABC"[number % 3], (240.0, -16.2, 7.0, -180.0, 6.2, 33.0)[number]
        lines = [(k, a, p - k * 120 * (number % 3)) for k, a, p in lines]
        values = wave(TURN * 50.21 * (t + skew * 1e-6), lines)
        codes.append(np.round((values - 0.25) / step).astype("<i4"))
        head.append(f"{number + 1},{name}{letter},{letter},,{'VA'[number // 3]},{step!r},0.25,{skew},"  # noqa: E501
                    f"-99999,99998,{ratio},S")  # fmt: skip
    head += ["50", "3"]
    for rate, count in rates:
        end += count
        head.append(f"{rate},{end}")
    head += ["01/02/2024,03:04:05.000000"] * 2 + ["BINARY32", "1.0", "0,0", "B,0", ""]
    (tmp_path / "a.cfg").write_bytes("\r\n".join(head).encode("gbk"))
    (tmp_path / "a.dat").write_bytes(
        b"".join(
            struct.pack("<II6i", n + 1, round(t[n] * 1e6), *(int(one[n]) for one in codes))
            for n in range(end)
        )
    )
    true = truth(u, i)
    for start, seconds in ((0, 0.15), (0.16, 0.45), (0.66, 0.2)):
        found = measured(tmp_path / "a.cfg", "--start", start, "--duration", seconds)
        for phase in found["phases"]:
            assert worst_ppm(phase, true) < 0.02
    assert run(tmp_path / "a.cfg", "--start", 0.1, "--duration", 0.2).exit_code == 2
    found = measured(tmp_path / "a.cfg", "--side", "primary", "--start", 0.66, "--duration", 0.2)
    assert found["phases"][0]["u_v"] == pytest.approx(true["u_v"] * 1100, rel=1e-7)
    assert found["phases"][0]["i_a"] == pytest.approx(true["i_a"] * 120, rel=1e-7)


PULSE_U: list[Line] = [(1, 230, 10)]
PULSE_I: list[Line] = [(1, 10, -50), (3, 1, 20)]
PULSE_P, PULSE_F = 1150.0, 50.037


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("steady")
    return parquet(folder / "a.parquet", one_phase(4000, PULSE_F, 12, PULSE_U, PULSE_I))


def energy(t: Array) -> Array:
    """∫ u·i dt in closed form, J."""
    total = np.zeros_like(t)
    for k, volts, p in PULSE_U:
        for m, amperes, q in PULSE_I:
            for n, degrees in ((k - m, p - q), (k + m, p + q)):
                s = math.radians(degrees)
                w = TURN * PULSE_F * n
                total += volts * amperes * (
                    math.cos(s) * t if n == 0 else (np.sin(w * t + s) - math.sin(s)) / w
                )  # fmt: skip
    return total


def instants(joules: Array) -> Array:
    """When the instantaneous energy reaches these values."""
    low, high = joules / PULSE_P - 0.02, joules / PULSE_P + 0.02
    for _ in range(60):
        middle = (low + high) / 2
        early = energy(middle) < joules
        low, high = np.where(early, middle, low), np.where(early, high, middle)
    return (low + high) / 2


def judged(recording: Path, folder: Path, times: Array, constant: float = 10000) -> dict[str, Any]:
    path = folder / "pulses.csv"
    path.write_text("time_s\n" + "".join(f"{t!r}\n" for t in times.tolist()))
    meter: dict[str, Any] = measured(recording, "--pulses", path, "--constant", constant)["meter"]
    return meter


@pytest.mark.parametrize("error", [-3.0, 0.0, 0.5, 12.0])
def test_smooth_and_pulsating_meters(steady: Path, tmp_path: Path, error: float) -> None:
    counted = np.arange(100, PULSE_P * 11.99 * (1 + error / 100), 360) / (1 + error / 100)
    smooth = judged(steady, tmp_path, counted / PULSE_P)
    assert smooth["error_percent"] == pytest.approx(error, abs=1e-9)
    assert smooth["uncertainty_scope"] == "algorithm and pulses"
    assert smooth["verdict"] is None
    pulsating = judged(steady, tmp_path, instants(counted))
    assert pulsating["error_percent"] == pytest.approx(error, abs=1e-4)
    assert pulsating["pulse_output"] == "pulsating"


def test_the_uncertainty_covers_jitter(steady: Path, tmp_path: Path) -> None:
    chance = np.random.default_rng(7)
    covered = 0
    for number in range(40):
        error = chance.normal()
        counted = np.arange(chance.uniform(0, 360), PULSE_P * 11.9, 360) / (1 + error / 100)
        times = instants(counted) if number % 2 else counted / PULSE_P
        found = judged(steady, tmp_path, np.sort(times + chance.normal(size=times.size) * 1e-3))
        covered += abs(found["error_percent"] - error) <= found["expanded_uncertainty_percent"]
    assert covered >= 34  # 95 % of 40 are 38; 33 or fewer has a chance of 0.3 %


def test_missed_and_double_pulses_are_counted_and_leave_no_bias(
    steady: Path, tmp_path: Path
) -> None:
    times = np.arange(100, PULSE_P * 11.9, 360) / PULSE_P
    ten = len(times) // 2
    whole = judged(steady, tmp_path, times)
    missed = judged(steady, tmp_path, np.delete(times, ten))
    assert (missed["pulses_missing"], missed["pulses_rejected"]) == (1, 0)
    double = judged(steady, tmp_path, np.insert(times, ten + 1, times[ten] + 0.001))
    assert (double["pulses_missing"], double["pulses_rejected"]) == (0, 1)
    for found in (missed, double):
        both = whole["expanded_uncertainty_percent"] + found["expanded_uncertainty_percent"]
        assert abs(found["error_percent"] - whole["error_percent"]) < max(both, 1e-6)


def test_pulses_that_cannot_be_right_are_a_reason(steady: Path, tmp_path: Path) -> None:
    times = np.arange(100, PULSE_P * 11.9, 360) / PULSE_P
    few = np.delete(times[:4], 2)
    assert judged(steady, tmp_path, few)["cannot_judge"] == "pulses irregular"
    assert "times the energy" in judged(steady, tmp_path, times, 1000)["detail"]
    outside = np.concatenate([[-0.5, -0.2], times, [12.5, 13.0]])
    assert judged(steady, tmp_path, outside)["pulses_used"] == len(times)


@pytest.mark.parametrize(
    ("line", "place"),
    [("0.17475,nan,1", "line 701"), ("0.17475,1,inf", "line 701"), ("0.17475,,1", "line 701"),
     ("0.17475,1", "line 701"), ("0.1,1,2", "line 701"), ("0.17475,abc,1", "line 701"),
     ("9" * 1_000_000, "line 701")],
)  # fmt: skip
def test_a_broken_line_is_named(tmp_path: Path, line: str, place: str) -> None:
    path = csv(tmp_path / "a.csv", one_phase(4000, 50, 0.5, RICH_U, RICH_I), times="%.6f")
    lines = path.read_text().splitlines()
    lines[700] = line
    path.write_text("\n".join(lines) + "\n")
    result = run(path)
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)
    assert "a.csv" in result.output
    assert place in result.output
