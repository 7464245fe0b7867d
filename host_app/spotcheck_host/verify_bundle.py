"""Check an exported case bundle without any other part of Spotcheck.

Needs Python 3.11 and `cryptography`, nothing else; the file may be copied out and read alone:

    python verify_bundle.py BUNDLE [--trusted-key HEX]... [--device-key HEX]...

It says "unchanged, signed by NAME" when every signer's public key was given as trusted, "unchanged,
signer unknown" otherwise, and what is wrong with the bundle when anything is. It also says by which
device's key the results are signed: who holds the laptop can sign a case, but no result.

The format is described in docs/formats/bundle.md. Nothing is unpacked; the bundle's bytes are read
once, and must be exactly those that its entries give when they are packed again.
"""

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "spotcheck-bundle-1"
LARGEST_BUNDLE = 1 << 30
"""Bytes; larger files are refused unread."""
MOST_ENTRIES = 65534
MANIFEST_DOMAIN = b"spotcheck-bundle-1\0"
EVENT_DOMAIN = b"spotcheck-event-1\0"
RESULT_DOMAIN = b"spotcheck-device-result-1\0"
DEMONSTRATION_MARK = "de0"
CHECKPOINT_ORIGIN = "spotcheck/case/"
FIXED_ENTRIES = ("events.jsonl", "signatures.json", "keys.json", "checkpoint.txt")
EVENT_FIELDS = ["actor", "blobs", "body", "case_id", "kind", "previous", "sequence", "time_utc_ns"]
RESULT_FIELDS = [
    "boot", "correction_set_sha256", "device_id", "evidence_sha256", "public_hex", "request_id",
    "signature_hex",
]  # fmt: skip
_NAME = re.compile(r"(?:attachments|blobs)/[A-Za-z0-9][A-Za-z0-9._-]{0,120}|[A-Za-z]+\.[a-zA-Z]+")
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_STORED, _DATE_1980, _REGULAR_FILE = 0, 0x21, 0o100644 << 16

T = TypeVar("T")


class BundleVerificationError(ValueError):
    """The bundle is not what its signer signed; says what failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleKey:
    """A public key in the bundle."""

    key_id: str
    """Short name."""
    name: str
    """What its owner calls it; believed only when the key is trusted."""
    public_hex: str
    """The public key."""

    @property
    def demo(self) -> bool:
        """Whether it is a demonstration key, by the mark in its fingerprint."""
        return _fingerprint(bytes.fromhex(self.public_hex)).startswith(DEMONSTRATION_MARK)


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleReport:
    """An unchanged bundle: what it holds and who signed."""

    case_id: str
    """The case."""
    events: int
    """Events of the case."""
    root_hash: str
    """Merkle root of the events, hexadecimal."""
    signers: tuple[BundleKey, ...]
    """All keys that signed: the exporter's first."""
    trusted: bool
    """Whether all of them were given as trusted."""
    blobs: int
    """Blobs that belong to events."""
    attachments: tuple[str, ...]
    """Names of what is attached."""
    results: int
    """Results that came from a device."""
    unsigned_results: int
    """Those of them that no device has signed."""
    device_keys: tuple[str, ...]
    """Public keys, hexadecimal, of the devices that signed the others."""
    device_trusted: bool
    """Whether all results are signed, and by keys of devices that were given."""

    @property
    def demonstration(self) -> bool:
        """Whether a demonstration key signed; such a bundle proves nothing."""
        return any(key.demo for key in self.signers)

    @property
    def statement(self) -> str:
        """The finding in a line."""
        names = ", ".join(
            f"{key.name} ({'demonstration key ' if key.demo else ''}{key.key_id})"
            for key in self.signers
        )
        if self.trusted:
            return f"unchanged, signed by {names}"
        if self.demonstration:
            return f"unchanged, signer unknown: a demonstration key, which anybody has ({names})"
        return "unchanged, signer unknown"

    @property
    def device_statement(self) -> str:
        """By which device's key the results are signed, in a line."""
        if not self.results:
            return "no result of a device"
        if not self.device_keys:
            return f"{self.results} results, not signed by the device"
        keys = ", ".join(_key_id(bytes.fromhex(key)) for key in self.device_keys)
        if self.unsigned_results:
            return (
                f"{self.unsigned_results} of {self.results} results NOT signed by the device, "
                f"the others by {keys}"
            )
        whose = "a device that was given" if self.device_trusted else "a device that is not known"
        if "demo:" in keys:
            whose = f"{whose}: a demonstration key, which anybody has"
        return f"{self.results} results signed by {keys}, {whose}"


def verify(
    path: Path | str, trusted_keys: Iterable[str] = (), device_keys: Iterable[str] = ()
) -> BundleReport:
    """Check a bundle.

    Args:
        path: The file.
        trusted_keys: Public keys, hexadecimal, that were received from their owners.
        device_keys: Public keys, hexadecimal, that were read on the devices.

    Raises:
        BundleVerificationError: whatever is wrong with the bundle.
        OSError: the file cannot be read.
    """
    path = Path(path)
    if path.stat().st_size > LARGEST_BUNDLE:
        _fail(f"the file is larger than {LARGEST_BUNDLE} bytes")
    entries = read_canonical_zip(path.read_bytes())
    manifest, exporter = _checked_manifest(entries)
    case_id = _get(manifest, "case_id", str, "MANIFEST.json")
    keys = _keys(entries)
    leaves, blobs, actors = _checked_events(entries, case_id, keys)
    _check_checkpoint(entries["checkpoint.txt"], case_id, leaves, exporter)
    _check_blobs(entries, blobs)
    signers = (exporter, *(keys[a] for a in sorted(actors - {exporter.key_id})))
    trusted = {key.lower().strip() for key in trusted_keys}
    results, unsigned, devices = _checked_results(entries, case_id)
    known_devices = {key.lower().strip() for key in device_keys}
    return BundleReport(
        case_id=case_id,
        events=len(leaves),
        root_hash=merkle_root(leaves).hex(),
        signers=signers,
        trusted=all(key.public_hex in trusted for key in signers),
        blobs=len(blobs),
        attachments=tuple(n for n in entries if n.startswith("attachments/")),
        results=results,
        unsigned_results=unsigned,
        device_keys=tuple(sorted(devices)),
        device_trusted=bool(results) and not unsigned and devices <= known_devices,
    )


def canonical_zip(entries: Mapping[str, bytes]) -> bytes:
    """The one ZIP file of these entries in this order: stored, dated 1980-01-01, mode 0644."""
    body, central = bytearray(), bytearray()
    for name, data in entries.items():
        encoded = name.encode("ascii")
        common = (20, 0, _STORED, 0, _DATE_1980, zlib.crc32(data), len(data), len(data))
        tail = (len(encoded), 0)
        central += _CENTRAL.pack(
            b"PK\1\2", 3 << 8 | 20, *common, *tail, 0, 0, 0, _REGULAR_FILE, len(body)
        )
        central += encoded
        body += _LOCAL.pack(b"PK\3\4", *common, *tail) + encoded + data
    count = len(entries)
    end = _END.pack(b"PK\5\6", 0, 0, count, count, len(central), len(body), 0)
    return bytes(body + central + end)


def read_canonical_zip(data: bytes) -> dict[str, bytes]:
    """Entries of a ZIP that is, to the last bit, what `canonical_zip` makes of them.

    Raises:
        BundleVerificationError: it is not.
    """
    entries: dict[str, bytes] = {}
    at = 0
    while data[at : at + 4] == b"PK\3\4":
        if len(entries) == MOST_ENTRIES or len(data) < at + _LOCAL.size:
            _fail(f"the ZIP breaks off, or has too many entries, at byte {at}")
        header = _LOCAL.unpack_from(data, at)
        size, name_length = header[7], header[9]
        start = at + _LOCAL.size + name_length
        name = data[at + _LOCAL.size : start].decode("latin-1")
        if not _NAME.fullmatch(name) or name in entries:
            _fail(f"the ZIP has an unexpected entry {name!r:.60} at byte {at}")
        if len(data) < start + size:
            _fail(f"the ZIP breaks off within {name}")
        entries[name] = data[start : start + size]
        at = start + size
    expected = canonical_zip(entries)
    if data != expected:
        pairs = enumerate(zip(data, expected, strict=False))
        first = next((n for n, (a, b) in pairs if a != b), min(len(data), len(expected)))
        _fail(f"the ZIP is not as it was exported, from byte {first} on")
    return entries


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Merkle tree hash of leaf hashes, as RFC 6962, 2.1 defines it."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(
        b"\1" + merkle_root(leaves[:split]) + merkle_root(leaves[split:])
    ).digest()


def _fail(what: str) -> NoReturn:
    raise BundleVerificationError(what)


def _fingerprint(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()


def _key_id(public: bytes) -> str:
    print_ = _fingerprint(public)
    return f"{'demo' if print_.startswith(DEMONSTRATION_MARK) else 'key'}:{print_[:16]}"


def _get(value: Any, key: str, kind: type[T], where: str) -> T:
    found = value.get(key) if isinstance(value, dict) else None
    if type(found) is not kind:
        _fail(f"{where}: {key} is missing or no {kind.__name__}")
    return found


def _parse(data: bytes, where: str) -> Any:
    """The value of canonical JSON (docs/formats/canonical-json.md)."""
    try:
        value = json.loads(data.decode(), parse_float=_no_float, parse_constant=_no_float)
        again = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        same = again.encode() == data
    except (ValueError, RecursionError):
        same = False
    if not same:
        _fail(f"{where} is no canonical JSON")
    return value


def _no_float(text: str) -> NoReturn:
    raise ValueError(text)


def _unhex(text: str, length: int, where: str) -> bytes:
    if not re.fullmatch(f"[0-9a-f]{{{2 * length}}}", text):
        _fail(f"{where} is not {length} bytes in hexadecimal")
    return bytes.fromhex(text)


def _check_signature(key: BundleKey, signature: bytes, message: bytes, what: str) -> None:
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public_hex))
        public.verify(signature, message)
    except (InvalidSignature, ValueError):
        _fail(f"the signature of {what} is not that of {key.key_id}")


def _checked_manifest(entries: Mapping[str, bytes]) -> tuple[dict[str, Any], BundleKey]:
    names = list(entries)
    if names[-2:] != ["MANIFEST.json", "MANIFEST.sig"] or not set(FIXED_ENTRIES) <= set(names):
        _fail("the bundle lacks one of its entries, or they are not in order")
    if any("/" not in name for name in set(names[:-2]) - set(FIXED_ENTRIES)):
        _fail("the bundle has an entry that no bundle has")
    manifest = _parse(entries["MANIFEST.json"], "MANIFEST.json")
    if _get(manifest, "format", str, "MANIFEST.json") != FORMAT:
        _fail(f"MANIFEST.json is not of the format {FORMAT}")
    exporter = _keys(entries).get(_get(manifest, "signer", str, "MANIFEST.json"))
    if exporter is None:
        _fail("keys.json lacks the key that signed the manifest")
    message = MANIFEST_DOMAIN + entries["MANIFEST.json"]
    _check_signature(exporter, entries["MANIFEST.sig"], message, "MANIFEST.json")
    found = [
        {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in list(entries.items())[:-2]
    ]
    listed = _get(manifest, "entries", list, "MANIFEST.json")
    if listed != found:
        _fail("the manifest lists other contents than the bundle has")
    return manifest, exporter


def _keys(entries: Mapping[str, bytes]) -> dict[str, BundleKey]:
    plain = _parse(entries["keys.json"], "keys.json")
    if not isinstance(plain, list):
        _fail("keys.json is no list")
    keys = {}
    for item in plain:
        public_hex = _get(item, "public_hex", str, "keys.json")
        name = _get(item, "name", str, "keys.json")
        found = _key_id(_unhex(public_hex, 32, "a key of keys.json"))
        if _get(item, "key_id", str, "keys.json") != found or not name.isprintable():
            _fail(f"keys.json gives {found} another id, or an unprintable name")
        keys[found] = BundleKey(key_id=found, name=name, public_hex=public_hex)
    return keys


def _checked_events(
    entries: Mapping[str, bytes], case_id: str, keys: Mapping[str, BundleKey]
) -> tuple[list[bytes], set[str], set[str]]:
    """Leaf hashes, blobs referred to, and key ids of the signers."""
    *lines, rest = entries["events.jsonl"].split(b"\n")
    signatures = _parse(entries["signatures.json"], "signatures.json")
    if rest or not lines or not isinstance(signatures, list) or len(signatures) != len(lines):
        _fail("events and signatures are not the same number, or there are none")
    leaves: list[bytes] = []
    blobs: set[str] = set()
    actors: set[str] = set()
    for number, (line, signature) in enumerate(zip(lines, signatures, strict=True)):
        where = f"event {number}"
        event = _parse(line, where)
        if not isinstance(event, dict) or sorted(event) != EVENT_FIELDS:
            _fail(f"{where} has other fields than an event")
        previous = leaves[-1].hex() if leaves else ""
        place = [event["case_id"], event["sequence"], event["previous"]]
        if place != [case_id, number, previous] or type(event["sequence"]) is not int:
            _fail(f"{where} is not the case's next: one was removed, added or moved")
        actor = _get(event, "actor", str, where)
        if actor not in keys or not isinstance(signature, str):
            _fail(f"{where} is signed by {actor!r:.40}, whose key is not here")
        leaves.append(hashlib.sha256(b"\0" + line).digest())
        signed = _unhex(signature, 64, f"the signature of {where}")
        _check_signature(keys[actor], signed, EVENT_DOMAIN + leaves[-1], where)
        actors.add(actor)
        for field, kind in (("kind", str), ("time_utc_ns", int), ("body", dict)):
            _get(event, field, kind, where)
        blobs.update(str(name) for name in _get(event, "blobs", list, where))
    return leaves, blobs, actors


def _checked_results(entries: Mapping[str, bytes], case_id: str) -> tuple[int, int, set[str]]:
    """How many results came from a device, how many of them unsigned, and the devices' keys."""
    results = unsigned = 0
    keys: set[str] = set()
    for number, line in enumerate(entries["events.jsonl"].splitlines()):
        event = json.loads(line)
        if event["kind"] != "outcome":
            continue
        where, body = f"event {number}", event["body"]
        value = _get(body, "value", dict, where)
        name = value.get("reading_id", value.get("outcome_id"))
        # What the host itself finds has no device behind it, and is no reading.
        if name == f"{case_id}-host" and body.get("kind") == "cannot judge":
            continue
        results += 1
        if "device" in body:
            keys.add(_check_result(body, name, event["blobs"], where))
        else:
            unsigned += 1
    return results, unsigned, keys


def _check_result(body: Mapping[str, Any], name: Any, blobs: list[str], where: str) -> str:
    """The key, hexadecimal, of the device that signed an outcome."""
    device = _get(body, "device", dict, where)
    if sorted(device) != RESULT_FIELDS:
        _fail(f"{where}: what the device signed has other fields than a result")
    public_hex = _get(device, "public_hex", str, where)
    key = BundleKey(
        key_id=_key_id(_unhex(public_hex, 32, f"the device's key of {where}")),
        name=str(device["device_id"]),
        public_hex=public_hex,
    )
    evidence = device["evidence_sha256"]
    if blobs != ([] if evidence is None else [evidence]):
        _fail(f"{where} has other evidence than the device signed")
    signed = {
        "device_id": device["device_id"],
        "boot": device["boot"],
        "request_id": device["request_id"],
        "kind": body.get("kind"),
        "outcome_id": name,
        "body": body["value"],
        "evidence_sha256": evidence,
        "correction_set_sha256": device["correction_set_sha256"],
    }
    text = json.dumps(signed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    signature = _unhex(_get(device, "signature_hex", str, where), 64, f"the result of {where}")
    _check_signature(key, signature, RESULT_DOMAIN + text.encode(), f"the result of {where}")
    return public_hex


def _check_checkpoint(note: bytes, case_id: str, leaves: list[bytes], key: BundleKey) -> None:
    root = base64.b64encode(merkle_root(leaves)).decode()
    text = f"{CHECKPOINT_ORIGIN}{case_id}\n{len(leaves)}\n{root}\n"
    start = f"{text}\n— {key.key_id} ".encode()
    if not note.startswith(start) or not note.endswith(b"\n"):
        _fail(f"checkpoint.txt is not that of these {len(leaves)} events: some are missing or new")
    try:
        signature = base64.b64decode(note[len(start) : -1], validate=True)
    except ValueError:
        signature = b""
    public = bytes.fromhex(key.public_hex)
    key_hash = hashlib.sha256(key.key_id.encode() + b"\n\1" + public).digest()[:4]
    if base64.b64encode(signature) != note[len(start) : -1] or signature[:4] != key_hash:
        _fail("the signature line of checkpoint.txt is malformed")
    _check_signature(key, signature[4:], text.encode(), "checkpoint.txt")


def _check_blobs(entries: Mapping[str, bytes], blobs: set[str]) -> None:
    found = {name.removeprefix("blobs/") for name in entries if name.startswith("blobs/")}
    if found != blobs:
        _fail(f"blobs are missing or no event names them: {sorted(found ^ blobs)[0]:.64}")
    for sha256 in sorted(blobs):
        if hashlib.sha256(entries[f"blobs/{sha256}"]).hexdigest() != sha256:
            _fail(f"blob {sha256} does not have that SHA-256")


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a bundle and say what was found; 0 when it is unchanged."""
    parser = argparse.ArgumentParser(description="Check an exported Spotcheck case bundle.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--trusted-key", action="append", default=[], metavar="HEX")
    parser.add_argument("--device-key", action="append", default=[], metavar="HEX")
    options = parser.parse_args(arguments)
    try:
        report = verify(options.bundle, options.trusted_key, options.device_key)
    except (BundleVerificationError, OSError) as error:
        print(f"NOT ACCEPTED: {error}")
        return 1
    print(report.statement)
    print(report.device_statement)
    print(f"case {report.case_id}: {report.events} events, root {report.root_hash}")
    print(f"{report.blobs} blobs, attachments: {', '.join(report.attachments) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
