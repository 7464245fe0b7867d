"""The daemon's configuration names what is wrong in it."""

from pathlib import Path

import pytest

from spotcheck.errors import ConfigurationError
from spotcheck_device.config import load_config, parse_config, split_address

GOOD = {
    "device_id": '"SC-1"',
    "state_folder": '"/var/lib/spotcheck"',
    "correction_set": '"set.json"',
    "samples": '"127.0.0.1:7000"',
    "pulses": '"/dev/ttyACM0"',
}


def toml(**changes: str | None) -> str:
    values = {**GOOD, **changes}
    return "".join(f"{key} = {value}\n" for key, value in values.items() if value is not None)


def test_configuration_is_read_with_its_defaults(tmp_path: Path) -> None:
    path = tmp_path / "device.toml"
    path.write_text(toml(pulses_baud="230400"), "utf-8")
    config = load_config(path)
    assert (config.device_id, config.samples, config.pulses_baud) == (
        "SC-1", "127.0.0.1:7000", 230_400,
    )  # fmt: skip
    assert (config.host_listen, config.host_serial) == ("127.0.0.1:0", "")
    assert (config.record_folder, config.record_format) == ("", "parquet")


@pytest.mark.parametrize("address", ["127.0.0.1:0", "0.0.0.0:7100", "10.1.2.3:7100", "::1:7100"])
def test_hosts_may_be_served_on_any_address(address: str) -> None:
    assert parse_config(toml(host_listen=f'"{address}"'), "my.toml").host_listen == address


@pytest.mark.parametrize("kind", ["csv", "parquet", "comtrade", "wav", "flac"])
def test_every_format_can_be_recorded(kind: str) -> None:
    config = parse_config(toml(record_folder='"/r"', record_format=f'"{kind}"'), "my.toml")
    assert (config.record_folder, config.record_format) == ("/r", kind)


@pytest.mark.parametrize("key", GOOD)
def test_missing_key_is_named(key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^my.toml: .*{key} is missing"):
        parse_config(toml(**{key: None}), "my.toml")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("puls", '"x"', "puls is unknown; known are device_id, state_folder"),
        ("pulses_baud", '"115200"', "pulses_baud = '115200' is no integer"),
        ("pulses_baud", "true", "pulses_baud = True is no"),
        ("pulses_baud", "9600.0", "pulses_baud = 9600.0 is no"),
        ("device_id", "7", "device_id = 7 is no text in quotes"),
        ("samples", '"localhost"', "samples = 'localhost' is no address:port"),
        ("host_listen", '"127.0.0.1:99999"', "host_listen = '127.0.0.1:99999' is no"),
        ("host_listen", '"127.0.0.1:-1"', "is no address:port"),
        ("record_format", '"xls"', "record_format = 'xls' cannot be recorded; choose one of csv"),
        ("record_format", '""', "record_format = '' cannot be recorded"),
        ("record_folder", "true", "record_folder = True is no text in quotes"),
        ("device_id", '"x', "my.toml: "),
    ],
)
def test_wrong_key_is_named_with_its_file(key: str, value: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse_config(toml(**{key: value}), "my.toml")
    assert str(caught.value).startswith("my.toml: ")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: No such file"):
        load_config(tmp_path / "none.toml")


def test_address_is_split_at_its_last_colon() -> None:
    assert split_address("x", "::1:80") == ("::1", 80)
    assert split_address("x", "host:65535") == ("host", 65535)
