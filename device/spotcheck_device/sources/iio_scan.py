"""Scans of a Linux IIO buffer: how elements lie in one, and their codes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import SampleSourceError


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanElement:
    """One element of a scan, as the kernel describes it."""

    name: str
    """The channel's id, such as `voltage0`."""
    storage_bits: int
    """Bits that it takes: 16, 32 or 64."""
    bits: int
    """Bits that count."""
    shift: int
    """Bits below them that do not."""
    is_signed: bool
    """Whether it is in two's complement."""
    is_big_endian: bool
    """Whether its most significant byte comes first."""

    def __post_init__(self) -> None:
        if self.storage_bits not in (16, 32, 64) or self.bits + self.shift > self.storage_bits:
            raise SampleSourceError(
                f"IIO channel {self.name}: {self.bits} bits, shifted by {self.shift}, in "
                f"{self.storage_bits} cannot be read"
            )


class ScanLayout:
    """Elements in the order of their index, each at a multiple of its own size."""

    def __init__(self, elements: Sequence[ScanElement], timestamp: ScanElement) -> None:
        """A layout.

        Args:
            elements: The enabled channels in the order of their index in the scan.
            timestamp: The time stamp, whose index is the largest.

        Raises:
            SampleSourceError: an element is no signed code of at most 24 bits.
        """
        for element in elements:
            if not element.is_signed or not 8 <= element.bits <= 24:
                raise SampleSourceError(
                    f"IIO channel {element.name} has {element.bits} bits, "
                    f"signed: {element.is_signed}; codes are signed and have up to 24 bits"
                )
        self._elements = tuple(elements)
        offsets, end = [], 0
        for element in (*elements, timestamp):
            size = element.storage_bits // 8
            end = -(-end // size) * size
            offsets.append(end)
            end += size
        largest = max(element.storage_bits for element in (*elements, timestamp)) // 8
        self.scan_bytes = -(-end // largest) * largest
        self._dtype = np.dtype(
            {
                "names": [element.name for element in elements] + [timestamp.name],
                "formats": [_format(element) for element in (*elements, timestamp)],
                "offsets": offsets,
                "itemsize": self.scan_bytes,
            }
        )
        self._timestamp = timestamp.name

    def stamps_ns(self, data: bytes) -> NDArray[np.int64]:
        """The time stamp of each scan."""
        return np.frombuffer(data, self._dtype)[self._timestamp].astype(np.int64)

    def codes(self, data: bytes, order: Sequence[str]) -> NDArray[np.int32]:
        """Codes with their sign.

        Args:
            data: Whole scans.
            order: Names of the channels in the order wanted.

        Returns:
            (scans, channels).
        """
        scans = np.frombuffer(data, self._dtype)
        found = np.empty((len(scans), len(order)), np.int32)
        by_name = {element.name: element for element in self._elements}
        for place, name in enumerate(order):
            element = by_name[name]
            above = element.storage_bits - element.bits - element.shift
            # What counts to the top, then down with its sign.
            found[:, place] = (
                scans[name].astype(scans[name].dtype.newbyteorder("="))
                << above
                >> (above + element.shift)
            )
        return found


def _format(element: ScanElement) -> str:
    return f"{'>' if element.is_big_endian else '<'}i{element.storage_bits // 8}"
