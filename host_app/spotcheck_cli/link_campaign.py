"""Attacks on the records of secure sessions: does one end ever take what the other did not send?

Each trial lets two ends that are paired shake hands, and each of them say a few things. Somebody
who has the line in hand then does one thing to the records of each direction. Accepted is whatever
the receiving end takes beyond what came unharmed before that.
"""

import random
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from spotcheck_trust.identity import load_or_make_identity
from spotcheck_wire.errors import SecureSessionError
from spotcheck_wire.secure_session import SecureSession, device_context, host_context

LONGEST_MESSAGE = 300

Records = list[bytes]
Attack = Callable[[random.Random, Records, Records], tuple[Records, int]]


@dataclass(slots=True, kw_only=True)
class AttackCounts:
    """What a number of attacks came to."""

    attacks: dict[str, int] = field(default_factory=dict)
    """How often each kind was tried."""
    accepted: dict[str, int] = field(default_factory=dict)
    """How often something was taken that the other end had not sent so."""
    refused_by_name: int = 0
    """How often the receiving end ended the session by a named error."""

    def add(self, other: "AttackCounts") -> None:
        """Add what another part of the campaign came to."""
        for mine, theirs in ((self.attacks, other.attacks), (self.accepted, other.accepted)):
            for kind, count in theirs.items():
                mine[kind] = mine.get(kind, 0) + count
        self.refused_by_name += other.refused_by_name

    def __str__(self) -> str:
        total, taken = sum(self.attacks.values()), sum(self.accepted.values())
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.attacks.items()))
        return (
            f"{total} attacked records ({kinds}): {taken} accepted; "
            f"{self.refused_by_name} ended the session by name, the others are incomplete"
        )


def _replayed(rng: random.Random, records: Records, _: Records) -> tuple[Records, int]:
    at = rng.randrange(1, len(records) + 1)
    return [*records[:at], records[rng.randrange(at)], *records[at:]], at


def _reordered(rng: random.Random, records: Records, _: Records) -> tuple[Records, int]:
    first, second = sorted(rng.sample(range(len(records)), 2))
    swapped = list(records)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    return swapped, first


def _left_out(rng: random.Random, records: Records, _: Records) -> tuple[Records, int]:
    at = rng.randrange(len(records))
    return [*records[:at], *records[at + 1 :]], at


def _truncated(rng: random.Random, records: Records, _: Records) -> tuple[Records, int]:
    at = rng.randrange(len(records))
    kept = records[at][: rng.randrange(len(records[at]))]
    return [*records[:at], kept, *records[at + 1 :]], at


def _mutated(rng: random.Random, records: Records, _: Records) -> tuple[Records, int]:
    at = rng.randrange(len(records))
    changed = bytearray(records[at])
    for _change in range(rng.randint(1, 3)):
        changed[rng.randrange(len(changed))] ^= rng.randint(1, 255)
    # Several changes may undo each other.
    if bytes(changed) == records[at]:
        changed[-1] ^= 1
    return [*records[:at], bytes(changed), *records[at + 1 :]], at


def _of_another_session(
    rng: random.Random, records: Records, earlier: Records
) -> tuple[Records, int]:
    at = rng.randrange(len(records))
    return [*records[:at], rng.choice(earlier), *records[at:]], at


def _invented(rng: random.Random, records: Records, _: Records) -> tuple[Records, int]:
    at = rng.randrange(len(records))
    body = rng.randbytes(rng.randint(17, 80))
    # A header as of application data (RFC 8446, 5.1), around whatever.
    return [*records[:at], b"\x17\x03\x03" + len(body).to_bytes(2, "big") + body], at


ATTACKS: dict[str, Attack] = {
    "replayed": _replayed,
    "reordered": _reordered,
    "left out": _left_out,
    "truncated": _truncated,
    "mutated": _mutated,
    "of another session": _of_another_session,
    "invented": _invented,
}
"""What is done to the records; each gives the records as they arrive, and how many of them are
unharmed before the first that is not."""


class LinkAttacks:
    """Two ends that are paired, and what is done to what they say."""

    def __init__(self, folder: Path, seed: int) -> None:
        """Make both ends' keys.

        Args:
            folder: Where they go.
            seed: Seed of what is said and done.
        """
        device = load_or_make_identity(folder / "device.pem", "device")
        host = load_or_make_identity(folder / "host.pem", "host")
        self._device_context = device_context(device.path, [host.certificate])
        self._host_context = host_context(host.path, [device.certificate])
        self._device, self._host = device.certificate, host.certificate
        self._rng = random.Random(seed)  # noqa: S311 - moments of a trial, no secrets
        self._earlier: list[Records] = [[b"\x17\x03\x03\x00\x11" + bytes(17)]] * 2

    def run(self, attacks: int) -> AttackCounts:
        """Attack so many records, two in each session."""
        counts = AttackCounts()
        kinds = list(ATTACKS)
        for number in range(0, attacks, 2):
            ends = self._session()
            said = [self._say(end) for end in ends]
            for direction in (0, 1):
                kind = kinds[(number + direction) % len(kinds)]
                self._attack(kind, ends[1 - direction], *said[direction], direction, counts)
            self._earlier = [records for _, records in said]
        return counts

    def _session(self) -> tuple[SecureSession, SecureSession]:
        device = SecureSession(self._device_context, server_side=True, trusted=[self._host])
        host = SecureSession(self._host_context, server_side=False, trusted=[self._device])
        while not (device.established and host.established):
            device.feed(host.take_outgoing())
            host.feed(device.take_outgoing())
        return device, host

    def _say(self, end: SecureSession) -> tuple[list[bytes], Records]:
        """What an end says, and the records of it."""
        messages, records = [], []
        for _ in range(self._rng.randint(2, 5)):
            messages.append(self._rng.randbytes(self._rng.randint(1, LONGEST_MESSAGE)))
            end.write(messages[-1])
            records.append(end.take_outgoing())
        return messages, records

    def _attack(
        self,
        kind: str,
        victim: SecureSession,
        messages: list[bytes],
        records: Records,
        direction: int,
        counts: AttackCounts,
    ) -> None:
        arriving, unharmed = ATTACKS[kind](self._rng, records, self._earlier[direction])
        taken = b""
        try:
            for record in arriving:
                taken += victim.feed(record)
        except SecureSessionError:
            counts.refused_by_name += 1
        counts.attacks[kind] = counts.attacks.get(kind, 0) + 1
        if taken != b"".join(messages[:unharmed]):
            counts.accepted[kind] = counts.accepted.get(kind, 0) + 1


def attack_many(attacks: int, seed: int, workers: int) -> Iterator[AttackCounts]:
    """A campaign in parts, as they come.

    Args:
        attacks: Records to attack in all.
        seed: Seed of the first part; the others follow on.
        workers: Processes.
    """
    part = 10_000
    sizes = [min(part, attacks - done) for done in range(0, attacks, part)]
    seeds = range(seed, seed + len(sizes))
    # Spawned, not forked: the caller may have threads.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(_attack_part, sizes, seeds)


def _attack_part(attacks: int, seed: int) -> AttackCounts:
    with tempfile.TemporaryDirectory() as folder:
        return LinkAttacks(Path(folder), seed).run(attacks)
