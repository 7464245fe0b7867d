"""Addresses of sources: what they mean, and what is refused by which name."""

from pathlib import Path

import pytest

from spotcheck.errors import ConfigurationError
from spotcheck_device.sources.address import parse_source_address
from spotcheck_device.sources.orders import (
    IioOrder,
    Pace,
    RecordingOrder,
    SocketOrder,
    SpiOrder,
)

RANGES = "inputs=0,1&voltage=480V&current=C100"
SPI = f"spi:/dev/spidev0.0?drdy=/dev/gpiochip0:25&rate_hz=8000&phases=1&{RANGES}"
IIO = f"iio:ip:10.0.0.5:30431?device=ads131m08&phases=1&{RANGES}"


@pytest.mark.parametrize("text", ["127.0.0.1:7000", "tcp:127.0.0.1:7000"])
def test_socket(text: str) -> None:
    assert parse_source_address("samples", text) == SocketOrder(host="127.0.0.1", port=7000)


def test_spi_converter() -> None:
    gains = "gains=1,2,4,8,16,32,64,128&speed_hz=15000000&clock_hz=4096000"
    found = parse_source_address("samples", f"{SPI}&{gains}".replace("8000", "16000"))
    assert found == SpiOrder(
        device=Path("/dev/spidev0.0"), drdy_chip=Path("/dev/gpiochip0"), drdy_line=25,
        sample_rate_hz=16000, phases=1, inputs=(0, 1), voltage_range="480V", current_range="C100",
        gains=(1, 2, 4, 8, 16, 32, 64, 128), clock_hz=4_096_000, speed_hz=15_000_000,
    )  # fmt: skip


def test_iio_device() -> None:
    assert parse_source_address("samples", IIO) == IioOrder(
        uri="ip:10.0.0.5:30431", device="ads131m08", phases=1, inputs=(0, 1),
        voltage_range="480V", current_range="C100",
    )  # fmt: skip


def test_recording() -> None:
    found = parse_source_address("samples", "recording:/recordings/case-1%2F1?pace=credit")
    assert found == RecordingOrder(folder=Path("/recordings/case-1%2F1"), pace=Pace.CREDIT)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no address:port"),
        ("127.0.0.1", "no address:port"),
        ("tcp:127.0.0.1:70000", "no address:port"),
        ("usb:thing", "no address:port"),
        (SPI.replace("&rate_hz=8000", ""), "rate_hz is missing"),
        (SPI.replace("drdy=/dev/gpiochip0:25", "drdy=25"), "no chip:line"),
        (SPI.replace("rate_hz=8000", "rate_hz=8k"), "rate_hz=8k is no whole number"),
        (SPI.replace("rate_hz=8000", "rate_hz=10000"), "does not give 10000"),
        (SPI.replace("phases=1", "phases=2"), "phases=2; 1 and 3"),
        (SPI.replace("inputs=0,1", "inputs=0,0"), "inputs are"),
        (SPI + "&gain=1", "gain is unknown; known are"),
        (SPI + "&gains=1", "gains are"),
        (SPI + "&phases=1", "given twice"),
        (SPI + "&&x", "no key=value"),
        (IIO.replace("device=ads131m08&", ""), "device is missing"),
        (IIO.replace("ip:10.0.0.5:30431", ""), "names no place"),
        ("recording:/var/x", "pace is missing"),
        ("recording:/var/x?pace=fast", "pace=fast is unknown; known are real-time, credit"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        parse_source_address("device.toml: samples", text)
    assert str(caught.value).startswith("device.toml: samples = ")
