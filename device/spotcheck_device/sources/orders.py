"""What a source is asked for: where it is, how it is to run, what is on its inputs."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import ClassVar, TypeAlias

from spotcheck_device.sources.ads131m08_frames import CHANNELS
from spotcheck_device.sources.ads131m08_registers import Ads131m08Configuration
from spotcheck_device.sources.channel_map import ChannelMap


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketOrder:
    """A sample stream over TCP."""

    host: str
    """Name or number."""
    port: int
    """TCP port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpiOrder:
    """Where the converter is, how it is to run, and what is on its inputs."""

    ALL_GAINS_ONE: ClassVar = (1,) * CHANNELS
    USUAL_CLOCK_HZ: ClassVar = 8_192_000
    USUAL_SPEED_HZ: ClassVar = 20_000_000
    """A frame then takes 12 µs of the 31 µs between two at 32 kS/s; the converter allows 25 MHz."""

    device: Path
    """`/dev/spidevB.C`."""
    drdy_chip: Path
    """GPIO chip of the data-ready line, `/dev/gpiochipN`."""
    drdy_line: int
    """Its line on that chip."""
    sample_rate_hz: int
    """4000, 8000, 16,000 or 32,000 with the usual clock."""
    phases: int
    """1 or 3."""
    inputs: tuple[int, ...]
    """The converter's channels of u1, i1[, u2, i2, u3, i3], 0 to 7."""
    voltage_range: str
    """As the correction set names it."""
    current_range: str
    """As the correction set names it."""
    gains: tuple[int, ...]
    """Gain of each of the eight channels."""
    clock_hz: int
    """CLKIN."""
    speed_hz: int
    """SCLK."""

    @property
    def configuration(self) -> Ads131m08Configuration:
        """What the converter is told.

        Raises:
            ConfigurationError: rate, clock or gains do not fit.
        """
        return Ads131m08Configuration(
            sample_rate_hz=self.sample_rate_hz, clock_hz=self.clock_hz, gains=self.gains
        )

    @property
    def channels(self) -> ChannelMap:
        """Which inputs are wanted.

        Raises:
            ConfigurationError: they do not fit.
        """
        return ChannelMap(phases=self.phases, inputs=self.inputs, available=CHANNELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class IioOrder:
    """Which device is wanted, and what is on its inputs."""

    uri: str
    """libiio's address: `local:`, `ip:HOST`, `ip:HOST:PORT`."""
    device: str
    """Name or id of the device."""
    phases: int
    """1 or 3."""
    inputs: tuple[int, ...]
    """Channels of u1, i1[, u2, i2, u3, i3], counted in the order of the scan."""
    voltage_range: str
    """As the correction set names it."""
    current_range: str
    """As the correction set names it."""


class Pace(Enum):
    """What decides when a block comes."""

    REAL_TIME = "real-time"
    """As long after the first as it was recorded after it."""
    CREDIT = "credit"
    """As soon as it is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingOrder:
    """Which recording, and how fast."""

    folder: Path
    """Folder of the recording."""
    pace: Pace
    """What decides when a block comes."""


SourceOrder: TypeAlias = SocketOrder | SpiOrder | IioOrder | RecordingOrder
