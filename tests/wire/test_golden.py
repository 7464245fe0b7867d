"""Lines that a version wrote are read, or refused by their version, for ever."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from spotcheck_wire import frontend_codec as codec
from spotcheck_wire import host_messages, sample_stream
from spotcheck_wire.frames import Frame, FrameDecoder, WrongVersion
from spotcheck_wire.host_messages import HOST_TABLE, decode_host, encode_host

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    for entry in entries:
        for field, value in entry["fields"].items():
            if isinstance(value, dict) and value.keys() == {"hex"}:
                entry["fields"][field] = bytes.fromhex(value["hex"])
    return entries


HOST = golden("host_v1.json")
STREAM = golden("sample_stream_v1.json")


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
    assert {e["message"] for e in HOST} == {
        message_class.__name__ for message_class in HOST_TABLE.values()
    }
