"""Blobs over the wire, whole or refused."""

import dataclasses
import hashlib
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_wire import blobs
from spotcheck_wire.blobs import BlobAssembler, split_blob
from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import FrameEncoder
from spotcheck_wire.host_messages import BlobChunk, encode_host


def assemble(chunks: list[BlobChunk]) -> list[bytes | None]:
    assembler = BlobAssembler()
    return [assembler.add(chunk) for chunk in chunks]


def chunk_of(compressed: bytes, digest: str) -> BlobChunk:
    return BlobChunk(sha256=digest, offset=0, total_bytes=len(compressed), data=compressed)


@given(st.binary(max_size=2000), st.integers(1, 300))
def test_blob_comes_back_with_its_last_chunk(data: bytes, chunk_bytes: int) -> None:
    *before, last = assemble(split_blob(data, chunk_bytes))
    assert last == data
    assert set(before) <= {None}


def test_default_chunk_of_incompressible_data_fits_a_frame() -> None:
    data = random.Random(1).randbytes(100_000)
    chunks = split_blob(data)
    assert len(chunks) == 4
    encoder = FrameEncoder()
    assert all(len(encoder.encode(*encode_host(chunk))) < 34_000 for chunk in chunks)


def test_one_assembler_takes_one_blob_after_the_other() -> None:
    assembler = BlobAssembler()
    for data in (b"first", b"second"):
        (chunk,) = split_blob(data)
        assert assembler.add(chunk) == data


def test_missing_chunk_is_told_and_the_blob_can_be_sent_again() -> None:
    data = random.Random(2).randbytes(300)
    first, second, third, *rest = split_blob(data, 64)
    assembler = BlobAssembler()
    assembler.add(first)
    with pytest.raises(MessageError, match="offset is 128 where 64 comes next"):
        assembler.add(third)
    assert [assembler.add(chunk) for chunk in (first, second, third, *rest)][-1] == data


def test_chunk_of_another_blob_is_told() -> None:
    first = split_blob(random.Random(3).randbytes(300), 64)[0]
    stranger = dataclasses.replace(first, sha256="0" * 64, offset=64)
    with pytest.raises(MessageError, match="sha256 changed"):
        assemble([first, stranger])


def test_blob_that_is_not_its_digest_is_refused() -> None:
    with pytest.raises(MessageError, match="not what its digest names"):
        assemble([chunk_of(zlib.compress(b"forged"), hashlib.sha256(b"true").hexdigest())])


def test_damaged_compression_is_refused() -> None:
    with pytest.raises(MessageError, match="cannot be decompressed"):
        assemble([chunk_of(b"not zlib", "0" * 64)])


@pytest.mark.parametrize("end", ["short", "long"])
def test_compressed_form_that_ends_elsewhere_is_refused(end: str) -> None:
    whole = zlib.compress(b"data")
    compressed = whole[:-1] if end == "short" else whole + b"more"
    with pytest.raises(MessageError, match="does not end where"):
        assemble([chunk_of(compressed, hashlib.sha256(b"data").hexdigest())])


def test_announced_length_is_bounded() -> None:
    chunk = BlobChunk(sha256="0" * 64, offset=0, total_bytes=128 * 1024 * 1024 + 1, data=b"x")
    with pytest.raises(MessageError, match="total_bytes is 134217729"):
        assemble([chunk])


def test_decompression_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zlib.compress(bytes(10_000_000))
    monkeypatch.setattr(blobs, "MAX_BLOB_BYTES", 1_000_000)
    with pytest.raises(MessageError, match="longer than 1000000 bytes"):
        assemble([chunk_of(bomb, "0" * 64)])
    with pytest.raises(MessageError, match="too long for the wire"):
        split_blob(bytes(1_000_001))


@pytest.mark.parametrize(
    ("offset", "total", "data"), [(0, 1, b""), (-1, 5, b"x"), (5, 5, b"x"), (0, 1, b"xx")]
)
def test_chunk_outside_its_blob_is_refused(offset: int, total: int, data: bytes) -> None:
    with pytest.raises(MessageError, match="BlobChunk"):
        BlobChunk(sha256="0" * 64, offset=offset, total_bytes=total, data=data)
