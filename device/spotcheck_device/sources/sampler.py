"""Reads a converter in a thread of its own, into a bounded queue.

The one reason for the thread: a converter holds a frame for some tens of microseconds, and the
event loop may be busy for milliseconds. Reading never waits for the loop: where the queue is full,
what was read is dropped and counted, and the gap shows in the numbers.
"""

import asyncio
import threading
from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

LONGEST_QUEUE_S = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFrames:
    """What was read in one go."""

    data: bytes
    """Frames as they came over the bus."""
    stamps_ns: NDArray[np.int64]
    """Instant of each frame's data-ready edge."""


class FrameReader(Protocol):
    """An open converter that makes frames; used by one thread."""

    def read(self) -> RawFrames:
        """Wait for frames, for half a second at most, and read what there is.

        Raises:
            OSError: the converter is gone.
        """

    def close(self) -> None:
        """Let the converter rest, and give back what the system lent."""


class Sampler:
    """Runs a reader; what it reads is taken on the event loop."""

    def __init__(self, reader: FrameReader, sample_rate_hz: int) -> None:
        """Nothing is read before `start`."""
        self._reader = reader
        self._most_frames = round(LONGEST_QUEUE_S * sample_rate_hz)
        self._lock = threading.Lock()
        self._waiting: deque[RawFrames] = deque()
        self._waiting_frames = 0
        self._dropped = 0
        self._failure: Exception | None = None
        self._stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def next(self) -> tuple[list[RawFrames], int]:
        """Wait until something was read.

        Returns:
            What was read, in order, and how many frames were dropped behind it for want of room.

        Raises:
            OSError: the converter is gone, and everything read before was given.
        """
        await self._work.wait()
        self._work.clear()
        with self._lock:
            found, self._waiting = list(self._waiting), deque()
            self._waiting_frames = 0
            dropped, self._dropped = self._dropped, 0
        if self._failure is not None:
            self._work.set()  # nothing else will: who asks again gets it again
            if not found:
                raise self._failure
        return found, dropped

    async def close(self) -> None:
        """Stop reading and close the reader."""
        self._stop.set()
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join)
        self._reader.close()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._put(self._reader.read())
        except Exception as error:  # noqa: BLE001 - it is raised on the loop, where it is dealt with
            self._failure = error
            self._tell()

    def _put(self, frames: RawFrames) -> None:
        count = len(frames.stamps_ns)
        if not count:
            return
        with self._lock:
            if self._waiting_frames + count > self._most_frames:
                self._dropped += count
            else:
                self._waiting.append(frames)
                self._waiting_frames += count
        self._tell()

    def _tell(self) -> None:
        if self._loop is not None and not self._stop.is_set():
            self._loop.call_soon_threadsafe(self._work.set)
