"""How the daemon is reached and started: its address for hosts, its systemd unit."""

import shutil
import socket
import subprocess

from spotcheck_device.config import split_address
from spotcheck_device.doctor.finding import Finding, failed, ok, warning

UNIT = "spotcheck-device.service"
_ANSWER_S = 2.0
_COMMAND_S = 10.0


def check_listen_address(host_listen: str, *, daemon_runs: bool) -> Finding:
    """Whether the address for hosts answers, or is free where no daemon runs."""
    host, port = split_address("host_listen", host_listen)
    if daemon_runs:
        return _check_that_it_answers(host_listen, host, port)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return failed("listen.taken", host_listen=host_listen, text=error.strerror or str(error))
    return ok("listen.free", host_listen=host_listen)


def _check_that_it_answers(host_listen: str, host: str, port: int) -> Finding:
    if not port:
        return ok("listen.any-port", host_listen=host_listen)
    try:
        socket.create_connection((host, port), _ANSWER_S).close()
    except OSError as error:
        return failed("listen.silent", host_listen=host_listen, text=error.strerror or str(error))
    return ok("listen.answers", host_listen=host_listen)


def check_unit(*, daemon_runs: bool) -> Finding:
    """Whether systemd starts the daemon."""
    systemctl = shutil.which("systemctl")
    if systemctl is None:
        return warning("unit.no-systemd")
    try:
        state = subprocess.run(
            [systemctl, "is-active", UNIT],
            capture_output=True, text=True, check=False, timeout=_COMMAND_S,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        state = ""
    facts = {"unit": UNIT, "state": state or "unknown"}
    if state == "active":
        return ok("unit.active", **facts)
    return warning("unit.by-hand" if daemon_runs else "unit.not-active", **facts)
