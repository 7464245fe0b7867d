"""Frames from the process that reads them to the one that measures, over a pipe.

    portion = <IqI: frames, instant of the stream's first edge, bytes of frames; stamps; frames

The writer never waits: what finds the pipe full is left out, and is missed by its stamps.
"""

import fcntl
import os
import select
import struct

import numpy as np

from spotcheck_device.sources.sampler import RawFrames

HEADER = struct.Struct("<IqI")
STAMP_BYTES = 8
PIPE_BYTES = 1 << 20
"""What the kernel keeps while nobody reads: most of a second at 32 kS/s."""
_READ_BYTES = 1 << 16


class PortionWriter:
    """Writes portions into a pipe."""

    def __init__(self, file: int) -> None:
        """Take a pipe's writing end; it stays the caller's to close."""
        os.set_blocking(file, False)
        fcntl.fcntl(file, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._file = file
        self._rest = b""

    def put(self, frames: RawFrames, first_edge_ns: int) -> None:
        """Write a portion, or leave it out when the pipe is full.

        Raises:
            OSError: nobody will read any more.
        """
        self._write()
        if not self._rest and len(frames.stamps_ns):
            header = HEADER.pack(len(frames.stamps_ns), first_edge_ns, len(frames.data))
            self._rest = header + frames.stamps_ns.astype("<i8").tobytes() + frames.data
            self._write()

    def _write(self) -> None:
        while self._rest:
            try:
                self._rest = self._rest[os.write(self._file, self._rest) :]
            except BlockingIOError:
                return


class PortionReader:
    """Reads portions from a pipe."""

    def __init__(self, file: int) -> None:
        """Take a pipe's reading end; it stays the caller's to close."""
        self._file = file
        self._held = b""
        self._poll = select.poll()
        self._poll.register(file, select.POLLIN)
        self.first_edge_ns: int | None = None
        """Instant of the stream's first edge, once a portion has come."""

    def read(self, timeout_s: float) -> RawFrames:
        """The portions that have come, as one; none when none comes in time.

        Raises:
            OSError: the process that writes has ended.
        """
        if self._poll.poll(1000 * timeout_s):
            data = os.read(self._file, _READ_BYTES)
            if not data:
                raise OSError("the process that reads the converter has ended")
            self._held += data
        stamps, frames = [np.empty(0, np.int64)], []
        while (portion := self._next()) is not None:
            stamps.append(portion.stamps_ns)
            frames.append(portion.data)
        return RawFrames(data=b"".join(frames), stamps_ns=np.concatenate(stamps))

    def _next(self) -> RawFrames | None:
        if len(self._held) < HEADER.size:
            return None
        count, first_edge_ns, length = HEADER.unpack_from(self._held)
        stamps_end = HEADER.size + STAMP_BYTES * count
        if len(self._held) < stamps_end + length:
            return None
        self.first_edge_ns = first_edge_ns
        stamps_ns = np.frombuffer(self._held[HEADER.size : stamps_end], "<i8").astype(np.int64)
        data = self._held[stamps_end : stamps_end + length]
        self._held = self._held[stamps_end + length :]
        return RawFrames(data=data, stamps_ns=stamps_ns)
