"""The code that a device shows while it may be paired: one at a time, for a time, for three tries.

It stands in a file of the device's state folder, because two programs share it: one shows it to the
person at the device, the daemon checks what a host says. Times are of a clock that nobody can set,
and that begins anew at each start of the board (`time.monotonic`).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spotcheck.canonical_json import canonical_bytes, parse_canonical
from spotcheck.errors import CanonicalFormError, PairingError
from spotcheck_trust.safe_file import write_new, write_over

LASTS_S = 180
"""A code can be used for so long."""
MOST_WRONG_TRIES = 3
DIGITS = 8
"""Three tries at 10⁸ codes succeed once in thirty million pairings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPairing:
    """A pairing that is open, or how it ended."""

    code: str
    """What the person reads on the device and types at the host."""
    opened_s: int
    """When, by the board's clock since its start."""
    wrong_tries: int
    """Tries with another code."""
    paired_with: str
    """Key id and name of the host; empty while there is none."""

    def is_open(self, now_s: float) -> bool:
        """Whether a host may still try."""
        return (
            0 <= now_s - self.opened_s <= LASTS_S
            and self.wrong_tries < MOST_WRONG_TRIES
            and not self.paired_with
        )


class PairingDesk:
    """The file."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        """Nothing is read yet.

        Args:
            path: The file.
            clock: Seconds since the board's start.
        """
        self._path = path
        self._clock = clock

    def open(self) -> OpenPairing:
        """Open a pairing with a new code.

        Raises:
            PairingError: one is open already.
        """
        if self.current() is not None:
            raise PairingError("a pairing is open already; use its code, or let it end first")
        self.close()
        code = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
        opened = OpenPairing(
            code=f"{code[:4]}-{code[4:]}",
            opened_s=int(self._clock()),
            wrong_tries=0,
            paired_with="",
        )
        try:
            write_new(self._path, _to_bytes(opened))
        except FileExistsError:
            raise PairingError("another program has just opened a pairing") from None
        return opened

    def current(self) -> OpenPairing | None:
        """The pairing that is open; None when none is."""
        found = self.last()
        return found if found is not None and found.is_open(self._clock()) else None

    def last(self) -> OpenPairing | None:
        """The pairing that is open or ended last; None when there was none, or it is unreadable."""
        try:
            return _from_bytes(self._path.read_bytes())
        except (FileNotFoundError, CanonicalFormError, ValueError, TypeError, KeyError):
            return None

    def count_wrong_try(self) -> int:
        """Count a try with another code, on the disk, before it is answered.

        Returns:
            Tries that are left.
        """
        found = self.current()
        if found is None:
            return 0
        tries = found.wrong_tries + 1
        self._write(found, wrong_tries=tries, paired_with="")
        return MOST_WRONG_TRIES - tries

    def succeed(self, paired_with: str) -> None:
        """The code was used; it can be used once only."""
        found = self.current()
        if found is not None:
            self._write(found, wrong_tries=found.wrong_tries, paired_with=paired_with)

    def close(self) -> None:
        """No pairing is open."""
        self._path.unlink(missing_ok=True)

    def _write(self, found: OpenPairing, *, wrong_tries: int, paired_with: str) -> None:
        changed = OpenPairing(
            code=found.code,
            opened_s=found.opened_s,
            wrong_tries=wrong_tries,
            paired_with=paired_with,
        )
        write_over(self._path, _to_bytes(changed))


def _to_bytes(pairing: OpenPairing) -> bytes:
    return canonical_bytes(
        {
            "code": pairing.code,
            "opened_s": pairing.opened_s,
            "wrong_tries": pairing.wrong_tries,
            "paired_with": pairing.paired_with,
        }
    )


def _from_bytes(data: bytes) -> OpenPairing:
    content = parse_canonical(data)
    return OpenPairing(
        code=str(content["code"]),
        opened_s=int(content["opened_s"]),
        wrong_tries=int(content["wrong_tries"]),
        paired_with=str(content["paired_with"]),
    )
