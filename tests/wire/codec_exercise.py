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
SERIAL = b"0123456789ABCDEF"
CLAMP = (SERIAL, 1, 5000, 100000, 0, 0xFFFFFFFF, SERIAL, bytes(32))
FIELDS = {
    codec.HELLO: (24000000, 7, 1024, 2, 0, 0, 5, 1, 24),
    codec.PULSE: (0, 4000000000, LARGE, 0),
    codec.MARKER: (LARGE - 1, 1 << 40),
    codec.COMPLETE: (1 << 63, 1, 2, 3, 4, 5, 6, 7),
    codec.FAULT: (5, 0xFFFFFFFF),
    codec.PPS: (1 << 40, 3600),
    codec.INPUT_SIGNAL: (1, 812, 1440, 1530, 87),
    codec.ACK: (65535, 0x13),
    codec.REFUSED: (0, 0x16, 8),
    codec.ENVIRONMENT: (-4500, 10000),
    codec.CLAMP: (2, 7, SERIAL, 1, 5000, 100000, 0, 1, SERIAL, bytes(32)),
    codec.HELLO_REQUEST: (),
    codec.SET_GLITCH_FILTER: (0, 24000),
    codec.SET_THRESHOLD: (1, 0xFFFF),
    codec.SET_PULSE_OUTPUT: (LARGE, 240000),
    codec.READ_ENVIRONMENT: (),
    codec.READ_CLAMP: (),
    codec.WRITE_CLAMP: CLAMP,
    codec.UNLOCK_CLAMP: (SERIAL,),
    codec.BEGIN_UPDATE: (bytes(range(80)), bytes(64)),
    codec.UPDATE_DATA: (4096, bytes(range(128))),
    codec.FINISH_UPDATE: (),
    codec.RESTART: (),
}
out = bytearray(256)
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
