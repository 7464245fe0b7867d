"""Run by CPython and by MicroPython: prints what the codec makes of fixed inputs."""

import binascii

import frontend_codec as codec


def show(label, data):  # type: ignore[no-untyped-def]
    print(label, binascii.hexlify(data).decode())


LENGTHS = list(range(20))
LENGTHS.extend((252, 253, 254, 255, 256, 507, 508, 509, 1000))

state = 12345
for length in LENGTHS:
    body = bytearray(length)
    for place in range(length):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        body[place] = (state >> 16) & (0xFF if state & 0x80000 else 0x01)
    frame = codec.build_frame(length & 0xFF, 65530 + length, bytes(body))
    show("frame", frame)
    show("body", codec.parse_frame(frame[:-1])[3])
    show("stuffed", codec.cobs_encode(b"\x07" * length))

LARGE = 0xFFFFFFFFFFFFFFFF
FIELDS = {
    codec.HELLO: (24000000, 7, 1, 0, 0, 1),
    codec.PULSE: (0, 4000000000, LARGE, 0),
    codec.MARKER: (LARGE - 1, 1 << 40),
    codec.COMPLETE: (1 << 63, 1, 2),
    codec.FAULT: (5, 0xFFFFFFFF),
    codec.HELLO_REQUEST: (),
    codec.SET_GLITCH_FILTER: (24000,),
}
out = bytearray(64)
for kind in sorted(FIELDS):
    end = codec.write_front_end_frame(out, 3, kind, 65535, *FIELDS[kind])
    show("written", bytes(out[3:end]))
    version, _, sequence, body = codec.parse_frame(bytes(out[3 : end - 1]))
    print(version, sequence, codec.unpack_body(kind, body) == FIELDS[kind])

for run in (b"", b"\x05ab", b"\x02\x00", b"\x03ab", codec.cobs_encode(bytes(9))):
    try:
        codec.parse_frame(run)
        print("accepted")
    except codec.FrameError as error:
        print("refused", error.reason)

splitter = codec.RunSplitter(8)
for data in (b"ab", b"c\x00\x00de", b"f" * 20, b"g\x00h\x00"):
    print(splitter.feed(data))
