"""`spotcheck device pair` and `spotcheck pair` against a running daemon, as two people do it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spotcheck.errors import NotPairedError
from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_cli.main import app
from spotcheck_cli.pairing import connected_device
from spotcheck_cli.rehearsal import start_device
from spotcheck_device.device_trust import pairing_desk
from spotcheck_host.host_trust import open_host_trust

pytestmark = pytest.mark.processes


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A daemon that nothing is connected to: pairing needs no samples."""
    sources = {"samples": "127.0.0.1:1", "pulses": str(tmp_path / "no-such-port")}
    with start_device(tmp_path, demonstration_correction_set(), sources) as device:
        yield device.addresses["host"]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def shown_code(folder: Path) -> str:
    deadline_s = time.monotonic() + 20
    while (pairing := pairing_desk(folder / "state").current()) is None:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    return pairing.code


def test_code_shown_on_the_device_and_typed_at_the_host_pairs_them(
    address: str, tmp_path: Path
) -> None:
    config, out = str(tmp_path / "device.toml"), str(tmp_path / "records")
    code, said = run("pair", address, "--code", "1234-5678", "--out", out)
    assert (code, "not ready to be paired" in said) == (2, True)
    at_device = subprocess.Popen(
        [sys.executable, "-m", "spotcheck_cli", "device", "pair", config],
        stdout=subprocess.PIPE,
        text=True,
    )
    shown = shown_code(tmp_path)
    code, said = run(
        "pair", address, "--code", "0000-0000" if shown[0] != "0" else "1", "--out", out
    )
    assert (code, "2 tries are left" in said) == (2, True)
    code, said = run("pair", address, "--code", shown, "--out", out)
    assert (code, said.startswith("paired with SC-DEMO-1 (demo:")) == (0, True)
    said, _ = at_device.communicate(timeout=20)
    assert (at_device.returncode, shown in said, "paired with " in said) == (0, True, True)
    assert not (tmp_path / "state" / "pairing").exists()
    assert run("pairings", "--out", out)[1].split()[1:4] == ["SC-DEMO-1", "by", "code"]
    key = run("device", "key", config)[1].split()[1]
    assert key in run("pairings", "--out", out)[1]
    _, hosts = run("device", "hosts", config)
    name = next(line.split()[1] for line in hosts.splitlines() if line.endswith("by code"))
    assert run("device", "forget", config, name)[0] == 0
    assert name not in run("device", "hosts", config)[1]
    host, _, port = address.rpartition(":")
    with pytest.raises(NotPairedError, match="does not know this computer, or no longer"):
        connected_device((host, int(port)), open_host_trust(Path(out), "x"))
    assert run("unpair", "SC-DEMO-1", "--out", out)[0] == 0
    assert run("pairings", "--out", out) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pair", "127.0.0.1:1"), "--code is missing; `spotcheck device pair CONFIG`"),
        (("pair", "/dev/none", "--code", "1"), "the cable is the pairing; leave out --code"),
        (("pair", "/dev/none"), "no device at /dev/none"),
        (("pair", "127.0.0.1:1", "--code", "1"), "no device at 127.0.0.1:1"),
        (("unpair", "SC-9"), "no pairing has the key or name 'SC-9'; there are: none"),
    ],
)
def test_what_cannot_be_paired_is_named(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    code, output = run(*arguments, "--out", str(tmp_path))
    assert (code, said in output) == (2, True), output
