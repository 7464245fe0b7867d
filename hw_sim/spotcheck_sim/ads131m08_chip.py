"""An ADS131M08 as its SPI bus shows it: bytes in, bytes out, and conversions that somebody makes.

After TI SBAS950: ten words of 24 bits, answers one frame late, a FIFO of two conversions, CRC-16
CCITT by the standard library. Damage on the bus is made here, where it would happen.
"""

import binascii
from collections import deque
from collections.abc import Callable, Sequence

CHANNELS = 8
FRAME_BYTES = 30
KEPT_CONVERSIONS = 2
_RESET_VALUES = {0x00: 0x2801, 0x01: 0x0500, 0x02: 0x0510, 0x03: 0xFF0E, 0x04: 0, 0x05: 0}
_RX_CRC_EN = 1 << 12
_RESET_FLAG = 1 << 10
_F_RESYNC = 1 << 14
_CRC_ERR = 1 << 12
_FRAMED_24 = 0x0100


class Ads131m08Chip:
    """The converter; it converts when told to, and not in standby."""

    def __init__(self, codes: Callable[[int], Sequence[int]]) -> None:
        """A converter that has just been powered.

        Args:
            codes: Its eight codes of a conversion, by the number of conversions since wake-up.
        """
        self._codes = codes
        self.damage: Callable[[bytes], bytes] = lambda frame: frame
        """What the bus makes of an answer."""
        self._power_on()

    def _power_on(self) -> None:
        self.registers = dict(_RESET_VALUES)
        self.is_converting = True
        self.conversions = 0
        self._kept: deque[tuple[int, ...]] = deque(maxlen=KEPT_CONVERSIONS)
        self._flags = _RESET_FLAG
        self._answer: int | None = None

    def restart(self) -> None:
        """Lose supply for a moment: registers have their first values again."""
        self._power_on()

    def resynchronise(self) -> None:
        """Begin anew in the frame, as a pulse on SYNC out of step makes it."""
        self._flags |= _F_RESYNC

    def convert(self) -> bool:
        """Make a conversion; false in standby."""
        if self.is_converting:
            self._kept.append(tuple(self._codes(self.conversions)))
            self.conversions += 1
        return self.is_converting

    def transfer(self, sent: bytes) -> bytes:
        """Exchange a frame."""
        if len(sent) != FRAME_BYTES:
            raise ValueError(f"{len(sent)} bytes on the bus; a frame has {FRAME_BYTES}")
        answer = self.damage(self._frame())
        self._obey(sent)
        return answer

    def _frame(self) -> bytes:
        fresh = 0xFF if self._kept else 0
        status = self._flags | _FRAMED_24 | fresh
        first = status if self._answer is None else self._answer
        if self._answer is None:
            self._flags &= _RESET_FLAG  # RESET stays until MODE is written, others until read
        codes = self._kept.popleft() if self._kept else (0,) * CHANNELS
        words = first.to_bytes(2, "big") + b"\0"
        words += b"".join(code.to_bytes(3, "big", signed=True) for code in codes)
        return words + binascii.crc_hqx(words, 0xFFFF).to_bytes(2, "big") + b"\0"

    def _obey(self, sent: bytes) -> None:
        command = int.from_bytes(sent[:2], "big")
        words = 2 if command & 0xE000 == 0x6000 else 1
        crc = binascii.crc_hqx(sent[: 3 * words], 0xFFFF)
        if self.registers[0x02] & _RX_CRC_EN and sent[3 * words :][:2] != crc.to_bytes(2, "big"):
            self._flags |= _CRC_ERR
            self._answer = None
            return
        self._answer = self._do(command, int.from_bytes(sent[3:5], "big"))

    def _do(self, command: int, value: int) -> int | None:
        address = command >> 7 & 0x3F
        match command:
            case 0x0011:
                self._power_on()
                return 0xFF28
            case 0x0022:
                self.is_converting = False
                self._kept.clear()
                return command
            case 0x0033:
                self.is_converting, self.conversions = True, 0
                return command
        if command & 0xE07F == 0x6000:
            self._write(address, value)
            return 0x4000 | address << 7
        return self.registers.get(address, 0) if command & 0xE07F == 0xA000 else None

    def _write(self, address: int, value: int) -> None:
        self.registers[address] = value
        if address == 0x02 and not value & _RESET_FLAG:
            self._flags &= ~_RESET_FLAG
