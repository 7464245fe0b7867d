"""The serial line between pulse front end and board, with the damage that lines do."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from spotcheck.errors import ConfigurationError
from spotcheck_wire import frontend_codec as codec


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFaults:
    """What happens to the bytes from the front end to the board."""

    damage_from_s: float = math.inf
    """Stream time from which frames are damaged, in s."""
    damage_every: int = 5
    """Of the frames from then on, every so manieth has one bit flipped."""
    unplug_at_s: float = math.inf
    """Stream time at which the line is cut for good, in s."""

    def __post_init__(self) -> None:
        if self.damage_every < 1:
            raise ConfigurationError(f"damage_every is {self.damage_every}; 1 damages every frame")


class LineRelay:
    """Passes frames on and damages some, by stream time: the same ones whatever the machine's pace.

    Stream time is read from the front end's own COMPLETE messages.
    """

    def __init__(
        self,
        faults: LineFaults,
        counter_hz: int,
        seed: int,
        send: Callable[[bytes], None],
        unplug: Callable[[], None],
    ) -> None:
        """Relay to `send` until it is time to `unplug`."""
        self._faults = faults
        self._counter_hz = counter_hz
        self._random = random.Random(seed)  # noqa: S311 -- damage, not secrets
        self._send = send
        self._unplug = unplug
        self._held = b""
        self._stream_time_s = 0.0
        self._frames_since = 0
        self._plugged = True

    def feed(self, data: bytes) -> None:
        """Take bytes from the front end."""
        *runs, self._held = (self._held + data).split(codec.DELIMITER)
        passed = bytearray()
        for run in runs:
            if self._plugged:
                passed += self._damaged(run) + codec.DELIMITER
                self._follow_stream_time(run)
        if passed:
            self._send(bytes(passed))
        if self._plugged and self._stream_time_s >= self._faults.unplug_at_s:
            self._unplug()
            self._plugged = False

    def _damaged(self, run: bytes) -> bytes:
        if self._stream_time_s < self._faults.damage_from_s or not run:
            return run
        self._frames_since += 1
        if self._frames_since % self._faults.damage_every:
            return run
        position = self._random.randrange(len(run))
        flipped = run[position] ^ (1 << self._random.randrange(8))
        return run[:position] + bytes([flipped]) + run[position + 1 :]

    def _follow_stream_time(self, run: bytes) -> None:
        try:
            _, message_type, _, body = codec.parse_frame(run)
            if message_type == codec.COMPLETE:
                counter = int(codec.unpack_body(message_type, body)[0])
                self._stream_time_s = counter / self._counter_hz
        except (codec.FrameError, codec.BodyError):
            # What the front end sends is the board's to judge.
            return
