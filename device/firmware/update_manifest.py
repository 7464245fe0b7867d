"""What the vendor signs about an image of the firmware (docs/formats/wire.md, "Update")."""

import struct

FORMAT = "<4sB3s12s20sII32s"
MAGIC = b"SCFW"
FORMAT_VERSION = 1
COUNTER_PLACE = 5
LENGTH_PLACE = 6
DIGEST_PLACE = 7


class ForeignManifest(Exception):
    """The manifest is of another format, vendor or board."""


def parse_manifest(manifest, vendor, board):
    """Return (version counter, length in bytes, SHA-256 digest) of the image.

    Raises:
        ForeignManifest: it is not for a board such as this.
    """
    fields = struct.unpack(FORMAT, manifest)
    if fields[:5] != (MAGIC, FORMAT_VERSION, bytes(3), _filled(vendor, 12), _filled(board, 20)):
        raise ForeignManifest("the image is for another board")
    return fields[COUNTER_PLACE], fields[LENGTH_PLACE], fields[DIGEST_PLACE]


def _filled(text, length):
    return text + bytes(length - len(text))
