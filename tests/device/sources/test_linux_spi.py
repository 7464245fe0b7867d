"""Sizes, numbers and places of the kernel's structures, from its own headers by the C compiler."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from spotcheck_device.sources import linux_spi

HEADERS = [Path("/usr/include/linux/spi/spidev.h"), Path("/usr/include/linux/gpio.h")]

PROGRAM = r"""
#include <linux/gpio.h>
#include <linux/spi/spidev.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(void) {
    unsigned numbers[] = {
        SPI_IOC_WR_MODE, SPI_IOC_WR_BITS_PER_WORD, SPI_IOC_WR_MAX_SPEED_HZ, SPI_IOC_MESSAGE(1),
        GPIO_V2_GET_LINE_IOCTL};
    struct gpio_v2_line_request request = {0};
    struct gpio_v2_line_event event = {.timestamp_ns = 123456789012345, .line_seqno = 7};
    struct spi_ioc_transfer transfer = {
        .tx_buf = 0x1122334455667788, .rx_buf = 0x0102030405060708, .len = 30,
        .speed_hz = 20000000, .bits_per_word = 8};
    request.offsets[0] = 25;
    strcpy(request.consumer, "spotcheck");
    request.config.flags = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_FALLING;
    request.num_lines = 1;
    request.event_buffer_size = 1024;
    write(1, numbers, sizeof numbers);
    write(1, &transfer, sizeof transfer);
    write(1, &event, sizeof event);
    write(1, &request, sizeof request);
    return 0;
}
"""


@pytest.mark.skipif(
    shutil.which("gcc") is None or not all(path.exists() for path in HEADERS),
    reason="needs gcc and the kernel's headers (apt: gcc linux-libc-dev)",
)
def test_structures_are_the_kernel_s(tmp_path: Path) -> None:
    source = tmp_path / "structures.c"
    source.write_text(PROGRAM)
    program = tmp_path / "structures"
    subprocess.run(["gcc", "-w", "-o", program, source], check=True)
    told = subprocess.run([program], check=True, capture_output=True).stdout
    numbers, rest = struct.unpack_from("<5I", told), told[20:]
    assert numbers == (
        linux_spi.SPI_IOC_WR_MODE, linux_spi.SPI_IOC_WR_BITS_PER_WORD,
        linux_spi.SPI_IOC_WR_MAX_SPEED_HZ, linux_spi.SPI_IOC_MESSAGE_1, linux_spi.GPIO_V2_GET_LINE,
    )  # fmt: skip
    transfer, event, request = rest[:32], rest[32:80], rest[80:]
    assert transfer == linux_spi.SPI_TRANSFER.pack(
        0x1122334455667788, 0x0102030405060708, 30, 20_000_000, 0, 8, 0, 0, 0, 0, 0
    )
    assert linux_spi.event_instants(event * 2) == (123456789012345,) * 2
    assert request == linux_spi.line_request(25)


def test_bus_that_there_is_not_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        linux_spi.SpidevBus(tmp_path / "spidev0.0", 20_000_000)
    with pytest.raises(OSError, match="No such file"):
        linux_spi.GpioEdges(tmp_path / "gpiochip0", 25)


def test_file_that_is_no_bus_is_an_error_and_stays_closed(tmp_path: Path) -> None:
    path = tmp_path / "spidev0.0"
    path.touch()
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match="ioctl"):
        linux_spi.SpidevBus(path, 20_000_000)
    with pytest.raises(OSError, match="ioctl"):
        linux_spi.GpioEdges(path, 25)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
