"""A converter that Linux drives: buffers of an IIO device through libiio, with its time stamps.

A device without a time stamp in its scan is refused: the kernel drops scans when its buffer is
full, and without stamps a lost one would leave no trace.
"""

import importlib
import time
from typing import Any

import numpy as np

from spotcheck.errors import ConfigurationError, SampleSourceError
from spotcheck_device.sources.channel_map import ChannelMap
from spotcheck_device.sources.iio_scan import ScanElement, ScanLayout
from spotcheck_device.sources.numbered_stream import StampedFrames
from spotcheck_device.sources.orders import IioOrder
from spotcheck_device.sources.port import FRONT_END_COUNTER_HZ
from spotcheck_device.sources.sampler import RawFrames
from spotcheck_wire.sample_stream import StreamFormatMessage

BUFFER_S = 0.02
TIMEOUT_MS = 500
_TIMESTAMP = "timestamp"
_RATE = "sampling_frequency"
_CLOCK = "current_timestamp_clock"


def load_libiio() -> Any:
    """The bindings of libiio, which is loaded only where an IIO source is wanted.

    Raises:
        ConfigurationError: bindings or library are missing; says the line that installs them.
    """
    try:
        return importlib.import_module("iio")
    except ImportError as error:
        raise ConfigurationError(
            "samples over IIO need pylibiio; run: pip install 'spotcheck[device]'"
        ) from error
    except (OSError, AttributeError) as error:
        # Without the library the bindings look for its functions in the program itself.
        raise ConfigurationError(
            "samples over IIO need libiio 0; run: sudo apt-get install libiio0"
        ) from error


class IioConverter:
    """An open IIO device; a `Converter`."""

    def __init__(self, order: IioOrder) -> None:
        """Open it and begin to fill buffers.

        Raises:
            SampleSourceError: it is not what was ordered; says what is missing.
            ConfigurationError: libiio is missing, or inputs do not fit.
            OSError: it cannot be reached.
        """
        library = load_libiio()
        self._context = library.Context(order.uri)
        self._context.set_timeout(TIMEOUT_MS)
        self._device = self._context.find_device(order.device)
        if self._device is None:
            known = ", ".join(str(device.name or device.id) for device in self._context.devices)
            raise SampleSourceError(f"{order.uri} has no device {order.device}; it has {known}")
        channels = [c for c in self._device.channels if c.scan_element and not c.output]
        inputs = sorted((c for c in channels if c.id != _TIMESTAMP), key=lambda c: int(c.index))
        stamps = [c for c in channels if c.id == _TIMESTAMP]
        if not stamps:
            raise SampleSourceError(
                f"IIO device {order.device} has no time stamp in its scan, so a lost sample "
                "would not be seen; use a driver that has one"
            )
        wanted = ChannelMap(phases=order.phases, inputs=order.inputs, available=len(inputs))
        self._order = tuple(str(inputs[n].id) for n in wanted.inputs)
        enabled = [inputs[n] for n in sorted(wanted.inputs)]
        for channel in channels:
            channel.enabled = channel in (*enabled, *stamps)
        self._layout = ScanLayout([_element(c) for c in enabled], _element(stamps[0]))
        if _CLOCK in self._device.attrs:
            # The wall clock may be set, and then steps.
            self._device.attrs[_CLOCK].value = "monotonic"
        self.starts_here = False
        self.stream_format = self._format(order, inputs[0])
        self._transit_ns: int | None = None
        frames = max(1, round(BUFFER_S * self.stream_format.sample_rate_hz))
        self._buffer = library.Buffer(self._device, frames)

    def read(self) -> RawFrames:
        """Read a buffer.

        Raises:
            OSError: the device is silent, or gone.
        """
        if (failure := self._refill()) is not None:
            raise failure
        now_ns = time.monotonic_ns()
        data = bytes(self._buffer.read())
        stamps_ns = self._layout.stamps_ns(data)
        transit_ns = now_ns - int(stamps_ns[-1])
        if self._transit_ns is None or transit_ns < self._transit_ns:
            self._transit_ns = transit_ns
        return RawFrames(data=data, stamps_ns=stamps_ns)

    def close(self) -> None:
        """Stop the buffer and leave the device; in this order, or libiio reads freed memory."""
        self._buffer = None
        self._device = self._context = None

    def first_edge_ns(self, stamped: StampedFrames) -> int:
        """Instant of the first scan."""
        return int(stamped.stamps_ns[0])

    def arrival_ns(self, now_ns: int) -> int:
        """An instant on the device's clock, as near as its quickest buffer tells."""
        return now_ns - (self._transit_ns or 0)

    def decode(self, raw: RawFrames) -> StampedFrames:
        """Codes of a buffer."""
        codes = self._layout.codes(raw.data, self._order)
        return StampedFrames(
            codes=codes, stamps_ns=raw.stamps_ns, whole=np.ones(len(codes), np.bool_)
        )

    def _refill(self) -> OSError | None:
        """What went wrong, without its traceback: that would hold the buffer beyond `close`."""
        try:
            self._buffer.refill()
        except OSError as error:
            return OSError(error.errno, f"the IIO device gives no samples: {error.strerror}")
        return None

    def _format(self, order: IioOrder, channel: Any) -> StreamFormatMessage:
        attributes = {**channel.attrs, **self._device.attrs}
        if _RATE not in attributes:
            raise SampleSourceError(f"IIO device {order.device} does not say its {_RATE}")
        text = str(attributes[_RATE].value)
        rate_hz = float(text)
        if not rate_hz.is_integer() or rate_hz < 1:
            raise SampleSourceError(
                f"IIO device {order.device} runs at {text} S/s; set it to a whole number"
            )
        return StreamFormatMessage(
            sample_rate_hz=int(rate_hz),
            phases=order.phases,
            voltage_range=order.voltage_range,
            current_range=order.current_range,
            epoch_utc_ns=time.time_ns(),
            counter_hz=FRONT_END_COUNTER_HZ,
        )


def _element(channel: Any) -> ScanElement:
    form = channel.data_format
    return ScanElement(
        name=str(channel.id),
        storage_bits=int(form.length),
        bits=int(form.bits),
        shift=int(form.shift),
        is_signed=bool(form.is_signed),
        is_big_endian=bool(form.is_be),
    )
