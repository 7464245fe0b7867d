"""Lines of a front end: those of its table are read for ever, older ones refused by version."""

import json
from pathlib import Path
from typing import Any

import pytest

from spotcheck_wire import frontend_codec as codec
from spotcheck_wire import frontend_messages
from spotcheck_wire.frames import Frame, FrameDecoder, FrameEncoder, WrongVersion
from spotcheck_wire.frontend_messages import FRONT_END_TABLE, decode_front_end, encode_front_end

GOLDEN = Path(__file__).parent / "golden"


def field_of(value: Any) -> Any:
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])
    return tuple(value) if isinstance(value, list) else value


def golden(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    for entry in entries:
        entry["fields"] = {field: field_of(value) for field, value in entry["fields"].items()}
    return entries


VERSION_1 = golden("frontend_v1.json")
VERSION_2 = golden("frontend_v2.json")


@pytest.mark.parametrize("entry", VERSION_1)
def test_line_of_version_1_is_refused_by_its_version(entry: dict[str, Any]) -> None:
    line = bytes.fromhex(entry["line"])
    assert FrameDecoder(max_frame=256).feed(line) == [WrongVersion(version=1)]
    # Framing and header are of no version: the frame is whole, and is told to be of another.
    version, _, sequence, _ = codec.parse_frame(line[:-1])
    assert (version, sequence) == (1, entry["sequence"])


@pytest.mark.parametrize("entry", VERSION_2)
def test_line_of_version_2(entry: dict[str, Any]) -> None:
    message = getattr(frontend_messages, entry["message"])(**entry["fields"])
    (frame,) = FrameDecoder(max_frame=256).feed(bytes.fromhex(entry["line"]))
    assert isinstance(frame, Frame)
    assert (frame.version, frame.sequence) == (2, entry["sequence"])
    assert decode_front_end(frame) == message
    encoder = FrameEncoder(max_frame=256, first_sequence=entry["sequence"])
    assert encoder.encode(*encode_front_end(message)).hex() == entry["line"]


def test_golden_file_holds_every_message() -> None:
    assert {entry["message"] for entry in VERSION_2} == {
        message_class.__name__ for message_class in FRONT_END_TABLE.values()
    }
