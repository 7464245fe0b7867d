"""A stand-in for iiod: the ASCII protocol of libiio 0 over loopback, with one converter behind it.

Knows what libiio 0.24 sends: VERSION, PRINT, TIMEOUT, READ, WRITE, OPEN, READBUF, CLOSE, EXIT.
"""

import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

EINVAL, ENOENT, ETIMEDOUT = 22, 2, 110
DEVICE = "iio:device0"

Frame = tuple[int, tuple[int, ...]]
"""Instant in nanoseconds, and the codes of all channels."""


@dataclass
class Bench:
    """What the converter does."""

    frames: Iterator[Frame]
    """Frames in the order in which they are made; at its end the converter is silent."""
    channels: int = 8
    rate: str = "8000"
    name: str = "ads131m08"
    has_timestamp: bool = True
    scan_format: str = "le:s24/32&gt;&gt;8"
    pack_code: Callable[[int], bytes] = lambda code: struct.pack("<i", code << 8)
    attributes: dict[str, str] = field(
        default_factory=lambda: {"current_timestamp_clock": "realtime"}
    )
    said: list[str] = field(default_factory=list)

    def description(self) -> str:
        """The context in XML, as iiod prints it."""
        channels = "".join(
            f'<channel id="voltage{n}" type="input"><scan-element index="{n}" '
            f'format="{self.scan_format}" /><attribute name="raw" filename="in_voltage{n}_raw" />'
            "</channel>"
            for n in range(self.channels)
        )
        if self.has_timestamp:
            channels += (
                f'<channel id="timestamp" type="input"><scan-element index="{self.channels}" '
                'format="le:S64/64&gt;&gt;0" /></channel>'
            )
        names = "".join(f'<attribute name="{name}" />' for name in self.all_attributes())
        return (
            '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE context [<!ELEMENT context '
            "(device | context-attribute)*><!ELEMENT context-attribute EMPTY><!ELEMENT device "
            "(channel | attribute | debug-attribute | buffer-attribute)*><!ELEMENT channel "
            "(scan-element?, attribute*)><!ELEMENT attribute EMPTY><!ELEMENT scan-element EMPTY>"
            "<!ELEMENT debug-attribute EMPTY><!ELEMENT buffer-attribute EMPTY>"
            "<!ATTLIST context name CDATA #REQUIRED description CDATA #IMPLIED>"
            "<!ATTLIST context-attribute name CDATA #REQUIRED value CDATA #REQUIRED>"
            "<!ATTLIST device id CDATA #REQUIRED name CDATA #IMPLIED>"
            "<!ATTLIST channel id CDATA #REQUIRED type (input|output) #REQUIRED "
            "name CDATA #IMPLIED><!ATTLIST scan-element index CDATA #REQUIRED "
            "format CDATA #REQUIRED scale CDATA #IMPLIED>"
            "<!ATTLIST attribute name CDATA #REQUIRED filename CDATA #IMPLIED>"
            "<!ATTLIST debug-attribute name CDATA #REQUIRED>"
            "<!ATTLIST buffer-attribute name CDATA #REQUIRED>]>"
            f'<context name="stub" description="stand-in"><device id="{DEVICE}" '
            f'name="{self.name}">{channels}{names}</device></context>'
        )

    def all_attributes(self) -> dict[str, str]:
        """Attributes of the device."""
        return {"sampling_frequency": self.rate, **self.attributes}

    def scan(self, mask: int, frame: Frame) -> bytes:
        """A frame as the kernel lays it out: each element at a multiple of its own size."""
        instant_ns, codes = frame
        data = b"".join(self.pack_code(codes[n]) for n in range(self.channels) if mask >> n & 1)
        if mask >> self.channels & 1:
            data += bytes(-len(data) % 8) + struct.pack("<q", instant_ns)
        return data


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    bench: Bench


class _Connection(socketserver.StreamRequestHandler):
    """One client; answers are an integer in a line, and what it counts."""

    def handle(self) -> None:
        self._mask = 0
        self._rest = b""
        self._bench = cast("_Server", self.server).bench
        for line in self.rfile:
            words = line.decode("ascii").split()
            if not words:
                continue
            self._bench.said.append(" ".join(words))
            if words[0] == "EXIT":
                return
            self._answer(words)

    def _answer(self, words: list[str]) -> None:
        match words:
            case ["VERSION"]:
                self.wfile.write(b"0.24.v0.24  \n")
            case ["PRINT"]:
                self._text(self._bench.description())
            case ["TIMEOUT" | "SET", *_] | ["CLOSE", _]:
                self._number(0)
            case ["READ", _, name]:
                attributes = self._bench.all_attributes()
                self._text(attributes[name]) if name in attributes else self._number(-ENOENT)
            case ["WRITE", _, name, length]:
                self._bench.attributes[name] = self.rfile.read(int(length)).decode().strip("\0\n")
                self._number(int(length))
            case ["OPEN", _, _, mask, *_]:
                self._mask = int(mask, 16)
                self._number(0)
            case ["READBUF", _, length]:
                self._samples(int(length))
            case _:
                self._number(-EINVAL)

    def _samples(self, length: int) -> None:
        while len(self._rest) < length:
            frame = next(self._bench.frames, None)
            if frame is None:
                self._number(-ETIMEDOUT)
                return
            self._rest += self._bench.scan(self._mask, frame)
        data, self._rest = self._rest[:length], self._rest[length:]
        self._number(length)
        self.wfile.write(f"{self._mask:08x}\n".encode() + data)

    def _text(self, text: str) -> None:
        self._number(len(text))
        self.wfile.write(text.encode() + b"\n")

    def _number(self, number: int) -> None:
        self.wfile.write(f"{number}\n".encode())


@contextmanager
def serving(bench: Bench) -> Iterator[str]:
    """Serve a bench; gives its libiio address."""
    with _Server(("127.0.0.1", 0), _Connection) as server:
        server.bench = bench
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"ip:127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
