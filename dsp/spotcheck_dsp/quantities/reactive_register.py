"""Columns of reactive energy for the `EnergyRegister`, to be read at the pulses of a kvarh meter.

One column for each definition in `reactive_power`, as integrals over slots (var × samples; divide
by the sample rate for var·s). Which of them a meter counts stands on its nameplate or in its
handbook: IEC 62053-24 wants the fundamental.
"""

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.argument_checks import refuse_unusable
from spotcheck_dsp.edge_window import HALF_WIDTH_CYCLES
from spotcheck_dsp.mains_tracking import MainsTrack, SlotGrid, phasors
from spotcheck_dsp.quantities.reactive_power import quarter_period_products

Array = NDArray[np.float64]

_CENTRES_AT_ONCE = 50
"""So many slots share one demodulation frequency: with slots of 1 ms a drift of 0.5 Hz/s moves it
by 12 mHz to either side, which the window answers with less than 1e-6."""


def fundamental_reactive_increments(
    voltage_means: Array, current_means: Array, grid: SlotGrid, track: MainsTrack
) -> tuple[int, Array]:
    """Reactive energy of the fundamental (Q1), slot by slot.

    The phasors around each slot's centre come from the quick edge window, four cycles wide. Its
    integral is 1, so under a steady voltage no reactive energy is lost or gained across a step of
    the current; only its time is smoothed. Harmonics near the slot rate fold onto the fundamental
    (see `mains_tracking`): take slots short enough, 0.25 ms for the 50th order.

    Args:
        voltage_means: (slots, phases) mean of each slot, corrected, V.
        current_means: (slots, phases) the same of the currents, A.
        grid: Where the slots stand.
        track: Frequency over them.

    Returns:
        Number of the first slot that has an increment, and (slots′, phases) increments in
        var × samples. Two cycles are missing at either end.

    Raises:
        TypeError: no arrays of numbers.
        ValueError: shapes that do not pair, not finite, or fewer than four cycles.
    """
    refuse_unusable("voltage_means", voltage_means, 2)
    refuse_unusable("current_means", current_means, 2)
    if voltage_means.shape != current_means.shape:
        raise ValueError(
            f"voltage_means is {voltage_means.shape} and current_means {current_means.shape}; "
            f"they must pair"
        )
    longest_cycle = grid.sample_rate_hz / float(np.min(track.frequency_hz))
    margin = int(np.ceil(HALF_WIDTH_CYCLES * longest_cycle / grid.slot_length)) + 1
    count, phases = voltage_means.shape
    if count <= 2 * margin:
        raise ValueError(f"voltage_means has {count} slots; more than {2 * margin} are needed")
    both = np.hstack([voltage_means, current_means])
    centres = grid.centres(count)[margin : count - margin]
    rows = []
    for start in range(0, len(centres), _CENTRES_AT_ONCE):
        here = centres[start : start + _CENTRES_AT_ONCE]
        cycle = track.cycle_samples(np.array([here.mean()]), grid.sample_rate_hz)[0]
        near = slice(start, start + len(here) + 2 * margin)
        local = SlotGrid(
            first_slot=grid.first_slot + start,
            slot_length=grid.slot_length,
            sample_rate_hz=grid.sample_rate_hz,
        )
        turning = phasors(both[near], local, here, grid.sample_rate_hz / float(cycle))
        rows.append(np.imag(turning[:, :phases] * np.conj(turning[:, phases:])))
    return grid.first_slot + margin, np.vstack(rows) * grid.slot_length


def quarter_period_reactive_increments(
    voltage: Array, current: Array, delay_samples: float, slot_length: int
) -> tuple[int, Array]:
    """Reactive energy by quarter-period delay, slot by slot.

    Args:
        voltage: (n, phases) samples from the begin of slot 0 on, V.
        current: (n, phases) samples, A.
        delay_samples: Delay of the voltage: a quarter of the cycle, or the meter's fixed one.
        slot_length: Samples per slot.

    Returns:
        Number of the first whole slot, and (slots, phases) increments in var × samples.

    Raises:
        TypeError: no arrays of numbers.
        ValueError: as `quarter_period_products`, no slot length, or not one whole slot.
    """
    if slot_length < 1:
        raise ValueError(f"slot_length is {slot_length}; at least 1 sample is needed")
    products, begin = quarter_period_products(voltage, current, delay_samples)
    first_slot = -(-begin // slot_length)
    usable = products[first_slot * slot_length - begin :]
    count = len(usable) // slot_length
    if count < 1:
        raise ValueError(f"voltage has {len(voltage)} samples; they hold no whole slot")
    shape = (count, slot_length, products.shape[1])
    return first_slot, usable[: count * slot_length].reshape(shape).sum(axis=1)


def lagged_reactive_increments(lag_difference: Array, radians_per_sample: Array) -> Array:
    """Reactive energy of one sample's lag, slot by slot, from the exact slot sums.

    Σ(u[n]·i[n−1] − u[n−1]·i[n]) is −2·Q·sin ω a sample for sinusoids. The order h counts
    sin(hω)/sin ω times, about h-fold: right for sinusoids, for a distorted load no meter's value.

    Args:
        lag_difference: (slots, phases) the sums, scaled to V·A.
        radians_per_sample: (slots,) advance of the fundamental from sample to sample.

    Returns:
        (slots, phases) increments in var × samples.

    Raises:
        TypeError: no arrays of numbers.
        ValueError: shapes that do not pair, not finite, or an advance not between 0 and π.
    """
    refuse_unusable("lag_difference", lag_difference, 2)
    refuse_unusable("radians_per_sample", radians_per_sample, 1)
    if len(radians_per_sample) != len(lag_difference):
        raise ValueError(
            f"radians_per_sample has {len(radians_per_sample)} values for "
            f"{len(lag_difference)} slots"
        )
    if radians_per_sample.size and not (
        np.min(radians_per_sample) > 0 and np.max(radians_per_sample) < np.pi
    ):
        raise ValueError("radians_per_sample must lie between 0 and π")
    increments: Array = -lag_difference / (2 * np.sin(radians_per_sample))[:, None]
    return increments
