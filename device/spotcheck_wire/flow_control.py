"""Credit on host links, in bytes of frames: the device never sends more than a host will take.

A socket would hold a sender back by itself, a serial line does not; and both would let what waits
grow in the sender's memory. With credit the sender knows how much it may say, and keeps the rest
where it has room for it.
"""

WINDOW_BYTES = 256 * 1024
"""What a host is ready to take at once; a frame of 64 KiB fits several times."""


class CreditAccount:
    """The sender's side: what it was granted, and what it has used up."""

    def __init__(self) -> None:
        """Nothing was granted yet."""
        self._granted = 0
        self._used = 0

    @property
    def is_open(self) -> bool:
        """Whether another frame may go out; it may overdraw the account once, and by no more."""
        return self._used < self._granted

    def grant_up_to(self, total_bytes: int) -> None:
        """The receiver takes so many bytes in all; a smaller number than before means nothing."""
        self._granted = max(self._granted, total_bytes)

    def use(self, count: int) -> None:
        """So many bytes have gone out."""
        self._used += count


class CreditGrants:
    """The receiver's side: what it has taken, and when to grant more."""

    def __init__(self, window_bytes: int = WINDOW_BYTES) -> None:
        """Nothing was taken and nothing granted yet."""
        self._window = window_bytes
        self._taken = 0
        self._granted = 0

    def take(self, count: int) -> None:
        """So many bytes have been taken and worked on."""
        self._taken += count

    def due(self) -> int | None:
        """Total to grant now; None while at least half of the window is still open."""
        if self._granted - self._taken > self._window // 2:
            return None
        self._granted = self._taken + self._window
        return self._granted
