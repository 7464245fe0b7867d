"""Images as a vendor signs them, laid out by hand from docs/formats/wire.md."""

import hashlib
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# The demonstration key, as device/firmware/update_key.py says how it is made.
KEY = Ed25519PrivateKey.from_private_bytes(
    hashlib.sha256(b"spotcheck demonstration firmware key").digest()
)
PUBLIC = KEY.public_key().public_bytes_raw()
VENDOR, BOARD = b"spotcheck", b"pulse-front-end"


def manifest_of(
    image: bytes,
    counter: int,
    *,
    vendor: bytes = VENDOR,
    board: bytes = BOARD,
    length: int | None = None,
    magic: bytes = b"SCFW",
    version: int = 1,
) -> bytes:
    size = len(image) if length is None else length
    digest = hashlib.sha256(image).digest()
    return struct.pack(
        "<4sB3s12s20sII32s", magic, version, bytes(3), vendor, board, counter, size, digest
    )
