"""Sign a report's PDF with a demonstration certificate (PAdES, by pyHanko).

The signature is an incremental update: the unsigned report, whose SHA-256 is in the record, stands
unchanged at the head of the signed file. An official certificate is issued by an authority and
lives in its owner's token; that way of signing is not built yet, so official reports are refused
here rather than signed by a certificate that nobody vouches for.
"""

import datetime
import io

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

from spotcheck.errors import KeyRefusedError

DEMONSTRATION_SUBJECT = "Spotcheck demonstration – not a real signature"
SIGNATURE_FIELD = "Spotcheck"
_LONGEST_ATTRIBUTE = 64
_BEGIN = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_END = datetime.datetime(2099, 12, 31, tzinfo=datetime.UTC)


def sign_pdf(pdf: bytes, name: str, demonstration: bool) -> bytes:
    """The PDF with an invisible signature appended; its first bytes stay what they were.

    Args:
        pdf: The unsigned report.
        name: Who signs, printed by viewers beside the certificate's subject.
        demonstration: Must be true: the certificate says that it is no real signature.

    Raises:
        KeyRefusedError: an official signature was asked for.
    """
    if not demonstration:
        raise KeyRefusedError("there is no official certificate to sign with, only a demonstration")
    metadata = signers.PdfSignatureMetadata(
        field_name=SIGNATURE_FIELD,
        name=f"{name} ({DEMONSTRATION_SUBJECT})",
        reason="Demonstration",
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
    )
    output = io.BytesIO()
    signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(pdf)),
        metadata,
        signer=_demonstration_signer(name),
        output=output,
    )
    return output.getvalue()


def _demonstration_signer(name: str) -> signers.SimpleSigner:
    private = ec.generate_private_key(ec.SECP256R1())
    certificate = _demonstration_certificate(private, name)
    bundle = pkcs12.serialize_key_and_certificates(
        None, private, certificate, None, serialization.NoEncryption()
    )
    signer: signers.SimpleSigner = signers.SimpleSigner.load_pkcs12_data(bundle, other_certs=[])
    return signer


def _demonstration_certificate(private: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, DEMONSTRATION_SUBJECT),
            x509.NameAttribute(NameOID.PSEUDONYM, name[:_LONGEST_ATTRIBUTE] or "-"),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGIN)
        .not_valid_after(_END)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(private, hashes.SHA256())
    )
