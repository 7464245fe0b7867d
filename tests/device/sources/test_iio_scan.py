"""Scans of IIO buffers: values packed by hand, in every format that drivers use."""

import struct

import pytest

from spotcheck.errors import SampleSourceError
from spotcheck_device.sources.iio_scan import ScanElement, ScanLayout


def element(name: str, text: str) -> ScanElement:
    """`le:s24/32>>8`, as the kernel writes it."""
    order, _, rest = text.partition(":")
    bits, _, rest = rest[1:].partition("/")
    storage, _, shift = rest.partition(">>")
    return ScanElement(
        name=name, storage_bits=int(storage), bits=int(bits), shift=int(shift),
        is_signed=text[3] in "sS", is_big_endian=order == "be",
    )  # fmt: skip


STAMP = element("timestamp", "le:s64/64>>0")


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("le:s24/32>>8", lambda code: struct.pack("<i", code * 256 + 0x5A)),
        ("be:s24/32>>8", lambda code: struct.pack(">i", code * 256 + 0x5A)),
        ("le:s24/32>>0", lambda code: struct.pack("<i", code)),
        ("be:s24/32>>0", lambda code: b"\x77" + code.to_bytes(3, "big", signed=True)),
    ],
)
def test_codes_have_their_sign_and_bits_that_do_not_count_are_left(
    text: str, packed: object
) -> None:
    assert callable(packed)
    layout = ScanLayout([element("voltage0", text), element("voltage1", text)], STAMP)
    codes = [(0, 1), (-1, 8_388_607), (-8_388_608, 123_456)]
    data = b"".join(
        packed(a) + packed(b) + struct.pack("<q", 10**18 + n) for n, (a, b) in enumerate(codes)
    )
    assert layout.codes(data, ["voltage1", "voltage0"]).tolist() == [[b, a] for a, b in codes]
    assert layout.stamps_ns(data).tolist() == [10**18, 10**18 + 1, 10**18 + 2]


def test_stamp_stands_at_a_multiple_of_its_own_size() -> None:
    layout = ScanLayout([element(f"voltage{n}", "le:s16/16>>0") for n in range(3)], STAMP)
    data = struct.pack("<3h2xq", 1, -2, 3, 77)
    assert layout.scan_bytes == len(data) == 16
    assert layout.codes(data, ["voltage0", "voltage1", "voltage2"]).tolist() == [[1, -2, 3]]
    assert layout.stamps_ns(data).tolist() == [77]


@pytest.mark.parametrize("text", ["le:u24/32>>8", "le:s32/32>>0", "le:s24/24>>0", "le:s24/32>>9"])
def test_format_that_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(SampleSourceError, match="voltage0"):
        ScanLayout([element("voltage0", text)], STAMP)
