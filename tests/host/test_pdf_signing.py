import io
from types import ModuleType

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

from spotcheck.errors import KeyRefusedError
from spotcheck_host.pdf_signing import DEMONSTRATION_SUBJECT, sign_pdf
from spotcheck_host.report import render_report


@pytest.fixture(scope="module")
def unsigned(examples: ModuleType) -> bytes:
    return render_report(examples.example(language="en"), "en")


def checked(pdf: bytes) -> PdfSignatureStatus:
    (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    context = ValidationContext(trust_roots=[], allow_fetching=False)
    return validate_pdf_signature(signature, context)


def test_signature_holds_and_its_certificate_is_no_real_one(unsigned: bytes) -> None:
    signed = sign_pdf(unsigned, "张三", demonstration=True)
    assert signed.startswith(unsigned)
    status = checked(signed)
    assert status.intact
    assert status.valid
    assert not status.trusted
    assert status.signing_cert.subject.native["common_name"] == DEMONSTRATION_SUBJECT


def test_altered_report_breaks_the_signature(unsigned: bytes) -> None:
    signed = bytearray(sign_pdf(unsigned, "tester", demonstration=True))
    at = signed.index(b"/Spotcheck") if b"/Spotcheck" in signed[: len(unsigned)] else 2000
    signed[at] ^= 1
    assert not checked(bytes(signed)).intact


def test_official_signature_is_refused_without_an_official_certificate(unsigned: bytes) -> None:
    with pytest.raises(KeyRefusedError):
        sign_pdf(unsigned, "tester", demonstration=False)
