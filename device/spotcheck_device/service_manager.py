"""What the daemon tells systemd: ready, alive, its state, stopping (sd_notify(3)).

One datagram each to the socket that NOTIFY_SOCKET names; without it nothing is told. The watchdog
is fed from the daemon's own loop and only while it serves, so that one that hangs is restarted.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable, Mapping

from spotcheck_device.event_log import log_event

FEEDS_PER_TIMEOUT = 3
STATUS_S = 10.0


class ServiceManager:
    """The manager that started this process, if one did."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Find it in the environment.

        Args:
            environment: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID as the manager sets them.
        """
        address = environment.get("NOTIFY_SOCKET", "")
        # An @ stands for the NUL byte of an abstract address.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.feed_interval_s = _feed_interval_s(environment)

    async def run(self, *, serves: Callable[[], bool], status: Callable[[], str]) -> None:
        """Say that the daemon is ready, then that it is alive while it serves; stopping at last.

        Args:
            serves: Whether the daemon does what it is for; if not, the watchdog is not fed.
            status: One line for `systemctl status`.
        """
        if not self._address:
            await asyncio.Event().wait()
        self.tell("READY=1", f"STATUS={status()}")
        feeding = self.feed_interval_s is not None
        try:
            while True:
                await asyncio.sleep(self.feed_interval_s or STATUS_S)
                alive = ["WATCHDOG=1"] if feeding and serves() else []
                self.tell(*alive, f"STATUS={status()}")
        finally:
            self.tell("STOPPING=1")

    def tell(self, *assignments: str) -> None:
        """Send assignments in one datagram; a manager that takes none is logged, not waited for."""
        data = "\n".join(line.replace("\n", " ") for line in assignments).encode()
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as sender:
            sender.setblocking(False)
            try:
                sender.sendto(data, self._address)
            except OSError as error:
                log_event("service-manager-not-told", logging.WARNING, text=str(error))


def _feed_interval_s(environment: Mapping[str, str]) -> float | None:
    """How often the watchdog wants to be fed; None where there is none for this process."""
    timeout, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    is_ours = not process or process == str(os.getpid())
    if not timeout.isdecimal() or int(timeout) == 0 or not is_ours:
        return None
    return int(timeout) / 1e6 / FEEDS_PER_TIMEOUT
