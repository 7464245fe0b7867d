"""Blobs (slots, stamps, waveforms) cut into chunks that fit a frame, and put together again."""

import hashlib
import zlib

from spotcheck_wire.errors import MessageError
from spotcheck_wire.host_messages import BlobChunk

CHUNK_BYTES = 32 * 1024
"""Default slice; fits a frame of 64 KiB with room to spare."""
MAX_COMPRESSED_BYTES = 128 * 1024 * 1024
"""Longest blob that is put together, as it travels."""
MAX_BLOB_BYTES = 256 * 1024 * 1024
"""Longest blob that is put together, uncompressed."""


def split_blob(data: bytes, chunk_bytes: int = CHUNK_BYTES) -> list[BlobChunk]:
    """Return the chunks of `data` in order; even an empty blob has one.

    Raises:
        MessageError: no receiver would take a blob so long.
    """
    compressed = zlib.compress(data, 1)
    if len(data) > MAX_BLOB_BYTES or len(compressed) > MAX_COMPRESSED_BYTES:
        raise MessageError(f"a blob of {len(data)} bytes is too long for the wire")
    digest = hashlib.sha256(data).hexdigest()
    return [
        BlobChunk(
            sha256=digest,
            offset=offset,
            total_bytes=len(compressed),
            data=compressed[offset : offset + chunk_bytes],
        )
        for offset in range(0, len(compressed), chunk_bytes)
    ]


class BlobAssembler:
    """Puts one blob at a time together; after an error or a blob it begins anew."""

    def __init__(self) -> None:
        self._first: BlobChunk | None = None
        self._compressed = bytearray()

    def add(self, chunk: BlobChunk) -> bytes | None:
        """Return the verified blob with its last chunk, None before.

        Raises:
            MessageError: the chunk does not continue the blob, the blob is too long, or it is
                not what its digest names. What had arrived of it is forgotten.
        """
        try:
            self._append(chunk)
            if len(self._compressed) < chunk.total_bytes:
                return None
            blob = _verified(chunk.sha256, self._compressed)
        except MessageError:
            self._forget()
            raise
        self._forget()
        return blob

    def _append(self, chunk: BlobChunk) -> None:
        first = self._first or chunk
        if chunk.total_bytes > MAX_COMPRESSED_BYTES:
            raise MessageError(f"BlobChunk.total_bytes is {chunk.total_bytes}, which is too long")
        if (chunk.sha256, chunk.total_bytes) != (first.sha256, first.total_bytes):
            raise MessageError(f"BlobChunk.sha256 changed before blob {first.sha256} was whole")
        if chunk.offset != len(self._compressed):
            raise MessageError(
                f"BlobChunk.offset is {chunk.offset} where {len(self._compressed)} comes next"
            )
        self._first = first
        self._compressed.extend(chunk.data)

    def _forget(self) -> None:
        self._first = None
        self._compressed = bytearray()


def _verified(digest: str, compressed: bytes | bytearray) -> bytes:
    inflater = zlib.decompressobj()
    try:
        blob = inflater.decompress(compressed, MAX_BLOB_BYTES + 1)
    except zlib.error as error:
        raise MessageError(f"blob {digest} cannot be decompressed: {error}") from error
    if len(blob) > MAX_BLOB_BYTES:
        raise MessageError(f"blob {digest} is longer than {MAX_BLOB_BYTES} bytes")
    if not inflater.eof or inflater.unused_data:
        raise MessageError(f"blob {digest} does not end where its compressed form ends")
    if hashlib.sha256(blob).hexdigest() != digest:
        raise MessageError(f"blob {digest} is not what its digest names")
    return blob
