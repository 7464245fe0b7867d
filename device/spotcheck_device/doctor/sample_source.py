"""The source of samples: is it there, and does calibration know its format?"""

import os
import socket
import time

from spotcheck.errors import ConfigurationError, CorrectionSetError, EvidenceError
from spotcheck.samples import StreamFormat
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_device.doctor.finding import Fact, Finding, failed, ok
from spotcheck_device.sources.address import parse_source_address
from spotcheck_device.sources.iio_converter import load_libiio
from spotcheck_device.sources.orders import IioOrder, RecordingOrder, SocketOrder, SpiOrder
from spotcheck_wire.errors import StreamDamagedError
from spotcheck_wire.sample_stream import StreamDecoder, StreamFormatMessage

ANSWER_S = 3.0
RATE_IN_RANGE_HZ = 4000
"""A rate that no check of ranges depends on."""


def check_sample_source(samples: str, correction: CorrectionSet | None) -> Finding:
    """Look for the source that an address names, without starting it."""
    order = parse_source_address("samples", samples)
    match order:
        case SocketOrder():
            return _check_stream(samples, (order.host, order.port), correction)
        case SpiOrder():
            return _check_devices(samples, order) or _judge(samples, order, correction)
        case IioOrder():
            return _check_libiio(samples) or _judge(samples, order, correction)
        case RecordingOrder(folder=folder):
            if not folder.is_dir():
                return failed("samples.unreachable", samples=samples, text=f"no folder {folder}")
            return ok("samples.recording", samples=samples)


def _check_stream(
    samples: str, address: tuple[str, int], correction: CorrectionSet | None
) -> Finding:
    """Connect, wait for the FORMAT message, and go; no credit is given, so nothing is sent."""
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


def _check_devices(samples: str, order: SpiOrder) -> Finding | None:
    """Whether bus and GPIO chip are there for this user; the converter itself is not asked."""
    for path in (order.device, order.drdy_chip):
        if not os.access(path, os.R_OK | os.W_OK):
            state = "permission denied" if path.exists() else "not there"
            return failed("samples.no-device", samples=samples, device=str(path), state=state)
    return None


def _check_libiio(samples: str) -> Finding | None:
    """Whether libiio is there; a context is not opened, as its buffer might be the daemon's."""
    try:
        load_libiio()
    except ConfigurationError as error:
        return failed("samples.unreachable", samples=samples, text=str(error))
    return None


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


def _judge(
    samples: str,
    found: StreamFormatMessage | SpiOrder | IioOrder,
    correction: CorrectionSet | None,
) -> Finding:
    """Whether calibration knows the ranges; an IIO device says its rate only when it is opened."""
    facts: dict[str, Fact] = {
        "samples": samples,
        "phases": found.phases,
        "voltage_range": found.voltage_range,
        "current_range": found.current_range,
    }
    rate_hz = RATE_IN_RANGE_HZ if isinstance(found, IioOrder) else found.sample_rate_hz
    try:
        stream = StreamFormat(
            sample_rate_hz=rate_hz,
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
    if isinstance(found, IioOrder):
        return ok("samples.iio", **facts)
    return ok("samples.good", **facts, sample_rate_hz=rate_hz)
