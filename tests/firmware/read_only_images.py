"""Builds the read-only file systems that MicroPython mounts (its ROMFS, version 1)."""

DIRECTORY_HEADER = b"\xd2\xcd\x31"
DATA, FILE = 2, 5


def _number(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.insert(0, 0x80 | value & 0x7F)
    return bytes(digits)


def _record(kind: int, payload: bytes) -> bytes:
    return _number(kind) + _number(len(payload)) + payload


def read_only_image(files: dict[str, bytes]) -> bytes:
    """Return the image of a flat folder."""
    content = b"".join(
        _record(FILE, _number(len(name)) + name.encode() + _record(DATA, data))
        for name, data in files.items()
    )
    length = _number(len(content))
    # Its length must be even.
    padding = b"\x80" if (len(DIRECTORY_HEADER + length) + len(content)) % 2 else b""
    return DIRECTORY_HEADER + padding + length + content
