"""What the sustained-rate benchmarks read, with a meter's pulses for ever.

Eight channels at 32 kS/s, ten seconds that join end to end.
"""

import binascii
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from spotcheck.meter import Meter
from spotcheck.ports import PulseBatch
from spotcheck.pulses import STAMP_SUBDIVISION, Pulse
from spotcheck.samples import StreamFormat
from spotcheck_cli.demo_instrument import CLAMPS, VOLTAGE_RANGE, demonstration_correction_set
from spotcheck_cli.scenario import Scenario
from spotcheck_device.session_messages import MeasurementRequest

RATE_HZ = 32_000
TEMPLATE_S = 10
TEMPLATE_FRAMES = TEMPLATE_S * RATE_HZ
CHANNELS = 8
STREAM = StreamFormat(
    sample_rate_hz=RATE_HZ, phases=3, voltage_range=VOLTAGE_RANGE, current_range=CLAMPS[-1]
)
VOLTAGE_V, CURRENT_A, LAG_RAD = 220.0, 10.0, math.pi / 3


def meter() -> Meter:
    """A three-phase meter of 1600 imp/kWh."""
    return Scenario(phases=3, current_a=CURRENT_A).meter()


def power_w() -> float:
    """Of the signal."""
    return 3 * VOLTAGE_V * CURRENT_A * math.cos(LAG_RAD)


def template_codes() -> NDArray[np.int32]:
    """(frames, 8): u1, i1, u2, i2, u3, i3 with harmonics and noise, and two inputs with noise."""
    correction = demonstration_correction_set()
    t = np.arange(TEMPLATE_FRAMES) / RATE_HZ
    rng = np.random.default_rng(5)
    codes = np.rint(rng.normal(0, 30, (TEMPLATE_FRAMES, CHANNELS)))
    for phase in range(3):
        turn = 2 * np.pi * (50 * t - phase / 3)
        u = math.sqrt(2) * VOLTAGE_V * (np.cos(turn) + 0.03 * np.cos(3 * turn))
        i = math.sqrt(2) * CURRENT_A * (np.cos(turn - LAG_RAD) + 0.2 * np.cos(5 * turn))
        codes[:, 2 * phase] += u / correction.voltage(phase + 1, STREAM).gain_v_per_code.value
        codes[:, 2 * phase + 1] += i / correction.current(phase + 1, STREAM).gain_a_per_code.value
    return np.rint(codes).astype(np.int32)


def spi_frames(codes: NDArray[np.int32]) -> bytes:
    """The codes as an ADS131M08 sends them."""
    frames = np.zeros((len(codes), 30), np.uint8)
    frames[:, :2] = (0x01, 0xFF)
    big = np.ascontiguousarray(codes.astype(">i4")).view(np.uint8).reshape(len(codes), CHANNELS, 4)
    frames[:, 3:27] = big[:, :, 1:].reshape(len(codes), 24)
    for frame in frames:
        frame[27:29] = list(binascii.crc_hqx(frame[:27].tobytes(), 0xFFFF).to_bytes(2, "big"))
    return frames.tobytes()


def pulse_interval_samples() -> float:
    """Samples from pulse to pulse of a meter without error."""
    return float(meter().constant.energy_per_pulse_j) / power_w() * RATE_HZ


def pulse_batches() -> Iterator[PulseBatch]:
    """A batch each 100 ms."""
    interval = pulse_interval_samples() * STAMP_SUBDIVISION
    index, complete = 0, 0
    while True:
        complete += RATE_HZ // 10 * STAMP_SUBDIVISION
        pulses = []
        while index * interval < complete:
            pulses.append(Pulse(stamp=round(index * interval), index=index))
            index += 1
        yield PulseBatch(pulses=tuple(pulses), complete_to_stamp=complete)


def request(readings: int, seconds: float) -> MeasurementRequest:
    """Readings of so many seconds, one after another."""
    return MeasurementRequest(
        request_id="sustained", start_sample=0, meter=meter(), minimum_pulses=10,
        minimum_duration_s=seconds, maximum_duration_s=2 * seconds, readings=readings,
    )  # fmt: skip
