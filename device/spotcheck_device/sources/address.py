"""The address of a source, as the configuration spells it: `kind:place?key=value&key=value`.

127.0.0.1:7000, tcp:127.0.0.1:7000
spi:/dev/spidev0.0?drdy=/dev/gpiochip0:25&rate_hz=8000&phases=3&inputs=0,1,2,3,4,5&…
iio:ip:192.168.1.5?device=ads131m08&phases=1&inputs=0,1&…
recording:/var/lib/spotcheck/recordings/case-1%2F1?pace=real-time
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl

from spotcheck.errors import ConfigurationError
from spotcheck_device.sources.orders import (
    IioOrder,
    Pace,
    RecordingOrder,
    SocketOrder,
    SourceOrder,
    SpiOrder,
)

_RANGES = ("phases", "inputs", "voltage", "current")


def parse_source_address(where: str, text: str) -> SourceOrder:
    """What an address means.

    Args:
        where: Begins every message.
        text: The address.

    Raises:
        ConfigurationError: it is none; names the key that is wrong or missing.
    """
    kind, _, rest = text.partition(":")
    place, _, query = rest.partition("?")
    readers: dict[str, Callable[[_Keys], SourceOrder]] = {
        "spi": _spi,
        "iio": _iio,
        "recording": _recording,
    }
    if kind in readers:
        return readers[kind](_Keys(where, text, place, query))
    return _socket(where, rest if kind == "tcp" else text)


class _Keys:
    """The keys behind a place; each is asked for once, and none may be left."""

    def __init__(self, where: str, text: str, place: str, query: str) -> None:
        self._where, self._text = f"{where} = {text!r}", text
        self.place = place
        try:
            pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
        except ValueError as error:
            raise self.error("what follows ? is no key=value&key=value") from error
        self._values: Mapping[str, str] = dict(pairs)
        if len(self._values) != len(pairs):
            raise self.error("a key is given twice")
        if not place:
            raise self.error("names no place")

    def error(self, text: str) -> ConfigurationError:
        return ConfigurationError(f"{self._where}: {text}")

    def check(self, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
        known = (*required, *optional)
        if unknown := [key for key in self._values if key not in known]:
            raise self.error(f"{unknown[0]} is unknown; known are {', '.join(known)}")
        if missing := [key for key in required if not self._values.get(key)]:
            raise self.error(f"{', '.join(missing)} is missing")

    def text(self, key: str) -> str:
        return self._values[key]

    def number(self, key: str, default: int | None = None) -> int:
        if key not in self._values and default is not None:
            return default
        return self._integer(key, self._values[key])

    def numbers(self, key: str, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        if key not in self._values:
            return default
        return tuple(self._integer(key, part) for part in self._values[key].split(","))

    def phases(self) -> int:
        phases = self.number("phases")
        if phases not in (1, 3):
            raise self.error(f"phases={phases}; 1 and 3 are possible")
        return phases

    def _integer(self, key: str, text: str) -> int:
        if not (text.isascii() and text.isdecimal()):
            raise self.error(f"{key}={text} is no whole number")
        return int(text)


def _socket(where: str, text: str) -> SocketOrder:
    host, separator, port = text.rpartition(":")
    if not separator or not port.isdecimal() or int(port) > 65535:
        raise ConfigurationError(f"{where} = {text!r} is no address:port")
    return SocketOrder(host=host, port=int(port))


def _spi(keys: _Keys) -> SpiOrder:
    keys.check(("drdy", "rate_hz", *_RANGES), ("gains", "clock_hz", "speed_hz"))
    chip, separator, line = keys.text("drdy").rpartition(":")
    if not separator or not line.isdecimal():
        raise keys.error(f"drdy={keys.text('drdy')} is no chip:line, such as /dev/gpiochip0:25")
    order = SpiOrder(
        device=Path(keys.place),
        drdy_chip=Path(chip),
        drdy_line=int(line),
        sample_rate_hz=keys.number("rate_hz"),
        phases=keys.phases(),
        inputs=keys.numbers("inputs"),
        voltage_range=keys.text("voltage"),
        current_range=keys.text("current"),
        gains=keys.numbers("gains", SpiOrder.ALL_GAINS_ONE),
        clock_hz=keys.number("clock_hz", SpiOrder.USUAL_CLOCK_HZ),
        speed_hz=keys.number("speed_hz", SpiOrder.USUAL_SPEED_HZ),
    )
    try:
        order.channels  # noqa: B018 - refuses inputs that do not fit
        order.configuration  # noqa: B018 - refuses rates and gains that do not fit
    except ConfigurationError as error:
        raise keys.error(str(error)) from error
    return order


def _iio(keys: _Keys) -> IioOrder:
    keys.check(("device", *_RANGES))
    return IioOrder(
        uri=keys.place,
        device=keys.text("device"),
        phases=keys.phases(),
        inputs=keys.numbers("inputs"),
        voltage_range=keys.text("voltage"),
        current_range=keys.text("current"),
    )


def _recording(keys: _Keys) -> RecordingOrder:
    keys.check(("pace",))
    paces = {pace.value: pace for pace in Pace}
    if keys.text("pace") not in paces:
        raise keys.error(f"pace={keys.text('pace')} is unknown; known are {', '.join(paces)}")
    return RecordingOrder(folder=Path(keys.place), pace=paces[keys.text("pace")])
