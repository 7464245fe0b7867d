"""Who an end is paired with: one file for each, in a folder."""

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spotcheck.canonical_json import canonical_bytes, parse_canonical
from spotcheck.errors import ConfigurationError
from spotcheck_trust.identity import public_key_of
from spotcheck_trust.key_names import key_id
from spotcheck_trust.safe_file import write_over

PEER_FORMAT = "spotcheck-peer-1"


class PairedBy(enum.Enum):
    """How it was made sure who the other end is."""

    CODE = "code"
    """A person read a code on the device and typed it at the host."""
    CABLE = "cable"
    """A person plugged host and device together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The other end of a pairing."""

    name: str
    """Serial number of a device; whatever a host calls itself."""
    certificate: bytes
    """Its certificate, DER."""
    paired_by: PairedBy
    """How it was made sure who it is."""

    @property
    def public(self) -> bytes:
        """The 32 bytes of its key."""
        return public_key_of(self.certificate)

    @property
    def key_id(self) -> str:
        """Short name of its key."""
        return key_id(self.public)


class Peers:
    """All pairings of one end, as they are on the disk at each moment."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read before it is asked for; the folder need not exist yet."""
        self._folder = folder

    def all(self) -> tuple[Peer, ...]:
        """All of them, by key id.

        Raises:
            ConfigurationError: a file is damaged; it is named.
            OSError: a file cannot be read.
        """
        return tuple(_read(path) for path in sorted(self._folder.glob("*.peer")))

    def certificates(self) -> tuple[bytes, ...]:
        """Certificates (DER) of all.

        Raises:
            ConfigurationError: a file is damaged; it is named.
        """
        return tuple(peer.certificate for peer in self.all())

    def by_certificate(self, certificate: bytes) -> Peer | None:
        """The one with that certificate; None when there is none."""
        return next((peer for peer in self.all() if peer.certificate == certificate), None)

    def add(self, peer: Peer) -> None:
        """Store a pairing, in place of one with the same key.

        Raises:
            OSError: it cannot be written.
        """
        content = {
            "format": PEER_FORMAT,
            "name": peer.name,
            "paired_by": peer.paired_by.value,
            "certificate_hex": peer.certificate.hex(),
        }
        write_over(self._path(peer.key_id), canonical_bytes(content))

    def remove(self, wanted: str) -> Peer:
        """Take back a pairing.

        Args:
            wanted: Key id, or name.

        Raises:
            ConfigurationError: there is none, or several have that name.
        """
        found = [peer for peer in self.all() if wanted in (peer.key_id, peer.name)]
        if len(found) != 1:
            known = ", ".join(f"{peer.key_id} ({peer.name})" for peer in self.all()) or "none"
            many = "several pairings have" if found else "no pairing has"
            raise ConfigurationError(f"{many} the key or name {wanted!r}; there are: {known}")
        self._path(found[0].key_id).unlink()
        return found[0]

    def _path(self, wanted: str) -> Path:
        return self._folder / f"{wanted.replace(':', '-')}.peer"


def _read(path: Path) -> Peer:
    try:
        return _parsed(parse_canonical(path.read_bytes()))
    except (ValueError, AttributeError, TypeError) as error:
        raise ConfigurationError(f"{path} is damaged ({error}); remove it and pair anew") from error


def _parsed(content: Any) -> Peer:
    if content.keys() != {"format", "name", "paired_by", "certificate_hex"}:
        raise ValueError("other fields than a pairing has")
    if content["format"] != PEER_FORMAT:
        raise ValueError(f"not of the format {PEER_FORMAT}")
    peer = Peer(
        name=str(content["name"]),
        certificate=bytes.fromhex(content["certificate_hex"]),
        paired_by=PairedBy(content["paired_by"]),
    )
    public_key_of(peer.certificate)
    return peer
