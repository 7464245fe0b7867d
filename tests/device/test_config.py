"""The daemon's configuration names what is wrong in it."""

import dataclasses
import re
from pathlib import Path

import pytest

from spotcheck.errors import ConfigurationError
from spotcheck_device.config import DeviceConfig, load_config, parse_config, split_address

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
        ("puls", '"x"', "line 6: puls is unknown; did you mean pulses?"),
        ("pulse_baud", "9600", "line 6: pulse_baud is unknown; did you mean pulses_baud?"),
        ("colour", '"x"', "line 6: colour is unknown; known are device_id, state_folder"),
        ("pulses_baud", "0", "line 6: pulses_baud = 0 is no speed; 1200 to 12000000"),
        ("pulses_baud", "12_000_001", "line 6: pulses_baud = 12000001 is no speed"),
        ("device_id", '""', "line 1: device_id = '' is no serial number"),
        ("device_id", '"SC 1"', "line 1: device_id = 'SC 1' is no serial number"),
        ("device_id", f'"{65 * "x"}"', "line 1: device_id = 'x+' is no serial number"),
        ("state_folder", '""', "line 2: state_folder is empty"),
        ("correction_set", '"a\\u0000"', "line 3: correction_set holds a NUL"),
        ("state_folder", "{ path = 1 }", "line 2: state_folder = {'path': 1} is no text"),
        ("pulses_baud", '"115200"', "line 6: pulses_baud = '115200' is no integer"),
        ("pulses_baud", "true", "pulses_baud = True is no"),
        ("pulses_baud", "9600.0", "pulses_baud = 9600.0 is no"),
        ("device_id", "7", "device_id = 7 is no text in quotes"),
        ("samples", '"localhost"', "line 4: samples = 'localhost' is no address:port"),
        ("host_listen", '"127.0.0.1:99999"', "host_listen = '127.0.0.1:99999' is no"),
        ("host_listen", '"127.0.0.1:-1"', "is no address:port"),
        ("record_format", '"xls"', "record_format = 'xls' cannot be recorded; choose one of csv"),
        ("record_format", '""', "record_format = '' cannot be recorded"),
        ("record_folder", "true", "record_folder = True is no text in quotes"),
        ("device_id", '"x', "my.toml: .*line 1"),
        ("samples", f"{2000 * '['}{2000 * ']'}", "my.toml: maximum recursion"),
    ],
)
def test_wrong_key_is_named_with_its_file(key: str, value: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse_config(toml(**{key: value}), "my.toml")
    assert str(caught.value).startswith(("my.toml: ", "my.toml, line "))


def test_line_is_that_of_the_key_and_not_of_what_looks_like_it() -> None:
    text = toml(record_folder='"""\npulses_baud = 1\n"""') + '# pulses_baud = 2\n"pulses_baud" = 3'
    with pytest.raises(ConfigurationError, match=r"^my\.toml, line 10: pulses_baud = 3"):
        parse_config(text, "my.toml")


def test_table_is_refused_with_the_line_of_its_header() -> None:
    with pytest.raises(ConfigurationError, match=r"line 7: recording is unknown; known are"):
        parse_config(toml() + "\n[recording]\nfolder = '/r'", "my.toml")


def test_key_that_is_written_twice_has_its_line() -> None:
    with pytest.raises(ConfigurationError, match=r"^my\.toml: Cannot overwrite .*line 6"):
        parse_config(toml() + "pulses = 1", "my.toml")


SAMPLE = Path(__file__).parents[2] / "device" / "systemd" / "spotcheck-device.toml"


def test_sample_configuration_loads() -> None:
    assert load_config(SAMPLE).host_listen == "127.0.0.1:7700"


def test_sample_configuration_shows_every_key_and_the_true_defaults() -> None:
    text = SAMPLE.read_text("utf-8")
    shown = re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE)
    config = parse_config(shown, "sample")
    for field in dataclasses.fields(DeviceConfig):
        assert re.search(rf"^{field.name} = ", shown, re.MULTILINE), field.name
        if re.search(rf"^# {field.name} = ", text, re.MULTILINE):
            assert getattr(config, field.name) == field.default


def test_mark_at_the_begin_of_a_file_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "device.toml"
    path.write_text(toml(), "utf-8-sig")
    assert load_config(path).device_id == "SC-1"


def test_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Is a directory"):
        load_config(tmp_path)


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "device.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="no UTF-8 text"):
        load_config(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: No such file"):
        load_config(tmp_path / "none.toml")


def test_address_is_split_at_its_last_colon() -> None:
    assert split_address("x", "::1:80") == ("::1", 80)
    assert split_address("x", "host:65535") == ("host", 65535)


@pytest.mark.parametrize("text", ["x = [1,\n", "x =", "x = 1\ny = '''"])
def test_text_that_breaks_off_names_its_last_line(text: str) -> None:
    line = text.rstrip().count("\n") + 1
    with pytest.raises(ConfigurationError, match=rf"^my\.toml: .*at line {line}"):
        parse_config(text, "my.toml")
