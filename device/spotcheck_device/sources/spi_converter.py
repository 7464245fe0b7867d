"""An ADS131M08 on this board's own SPI bus and GPIO line."""

import time

from spotcheck.errors import SampleSourceError
from spotcheck_device.sources.ads131m08 import Ads131m08
from spotcheck_device.sources.linux_spi import GpioEdges, SpidevBus
from spotcheck_device.sources.orders import SpiOrder
from spotcheck_device.sources.port import FRONT_END_COUNTER_HZ
from spotcheck_wire.sample_stream import StreamFormatMessage


def open_spi(order: SpiOrder) -> Ads131m08:
    """Open bus and line, configure the converter and start it.

    Raises:
        SampleSourceError: it does not answer as an ADS131M08 does, or cannot be opened.
    """
    try:
        bus = SpidevBus(order.device, order.speed_hz)
    except OSError as error:
        raise SampleSourceError(f"{order.device}: {error.strerror}; is the bus enabled?") from error
    try:
        ready = GpioEdges(order.drdy_chip, order.drdy_line)
    except OSError as error:
        bus.close()
        raise SampleSourceError(
            f"{order.drdy_chip} line {order.drdy_line}: {error.strerror}; is it in use?"
        ) from error
    try:
        return Ads131m08(
            bus=bus,
            ready=ready,
            configuration=order.configuration,
            channels=order.channels,
            stream_format=StreamFormatMessage(
                sample_rate_hz=order.sample_rate_hz,
                phases=order.phases,
                voltage_range=order.voltage_range,
                current_range=order.current_range,
                epoch_utc_ns=time.time_ns(),
                counter_hz=FRONT_END_COUNTER_HZ,
            ),
        )
    except BaseException:
        ready.close()
        bus.close()
        raise
