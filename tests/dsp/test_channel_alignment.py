"""Channels moved by a fraction of a sample, against the sinusoid at the right instant."""

import numpy as np
import pytest
from scipy.signal.windows import tukey

from spotcheck_dsp.channel_alignment import REACH, aligned, aligned_between, missing_samples
from spotcheck_dsp.measured_window import measure_window

RATE = 10_000.0


@pytest.mark.parametrize("order", [1, 7, 25, 50, 70])
@pytest.mark.parametrize("delay_us", [-20.0, -3.3, 17.0, 250.0])
def test_a_sinusoid_is_put_right_to_a_billionth(order: int, delay_us: float) -> None:
    t = np.arange(2000) / RATE
    taken = np.cos(2 * np.pi * 50 * order * (t + delay_us * 1e-6) + 0.3)
    found = aligned(taken[:, None], np.array([delay_us * 1e-6 * RATE]))[:, 0]
    inside = slice(REACH + 4, -REACH - 4)
    assert np.max(np.abs(found - np.cos(2 * np.pi * 50 * order * t + 0.3))[inside]) < 2e-9


@pytest.mark.parametrize("order", [1, 5])
def test_the_ends_are_met_too_at_low_orders(order: int) -> None:
    t = np.arange(700) / RATE
    taken = np.cos(2 * np.pi * 50 * order * (t - 20e-6))
    # The last instant lies beyond the last sample.
    found = aligned_between(taken[:, None], np.array([-0.2]), 0, 699)[:, 0]
    assert np.max(np.abs(found - np.cos(2 * np.pi * 50 * order * t[:699]))) < 1e-7


@pytest.mark.parametrize("delay", [-999.7, -20.0, -20.4, -1.0, -0.4, 0.4, 1.0, 19.6, 20.0])
def test_delays_of_many_samples_are_met_at_every_instant_that_the_samples_reach(
    delay: float,
) -> None:
    t = np.arange(3000) / RATE
    taken = np.cos(2 * np.pi * 50 * (t + delay / RATE) + 0.3)
    before, after = missing_samples(np.array([delay]))
    found = aligned_between(taken[:, None], np.array([delay]), before, 3000 - after)[:, 0]
    truth = np.cos(2 * np.pi * 50 * t + 0.3)[before : 3000 - after]
    assert np.max(np.abs(found - truth)) < 1e-9


@pytest.mark.parametrize(
    ("delays", "first", "end"),
    [((0.2, 0.0), 0, 100), ((-0.2, 0.0), 1, 100), ((3.0, -7.5), 2, 92), ((3.0, -7.5), 3, 93)],
)
def test_nothing_is_made_up_beyond_the_samples(
    delays: tuple[float, ...], first: int, end: int
) -> None:
    with pytest.raises(ValueError, match="lie beyond 100 samples"):
        aligned_between(np.ones((100, 2)), np.array(delays), first, end)


@pytest.mark.parametrize(
    ("delays", "missing"),
    [
        ((0.0, 0.0), (0, 0)), ((0.05, 0.0), (1, 0)), ((0.0, -0.05), (0, 1)),
        ((1.0, -1.0), (1, 1)), ((-20.5, 3.0), (3, 21)), ((), (0, 0)),
    ],
)  # fmt: skip
def test_instants_that_not_all_channels_reach_are_counted(
    delays: tuple[float, ...], missing: tuple[int, int]
) -> None:
    assert missing_samples(np.array(delays)) == missing


def test_a_picture_keeps_its_length_and_stands_still_at_its_ends() -> None:
    values = np.random.default_rng(3).normal(size=(300, 2))
    found = aligned(values, np.array([2.0, -1.0]))
    assert found.shape == values.shape
    assert np.allclose(found[:3, 0], values[0, 0])
    assert np.allclose(found[-2:, 1], values[299, 1])


def test_noise_at_the_very_ends_is_not_raised_much() -> None:
    values = np.random.default_rng(4).normal(size=(20_000, 1))
    found = [
        aligned_between(values[k : k + 200], np.array([0.4]), 1, 200)[:6, 0]
        for k in range(0, 19_000, 100)
    ]
    assert np.max(np.std(found, axis=0)) < 6


def test_a_whole_sample_is_a_shift() -> None:
    values = np.random.default_rng(2).normal(size=300) * tukey(300)
    found = aligned(values[:, None], np.array([-2.0]))[:, 0]
    assert np.allclose(found[40:-40], values[42:-38], atol=1e-9)


def test_channels_move_each_by_its_own_delay() -> None:
    t = np.arange(1000) / RATE
    delays = np.array([0.0, 0.17, -0.2])
    taken = np.column_stack([np.sin(2 * np.pi * 50 * (t + d / RATE)) for d in delays])
    found = aligned(taken, delays)
    assert np.array_equal(found[:, 0], taken[:, 0])
    between = aligned_between(taken, delays, 1, 999)
    assert np.array_equal(between, found[1:-1])
    assert np.max(np.abs(between - np.sin(2 * np.pi * 50 * t)[1:-1, None])) < 1e-8


def test_no_delay_gives_the_very_values() -> None:
    values = np.ones((5, 2))
    assert aligned(values, np.zeros(2)) is values


@pytest.mark.parametrize(("count", "delay"), [(5, 0.1), (5000, 1001.0)])
def test_what_cannot_be_moved_is_refused(count: int, delay: float) -> None:
    with pytest.raises(ValueError, match="cannot be moved"):
        aligned(np.ones((count, 1)), np.array([delay]))
    with pytest.raises(ValueError, match="cannot be moved"):
        aligned_between(np.ones((count, 1)), np.array([delay]), 1, 2)


def test_a_record_shorter_than_its_delays_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be moved"):
        aligned(np.ones((40, 2)), np.array([40.0, -20.0]))


@pytest.mark.parametrize("guard", [1, REACH + 1], ids=["whole record", "inside a longer one"])
@pytest.mark.parametrize("skew_us", [-20.0, -7.3, 0.4, 20.0])
@pytest.mark.parametrize("frequency", [45.0, 65.0])
def test_a_skew_leaves_a_hundredth_of_a_ppm_of_power_with_harmonics_to_the_fiftieth(
    frequency: float, skew_us: float, guard: int
) -> None:
    orders = np.arange(1, 51)
    u = 325 * np.where(orders == 1, 1, 0.1 / orders) * np.exp(1j * orders**2)
    i = 14 * np.where(orders == 1, 1, 0.6 / orders) * np.exp(1j * orders)
    u[-1], i[-1] = 32.5, 5.6j
    t = np.arange(-guard, 10_000 + guard) / RATE
    turns = np.exp(
        2j * np.pi * frequency * np.outer([t, t + skew_us * 1e-6], orders).reshape(2, len(t), 50)
    )
    values = np.column_stack([(turns[0] @ u).real, (turns[1] @ i).real])
    delays = np.array([0.0, skew_us * 1e-6 * RATE])
    found = measure_window(aligned_between(values, delays, guard, guard + 10_000), 0, RATE)
    s = np.linalg.norm(u) * np.linalg.norm(i) / 2
    assert abs(found.quantities.power_w[0] - np.vdot(i, u).real / 2) < 1e-8 * s
    assert abs(found.quantities.q1_var[0] - (u[0] * np.conj(i[0])).imag / 2) < 1e-8 * s
    assert abs(found.quantities.rms_i_a[0] * np.sqrt(2) / np.linalg.norm(i) - 1) < 1e-8
