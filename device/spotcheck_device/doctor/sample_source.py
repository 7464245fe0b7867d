"""The source of samples: is it there, and does calibration know its format?"""

import os
import re
import socket
import time

from spotcheck.errors import ConfigurationError, CorrectionSetError, EvidenceError
from spotcheck.samples import StreamFormat
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_device.config import split_address
from spotcheck_device.doctor.finding import Fact, Finding, failed, ok, warning
from spotcheck_wire.errors import StreamDamagedError
from spotcheck_wire.sample_stream import StreamDecoder, StreamFormatMessage

ANSWER_S = 3.0
_DEVICE = re.compile(r"/dev/[\w./-]+")


def check_sample_source(samples: str, correction: CorrectionSet | None) -> Finding:
    """Connect, wait for the FORMAT message, and go; no credit is given, so nothing is sent."""
    try:
        address = split_address("samples", samples.removeprefix("tcp:"))
    except ConfigurationError:
        return _check_devices(samples)
    try:
        with socket.create_connection(address, ANSWER_S) as connection:
            found = _format(connection)
    except StreamDamagedError as error:
        return failed("samples.damaged", samples=samples, text=str(error))
    except OSError as error:
        return failed("samples.unreachable", samples=samples, text=error.strerror or str(error))
    if found is None:
        return failed("samples.silent", samples=samples)
    return _judge(samples, found, correction)


def _check_devices(samples: str) -> Finding:
    """Whether what an address of another kind names under /dev is there for this user."""
    for path in _DEVICE.findall(samples):
        if not os.access(path, os.R_OK):
            state = "permission denied" if os.path.lexists(path) else "not there"
            return failed("samples.no-device", samples=samples, device=path, state=state)
    return warning("samples.other-kind", samples=samples)


def _format(connection: socket.socket) -> StreamFormatMessage | None:
    decoder, deadline_s = StreamDecoder(), time.monotonic() + ANSWER_S
    while (left_s := deadline_s - time.monotonic()) > 0:
        connection.settimeout(left_s)
        try:
            data = connection.recv(1 << 16)
        except TimeoutError:
            return None
        if not data:
            return None
        for message in decoder.feed(data):
            if isinstance(message, StreamFormatMessage):
                return message
    return None


def _judge(samples: str, found: StreamFormatMessage, correction: CorrectionSet | None) -> Finding:
    facts: dict[str, Fact] = {
        "samples": samples,
        "sample_rate_hz": found.sample_rate_hz,
        "phases": found.phases,
        "voltage_range": found.voltage_range,
        "current_range": found.current_range,
    }
    try:
        stream = StreamFormat(
            sample_rate_hz=found.sample_rate_hz,
            phases=found.phases,
            voltage_range=found.voltage_range,
            current_range=found.current_range,
        )
        if correction is not None:
            for phase in range(1, found.phases + 1):
                correction.voltage(phase, stream)
                correction.current(phase, stream)
    except (CorrectionSetError, EvidenceError) as error:
        return failed("samples.not-usable", **facts, text=str(error))
    return ok("samples.good", **facts)
