"""Lines of every table: the framing never changes, a layout only with its table's version."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from spotcheck_wire import host_messages, pairing_messages, sample_stream
from spotcheck_wire.frames import Frame, FrameDecoder, FrameEncoder, WrongVersion
from spotcheck_wire.host_messages import HOST_TABLE, decode_host
from spotcheck_wire.pairing_messages import PAIRING_TABLE, decode_pairing, encode_pairing
from spotcheck_wire.table_offer import TABLE_OFFER, TableOffer, decode_offer, encode_offer

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    for entry in entries:
        for field, value in entry["fields"].items():
            if isinstance(value, dict) and value.keys() == {"hex"}:
                entry["fields"][field] = bytes.fromhex(value["hex"])
    return entries


def only_frame(line: str, table: int) -> Frame:
    (event,) = FrameDecoder(tables=(table,)).feed(bytes.fromhex(line))
    assert isinstance(event, Frame)
    return event


HOST = golden("host_v1.json")
HOST_2 = golden("host_v2.json")
LASTING = golden("lasting_v0.json")
STREAM = golden("sample_stream_v1.json")


@pytest.mark.parametrize("entry", HOST)
def test_host_line_of_version_1_is_told_and_not_interpreted(entry: dict[str, Any]) -> None:
    """No end that speaks it can get as far: it knows neither secure sessions nor offers."""
    assert FrameDecoder().feed(bytes.fromhex(entry["line"])) == [WrongVersion(version=1)]
    frame = only_frame(entry["line"], 1)
    assert frame.sequence == entry["sequence"]
    encoder = FrameEncoder(first_sequence=entry["sequence"], table=1)
    assert encoder.encode(frame.type, frame.body).hex() == entry["line"]


@pytest.mark.parametrize("entry", HOST_2)
def test_host_line_of_version_2(entry: dict[str, Any]) -> None:
    message = getattr(host_messages, entry["message"])(**entry["fields"])
    frame = only_frame(entry["line"], 2)
    assert (frame.version, frame.sequence) == (2, entry["sequence"])
    assert decode_host(frame) == message


@pytest.mark.parametrize("entry", LASTING)
def test_line_that_never_changes(entry: dict[str, Any]) -> None:
    frame = only_frame(entry["line"], 0)
    encoder = FrameEncoder(first_sequence=entry["sequence"], table=0)
    if entry["message"] == "TableOffer":
        offer = TableOffer(**entry["fields"])
        assert (frame.type, decode_offer(frame.body)) == (TABLE_OFFER, offer)
        assert encoder.encode(TABLE_OFFER, encode_offer(offer)).hex() == entry["line"]
    else:
        message = getattr(pairing_messages, entry["message"])(**entry["fields"])
        assert decode_pairing(frame) == message
        assert encoder.encode(*encode_pairing(message)).hex() == entry["line"]


def test_sample_stream_of_version_1() -> None:
    line = bytes.fromhex("".join(entry["line"] for entry in STREAM))
    decoded = sample_stream.StreamDecoder().feed(line)
    assert [type(message).__name__ for message in decoded] == [e["message"] for e in STREAM]
    for message, entry in zip(decoded, STREAM, strict=True):
        for field in dataclasses.fields(message):
            assert getattr(message, field.name) == entry["fields"][field.name]


def test_sample_stream_is_still_written_as_version_1() -> None:
    form, block, end, credit = (entry["fields"] for entry in STREAM)
    written = [
        sample_stream.encode_format(sample_stream.StreamFormatMessage(**form)),
        sample_stream.encode_block(**block),
        sample_stream.encode_end(**end),
        sample_stream.encode_credit(**credit),
    ]
    assert [line.hex() for line in written] == [entry["line"] for entry in STREAM]


def test_golden_files_hold_every_message() -> None:
    assert {e["message"] for e in HOST_2} == {
        message_class.__name__ for message_class in HOST_TABLE.values()
    }
    pairing = {message_class.__name__ for message_class in PAIRING_TABLE.values()}
    assert {e["message"] for e in LASTING} == {"TableOffer", *pairing}
