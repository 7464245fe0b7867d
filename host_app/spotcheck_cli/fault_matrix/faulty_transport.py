"""The host's link to the device with a fault on it, below whatever the two speak over it.

What passes is told apart by who speaks and when, and by its size: nothing here reads it, so that
a link that is encrypted is tried in the same way.
"""

from spotcheck.errors import DeviceLostError
from spotcheck_host.transports import Transport
from spotcheck_sim.link_faults import AfterMessage, FaultyLink, LinkFault

GREETING, PROGRESS, EVIDENCE, OUTCOME = "greeting", "progress", "evidence", "outcome"
HOST_HELLO, START, ACKNOWLEDGE = "host hello", "start", "acknowledge"
HOST_STEPS = (HOST_HELLO, GREETING, START, PROGRESS, EVIDENCE, OUTCOME, ACKNOWLEDGE)
"""What passes between host and device, in order."""
SMALLEST_EVIDENCE_BYTES = 8192


class FaultyTransport:
    """A transport that passes everything on but what the fault strikes."""

    def __init__(self, inner: Transport, fault: LinkFault | None, seed: int) -> None:
        """Pass on to and from another transport.

        Args:
            inner: The link itself.
            fault: What strikes which message; None: a sound link.
            seed: Seed of the damage.
        """
        self._inner = inner
        self._link = FaultyLink(fault, seed)
        self._writes = 0
        self._saw_evidence = False
        self._is_cut = False
        self._is_open = False

    def open_session(self) -> None:
        """The two have greeted each other; the next thing to be sent is an order."""
        self._is_open = True

    @property
    def has_struck(self) -> bool:
        """Whether the fault has come about."""
        return self._link.has_struck

    def write(self, data: bytes) -> None:
        """Send all of it."""
        step = (START, ACKNOWLEDGE)[min(self._writes, 1)] if self._is_open else HOST_HELLO
        self._writes += self._is_open
        if arrived := self._carried(step, data):
            self._inner.write(arrived)

    def read(self, timeout_s: float) -> bytes | None:
        """What has arrived; None when nothing did in time, empty when the device is gone."""
        if self._is_cut:
            return b""
        data = self._inner.read(timeout_s)
        return self._carried(self._step_of(data), data) or None if data else data

    def close(self) -> None:
        """Let go of the device."""
        self._inner.close()

    def _step_of(self, data: bytes) -> str:
        if not self._is_open:
            return GREETING
        if len(data) >= SMALLEST_EVIDENCE_BYTES:
            self._saw_evidence = True
            return EVIDENCE
        step = OUTCOME if self._saw_evidence else PROGRESS
        self._saw_evidence = False
        return step

    def _carried(self, step: str, data: bytes) -> bytes:
        if self._is_cut:
            raise DeviceLostError("the link to the device was cut")
        arrived, after = self._link.carry(step, data)
        if after is not AfterMessage.GOES_ON:
            self._is_cut = True
            self._inner.close()
        return arrived
