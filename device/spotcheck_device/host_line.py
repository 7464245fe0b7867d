"""The device's end of one secure line: a host that was paired, or one that asks to be."""

from collections.abc import Callable
from dataclasses import dataclass

from spotcheck.errors import ConfigurationError
from spotcheck_device.device_trust import DeviceTrust
from spotcheck_device.host_link import HostLink
from spotcheck_device.host_pairing import HostPairing
from spotcheck_trust.peers import Peer
from spotcheck_wire.errors import NoCommonTableError, SecureSessionError
from spotcheck_wire.host_messages import HostMessage
from spotcheck_wire.message_channel import TableAgreed
from spotcheck_wire.secure_session import PAIRING, SecureSession, device_context


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLineCallbacks:
    """Who is told of what a host does."""

    connected: Callable[[HostLink], None]
    """A host can be spoken to."""
    message: Callable[[HostLink, HostMessage], None]
    """It says something."""
    disconnected: Callable[[HostLink], None]
    """It is gone."""
    paired: Callable[[Peer], None]
    """A host was paired."""


class HostLine:
    """Takes the bytes of one line, whatever carries them."""

    def __init__(
        self,
        trust: DeviceTrust,
        callbacks: HostLineCallbacks,
        *,
        write: Callable[[bytes], None],
        unsent_bytes: Callable[[], int],
        over_cable: bool,
    ) -> None:
        """Wait for the host's first record.

        Args:
            trust: The device's key, pairings and code.
            callbacks: Who is told.
            write: Takes bytes for the host.
            unsent_bytes: How many of them the operating system has not taken yet.
            over_cable: Whether the host is at the other end of a cable.

        Raises:
            ConfigurationError: a pairing's file is damaged.
        """
        trusted = trust.hosts.certificates()
        context = device_context(trust.identity.path, trusted)
        self._session = SecureSession(context, server_side=True, trusted=trusted)
        self._trust = trust
        self._callbacks = callbacks
        self._write_records = write
        self._unsent_bytes = unsent_bytes
        self._over_cable = over_cable
        self._pairing: HostPairing | None = None
        self.link: HostLink | None = None
        """The host, once it has shown who it is."""
        self._is_connected = False
        self.is_over = False
        """Whether the line is to be closed."""

    def receive(self, data: bytes) -> None:
        """Take received bytes; what is not a paired host's ends the line."""
        try:
            plaintext = self._session.feed(data)
            self._begin()
            self._take(plaintext)
        except (SecureSessionError, NoCommonTableError):
            self.is_over = True
        # The alert of a session that is refused goes out too: the host learns why.
        self._write_records(self._session.take_outgoing())
        if self._session.closed or (self.link is not None and self.link.is_lost):
            self.is_over = True

    @property
    def was_forgotten(self) -> bool:
        """Whether the pairing with this host was taken back while it is connected."""
        try:
            known = self._trust.hosts.by_certificate(self._session.peer_certificate)
        except ConfigurationError:
            return False  # another pairing's file is damaged; that is told at the next connection
        return self.link is not None and known is None

    def close(self) -> None:
        """The line is gone."""
        if self.link is not None and self._is_connected:
            self._is_connected = False
            self._callbacks.disconnected(self.link)

    def _begin(self) -> None:
        if not self._session.established or self.link is not None or self._pairing is not None:
            return
        if self._session.purpose == PAIRING:
            self._pairing = HostPairing(self._trust, over_cable=self._over_cable)
        else:
            self.link = HostLink(self._write, self._unsent_bytes)

    def _take(self, plaintext: bytes) -> None:
        if self._pairing is not None:
            self._write(self._pairing.receive(plaintext))
            if self._pairing.is_over and self._pairing.paired is not None:
                self._callbacks.paired(self._pairing.paired)
            self.is_over = self._pairing.is_over
        elif self.link is not None:
            for message in self.link.receive(plaintext):
                if isinstance(message, TableAgreed):
                    self._is_connected = True
                    self._callbacks.connected(self.link)
                else:
                    self._callbacks.message(self.link, message)

    def _write(self, plaintext: bytes) -> None:
        self._session.write(plaintext)
        self._write_records(self._session.take_outgoing())
