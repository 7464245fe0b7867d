"""Shows hosts how a measurement stands, as often as that costs little; nothing of it is kept."""

import asyncio

from spotcheck_device.host_links import HostLinks
from spotcheck_device.measuring_session import MeasuringSession
from spotcheck_device.session_messages import SessionProgress
from spotcheck_wire import host_messages as wire

PROGRESS_S = 0.25
PROGRESS_SHARE = 0.1
"""Largest part of the time that may go into showing the error as it stands."""


class ProgressDisplay:
    """Paces what is shown by wall time."""

    def __init__(self, hosts: HostLinks) -> None:
        """Nothing has been shown yet."""
        self._hosts = hosts
        self._next_s: dict[str, float] = {}

    def show(self, event: SessionProgress, session: MeasuringSession) -> None:
        """Send progress and the error so far, where it is due."""
        begun_s = _now_s()
        if begun_s < self._next_s.get(event.request_id, 0.0):
            return
        reading = session.reading_so_far(event.request_id)
        took_s = _now_s() - begun_s
        # Requests that are done are due at once, and forgotten.
        due = {name: next_s for name, next_s in self._next_s.items() if next_s > begun_s}
        pause_s = max(PROGRESS_S, took_s / PROGRESS_SHARE)
        self._next_s = due | {event.request_id: begun_s + pause_s}
        self._hosts.send(
            wire.Progress(
                request_id=event.request_id,
                sample=event.sample,
                state=event.state.value,
                pulses=event.pulses,
                power_w=event.power_w,
                error_percent=reading.error_percent if reading else None,
                expanded_uncertainty_percent=(
                    reading.expanded_uncertainty_percent if reading else None
                ),
                expected_wait_s=event.expected_wait_s,
            )
        )


def _now_s() -> float:
    return asyncio.get_running_loop().time()
