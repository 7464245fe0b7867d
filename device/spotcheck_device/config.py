"""The daemon's configuration: one typed TOML file, whose errors name the key."""

import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

from spotcheck.errors import ConfigurationError
from spotcheck_recording.writers import WRITABLE


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
    """`host:port` of the sample stream."""
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


def parse_config(text: str, name: str) -> DeviceConfig:
    """The configuration that a TOML text holds.

    Raises:
        ConfigurationError: names the file, and the line or the key that is wrong.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{name}: {error}") from error
    known = {field.name: field.type for field in fields(DeviceConfig)}
    for key, value in values.items():
        if key not in known:
            raise ConfigurationError(f"{name}: {key} is unknown; known are {', '.join(known)}")
        if type(value) is not known[key]:
            kind = "integer" if known[key] is int else "text in quotes"
            raise ConfigurationError(f"{name}: {key} = {value!r} is no {kind}")
    wanted = [field.name for field in fields(DeviceConfig) if field.default is MISSING]
    if missing := [key for key in wanted if key not in values]:
        raise ConfigurationError(f"{name}: {', '.join(missing)} is missing")
    config = DeviceConfig(**values)
    split_address(f"{name}: samples", config.samples)
    split_address(f"{name}: host_listen", config.host_listen)
    if config.record_format not in WRITABLE:
        raise ConfigurationError(
            f"{name}: record_format = {config.record_format!r} cannot be recorded; "
            f"choose one of {', '.join(WRITABLE)}"
        )
    return config


def load_config(path: Path) -> DeviceConfig:
    """The configuration in a file.

    Raises:
        ConfigurationError: names the file and what is wrong.
    """
    try:
        text = path.read_text("utf-8")
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
