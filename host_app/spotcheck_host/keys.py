"""Ed25519 signing keys, and the mark by which a demonstration key is known for ever.

A demonstration key is derived from a seed that anybody may know, so its signature proves nothing.
Its mark is therefore no flag that could be edited away but a property of the public key itself:
keys are derived from (seed, name, counter) until the SHA-256 of the public key begins with the
hexadecimal digits `de0`, and a real key that happens to begin so (1 in 4096) is never generated.
Whoever holds a public key can tell, without this software's files, which of the two it is.

What this prevents: a demonstration key passed off as a real one by renaming it, by editing its
file or by exporting its bytes. What it cannot prevent: somebody making a fresh, real key and
giving it any name. Only a list of trusted public keys, received from their owners by another
way, tells whose a key is.
"""

import functools
import hashlib
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from spotcheck.errors import ConfigurationError, KeyRefusedError
from spotcheck_trust.key_names import is_demonstration_public_key, key_id

KEY_FORMAT = "spotcheck-key-1"
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """The public half of a key, as records and bundles carry it."""

    name: str
    """What its owner calls it; proves nothing by itself."""
    public: bytes
    """The 32 bytes."""

    @property
    def key_id(self) -> str:
        """Short name."""
        return key_id(self.public)

    @property
    def demo(self) -> bool:
        """Whether it is a demonstration key, by its mark."""
        return is_demonstration_public_key(self.public)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature is this key's over the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key that signs events, bundles and checkpoints."""

    name: str
    """What its owner calls it, 1 to 64 printable characters."""
    private: Ed25519PrivateKey
    """The private key."""
    demo: bool
    """Whether it is a demonstration key; must agree with the mark of its public key."""

    def __post_init__(self) -> None:
        if not (0 < len(self.name) <= LONGEST_NAME and self.name.isprintable()):
            raise ConfigurationError(
                f"key name {self.name!r:.80} must be 1 to {LONGEST_NAME} printable characters"
            )
        if self.demo != is_demonstration_public_key(self.public):
            raise KeyRefusedError(
                f"key {self.name!r} says demonstration={self.demo}, "
                f"but its public key {self.key_id} says otherwise"
            )

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        return self.private.public_key().public_bytes_raw()

    @property
    def public_hex(self) -> str:
        """The public key, hexadecimal; what a verifier is told to trust."""
        return self.public.hex()

    @property
    def public_key(self) -> PublicKey:
        """The public half with its name."""
        return PublicKey(name=self.name, public=self.public)

    @property
    def key_id(self) -> str:
        """Short name, stands as `actor` in every event."""
        return key_id(self.public)

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the Ed25519 signature (RFC 8032)."""
        return self.private.sign(message)


def generate_key(name: str) -> SigningKey:
    """A new real key from the operating system's randomness, never one with the mark."""
    while True:
        private = Ed25519PrivateKey.generate()
        if not is_demonstration_public_key(private.public_key().public_bytes_raw()):
            return SigningKey(name=name, private=private, demo=False)


@functools.cache
def demonstration_key(seed: int, name: str) -> SigningKey:
    """The demonstration key of that seed and name, the same on every machine (about 0.2 s)."""
    counter = 0
    while True:
        text = f"spotcheck-demonstration-key-1\0{seed}\0{name}\0{counter}"
        private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(text.encode()).digest())
        if is_demonstration_public_key(private.public_key().public_bytes_raw()):
            return SigningKey(name=name, private=private, demo=True)
        counter += 1


def save_key(key: SigningKey, path: Path) -> None:
    """Write a key to a new file that only its owner can read.

    Raises:
        KeyRefusedError: the file exists; a key is never overwritten.
    """
    content = {
        "format": KEY_FORMAT,
        "name": key.name,
        "demonstration": key.demo,
        "private_hex": key.private.private_bytes_raw().hex(),
        "public_hex": key.public_hex,
    }
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyRefusedError(f"{path} exists; a key is never overwritten") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())


def load_key(path: Path) -> SigningKey:
    """Read a key file.

    Raises:
        KeyRefusedError: others than its owner can read it, or its mark was edited.
        ConfigurationError: it is no key file.
    """
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyRefusedError(f"{path} can be read by others; run: chmod 600 {path}")
    try:
        content: Any = json.loads(path.read_text("utf-8"))
        if content["format"] != KEY_FORMAT:
            raise ConfigurationError(f"{path} is no {KEY_FORMAT} file")
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(content["private_hex"]))
        name, demo, public_hex = content["name"], content["demonstration"], content["public_hex"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(f"{path} is no {KEY_FORMAT} file: {error!r:.100}") from error
    if not isinstance(name, str) or not isinstance(demo, bool):
        raise ConfigurationError(f"{path}: name must be a text, demonstration true or false")
    key = SigningKey(name=name, private=private, demo=demo)
    if key.public_hex != public_hex:
        raise KeyRefusedError(f"{path}: the public key does not belong to the private key")
    return key
