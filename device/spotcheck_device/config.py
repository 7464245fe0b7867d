"""The daemon's configuration: one typed TOML file, whose errors name file, line and key.

`device/systemd/spotcheck-device.toml` is a sample that says what each key means.
"""

import difflib
import re
import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from spotcheck.errors import ConfigurationError
from spotcheck_device.sources.address import parse_source_address
from spotcheck_device.toml_lines import key_lines
from spotcheck_recording.writers import WRITABLE

BAUD_RANGE = (1200, 12_000_000)
_KINDS = {
    int: "integer",
    float: "number with a point",
    bool: "true or false",
    str: "text in quotes",
}
_NAME = re.compile(r"[!-~]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceConfig:
    """Where the daemon finds its sources and serves its host."""

    device_id: str
    """Serial number of the instrument; begins every outcome's name."""
    state_folder: str
    """Folder of the boot counter and of outcomes that no host has acknowledged yet."""
    correction_set: str
    """File of the instrument's correction set."""
    samples: str
    """Address of the sample source, such as `host:port`; docs/formats/sample-sources.md."""
    pulses: str
    """Serial port of the pulse front end."""
    pulses_baud: int = 115_200
    """Its speed."""
    host_listen: str = "127.0.0.1:0"
    """`address:port` where hosts connect; they and the device show each other who they are."""
    host_serial: str = ""
    """Serial port of a host; empty for none."""
    record_folder: str = ""
    """Folder where each measurement's samples and pulses are recorded; empty for nowhere."""
    record_format: str = "parquet"
    """csv, parquet, comtrade, wav or flac."""
    record_limit_mb: int = 0
    """Megabytes that all recordings may hold; the oldest make room. 0: no limit."""


class _Place:
    """Where the text says what; begins every message."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._lines = key_lines(text)

    def of(self, key: str) -> str:
        """File, line and name of a key; a key that is not written has no line."""
        line = self._lines.get((key,))
        return f"{self._name}, line {line}: {key}" if line else f"{self._name}: {key}"


def parse_config(text: str, name: str) -> DeviceConfig:
    """The configuration that a TOML text holds.

    Raises:
        ConfigurationError: names the file, the line and the key that is wrong.
    """
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        last = f"at line {text.rstrip().count(chr(10)) + 1}"
        words = str(error).replace("at end of document", last)
        raise ConfigurationError(f"{name}: {words}") from error
    place = _Place(name, text)
    _check_keys(values, place)
    wanted = [field.name for field in fields(DeviceConfig) if field.default is MISSING]
    if missing := [key for key in wanted if key not in values]:
        raise ConfigurationError(f"{name}: {', '.join(missing)} is missing")
    config = DeviceConfig(**values)
    _check_values(config, place)
    return config


def _check_keys(values: dict[str, Any], place: _Place) -> None:
    """Every key is known and holds a value of its type."""
    known = {field.name: field.type for field in fields(DeviceConfig)}
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise ConfigurationError(f"{place.of(key)} is unknown; {hint}")
        if type(value) is not known[key]:
            kind = next(words for type_, words in _KINDS.items() if type_ is known[key])
            raise ConfigurationError(f"{place.of(key)} = {value!r} is no {kind}")


def _check_values(config: DeviceConfig, place: _Place) -> None:
    """Every value is one that the daemon can work with."""
    if not _NAME.fullmatch(config.device_id):
        raise ConfigurationError(
            f"{place.of('device_id')} = {config.device_id!r} is no serial number; "
            "1 to 64 visible ASCII characters are possible"
        )
    for key in ("state_folder", "correction_set", "pulses"):
        if not getattr(config, key):
            raise ConfigurationError(f"{place.of(key)} is empty; write its path")
    for key in ("state_folder", "correction_set", "pulses", "host_serial", "record_folder"):
        if "\0" in getattr(config, key):
            raise ConfigurationError(f"{place.of(key)} holds a NUL character, which no path has")
    low, high = BAUD_RANGE
    if not low <= config.pulses_baud <= high:
        raise ConfigurationError(
            f"{place.of('pulses_baud')} = {config.pulses_baud} is no speed; "
            f"{low} to {high} is possible"
        )
    parse_source_address(place.of("samples"), config.samples)
    split_address(place.of("host_listen"), config.host_listen)
    if config.record_limit_mb < 0:
        raise ConfigurationError(
            f"{place.of('record_limit_mb')} = {config.record_limit_mb} is no size; 0 is no limit"
        )
    if config.record_format not in WRITABLE:
        raise ConfigurationError(
            f"{place.of('record_format')} = {config.record_format!r} cannot be recorded; "
            f"choose one of {', '.join(WRITABLE)}"
        )


def load_config(path: Path) -> DeviceConfig:
    """The configuration in a file.

    Raises:
        ConfigurationError: names the file and what is wrong.
    """
    try:
        text = path.read_text("utf-8-sig")  # some editors begin a file with a mark
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: no UTF-8 text: {error}") from error
    return parse_config(text, str(path))


def split_address(where: str, address: str) -> tuple[str, int]:
    """Host and port of `host:port`.

    Raises:
        ConfigurationError: it is none; `where` begins the message.
    """
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdecimal() or int(port) > 65535:
        raise ConfigurationError(f"{where} = {address!r} is no address:port")
    return host, int(port)
