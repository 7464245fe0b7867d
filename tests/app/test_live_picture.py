"""What the device shows live becomes values; what does not fit together is left out."""

from typing import Any

import numpy as np

from spotcheck.load import Conditions, PhaseQuantities
from spotcheck.plain import to_plain
from spotcheck_host.app.live_picture import live_picture, quantity_headers, quantity_rows
from spotcheck_wire.host_messages import LiveView

U1, I1 = 230.0, 5.0


def conditions(phases: int = 1) -> Conditions:
    return Conditions(
        phases=tuple(
            PhaseQuantities(
                u_v=U1, i_a=I1, p_w=(-1) ** p * 575.0, q1_var=995.9, u_phase_deg=-120.0 * p,
                i_phase_deg=-120.0 * p - 60.0, thd_u_percent=1.0, thd_i_percent=2.5,
            )
            for p in range(phases)
        ),
        frequency_hz=50.02,
        power_instability_percent=None,
    )  # fmt: skip


def message(**changes: Any) -> LiveView:
    traces = np.array([[0.0, 100.0], [1.0, 2.0]], "<f4")
    levels = np.array([[200.0, 10.0], [4.0, 0.0]], "<f4")
    values: dict[str, Any] = {
        "sample": 9, "state": "idle", "conditions": to_plain(conditions()), "obstacle": "",
        "overload": False, "trace_interval_s": 1e-3, "trace_points": 2,
        "traces": traces.tobytes(), "harmonic_orders": 2, "harmonics": levels.tobytes(),
    }  # fmt: skip
    return LiveView(**(values | changes))


def test_traces_and_levels_come_out_by_phase() -> None:
    picture = live_picture(message())
    assert picture.waveforms is not None
    assert picture.waveforms.voltages_v.tolist() == [[0.0, 100.0]]
    assert picture.waveforms.currents_a.tolist() == [[1.0, 2.0]]
    assert picture.harmonics is not None
    assert picture.harmonics.voltages_percent.tolist() == [[100.0, 5.0]]
    assert picture.harmonics.currents_percent.tolist() == [[100.0, 0.0]]
    assert [arrow.name for arrow in picture.phasors] == ["U1", "I1"]
    assert picture.phasors[1].phase_deg == -60.0


def test_negative_phases_are_named() -> None:
    picture = live_picture(message(conditions=to_plain(conditions(3))))
    assert picture.negative_phases == (2,)


def test_without_mains_there_is_nothing_to_draw() -> None:
    picture = live_picture(
        message(conditions={}, obstacle="U1 is 0.1 V", traces=b"", trace_points=0,
                harmonics=b"", harmonic_orders=0)
    )  # fmt: skip
    assert picture.conditions is None
    assert picture.waveforms is None
    assert picture.harmonics is None
    assert picture.phasors == ()
    assert picture.negative_phases == ()


def test_a_channel_without_fundamental_has_no_levels() -> None:
    levels = np.array([[0.0, 3.0], [0.0, 0.0]], "<f4")
    picture = live_picture(message(harmonics=levels.tobytes()))
    assert picture.harmonics is not None
    assert not picture.harmonics.voltages_percent.any()


def test_conditions_of_another_kind_are_left_out() -> None:
    assert live_picture(message(conditions={"phases": "none"})).conditions is None


def test_table_has_a_column_a_phase_and_a_total() -> None:
    assert quantity_headers(1, "en") == ("", "L1")
    assert quantity_headers(3, "zh") == ("", "L1", "L2", "L3", "合计")
    for phases in (1, 3):
        columns = phases + (phases > 1)
        rows = quantity_rows(conditions(phases), "en")
        assert all(len(row.values) == columns for row in rows)
        named = {row.name: row.values for row in rows}
        assert named["P / W"][0] == "575.0"
        assert named["PF"][0] == "0.5000 L"
        assert named["φ (U, I) / °"][0] == "60.00"
        assert named["f / Hz"][0] == "50.020"
