"""Damaged frames and made-up bodies by the million: is one ever taken for what nobody sent?

Frames: what a line of two frames becomes by one damage goes through the decoder; accepted wrongly
is a frame that is none of the two. Bodies: what a message's body becomes by a change, with a
checksum that is right, goes through the reader of messages; accepted wrongly is a message that is
not, field for field and byte for byte, what its declaration and canonical CBOR allow.
"""

import random
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, fields
from multiprocessing import get_context
from typing import Any

import cbor2

from spotcheck_wire import frontend_codec
from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import Frame, FrameDecoder, FrameEncoder
from spotcheck_wire.host_messages import (
    Acknowledge,
    Credit,
    HostMessage,
    Notice,
    Outcome,
    WatchLive,
    decode_host,
    encode_host,
)

MOST_BYTES = 512
BODIES_EVERY = 10
"""One input in so many is a body; reading one takes longer than refusing a frame."""

Damage = Callable[[random.Random, bytes], bytes]


@dataclass(slots=True, kw_only=True)
class FuzzCounts:
    """What a number of inputs came to."""

    inputs: int = 0
    """Inputs tried."""
    sound: int = 0
    """Frames and messages that were rightly accepted: the damage had left them whole."""
    refused: int = 0
    """Inputs of which nothing was accepted."""
    wrong: list[str] = field(default_factory=list)
    """What was accepted and should not have been."""

    def add(self, other: "FuzzCounts") -> None:
        """Add what another part of the campaign came to."""
        self.inputs += other.inputs
        self.sound += other.sound
        self.refused += other.refused
        self.wrong += other.wrong

    def __str__(self) -> str:
        return (
            f"{self.inputs} damaged inputs: {len(self.wrong)} wrongly accepted; of {self.refused} "
            f"nothing was accepted, {self.sound} frames and messages beside a damage were whole"
        )


def _changed(rng: random.Random, line: bytes) -> bytes:
    changed = bytearray(line)
    for _ in range(rng.randint(1, 4)):
        changed[int(rng.random() * len(changed))] = int(rng.random() * 256)
    return bytes(changed)


def _one_bit(rng: random.Random, line: bytes) -> bytes:
    changed = bytearray(line)
    changed[int(rng.random() * len(changed))] ^= 1 << int(rng.random() * 8)
    return bytes(changed)


def _cut(rng: random.Random, line: bytes) -> bytes:
    at = int(rng.random() * len(line))
    return line[:at] + line[at + 1 + int(rng.random() * 12) :]


def _inserted(rng: random.Random, line: bytes) -> bytes:
    at = int(rng.random() * len(line))
    return line[:at] + rng.randbytes(1 + int(rng.random() * 12)) + line[at:]


def _swapped(rng: random.Random, line: bytes) -> bytes:
    first, second = sorted((int(rng.random() * len(line)), int(rng.random() * len(line))))
    return line[second:] + line[first:second] + line[:first]


def _noise(rng: random.Random, line: bytes) -> bytes:
    return rng.randbytes(len(line))


DAMAGES: tuple[Damage, ...] = (_one_bit, _changed, _cut, _inserted, _swapped, _noise)


class WireFuzz:
    """Sound frames and bodies, and what is done to them."""

    def __init__(self, seed: int) -> None:
        """Make the sound ones.

        Args:
            seed: Seed of the damages.
        """
        self._rng = random.Random(seed)  # noqa: S311 - damages of a trial, no secrets
        # As short and as full of zeros as what a front end sends.
        pulses = [(0x02, struct.pack("<BIQI", 0, n, n * 24_000_077, 2400)) for n in range(64)]
        messages = [message for n in range(16) for message in _messages(n)]
        encoder = FrameEncoder(max_frame=MOST_BYTES)
        bodies = [*pulses, *(encode_host(message) for message in messages)]
        self._frames = [encoder.encode(kind, body) for kind, body in bodies]
        decoder = FrameDecoder(max_frame=MOST_BYTES)
        self._sent = [decoder.feed(frame)[0] for frame in self._frames]
        self._bodies = [encode_host(message) for message in messages]

    def run(self, inputs: int) -> FuzzCounts:
        """Try so many inputs."""
        counts = FuzzCounts(inputs=inputs)
        for number in range(inputs):
            if number % BODIES_EVERY:
                self._try_line(DAMAGES[number % len(DAMAGES)], counts)
            else:
                self._try_body(counts)
        return counts

    def _try_line(self, damage: Damage, counts: FuzzCounts) -> None:
        place = int(self._rng.random() * (len(self._frames) - 1))
        line = damage(self._rng, self._frames[place] + self._frames[place + 1])
        arrived = [
            event
            for event in FrameDecoder(max_frame=MOST_BYTES).feed(line + frontend_codec.DELIMITER)
            if isinstance(event, Frame)
        ]
        wrong = [event for event in arrived if event not in self._sent[place : place + 2]]
        counts.wrong += [f"{event} of {line.hex()}" for event in wrong]
        counts.sound += len(arrived) - len(wrong)
        counts.refused += not arrived

    def _try_body(self, counts: FuzzCounts) -> None:
        kind, body = self._rng.choice(self._bodies)
        changed = self._rng.choice(DAMAGES)(self._rng, body)
        try:
            message = decode_host(Frame(version=2, type=kind, sequence=0, body=changed))
        except MessageError:
            counts.refused += 1
            return
        counts.sound += 1
        if not _is_what_it_says(message, changed):
            counts.wrong.append(f"{message} of {changed.hex()}")


def _messages(number: int) -> tuple[HostMessage, ...]:
    return (
        Notice(code="clamp-reversed", text=f"Is clamp {number} reversed?", sample=number << 20),
        Acknowledge(outcome_id=f"SC-0001-42-{number}"),
        Credit(total_bytes=number << 33),
        WatchLive(interval_ms=200, points=400),
        Outcome(
            request_id=f"c/{number}",
            kind="reading",
            outcome_id=f"SC-0001-42-{number}",
            body={"e": (0.1).hex(), "n": [1, None]},
            evidence_sha256=None,
            device_id="S",
            boot=number,
            correction_set_sha256="0" * 64,
            signature=bytes(range(64)),
        )
        if number == 0
        else Notice(code="n", text="", sample=None),
    )


def _is_what_it_says(message: Any, body: bytes) -> bool:
    """By cbor2's own encoder, and by the values that are there."""
    values = {entry.name: getattr(message, entry.name) for entry in fields(message)}
    again = cbor2.loads(body)
    same_kinds = {name: type(value) for name, value in again.items()} == {
        name: type(value) for name, value in values.items()
    }
    return same_kinds and again == values and cbor2.dumps(values, canonical=True) == body


def fuzz_many(inputs: int, seed: int, workers: int) -> Iterator[FuzzCounts]:
    """A campaign in parts, as they come.

    Args:
        inputs: Inputs in all.
        seed: Seed of the first part; the others follow on.
        workers: Processes.
    """
    part = 100_000
    sizes = [min(part, inputs - done) for done in range(0, inputs, part)]
    # Spawned, not forked: the caller may have threads.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(_fuzz_part, sizes, range(seed, seed + len(sizes)))


def _fuzz_part(inputs: int, seed: int) -> FuzzCounts:
    return WireFuzz(seed).run(inputs)
