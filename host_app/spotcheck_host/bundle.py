"""Export a case as a bundle that anybody can check (docs/formats/bundle.md)."""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from spotcheck.canonical_json import canonical_bytes
from spotcheck.errors import InvalidInputError, VerificationError
from spotcheck_host import verify_bundle
from spotcheck_host.records import RecordStore
from spotcheck_host.verify_bundle import BundleReport, BundleVerificationError

_ATTACHMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


def export_bundle(
    store: RecordStore,
    case_id: str,
    path: Path,
    attachments: Mapping[str, bytes] | None = None,
) -> str:
    """Write the bundle of a case; the same store gives the same bytes.

    Args:
        store: The record; its signer signs the bundle.
        case_id: The case.
        path: The file to write; replaced as a whole or not at all.
        attachments: Reports, correction set and the like, by a plain file name.

    Returns:
        SHA-256 of the file, hexadecimal.

    Raises:
        InvalidInputError: no such case, or a name that an attachment may not bear.
        RecordError: the record cannot be read.
        OSError: the file cannot be written.
    """
    data = bundle_bytes(store, case_id, attachments or {})
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return hashlib.sha256(data).hexdigest()


def bundle_bytes(store: RecordStore, case_id: str, attachments: Mapping[str, bytes]) -> bytes:
    """The bytes of the bundle of a case."""
    entries = _contents(store, case_id, attachments)
    manifest = canonical_bytes(
        {
            "format": verify_bundle.FORMAT,
            "case_id": case_id,
            "signer": store.signer.key_id,
            "entries": [
                {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                for name, data in entries.items()
            ],
        }
    )
    entries["MANIFEST.json"] = manifest
    entries["MANIFEST.sig"] = store.signer.sign(verify_bundle.MANIFEST_DOMAIN + manifest)
    return verify_bundle.canonical_zip(entries)


def check_bundle(
    path: Path, trusted_keys: Iterable[str] = (), device_keys: Iterable[str] = ()
) -> BundleReport:
    """Check a bundle, with the named errors of this software.

    Args:
        path: The file.
        trusted_keys: Public keys, hexadecimal, that were received from their owners.
        device_keys: Public keys, hexadecimal, that were read on the devices.

    Raises:
        VerificationError: what is wrong with the bundle.
    """
    trusted, devices = list(trusted_keys), list(device_keys)
    for key in (*trusted, *devices):
        if not re.fullmatch(r"[0-9a-fA-F]{64}", key):
            raise InvalidInputError(f"trusted key {key!r} is not 64 hexadecimal digits")
    try:
        return verify_bundle.verify(path, trusted, devices)
    except BundleVerificationError as error:
        raise VerificationError(f"{path}: {error}") from error


def _contents(
    store: RecordStore, case_id: str, attachments: Mapping[str, bytes]
) -> dict[str, bytes]:
    events = store.events(case_id)
    if not events:
        raise InvalidInputError(f"no case {case_id!r} in {store.path}")
    for name in attachments:
        if not _ATTACHMENT.fullmatch(name):
            raise InvalidInputError(
                f"attachment {name!r:.80}: letters, digits, '.', '_' and '-' only"
            )
    signers = {event.actor for event in events} | {store.signer.key_id}
    keys = [key for key in (*store.keys(), store.signer.public_key) if key.key_id in signers]
    by_id = {key.key_id: key for key in keys}
    blobs = sorted({sha256 for event in events for sha256 in event.blobs})
    return {
        "events.jsonl": b"".join(event.raw + b"\n" for event in events),
        "signatures.json": canonical_bytes([event.signature.hex() for event in events]),
        **{f"blobs/{sha256}": store.blob(sha256) for sha256 in blobs},
        **{f"attachments/{name}": attachments[name] for name in sorted(attachments)},
        "keys.json": canonical_bytes(
            [
                {"key_id": key_id, "name": by_id[key_id].name, "public_hex": key.public.hex()}
                for key_id, key in sorted(by_id.items())
            ]
        ),
        "checkpoint.txt": store.checkpoint(case_id),
    }
