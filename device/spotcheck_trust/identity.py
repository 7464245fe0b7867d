"""The key by which a device or a host is known, and the certificate that carries it in TLS.

Certificates are self-signed; the other end stores them at pairing and compares bytes. Their dates
say "always" (RFC 5280, 4.1.2.5), because a board may not know the date. Their subject is the key's
fingerprint: OpenSSL looks for a trusted certificate by its subject, and of two that share one it
would find the wrong one.
"""

import datetime
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from spotcheck.errors import ConfigurationError, KeyRefusedError
from spotcheck_trust.key_names import fingerprint, is_demonstration_public_key
from spotcheck_trust.safe_file import write_new

_ALWAYS_FROM = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_ALWAYS_UNTIL = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A key with its certificate, in a file that only its owner can read."""

    path: Path
    """The file: certificate and private key, PEM."""
    private: Ed25519PrivateKey
    """The private key."""
    certificate: bytes
    """The certificate, DER."""

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        return self.private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the Ed25519 signature (RFC 8032)."""
        return self.private.sign(message)


def load_or_make_identity(path: Path, name: str) -> Identity:
    """The identity in a file; made there when there is no such file.

    Args:
        path: The file.
        name: What a certificate that is made now says of its owner; proves nothing.

    Raises:
        ConfigurationError: the file is damaged; a new key is never put in its place.
        KeyRefusedError: others than its owner can read the file.
        OSError: the file cannot be read or made.
    """
    try:
        return load_identity(path)
    except FileNotFoundError:
        return save_identity(path, name, _generated())


def save_identity(path: Path, name: str, private: Ed25519PrivateKey) -> Identity:
    """Write a key with its certificate to a new file.

    Raises:
        KeyRefusedError: the file exists; a key is never overwritten.
        OSError: the file cannot be made.
    """
    certificate = _certificate(private, name)
    pem = certificate.public_bytes(Encoding.PEM) + private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    try:
        write_new(path, pem)
    except FileExistsError:
        raise KeyRefusedError(f"{path} exists; a key is never overwritten") from None
    der = certificate.public_bytes(Encoding.DER)
    return Identity(path=path, private=private, certificate=der)


def load_identity(path: Path) -> Identity:
    """The identity in a file.

    Raises:
        ConfigurationError: the file is damaged.
        KeyRefusedError: others than its owner can read the file.
        FileNotFoundError: there is no such file.
        OSError: the file cannot be read.
    """
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyRefusedError(f"{path} can be read by others; run: chmod 600 {path}")
    pem = path.read_bytes()
    try:
        private, certificate = _parsed(pem)
    except ValueError as error:
        raise ConfigurationError(
            f"{path} is damaged ({error}); restore it from a copy, or move it away to get a new "
            "key, with which everything has to be paired anew"
        ) from error
    return Identity(path=path, private=private, certificate=certificate)


def _parsed(pem: bytes) -> tuple[Ed25519PrivateKey, bytes]:
    certificate = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    private = load_pem_private_key(pem[pem.index(b"-----BEGIN PRIVATE KEY") :], None)
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError("the key is no Ed25519 key")  # noqa: TRY004 - of a file, not of a call
    if public_key_of(certificate) != private.public_key().public_bytes_raw():
        raise ValueError("the certificate is not that of the key")
    return private, certificate


def public_key_of(certificate: bytes) -> bytes:
    """The 32 bytes of the Ed25519 key of a self-signed certificate (DER).

    Raises:
        ValueError: it is no certificate, is not of an Ed25519 key, is not signed by it or does
            not bear its fingerprint.
    """
    parsed = x509.load_der_x509_certificate(certificate)
    public = parsed.public_key()
    if not isinstance(public, Ed25519PublicKey):
        raise ValueError("the certificate is of no Ed25519 key")  # noqa: TRY004 - of a file
    try:
        public.verify(parsed.signature, parsed.tbs_certificate_bytes)
    except InvalidSignature:
        raise ValueError("the certificate is not signed by its own key") from None
    said = parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if [name.value for name in said] != [_subject_of(public)]:
        raise ValueError("the certificate's subject is not the fingerprint of its key")
    return public.public_bytes_raw()


def _subject_of(public: Ed25519PublicKey) -> str:
    return fingerprint(public.public_bytes_raw())


def _generated() -> Ed25519PrivateKey:
    """A key from the operating system's randomness, never one with the demonstration's mark."""
    while True:
        private = Ed25519PrivateKey.generate()
        if not is_demonstration_public_key(private.public_key().public_bytes_raw()):
            return private


def _certificate(private: Ed25519PrivateKey, name: str) -> x509.Certificate:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, _subject_of(private.public_key())),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name[:LONGEST_NAME]),
        ]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(_ALWAYS_FROM)
        .not_valid_after(_ALWAYS_UNTIL)
        # Its key signs for itself only: a paired host can bring no other host along.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(private, None)
    )
