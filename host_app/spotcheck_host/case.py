"""The events of a case: their canonical bytes, hashes, Merkle tree and signed checkpoint.

Leaf and node hashes and the tree are those of RFC 6962, 2.1; the checkpoint is a C2SP signed note
(c2sp.org/signed-note, c2sp.org/tlog-checkpoint). docs/formats/bundle.md has the whole format.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spotcheck.canonical_json import canonical_bytes, parse_canonical
from spotcheck.errors import InvalidInputError, RecordError
from spotcheck_host.keys import PublicKey, SigningKey

EVENT_DOMAIN = b"spotcheck-event-1\0"
"""Goes before the leaf hash in what is signed, so that no signature serves another purpose."""
ED25519_NOTE = b"\x01"
EVENT_FIELDS = frozenset(
    ("sequence", "case_id", "kind", "time_utc_ns", "actor", "body", "blobs", "previous")
)
_CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened in a case, as it was signed."""

    sequence: int
    """Number within the case, from 0."""
    case_id: str
    """The case."""
    kind: str
    """What happened, for example `case_opened` or `outcome`."""
    time_utc_ns: int
    """When, by the laptop's clock, nanoseconds since 1970 UTC."""
    actor: str
    """Key id of the signer."""
    body: Mapping[str, Any]
    """What is to be said of it, plain."""
    blobs: tuple[str, ...]
    """SHA-256 of the blobs that belong to it, sorted."""
    previous: str
    """Leaf hash of the case's previous event, hexadecimal; empty for the first."""
    raw: bytes
    """The canonical bytes."""
    signature: bytes
    """Ed25519 over `EVENT_DOMAIN` and the leaf hash."""

    @property
    def leaf_hash(self) -> bytes:
        """RFC 6962 leaf hash of the canonical bytes."""
        return leaf_hash(self.raw)


def signed_event(signer: SigningKey, content: Mapping[str, Any]) -> Event:
    """The event of that content, signed.

    Raises:
        InvalidInputError: a name that no record may bear, or a value without a canonical form.
    """
    if not _CASE_ID.fullmatch(content["case_id"]):
        raise InvalidInputError(
            f"case id {content['case_id']!r:.80} must be 1 to 64 letters, digits, '.', '_' or '-'"
        )
    if not _KIND.fullmatch(content["kind"]):
        raise InvalidInputError(f"event kind {content['kind']!r:.80} must be a lower_case name")
    try:
        raw = canonical_bytes({**content, "actor": signer.key_id})
    except (UnicodeEncodeError, RecursionError) as error:
        raise InvalidInputError(f"the event cannot be written: {error}") from error
    return read_event(raw, signer.sign(EVENT_DOMAIN + leaf_hash(raw)))


def read_event(raw: bytes, signature: bytes) -> Event:
    """The event that canonical bytes hold; the signature is taken as it is."""
    content = parse_canonical(raw)
    if not isinstance(content, dict) or content.keys() != EVENT_FIELDS:
        raise RecordError("the bytes are no event")
    blobs = tuple(content.pop("blobs"))
    return Event(**content, blobs=blobs, raw=raw, signature=signature)


def signature_holds(event: Event, key: PublicKey) -> bool:
    """Whether that key signed the event."""
    return event.actor == key.key_id and key.verifies(
        event.signature, EVENT_DOMAIN + event.leaf_hash
    )


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data), RFC 6962, 2.1."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right), RFC 6962, 2.1."""
    return hashlib.sha256(b"\1" + left + right).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Merkle tree hash of leaf hashes (RFC 6962, 2.1); SHA-256 of nothing for no leaves.

    Joining neighbours level by level, the odd one passed up, gives the same tree as splitting at
    the largest power of two.
    """
    if not leaves:
        return hashlib.sha256().digest()
    level = list(leaves)
    while len(level) > 1:
        pairs = [
            node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        level = pairs + level[len(level) // 2 * 2 :]
    return level[0]


def signed_checkpoint(origin: str, leaves: Sequence[bytes], signer: SigningKey) -> bytes:
    """A signed note that says how many leaves there are and what their root is."""
    root = base64.b64encode(merkle_root(leaves)).decode()
    text = f"{origin}\n{len(leaves)}\n{root}\n"
    name = signer.key_id
    key_hash = hashlib.sha256(name.encode() + b"\n" + ED25519_NOTE + signer.public).digest()[:4]
    signature = base64.b64encode(key_hash + signer.sign(text.encode())).decode()
    return f"{text}\n— {name} {signature}\n".encode()


def checkpoint_claims(note: bytes) -> tuple[str, int, bytes]:
    """Origin, tree size and root that a note claims; its signature is not looked at.

    Raises:
        InvalidInputError: it is no checkpoint.
    """
    try:
        origin, size, root, *_ = note.decode().split("\n")
        return origin, int(size), base64.b64decode(root, validate=True)
    except ValueError as error:
        raise InvalidInputError(f"no checkpoint: {note[:60]!r}") from error
