"""Lines that a version wrote are read, or refused by their version, for ever."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from spotcheck_wire import frontend_codec as codec
from spotcheck_wire import frontend_messages, host_messages, sample_stream
from spotcheck_wire.frames import Frame, FrameDecoder, FrameEncoder, WrongVersion
from spotcheck_wire.frontend_messages import decode_front_end, encode_front_end
from spotcheck_wire.host_messages import HOST_TABLE, decode_host, encode_host

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    for entry in entries:
        for field, value in entry["fields"].items():
            if isinstance(value, dict) and value.keys() == {"hex"}:
                entry["fields"][field] = bytes.fromhex(value["hex"])
            elif isinstance(value, list):
                entry["fields"][field] = tuple(value)
    return entries


def only_frame(line: str) -> Frame:
    (event,) = FrameDecoder().feed(bytes.fromhex(line))
    assert isinstance(event, Frame)
    return event


FRONT_END_1 = golden("frontend_v1.json")
FRONT_END = golden("frontend_v2.json")
HOST = golden("host_v1.json")
STREAM = golden("sample_stream_v1.json")


@pytest.mark.parametrize("entry", FRONT_END_1)
def test_front_end_line_of_version_1_is_refused_by_its_version(entry: dict[str, Any]) -> None:
    line = bytes.fromhex(entry["line"])
    assert FrameDecoder(max_frame=256).feed(line) == [WrongVersion(version=1)]
    # Framing and header are of no version: the frame is whole, and is told to be of another.
    version, _, sequence, _ = codec.parse_frame(line[:-1])
    assert (version, sequence) == (1, entry["sequence"])


@pytest.mark.parametrize("entry", FRONT_END)
def test_front_end_line_of_version_2(entry: dict[str, Any]) -> None:
    message = getattr(frontend_messages, entry["message"])(**entry["fields"])
    frame = only_frame(entry["line"])
    assert (frame.version, frame.sequence) == (2, entry["sequence"])
    assert decode_front_end(frame) == message
    encoder = FrameEncoder(max_frame=256, first_sequence=entry["sequence"])
    assert encoder.encode(*encode_front_end(message)).hex() == entry["line"]


@pytest.mark.parametrize("entry", HOST)
def test_host_line_of_version_1_is_refused_and_its_body_holds(entry: dict[str, Any]) -> None:
    message = getattr(host_messages, entry["message"])(**entry["fields"])
    line = bytes.fromhex(entry["line"])
    assert FrameDecoder().feed(line) == [WrongVersion(version=1)]
    _, message_type, sequence, body = codec.parse_frame(line[:-1])
    assert sequence == entry["sequence"]
    # The host's messages did not change: what version 2 writes is what version 1 wrote.
    assert encode_host(message) == (message_type, body)
    frame = Frame(version=2, type=message_type, sequence=sequence, body=body)
    assert decode_host(frame) == message


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
    assert {e["message"] for e in FRONT_END} == {
        message_class.__name__ for message_class in frontend_messages.FRONT_END_TABLE.values()
    }
    assert {e["message"] for e in HOST} == {
        message_class.__name__ for message_class in HOST_TABLE.values()
    }
