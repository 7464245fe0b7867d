"""Keys of devices and hosts: made once, whole or not at all, never replaced in silence."""

import os
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from spotcheck.errors import ConfigurationError, KeyRefusedError
from spotcheck_trust.identity import (
    load_identity,
    load_or_make_identity,
    public_key_of,
    save_identity,
)
from spotcheck_trust.key_names import is_demonstration_public_key


def test_key_is_made_at_the_first_start_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "state" / "device.pem"
    first, second = (load_or_make_identity(path, "SC-1") for _ in range(2))
    assert (first.public, first.certificate) == (second.public, second.certificate)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["device.pem"]
    assert not is_demonstration_public_key(first.public)


@pytest.mark.parametrize("kept", [0, 1, 200, 400, -2])
def test_damaged_key_is_named_and_left_alone(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "device.pem"
    load_or_make_identity(path, "SC-1")
    damaged = path.read_bytes()[:kept]
    path.write_bytes(damaged)
    with pytest.raises(ConfigurationError, match=r"device\.pem is damaged .* restore it"):
        load_or_make_identity(path, "SC-1")
    assert path.read_bytes() == damaged


def test_certificate_of_another_key_is_damage(tmp_path: Path) -> None:
    one, other = (load_or_make_identity(tmp_path / name, "x") for name in ("1.pem", "2.pem"))
    middle = one.path.read_bytes().index(b"-----BEGIN PRIVATE KEY")
    key = other.path.read_bytes()
    one.path.write_bytes(
        one.path.read_bytes()[:middle] + key[key.index(b"-----BEGIN PRIVATE KEY") :]
    )
    with pytest.raises(ConfigurationError, match="the certificate is not that of the key"):
        load_identity(one.path)


def test_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "device.pem"
    load_or_make_identity(path, "SC-1")
    path.chmod(0o640)
    with pytest.raises(KeyRefusedError, match="chmod 600"):
        load_or_make_identity(path, "SC-1")


def test_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "device.pem"
    made = load_or_make_identity(path, "SC-1")
    with pytest.raises(KeyRefusedError, match="never overwritten"):
        save_identity(path, "SC-1", Ed25519PrivateKey.generate())
    assert load_identity(path).public == made.public


def test_key_that_a_power_cut_left_half_written_was_never_there(tmp_path: Path) -> None:
    (tmp_path / "device.pem.0a1b2c3d.new").write_bytes(b"-----BEGIN CERT")
    assert load_or_make_identity(tmp_path / "device.pem", "SC-1").public


def test_certificate_holds_at_any_date_and_signs_for_nobody_else(tmp_path: Path) -> None:
    identity = load_or_make_identity(tmp_path / "device.pem", "SC-1")
    certificate = x509.load_der_x509_certificate(identity.certificate)
    assert certificate.not_valid_before_utc.year == 1970
    assert certificate.not_valid_after_utc.year == 9999
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca) == (True, False)
    # Python's own TLS takes the file as it is.
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(identity.path)


def test_certificate_is_of_an_ed25519_key_and_signed_by_it(tmp_path: Path) -> None:
    identity = load_or_make_identity(tmp_path / "device.pem", "SC-1")
    assert public_key_of(identity.certificate) == identity.public
    forged = bytearray(identity.certificate)
    forged[-1] ^= 1
    with pytest.raises(ValueError, match="not signed by its own key"):
        public_key_of(bytes(forged))
    with pytest.raises(ValueError, match=r".+"):
        public_key_of(b"no certificate")
    other = generate_private_key(SECP256R1())
    name = x509.Name([])
    moment = x509.load_der_x509_certificate(identity.certificate).not_valid_before_utc
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.not_valid_before(moment).not_valid_after(moment)
    der = builder.public_key(other.public_key()).sign(other, SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(ValueError, match="of no Ed25519 key"):
        public_key_of(der)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="denied"):
        load_or_make_identity(tmp_path / "device.pem", "SC-1")
