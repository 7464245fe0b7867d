"""Images of the pulse front end's firmware: built, signed, kept in a file, installed.

An image is a read-only file system (MicroPython's ROMFS); the file of an image is manifest,
signature and image, one after the other (docs/formats/wire.md, "Update").
"""

import contextlib
import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from spotcheck.errors import DeviceLostError, InvalidInputError
from spotcheck_device.front_end_commands import FrontEndCommands
from spotcheck_wire import frontend_codec as codec
from spotcheck_wire.frontend_messages import BeginUpdate, FinishUpdate, Restart, UpdateData

PIECE_TIMEOUT_S = 0.5
"""Longest wait for a piece's acknowledgement; erasing a sector takes a tenth of that."""
PIECE_TRIES = 4
MANIFEST_FORMAT = "<4sB3s12s20sII32s"
_MAGIC = b"SCFW"
_FORMAT_VERSION = 1
_HEAD_BYTES = codec.MANIFEST_BYTES + codec.SIGNATURE_BYTES
_FOLDER_HEADER = b"\xd2\xcd\x31"
_DATA_RECORD = 2
_FILE_RECORD = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedImage:
    """An image with what its vendor signed."""

    manifest: bytes
    """Vendor, board, version counter, length and digest (80 bytes)."""
    signature: bytes
    """Ed25519 signature of the manifest (64 bytes)."""
    image: bytes
    """The read-only file system."""

    def to_bytes(self) -> bytes:
        """The image's file."""
        return self.manifest + self.signature + self.image

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read an image's file; the signature is the front end's to verify.

        Raises:
            InvalidInputError: It is no image's file, or was cut or changed.
        """
        manifest = data[: codec.MANIFEST_BYTES]
        image = data[_HEAD_BYTES:]
        if not manifest.startswith(_MAGIC) or len(data) <= _HEAD_BYTES:
            raise InvalidInputError("this is no file of a front end's firmware image")
        *_, length, digest = struct.unpack(MANIFEST_FORMAT, manifest)
        if len(image) != length or hashlib.sha256(image).digest() != digest:
            raise InvalidInputError(
                "the firmware image was cut or changed on its way; fetch the file again"
            )
        return cls(
            manifest=manifest, signature=data[codec.MANIFEST_BYTES : _HEAD_BYTES], image=image
        )


def build_image(files: Mapping[str, bytes]) -> bytes:
    """Return a read-only file system with these files in one folder."""
    content = b"".join(
        _record(_FILE_RECORD, _number(len(name)) + name.encode() + _record(_DATA_RECORD, data))
        for name, data in files.items()
    )
    length = _number(len(content))
    # A folder's length in bytes must be even.
    is_odd = (len(_FOLDER_HEADER) + len(length) + len(content)) % 2
    return _FOLDER_HEADER + b"\x80" * is_odd + length + content


def build_manifest(image: bytes, *, vendor: str, board: str, counter: int) -> bytes:
    """Return what a vendor signs about an image.

    Args:
        image: The image.
        vendor: Name of the vendor, at most 12 bytes of ASCII.
        board: Name of the board, at most 20 bytes of ASCII.
        counter: Version counter; a front end takes only what is above all that it has confirmed.

    Raises:
        InvalidInputError: A name is too long, or the counter does not fit 32 bits.
    """
    names = vendor.encode("ascii"), board.encode("ascii")
    if len(names[0]) > 12 or len(names[1]) > 20 or not 0 < counter < 1 << 32:
        raise InvalidInputError(
            "a vendor's name has at most 12 bytes, a board's 20, and the counter is 1 to 2^32 - 1"
        )
    digest = hashlib.sha256(image).digest()
    fields = _MAGIC, _FORMAT_VERSION, bytes(3), *names, counter, len(image), digest
    return struct.pack(MANIFEST_FORMAT, *fields)


async def install(
    commands: FrontEndCommands, signed: SignedImage, on_progress: Callable[[int], None]
) -> None:
    """Give a front end an image and start it anew.

    The image is on trial until the restarted front end has answered a HelloRequest, which the
    link sends when the line opens.

    Args:
        commands: The front end's commands.
        signed: The image.
        on_progress: Told the bytes that have arrived.

    Raises:
        CommandRefusedError: The front end refused; says why. What ran before still runs.
        DeviceLostError: It went away or fell silent.
    """
    await commands.order(BeginUpdate(manifest=signed.manifest, signature=signed.signature))
    piece = codec.UPDATE_CHUNK_BYTES
    for offset in range(0, len(signed.image), piece):
        data = signed.image[offset : offset + piece]
        await _give_piece(commands, UpdateData(offset=offset, data=data.ljust(piece, b"\xff")))
        on_progress(offset + len(data))
    await commands.order(FinishUpdate())
    await commands.order(Restart())


async def _give_piece(commands: FrontEndCommands, piece: UpdateData) -> None:
    # A piece or its acknowledgement may be lost on the line; a repeated one is harmless.
    for _ in range(PIECE_TRIES - 1):
        with contextlib.suppress(DeviceLostError):
            await commands.order(piece, timeout_s=PIECE_TIMEOUT_S)
            return
    await commands.order(piece, timeout_s=PIECE_TIMEOUT_S)


def _number(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.insert(0, 0x80 | value & 0x7F)
    return bytes(digits)


def _record(kind: int, payload: bytes) -> bytes:
    return _number(kind) + _number(len(payload)) + payload
