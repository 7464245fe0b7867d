"""Small frames a second on a pty: the project's codec, and a peer made of `cobs` and `struct`.

Two processes as in the field: one packs pulses and writes, the other reads, checks and unpacks
them. The peer does the same work with the PyPI package `cobs` (its C extension), `zlib` and
`struct`.

    python benchmarks/wire_speed.py [FRAMES]
"""

import os
import struct
import sys
import time
import tty
import zlib
from collections.abc import Callable, Iterator
from itertools import islice

from cobs import cobs

from spotcheck_wire.frames import FRONT_END_MAX_FRAME, Frame, FrameDecoder, FrameEncoder

FRAMES = 400_000
PULSE = 0x02
BODY = struct.Struct("<BIQI")
HEADER = struct.Struct("<BBH")
CHECKSUM = struct.Struct("<I")
WRITE_FRAMES = 100
READ_BYTES = 1 << 16


def bodies(count: int) -> Iterator[bytes]:
    """Bodies of pulses at 24 MHz, as a front end sends them."""
    return (BODY.pack(0, n, n * 24_000_077 // 10, 2400 + n % 7) for n in range(count))


def own_lines(count: int) -> Iterator[bytes]:
    """Frames by the project's encoder."""
    encoder = FrameEncoder(max_frame=FRONT_END_MAX_FRAME)
    return (encoder.encode(PULSE, body) for body in bodies(count))


def peer_lines(count: int) -> Iterator[bytes]:
    """The same frames by the peer."""
    for sequence, body in enumerate(bodies(count)):
        frame = HEADER.pack(2, PULSE, sequence & 0xFFFF) + body
        yield cobs.encode(frame + CHECKSUM.pack(zlib.crc32(frame))) + b"\0"


def own_reader() -> Callable[[bytes], int]:
    """Counts the pulses that the project's decoder takes."""
    decoder = FrameDecoder(max_frame=FRONT_END_MAX_FRAME)

    def take(data: bytes) -> int:
        found = 0
        for event in decoder.feed(data):
            assert isinstance(event, Frame), event
            BODY.unpack(event.body)
            found += 1
        return found

    return take


def peer_reader() -> Callable[[bytes], int]:
    """Counts the pulses that the peer takes, with the same checks."""
    pending = b""
    expected = 0

    def take(data: bytes) -> int:
        nonlocal pending, expected
        found = 0
        *runs, pending = (pending + data).split(b"\0")
        for run in runs:
            frame = cobs.decode(run)
            assert CHECKSUM.unpack(frame[-4:])[0] == zlib.crc32(frame[:-4])
            _, _, sequence = HEADER.unpack(frame[:4])
            assert sequence == expected
            expected = (expected + 1) & 0xFFFF
            BODY.unpack(frame[4:-4])
            found += 1
        return found

    return take


def frames_per_s(
    lines: Callable[[int], Iterator[bytes]],
    reader: Callable[[], Callable[[bytes], int]],
    count: int,
) -> float:
    """Frames a second from one process to another through a pty."""
    master, slave = os.openpty()
    tty.setraw(slave)
    child = os.fork()
    if child == 0:
        os.close(master)
        _write_all(slave, lines(count))
        os._exit(0)
    # The slave stays open here, or what is not read yet would be lost with the writer.
    take, done = reader(), 0
    begun_s = time.perf_counter()
    while done < count:
        done += take(os.read(master, READ_BYTES))
    elapsed_s = time.perf_counter() - begun_s
    os.waitpid(child, 0)
    os.close(master)
    os.close(slave)
    return count / elapsed_s


def _write_all(file: int, lines: Iterator[bytes]) -> None:
    while block := b"".join(islice(lines, WRITE_FRAMES)):
        while block:
            block = block[os.write(file, block) :]


def main() -> None:
    """Print the best of three runs of each."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FRAMES
    for name, lines, reader in (
        ("spotcheck_wire", own_lines, own_reader),
        ("cobs + zlib + struct", peer_lines, peer_reader),
    ):
        best = max(frames_per_s(lines, reader, count) for _ in range(3))
        print(f"{name:22} {best:9.0f} frames/s of 27 bytes on a pty, {count} frames, best of 3")


if __name__ == "__main__":
    main()
