"""`spotcheck app`: the workplaces of a demonstration and of a real instrument."""

import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spotcheck.errors import ConfigurationError
from spotcheck_cli.scenario import Scenario
from spotcheck_host.app.reader import Workplace
from spotcheck_host.device_client import DeviceClient
from spotcheck_host.keys import SigningKey, demonstration_key, generate_key, load_key, save_key
from spotcheck_host.records import RecordStore

OPERATOR = "demonstration"


def demonstration_workplace(scenario: Scenario, out: Path, *, real_time: bool) -> Workplace:
    """A workplace whose bench and device are processes of this machine.

    Args:
        scenario: What the simulated bench shows.
        out: Folder of all that is left.
        real_time: Whether stream time keeps to the wall clock.

    Raises:
        OSError: the folder cannot be made.
    """
    from spotcheck_cli.demo_instrument import demonstration_correction_set
    from spotcheck_cli.rehearsal import (
        StreamClock,
        connect,
        only_one_in,
        start_bench,
        start_device,
    )

    correction = demonstration_correction_set()
    scenario.bench(correction)
    out.mkdir(parents=True, exist_ok=True)
    clock = StreamClock()

    @contextmanager
    def instrument() -> Iterator[DeviceClient]:
        folder = out / "instrument"
        folder.mkdir(exist_ok=True)
        with (
            only_one_in(out),
            start_bench(folder, scenario, real_time=real_time) as bench,
            start_device(folder, correction, bench.addresses) as device,
            connect(folder, device.addresses["host"]) as client,
        ):
            yield client

    return Workplace(
        instrument=instrument,
        open_store=lambda _: RecordStore(
            out / "records.sqlite", demonstration_key(scenario.seed, OPERATOR), clock, True
        ),
        follow=clock.follow,
        now_ns=clock,
        out=out,
        operator=OPERATOR,
        case_prefix=lambda: f"app-{scenario.seed}",
        emulated=True,
        true_error_percent=scenario.meter_error_percent,
    )


def connected_workplace(address: str, out: Path, key: Path | None, operator: str) -> Workplace:
    """A workplace at an instrument that runs already.

    The record of an instrument with a demonstration's correction set is a demonstration's too.

    Args:
        address: `host:port`, or a serial port.
        out: Folder of the record and all that is left.
        key: The acting person's signing key; without, one is made in the folder.
        operator: The acting person.

    Raises:
        SpotcheckError: the address is none, or the key cannot be used.
        OSError: the folder cannot be made.
    """
    from spotcheck_calibration.correction_set import parse_correction_set
    from spotcheck_cli.pairing import connected_device
    from spotcheck_cli.rehearsal import only_one_in
    from spotcheck_host.host_trust import open_host_trust

    out.mkdir(parents=True, exist_ok=True)
    signer = _signer(key or out / "operator.key", operator, must_exist=key is not None)
    checked_address(address)
    trust = open_host_trust(out, operator)

    def open_store(correction: bytes) -> RecordStore:
        if parse_correction_set(correction).demonstration:
            demonstration = demonstration_key(0, operator)
            return RecordStore(out / "demonstration.sqlite", demonstration, time.time_ns, True)
        return RecordStore(out / "records.sqlite", signer, time.time_ns, False)

    @contextmanager
    def instrument() -> Iterator[DeviceClient]:
        with only_one_in(out), connected_device(checked_address(address), trust) as client:
            yield client

    return Workplace(
        instrument=instrument,
        open_store=open_store,
        follow=lambda event, rate: None,
        now_ns=time.time_ns,
        out=out,
        operator=operator,
        # Requests are named by their case: two folders on one day must not share names.
        case_prefix=lambda: f"{time.strftime('%Y%m%d')}-{secrets.token_hex(2)}",
        emulated=False,
    )


def require_a_screen() -> None:
    """Qt ends the process without a word of its own where there is no screen.

    Raises:
        ConfigurationError: there is none.
    """
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in named):
        raise ConfigurationError(
            "there is no screen: none of DISPLAY, WAYLAND_DISPLAY and QT_QPA_PLATFORM is set. "
            "Start it on a desktop, over `ssh -X`, or with `xvfb-run`; `spotcheck demo` needs none"
        )


def checked_address(address: str) -> tuple[str, int] | Path:
    """Host and port of `host:port`, or the serial port of a path.

    Raises:
        ConfigurationError: it is neither.
    """
    if address.startswith("/"):
        return Path(address)
    host, separator, port = address.rpartition(":")
    if not separator or not host or not port.isdecimal() or int(port) > 65535:
        raise ConfigurationError(
            f"--connect {address!r} is no address; write host:port, or the path of a serial port"
        )
    return host, int(port)


def _signer(path: Path, operator: str, *, must_exist: bool) -> SigningKey:
    if path.exists() or must_exist:
        if not path.exists():
            raise ConfigurationError(f"{path}: there is no such key; leave out --key to make one")
        return load_key(path)
    key = generate_key(operator)
    save_key(key, path)
    return key
