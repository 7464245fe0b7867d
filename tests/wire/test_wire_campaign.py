"""The short form of `make campaign-wire`."""

import pytest

from spotcheck_cli.wire_campaign import WireFuzz
from spotcheck_wire import frontend_codec as codec


def test_no_damaged_input_is_taken_for_what_nobody_sent() -> None:
    counts = WireFuzz(seed=20).run(12_000)
    assert (counts.inputs, counts.wrong) == (12_000, [])
    assert counts.refused > 4000
    assert counts.sound > 4000


def test_campaign_finds_a_codec_that_does_not_look_at_the_checksum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It can fail."""

    def careless(run: bytes) -> tuple[int, int, int, bytes]:
        frame = codec.cobs_decode(run)
        if len(frame) < 8:
            raise codec.FrameError("too short")
        return frame[0], frame[1], frame[2] | frame[3] << 8, frame[4:-4]

    monkeypatch.setattr("spotcheck_wire.frames._parsed", careless)
    assert WireFuzz(seed=20).run(600).wrong
