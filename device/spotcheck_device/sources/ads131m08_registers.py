"""ADS131M08, commands and registers (TI SBAS950, 8.5.1.10 and 8.6), as typed values."""

import binascii
from dataclasses import dataclass
from enum import IntEnum

from spotcheck.errors import ConfigurationError
from spotcheck_device.sources.ads131m08_frames import CHANNELS, FRAME_BYTES, WORD_BYTES
from spotcheck_device.sources.crc16 import FIRST

NULL = 0x0000
"""Nothing is wanted but the frame: its answer is the status word."""
RESET = 0x0011
STANDBY = 0x0022
"""Conversions stop, and DRDY with them; acknowledged by itself."""
WAKEUP = 0x0033
"""Conversions begin; acknowledged by itself."""
RESET_ACKNOWLEDGED = 0xFF28
"""Answer to RESET: 0xFF20 and the number of channels."""
IDENTITY = 0x2800
"""Register ID without its revision: 0x2000 and the number of channels."""
IDENTITY_MASK = 0xFF00
CLOCKS_PER_MODULATION = 2
"""Cycles of CLKIN for one of the modulator."""


class Register(IntEnum):
    """Addresses."""

    ID = 0x00
    STATUS = 0x01
    MODE = 0x02
    CLOCK = 0x03
    GAIN1 = 0x04
    GAIN2 = 0x05


class Mode(IntEnum):
    """Bits of MODE."""

    RX_CRC_EN = 1 << 12
    """Commands carry a CRC, and one with a wrong CRC is not executed."""
    WLENGTH_24 = 1 << 8
    TIMEOUT = 1 << 4
    """A frame that is not finished within 2^15 cycles of CLKIN is forgotten."""


class Clock(IntEnum):
    """Bits of CLOCK."""

    EVERY_CHANNEL = 0xFF00
    XTAL_DIS = 1 << 7
    """CLKIN comes from the board's oscillator, and the converter's own is off."""


class PowerMode(IntEnum):
    """PWR of CLOCK: which CLKIN the converter can follow."""

    VERY_LOW_POWER = 0
    LOW_POWER = 1
    HIGH_RESOLUTION = 2


OVERSAMPLING_FIELDS = {128: 0, 256: 1, 512: 2, 1024: 3}
"""OSR of CLOCK; more would be below the 4000 S/s that a stream must have."""
GAIN_FIELDS = {1: 0, 2: 1, 4: 2, 8: 3, 16: 4, 32: 5, 64: 6, 128: 7}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ads131m08Configuration:
    """What the converter is told before it begins."""

    sample_rate_hz: int
    """Conversions per second of each channel."""
    clock_hz: int
    """CLKIN, from the board's oscillator; 8,192,000 gives 32, 16, 8 and 4 kS/s."""
    gains: tuple[int, ...] = (1,) * CHANNELS
    """Gain of each channel's amplifier: 1, 2, 4 … 128."""

    def __post_init__(self) -> None:
        if len(self.gains) != CHANNELS or any(gain not in GAIN_FIELDS for gain in self.gains):
            known = ", ".join(map(str, GAIN_FIELDS))
            raise ConfigurationError(f"gains are {self.gains}; give {CHANNELS} of {known}")
        self.oversampling  # noqa: B018 - refuses a rate that the clock does not give

    @property
    def oversampling(self) -> int:
        """Cycles of the modulator for one conversion.

        Raises:
            ConfigurationError: the clock does not give the sample rate.
        """
        for ratio in OVERSAMPLING_FIELDS:
            if self.clock_hz == self.sample_rate_hz * CLOCKS_PER_MODULATION * ratio:
                return ratio
        given = ", ".join(
            str(self.clock_hz // (CLOCKS_PER_MODULATION * ratio)) for ratio in OVERSAMPLING_FIELDS
        )
        raise ConfigurationError(
            f"a clock of {self.clock_hz} Hz does not give {self.sample_rate_hz} S/s; "
            f"it gives {given}"
        )

    def words(self) -> tuple[tuple[Register, int], ...]:
        """Registers and what is written to them, in order."""
        clock = Clock.EVERY_CHANNEL | Clock.XTAL_DIS | OVERSAMPLING_FIELDS[self.oversampling] << 2
        return (
            (Register.MODE, Mode.RX_CRC_EN | Mode.WLENGTH_24 | Mode.TIMEOUT),
            (Register.CLOCK, clock | PowerMode.HIGH_RESOLUTION),
            (Register.GAIN1, self._gain_word(0)),
            (Register.GAIN2, self._gain_word(4)),
        )

    def _gain_word(self, first_channel: int) -> int:
        four = self.gains[first_channel : first_channel + 4]
        return sum(GAIN_FIELDS[gain] << (4 * place) for place, gain in enumerate(four))


def read_command(register: Register) -> int:
    """The command that reads one register."""
    return 0xA000 | register << 7


def write_command(register: Register) -> int:
    """The command that writes one register."""
    return 0x6000 | register << 7


def write_acknowledged(register: Register) -> int:
    """What answers a write of one register, in the next frame."""
    return 0x4000 | register << 7


def command_frame(command: int, *values: int) -> bytes:
    """A frame to the converter: a command, its values, and their CRC.

    The converter heeds the CRC once MODE says so, and before takes it for what is ignored.
    """
    words = b"".join(word.to_bytes(2, "big") + bytes(WORD_BYTES - 2) for word in (command, *values))
    crc = binascii.crc_hqx(words, FIRST).to_bytes(2, "big")
    return (words + crc).ljust(FRAME_BYTES, b"\0")
