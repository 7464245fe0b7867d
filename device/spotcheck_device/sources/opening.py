"""The source behind an address."""

from functools import partial

from spotcheck_device.sources.address import parse_source_address
from spotcheck_device.sources.iio_converter import IioConverter, load_libiio
from spotcheck_device.sources.orders import IioOrder, RecordingOrder, SocketOrder, SpiOrder
from spotcheck_device.sources.port import LiveSource, SourceListener
from spotcheck_device.sources.recording_source import RecordingSource
from spotcheck_device.sources.sampled_source import SampledSource
from spotcheck_device.sources.socket_source import SocketSource
from spotcheck_device.sources.spi_converter import open_spi


def open_source(text: str, listener: SourceListener) -> LiveSource:
    """A source that begins with its `run`.

    Args:
        text: Its address, as docs/formats/sample-sources.md describes it.
        listener: Who takes what it gives.

    Raises:
        ConfigurationError: the address is none, or the system lacks what it needs.
    """
    match parse_source_address("samples", text):
        case SocketOrder() as order:
            return SocketSource((order.host, order.port), listener)
        case SpiOrder() as order:
            return SampledSource(partial(open_spi, order), listener)
        case IioOrder() as order:
            load_libiio()
            return SampledSource(partial(IioConverter, order), listener)
        case RecordingOrder() as order:
            return RecordingSource(order, listener)
