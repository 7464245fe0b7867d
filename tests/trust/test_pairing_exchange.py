"""The exchange by a code: both ends must know it, and mean the same two certificates."""

import pytest

from spotcheck.errors import PairingError
from spotcheck_trust.pairing_exchange import PairingExchange

HOST, DEVICE, MIDDLE = b"host certificate", b"device certificate", b"somebody in between"


def exchange(
    code: str, *, device_side: bool, host: bytes = HOST, device: bytes = DEVICE
) -> PairingExchange:
    return PairingExchange(
        code, host_certificate=host, device_certificate=device, device_side=device_side
    )


def agree(host: PairingExchange, device: PairingExchange) -> tuple[bool, bool]:
    """Whether each end takes the other's proof."""
    host.take(device.share)
    device.take(host.share)
    return device.proves(host.proof), host.proves(device.proof)


@pytest.mark.parametrize("typed", ["1234-5678", "12345678", " 1234 5678\n"])
def test_two_that_know_the_code_prove_it_however_it_is_typed(typed: str) -> None:
    host, device = exchange(typed, device_side=False), exchange("1234-5678", device_side=True)
    assert agree(host, device) == (True, True)
    assert host.proof != device.proof


def test_wrong_code_proves_nothing_to_either() -> None:
    host, device = exchange("1234-5679", device_side=False), exchange("1234-5678", device_side=True)
    assert agree(host, device) == (False, False)


@pytest.mark.parametrize("who", ["host", "device"])
def test_other_certificate_proves_nothing_although_the_code_is_right(who: str) -> None:
    """Somebody in between passes the shares on, and shows each end a certificate of his own."""
    seen_by_host = {"device": MIDDLE} if who == "device" else {}
    seen_by_device = {"host": MIDDLE} if who == "host" else {}
    host = exchange("1234-5678", device_side=False, **seen_by_host)
    device = exchange("1234-5678", device_side=True, **seen_by_device)
    assert agree(host, device) == (False, False)


def test_proof_sent_back_proves_nothing() -> None:
    host, device = exchange("1", device_side=False), exchange("1", device_side=True)
    host.take(device.share)
    device.take(host.share)
    assert not host.proves(host.proof)
    assert not device.proves(device.proof)


def test_shares_are_drawn_anew_for_each_try() -> None:
    assert len({exchange("1", device_side=True).share for _ in range(5)}) == 5


@pytest.mark.parametrize(
    "share", [b"", b"A", b"A" + bytes(32), b"A" + b"\xff" * 32, b"A" + bytes(31), b"C" + bytes(32)]
)
def test_what_is_no_share_is_refused_by_name(share: bytes) -> None:
    with pytest.raises(PairingError, match="share of the pairing is none"):
        exchange("1", device_side=True).take(share)


def test_own_share_sent_back_is_refused() -> None:
    device = exchange("1", device_side=True)
    with pytest.raises(PairingError, match="share"):
        device.take(device.share)


def test_no_proof_before_the_other_share_came() -> None:
    with pytest.raises(PairingError, match="has not come"):
        _ = exchange("1", device_side=True).proof
