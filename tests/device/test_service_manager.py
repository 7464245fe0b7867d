"""What a service manager hears, on a real datagram socket."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spotcheck_device.service_manager import ServiceManager


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[socket.socket]:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5.0)
        yield manager


async def run_for(
    environment: dict[str, str], duration_s: float, serves: Callable[[], bool]
) -> None:
    manager = ServiceManager(environment)
    task = asyncio.ensure_future(manager.run(serves=serves, status=lambda: "idle\nboot 3"))
    await asyncio.sleep(duration_s)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def datagrams(manager: socket.socket) -> list[list[str]]:
    manager.setblocking(False)
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(manager.recv(4096).decode().splitlines())
    return found


def environment(manager: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": str(manager.getsockname()), **more}


def test_manager_hears_ready_then_life_then_the_end(heard: socket.socket) -> None:
    watched = environment(heard, WATCHDOG_USEC="60000", WATCHDOG_PID=str(os.getpid()))
    asyncio.run(run_for(watched, 0.2, lambda: True))
    first, *living, last = datagrams(heard)
    assert first == ["READY=1", "STATUS=idle boot 3"]
    assert len(living) >= 3
    assert all(datagram == ["WATCHDOG=1", "STATUS=idle boot 3"] for datagram in living)
    assert last == ["STOPPING=1"]


def test_watchdog_is_not_fed_while_the_daemon_does_not_serve(heard: socket.socket) -> None:
    asyncio.run(run_for(environment(heard, WATCHDOG_USEC="60000"), 0.15, lambda: False))
    heard_lines = [line for datagram in datagrams(heard) for line in datagram]
    assert "READY=1" in heard_lines
    assert "WATCHDOG=1" not in heard_lines


def test_loop_that_hangs_feeds_no_watchdog(heard: socket.socket) -> None:
    async def hang() -> None:
        manager = ServiceManager(environment(heard, WATCHDOG_USEC="60000"))
        task = asyncio.ensure_future(manager.run(serves=lambda: True, status=lambda: ""))
        await asyncio.sleep(0)
        datagrams(heard)
        hold_up(0.2)
        assert datagrams(heard) == []
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(hang())


def hold_up(duration_s: float) -> None:
    """Hold the loop up, as a blocking call would."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as nobody:
        nobody.bind(("127.0.0.1", 0))
        nobody.settimeout(duration_s)
        with contextlib.suppress(TimeoutError):
            nobody.recv(1)


@pytest.mark.parametrize(
    "watchdog",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "x"},
        {"WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"},
    ],
)
def test_watchdog_of_nobody_or_of_another_process_is_left_alone(watchdog: dict[str, str]) -> None:
    assert ServiceManager(watchdog).feed_interval_s is None


def test_watchdog_is_fed_three_times_in_its_time() -> None:
    assert ServiceManager({"WATCHDOG_USEC": "30000000"}).feed_interval_s == 10.0


def test_abstract_address_is_reached() -> None:
    name = f"spotcheck-test-{os.getpid()}"
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(f"\0{name}")
        manager.settimeout(5.0)
        ServiceManager({"NOTIFY_SOCKET": f"@{name}"}).tell("READY=1")
        assert manager.recv(100) == b"READY=1"


def test_manager_that_is_gone_does_not_end_the_daemon(tmp_path: Path) -> None:
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).tell("WATCHDOG=1")


def test_without_a_manager_nothing_is_told_and_nothing_ends() -> None:
    async def run() -> None:
        job = ServiceManager({}).run(serves=lambda: True, status=lambda: "")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(job, 0.05)

    asyncio.run(run())
