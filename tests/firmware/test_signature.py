"""SHA-512 against NIST's vectors, Ed25519 against RFC 8032 and another implementation."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ed25519 import ORDER, verify_steps
from hypothesis import given, settings
from hypothesis import strategies as st
from sha512 import sha512
from simulated_parts import run_steps

# RFC 8032, 7.1: public key, message, signature of TEST 1, 2, 3 and SHA(abc).
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]
KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"test").digest())
PUBLIC = KEY.public_key().public_bytes_raw()


def is_good(public: bytes, message: bytes, signature: bytes) -> bool:
    return bool(run_steps(verify_steps(public, message, signature)))


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        # FIPS 180-4 examples of SHA-512: one block, two blocks.
        (
            b"abc",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        (
            b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909",
        ),
    ],
)
def test_sha512_of_nists_examples(message: bytes, digest: str) -> None:
    assert sha512(message).hex() == digest


def test_sha512_pads_every_length_as_hashlib_does() -> None:
    for length in range(260):
        assert sha512(b"\xa5" * length) == hashlib.sha512(b"\xa5" * length).digest()


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_signatures_of_rfc_8032(public: str, message: str, signature: str) -> None:
    parts = [bytes.fromhex(part) for part in (public, message, signature)]
    assert is_good(*parts)


@settings(max_examples=10)
@given(st.binary(max_size=200), st.integers(0, 511))
def test_signature_of_another_implementation_is_good_and_any_bit_spoils_it(
    message: bytes, bit: int
) -> None:
    signature = bytearray(KEY.sign(message))
    assert is_good(PUBLIC, message, bytes(signature))
    signature[bit // 8] ^= 1 << bit % 8
    assert not is_good(PUBLIC, message, bytes(signature))


def test_another_message_or_key_is_refused() -> None:
    signature = KEY.sign(b"message")
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    assert not is_good(PUBLIC, b"massage", signature)
    assert not is_good(other, b"message", signature)


def test_scalar_beyond_the_order_is_refused() -> None:
    signature = KEY.sign(b"message")
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    assert not is_good(PUBLIC, b"message", signature[:32] + scalar.to_bytes(32, "little"))


@pytest.mark.parametrize(
    "public",
    [
        b"\xff" * 32,  # y beyond the field
        (2).to_bytes(32, "little"),  # no point of the curve has this y
        (1 | 1 << 255).to_bytes(32, "little"),  # x is 0 and its sign is set
    ],
)
def test_bytes_that_are_no_point_are_no_key(public: bytes) -> None:
    assert not is_good(public, b"", KEY.sign(b""))
