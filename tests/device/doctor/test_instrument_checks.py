"""What the doctor finds of the instrument: correction set, state folder, ports, addresses."""

import binascii
import contextlib
import datetime
import os
import socket
import struct
import sys
import threading
import tty
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import serial
from cobs import cobs

from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_device.doctor.correction import check_correction, read_correction
from spotcheck_device.doctor.finding import Finding
from spotcheck_device.doctor.front_end import check_front_end, check_latency
from spotcheck_device.doctor.sample_source import check_sample_source
from spotcheck_device.doctor.service import check_listen_address, check_unit
from spotcheck_device.doctor.state_folder import (
    check_filesystem,
    check_keys,
    check_record_folder,
    check_room,
    check_state_folder,
    filesystem_of,
    judge_syncs,
)
from spotcheck_wire import frontend_codec as codec
from spotcheck_wire.frames import FrameEncoder
from spotcheck_wire.frontend_messages import FrontEndHello, encode_front_end
from spotcheck_wire.sample_stream import StreamFormatMessage, encode_end, encode_format

SET = demonstration_correction_set()
REAL = replace(SET, demonstration=False)
FORMAT = StreamFormatMessage(
    sample_rate_hz=8000, phases=3, voltage_range="480V", current_range="C100", epoch_utc_ns=0,
    counter_hz=24_000_000,
)  # fmt: skip


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


# Correction set


@pytest.mark.parametrize(
    ("found", "device_id", "today", "code"),
    [
        (REAL, "SC-DEMO-1", "2026-12-02", "correction.good"),
        (REAL, "SC-DEMO-1", "2026-12-03", "correction.ends-soon"),
        (REAL, "SC-DEMO-1", "2027-01-01", "correction.ends-soon"),
        (REAL, "SC-DEMO-1", "2027-01-02", "correction.expired"),
        (REAL, "SC-DEMO-1", "2025-12-31", "correction.from-the-future"),
        (REAL, "SC-2", "2026-06-01", "correction.other-instrument"),
        (SET, "SC-DEMO-1", "2026-06-01", "correction.demonstration"),
    ],
)
def test_correction_set_is_this_instruments_and_holds_today(
    found: CorrectionSet, device_id: str, today: str, code: str
) -> None:
    assert check_correction(found, device_id, day(today)).code == code


def test_correction_set_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    (tmp_path / "good.json").write_bytes(SET.to_bytes())
    assert read_correction(tmp_path / "good.json") == (SET, [])
    for name in ("bad.json", "none.json"):
        found, findings = read_correction(tmp_path / name)
        assert found is None
        assert [finding.code for finding in findings] == ["correction.unreadable"]
        assert name in str(findings[0].facts["text"])


# State folder


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def test_state_folder_is_tried_by_writing_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    found = codes(check_state_folder(tmp_path))
    assert found[:2] == ["state.good", "keys.good"]
    assert [code.partition(".")[0] for code in found[2:]] == ["filesystem", "room", "disk"]
    assert list(tmp_path.iterdir()) == []


def test_state_folder_that_others_may_read_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    finding = check_state_folder(tmp_path)[0]
    assert (finding.code, finding.facts["mode"]) == ("state.open", "0750")


def test_state_folder_that_is_missing_or_cannot_be_written_is_named(tmp_path: Path) -> None:
    assert codes(check_state_folder(tmp_path / "none")) == ["state.missing"]
    # Nobody may write there, not even root.
    assert codes(check_state_folder(Path("/proc/self"))) == ["state.not-writable"]


def test_folder_of_recordings_may_be_made_but_must_be_writable(tmp_path: Path) -> None:
    assert check_record_folder(tmp_path / "a" / "b").code == "recordings.good"
    assert list(tmp_path.iterdir()) == []
    assert check_record_folder(Path("/proc/self/recordings")).code == "recordings.not-writable"
    (tmp_path / "file").write_text("")
    assert check_record_folder(tmp_path / "file").code == "recordings.not-writable"


def test_key_that_others_may_read_is_found_wherever_it_lies(tmp_path: Path) -> None:
    key = tmp_path / "pairing" / "device.pem"
    key.parent.mkdir()
    key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n")
    key.chmod(0o600)
    (tmp_path / "boot").write_text("3")
    assert check_keys(tmp_path).facts == {"keys": 1}
    key.chmod(0o640)
    finding = check_keys(tmp_path)
    assert (finding.code, finding.facts["path"], finding.facts["mode"]) == (
        "keys.open", str(key), "0640",
    )  # fmt: skip


MOUNTS = """\
overlay / overlay rw 0 0
/dev/mmcblk0p3 /var ext4 rw 0 0
tmpfs /var/lib tmpfs rw 0 0
/dev/mmcblk0p4 /var/lib/spotcheck f2fs rw 0 0
/dev/sda1 /mnt/with\\040space vfat rw 0 0
/dev/sda2 /srv ext3 rw 0 0
tmpfs /srv tmpfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/lib/spotcheck/state", "f2fs"), ("/var/lib/spotcheck", "f2fs"),
        ("/var/lib/spotcheckers", "tmpfs"), ("/var/log", "ext4"), ("/home", "overlay"),
        ("/mnt/with space/x", "vfat"), ("/srv", "tmpfs"),
    ],
)  # fmt: skip
def test_file_system_is_that_of_the_nearest_mount(folder: str, kind: str) -> None:
    assert filesystem_of(Path(folder), MOUNTS) == kind


def test_state_in_memory_fails_and_on_a_disk_does_not(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/x / ext4 rw 0 0\ntmpfs {tmp_path}/run tmpfs rw 0 0\n")
    (tmp_path / "run").mkdir()
    assert check_filesystem(tmp_path, mounts).code == "filesystem.good"
    assert check_filesystem(tmp_path / "run", mounts).code == "filesystem.volatile"


@pytest.mark.parametrize(
    ("free_mb", "code"),
    [(99, "room.none"), (100, "room.little"), (999, "room.little"), (1000, "room.good")],
)
def test_room_on_the_disk_is_judged(free_mb: int, code: str, tmp_path: Path) -> None:
    assert check_room(tmp_path, free_mb * 1_000_000).code == code


def test_room_is_that_of_the_disk_itself(tmp_path: Path) -> None:
    found = os.statvfs(tmp_path)
    free_mb = check_room(tmp_path).facts["free_mb"]
    assert free_mb == pytest.approx(found.f_bavail * found.f_frsize / 1e6, rel=0.01)


def test_disk_is_judged_by_its_usual_sync_and_not_by_one_pause() -> None:
    assert judge_syncs([1.0, 2.0, 900.0]).code == "disk.good"
    finding = judge_syncs([120.0, 150.0, 90.0])
    assert (finding.code, finding.facts) == ("disk.slow", {"median_ms": 120.0, "worst_ms": 150.0})


# Pulse front end


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    """The front end's end of a line, and the name of the board's."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(slave)
    os.close(master)


def answer(master: int, reply: bytes) -> threading.Thread:
    """Answer what is asked, once."""

    def serve() -> None:
        asked = b""
        while asked.count(b"\0") < 2:
            asked += os.read(master, 256)
        os.write(master, reply)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def hello(*, boot_reason: int = codec.BOOT_POWER_ON, self_test: int = 0) -> bytes:
    message = FrontEndHello(
        counter_hz=62_500_000, boot_id=7, marker_interval=1024, firmware_major=1, firmware_minor=2,
        firmware_patch=3, inputs=5, boot_reason=boot_reason, self_test=self_test,
    )  # fmt: skip
    return FrameEncoder(max_frame=256).encode(*encode_front_end(message))


def test_front_end_that_answers_says_its_firmware(pty: tuple[int, str]) -> None:
    master, port = pty
    thread = answer(master, b"noise\0" + hello())
    finding = check_front_end(port, 115_200)
    thread.join()
    assert finding.code == "front-end.good"
    facts = {name: finding.facts[name] for name in ("firmware", "counter_hz", "inputs")}
    assert facts == {"firmware": "1.2.3", "counter_hz": 62_500_000, "inputs": 5}


@pytest.mark.parametrize(
    ("says", "code", "broken"),
    [
        (hello(self_test=codec.SELF_TEST_CLAMP), "front-end.incomplete", "clamp memory"),
        (
            hello(self_test=codec.SELF_TEST_COUNTER | codec.SELF_TEST_SENSOR),
            "front-end.self-test", "counter, environment sensor",
        ),
        (hello(boot_reason=codec.BOOT_WATCHDOG), "front-end.watchdog", ""),
        (hello(boot_reason=codec.BOOT_COMMAND), "front-end.good", ""),
    ],
)  # fmt: skip
def test_front_end_says_what_is_wrong_with_itself(
    says: bytes, code: str, broken: str, pty: tuple[int, str]
) -> None:
    master, port = pty
    thread = answer(master, says)
    finding = check_front_end(port, 115_200)
    thread.join()
    assert (finding.code, finding.facts["broken"]) == (code, broken)


def test_front_end_of_another_table_is_named(pty: tuple[int, str]) -> None:
    master, port = pty
    thread = answer(master, other_version())
    finding = check_front_end(port, 115_200)
    thread.join()
    assert (finding.code, finding.facts["version"]) == ("front-end.other-version", 99)


def other_version() -> bytes:
    """A HELLO of table 99, by another COBS codec."""
    frame = struct.pack("<BBH", 99, 0x01, 0)
    return bytes(cobs.encode(frame + struct.pack("<I", binascii.crc32(frame)))) + b"\0"


def test_front_end_that_says_nothing_of_use_is_named(
    pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spotcheck_device.doctor.front_end.ANSWER_S", 0.3)
    master, port = pty
    thread = answer(master, b"login: ")
    finding = check_front_end(port, 115_200)
    thread.join()
    assert (finding.code, finding.facts["heard_bytes"]) == ("front-end.silent", 7)


def test_port_that_the_daemon_holds_is_not_disturbed(pty: tuple[int, str]) -> None:
    master, port = pty
    os.set_blocking(master, False)
    with serial.Serial(port, 115_200, exclusive=True):
        assert check_front_end(port, 115_200).code == "front-end.in-use"
    with pytest.raises(BlockingIOError):
        os.read(master, 1)


def test_port_that_is_absent_or_none_is_named(tmp_path: Path) -> None:
    assert check_front_end(str(tmp_path / "ttyACM0"), 9600).code == "front-end.absent"
    (tmp_path / "file").write_text("")
    assert check_front_end(str(tmp_path / "file"), 9600).code == "front-end.no-port"
    assert check_front_end("/dev/null", 9600).code == "front-end.no-port"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without rights")
def test_port_that_this_user_may_not_open_is_named(pty: tuple[int, str]) -> None:
    _, port = pty
    Path(port).chmod(0o600)
    child = os.fork()
    if child == 0:  # rights of a process cannot be got back, so another one gives them up
        status = 1
        try:
            os.setuid(65534)
            status = 17 if check_front_end(port, 9600).code == "front-end.not-permitted" else 1
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 17


def test_latency_timer_of_a_usb_serial_chip_is_read(tmp_path: Path) -> None:
    timer = tmp_path / "ttyUSB0" / "device" / "latency_timer"
    timer.parent.mkdir(parents=True)
    timer.write_text("16\n")
    finding = check_latency("/dev/ttyUSB0", tmp_path)
    assert (finding.code, finding.facts["latency_ms"]) == ("serial-latency.high", 16)
    timer.write_text("1\n")
    assert check_latency("/dev/ttyUSB0", tmp_path).code == "serial-latency.good"
    assert check_latency("/dev/ttyACM0", tmp_path).code == "serial-latency.none"


# Source of samples


@contextlib.contextmanager
def source(says: bytes, *, stays: bool = True) -> Iterator[str]:
    """A source that says something to the first who connects."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        done = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(says)
                if stays:
                    done.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        done.set()
        thread.join()


def test_source_of_a_calibrated_range_is_good() -> None:
    with source(encode_format(FORMAT)) as samples:
        finding = check_sample_source(samples, SET)
    assert (finding.code, finding.facts["sample_rate_hz"]) == ("samples.good", 8000)


def test_source_of_a_range_without_calibration_is_named() -> None:
    with source(encode_format(replace(FORMAT, current_range="C5000"))) as samples:
        finding = check_sample_source(samples, SET)
    assert finding.code == "samples.not-usable"
    assert "'C5000'" in str(finding.facts["text"])


def test_source_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spotcheck_device.doctor.sample_source.ANSWER_S", 0.3)
    with source(b"HTTP/1.1 400 Bad Request\r\n\r\nand so on, and on\r\n") as samples:
        assert check_sample_source(samples, SET).code == "samples.damaged"
    with source(b"") as samples:
        assert check_sample_source(samples, SET).code == "samples.silent"
    with source(encode_end(5), stays=False) as samples:
        assert check_sample_source(samples, SET).code == "samples.silent"
    assert check_sample_source(samples, SET).code == "samples.unreachable"
    assert check_sample_source(f"tcp:{samples}", SET).code == "samples.unreachable"


REST = "rate_hz=8000&phases=1&inputs=0,1&voltage=480V"


@pytest.mark.parametrize(
    ("samples", "code"),
    [
        (f"spi:/dev/null?drdy=/dev/zero:25&{REST}&current=C100", "samples.good"),
        (f"spi:/dev/null?drdy=/dev/zero:25&{REST}&current=C7", "samples.not-usable"),
        (f"spi:/dev/null?drdy=/dev/gpiochip99:25&{REST}&current=C100", "samples.no-device"),
        (f"spi:/dev/spidev99.0?drdy=/dev/zero:25&{REST}&current=C100", "samples.no-device"),
        ("recording:/dev?pace=credit", "samples.recording"),
        ("recording:/dev/null?pace=credit", "samples.unreachable"),
    ],
)
def test_source_of_this_board_is_looked_for_without_starting_it(samples: str, code: str) -> None:
    assert check_sample_source(samples, SET).code == code


def test_iio_source_needs_its_library_and_a_calibrated_range(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples = "iio:ip:192.0.2.1?device=x&phases=1&inputs=0,1&voltage=480V&current="
    monkeypatch.setitem(sys.modules, "iio", types.ModuleType("iio"))
    assert check_sample_source(samples + "C100", SET).code == "samples.iio"
    assert check_sample_source(samples + "C7", SET).code == "samples.not-usable"
    monkeypatch.setitem(sys.modules, "iio", None)
    finding = check_sample_source(samples + "C100", SET)
    assert finding.code == "samples.unreachable"
    assert "pylibiio" in str(finding.facts["text"])


# Address and unit


def test_address_for_hosts_is_tried() -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        taken = f"127.0.0.1:{server.getsockname()[1]}"
        assert check_listen_address(taken, daemon_runs=False).code == "listen.taken"
        assert check_listen_address(taken, daemon_runs=True).code == "listen.answers"
    assert check_listen_address(taken, daemon_runs=True).code == "listen.silent"
    assert check_listen_address(taken, daemon_runs=False).code == "listen.free"
    assert check_listen_address("127.0.0.1:0", daemon_runs=True).code == "listen.any-port"
    assert check_listen_address("192.0.2.1:80", daemon_runs=False).code == "listen.taken"


@pytest.mark.parametrize(
    ("state", "runs", "code"),
    [
        ("active", True, "unit.active"), ("failed", False, "unit.not-active"),
        ("inactive", True, "unit.by-hand"),
    ],
)  # fmt: skip
def test_unit_is_asked_for(
    state: str, runs: bool, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(
        f'#!/bin/sh\n[ "$*" = "is-active spotcheck-device.service" ] && echo {state}\n'
    )
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert check_unit(daemon_runs=runs).code == code


def test_machine_without_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert check_unit(daemon_runs=False).code == "unit.no-systemd"
