"""The analogue front end: divider, clamps and converter, each with its errors."""

import math
from dataclasses import dataclass

from spotcheck.errors import ConfigurationError
from spotcheck.samples import FULL_SCALE_CODE, StreamFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel of the converter with the sensor before it."""

    gain_per_code: float
    """Volts or amperes for each code; negative: the sensor sits the wrong way round."""
    offset_codes: float = 0.0
    """Added to every sample, in codes."""
    noise_codes_rms: float = 0.0
    """RMS value of the white Gaussian noise, in codes."""
    phase_error_rad: float = 0.0
    """Extra lag of the measured signal at the nominal fundamental, in rad.

    Modelled as the constant delay that gives this lag, so that harmonic h lags h times as much.
    """
    skew_s: float = 0.0
    """Delay of the measured signal, in s; positive: this channel shows it late."""
    is_connected: bool = True
    """Whether lead or clamp is on; False leaves offset and noise."""

    def delay_s(self, nominal_frequency_hz: float) -> float:
        """Total delay of the measured signal, in s."""
        return self.skew_s + self.phase_error_rad / (2 * math.pi * nominal_frequency_hz)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEnd:
    """All channels and the clock that they are sampled with."""

    stream_format: StreamFormat
    """Nominal sample rate, phases and names of the ranges."""
    voltage: tuple[Channel, ...]
    """Voltage channel of each phase."""
    current: tuple[Channel, ...]
    """Current channel of each phase."""
    sample_clock_relative_error: float = 0.0
    """ε of the true sample rate, nominal·(1 + ε)."""
    nominal_frequency_hz: float = 50.0
    """Mains frequency at which phase errors are stated, in Hz."""
    full_scale_code: int = FULL_SCALE_CODE
    """Codes are clipped to ± this value, which no valid sample reaches."""
    clamp_phases: tuple[int, int, int] = (0, 1, 2)
    """Phase whose current the clamp of each phase sits on, from 0."""

    def __post_init__(self) -> None:
        phases = self.stream_format.phases
        if not len(self.voltage) == len(self.current) == phases:
            raise ConfigurationError(
                f"{len(self.voltage)} voltage and {len(self.current)} current channels "
                f"do not make {phases} phases"
            )
        if not set(self.clamp_phases[:phases]) <= set(range(phases)):
            raise ConfigurationError(f"clamps of {phases} phases on phases {self.clamp_phases}")

    @property
    def true_sample_rate_hz(self) -> float:
        """Samples in a second of true time."""
        return self.stream_format.sample_rate_hz * (1 + self.sample_clock_relative_error)

    @property
    def interleaved(self) -> tuple[Channel, ...]:
        """Channels in stream order: u1, i1, u2, i2, u3, i3."""
        pairs = zip(self.voltage, self.current, strict=True)
        return tuple(channel for pair in pairs for channel in pair)


VOLTAGE_FULL_SCALE_V = 600.0
"""Peak voltage at full scale of `typical_front_end`."""
CURRENT_FULL_SCALE_A = 150.0
"""Peak current at full scale of `typical_front_end`."""


def typical_front_end(
    phases: int = 1,
    *,
    sample_rate_hz: int = 8000,
    noise_codes_rms: float = 8.0,
    voltage_range: str = "600V",
    current_range: str = "150A",
) -> FrontEnd:
    """A front end of 600 V and 150 A peak, exact but for noise and quantisation.

    Args:
        phases: 1 or 3.
        sample_rate_hz: Nominal rate of every channel.
        noise_codes_rms: RMS noise of every channel, in codes.
        voltage_range: Name of the voltage range.
        current_range: Name of the current range.
    """
    voltage = Channel(
        gain_per_code=VOLTAGE_FULL_SCALE_V / FULL_SCALE_CODE, noise_codes_rms=noise_codes_rms
    )
    current = Channel(
        gain_per_code=CURRENT_FULL_SCALE_A / FULL_SCALE_CODE, noise_codes_rms=noise_codes_rms
    )
    return FrontEnd(
        stream_format=StreamFormat(
            sample_rate_hz=sample_rate_hz,
            phases=phases,
            voltage_range=voltage_range,
            current_range=current_range,
        ),
        voltage=(voltage,) * phases,
        current=(current,) * phases,
    )
