"""A faulty link does to one message what its fault says, and nothing to the others."""

import random

import pytest

from spotcheck_sim.link_faults import AfterMessage, FaultyLink, LinkFault, LinkFaultKind

MESSAGE = bytes(range(1, 41))
OTHER = b"other"


def carried(kind: LinkFaultKind, seed: int = 1) -> list[tuple[bytes, AfterMessage]]:
    """Messages a, b, b, b over a link that strikes the second b."""
    link = FaultyLink(LinkFault(kind=kind, step="b", occurrence=1), seed)
    steps = [("a", OTHER), ("b", OTHER), ("b", MESSAGE), ("b", OTHER)]
    return [link.carry(step, message) for step, message in steps]


@pytest.mark.parametrize("kind", list(LinkFaultKind))
def test_messages_before_the_fault_pass_unharmed(kind: LinkFaultKind) -> None:
    assert [arrived for arrived, _ in carried(kind)[:2]] == [OTHER, OTHER]


@pytest.mark.parametrize("seed", range(20))
def test_what_each_fault_makes_of_a_message(seed: int) -> None:
    def struck(kind: LinkFaultKind) -> bytes:
        return carried(kind, seed)[2][0]

    flipped = struck(LinkFaultKind.BIT_FLIPPED)
    differing = [a ^ b for a, b in zip(flipped, MESSAGE, strict=True) if a != b]
    assert len(differing) == 1
    assert differing[0].bit_count() == 1
    shorter = struck(LinkFaultKind.BYTE_LOST)
    assert any(MESSAGE[:k] + MESSAGE[k + 1 :] == shorter for k in range(40))
    longer = struck(LinkFaultKind.BYTE_INSERTED)
    assert any(longer[:k] + longer[k + 1 :] == MESSAGE for k in range(41))
    assert struck(LinkFaultKind.END_LOST) == MESSAGE[:-1]
    assert struck(LinkFaultKind.TWICE) == MESSAGE * 2
    assert struck(LinkFaultKind.LOST) == struck(LinkFaultKind.SILENCE) == b""
    assert struck(LinkFaultKind.NOISE_BEFORE)[16:] == MESSAGE
    for kind in (LinkFaultKind.HALF, LinkFaultKind.CUT, LinkFaultKind.CUT_AND_BACK):
        assert struck(kind) == MESSAGE[:20]


def test_parity_replaces_the_top_bit_by_that_of_the_rest() -> None:
    assert all(byte.bit_count() % 2 == 0 for byte in carried(LinkFaultKind.PARITY)[2][0])


def test_swapped_message_arrives_behind_the_next_and_after_silence_none_does() -> None:
    assert carried(LinkFaultKind.SWAPPED)[3][0] == OTHER + MESSAGE
    assert carried(LinkFaultKind.SILENCE)[3][0] == b""


@pytest.mark.parametrize("kind", list(LinkFaultKind))
def test_only_cuts_end_the_link_and_a_seed_repeats(kind: LinkFaultKind) -> None:
    after = [after for _, after in carried(kind)]
    ends = {LinkFaultKind.CUT: AfterMessage.CUT, LinkFaultKind.CUT_AND_BACK: AfterMessage.BACK}
    assert after[2] is ends.get(kind, AfterMessage.GOES_ON)
    assert {after[k] for k in (0, 1, 3)} == {AfterMessage.GOES_ON}
    assert carried(kind, 5) == carried(kind, 5)


def test_sound_link_strikes_nothing() -> None:
    link, drawn = FaultyLink(None, 1), random.Random(3)
    for _ in range(50):
        message = drawn.randbytes(30)
        assert link.carry("b", message) == (message, AfterMessage.GOES_ON)
    assert not link.has_struck
