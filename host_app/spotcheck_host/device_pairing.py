"""The host's part of a pairing with a device: by the code that it shows, or over its cable."""

import time
from typing import TypeVar

from spotcheck.errors import DeviceLostError, PairingError
from spotcheck_host.host_trust import HostTrust
from spotcheck_host.transports import Transport
from spotcheck_trust.identity import public_key_of
from spotcheck_trust.pairing_exchange import PairingExchange
from spotcheck_trust.peers import PairedBy, Peer
from spotcheck_wire.errors import MessageError, SecureSessionError
from spotcheck_wire.frames import LASTING_TABLE, Frame, FrameDecoder, FrameEncoder
from spotcheck_wire.pairing_messages import (
    PairingAnswer,
    PairingDone,
    PairingMessage,
    PairingProof,
    PairingRefused,
    PairingRequest,
    decode_pairing,
    encode_pairing,
)
from spotcheck_wire.secure_session import SecureSession, host_pairing_context

_Wanted = TypeVar("_Wanted", bound=PairingMessage)


def pair_by_code(
    carrier: Transport, trust: HostTrust, code: str, *, timeout_s: float = 20.0
) -> Peer:
    """Pair with the device that shows this code; the carrier is closed afterwards.

    Args:
        carrier: What moves the records; nobody on it is trusted yet.
        trust: The host's key; the device is stored there.
        code: What the device shows.
        timeout_s: Time for all of it.

    Raises:
        PairingError: the code is wrong, the device is not ready, or somebody stands in between.
        DeviceLostError: the device does not answer in time.
    """
    return _pair(carrier, trust, code, timeout_s)


def pair_over_cable(carrier: Transport, trust: HostTrust, *, timeout_s: float = 20.0) -> Peer:
    """Pair with the device at the other end of a cable; the carrier is closed afterwards.

    Raises:
        PairingError: the device is paired with another computer over its cable.
        DeviceLostError: the device does not answer in time.
    """
    return _pair(carrier, trust, None, timeout_s)


def _pair(carrier: Transport, trust: HostTrust, code: str | None, timeout_s: float) -> Peer:
    try:
        talk = _PairingTalk(carrier, timeout_s)
        device_certificate = talk.begin()
        public_key_of(device_certificate)
        peer = _agree(talk, trust, code, device_certificate)
    except (DeviceLostError, PairingError):
        raise
    except (SecureSessionError, MessageError, ValueError, OSError) as error:
        raise PairingError(f"the pairing broke off: {error}") from error
    finally:
        carrier.close()
    for old in trust.devices.all():
        # A device that was replaced keeps its serial number, and its old key is worth nothing.
        if old.name == peer.name and old.key_id != peer.key_id:
            trust.devices.remove(old.key_id)
    trust.devices.add(peer)
    return peer


def _agree(
    talk: "_PairingTalk", trust: HostTrust, code: str | None, device_certificate: bytes
) -> Peer:
    own = trust.identity.certificate
    exchange = None
    if code is not None:
        exchange = PairingExchange(
            code, host_certificate=own, device_certificate=device_certificate, device_side=False
        )
    share = exchange.share if exchange is not None else b""
    talk.say(PairingRequest(name=trust.name, certificate=own, share=share))
    answer = talk.hear(PairingAnswer)
    proof = b""
    if exchange is not None:
        exchange.take(answer.share)
        proof = exchange.proof
    talk.say(PairingProof(proof=proof))
    done = talk.hear(PairingDone)
    if exchange is not None and not exchange.proves(done.proof):
        raise PairingError(
            "the other end does not know the code either: it is not the device that shows it"
        )
    return Peer(
        name=answer.name,
        certificate=device_certificate,
        paired_by=PairedBy.CABLE if code is None else PairedBy.CODE,
    )


class _PairingTalk:
    """The messages of one pairing, one after the other."""

    def __init__(self, carrier: Transport, timeout_s: float) -> None:
        self._carrier = carrier
        self._deadline_s = time.monotonic() + timeout_s
        self._session = SecureSession(host_pairing_context(), server_side=False, trusted=())
        self._encoder = FrameEncoder(table=LASTING_TABLE)
        self._decoder = FrameDecoder(tables=(LASTING_TABLE,))
        self._heard: list[PairingMessage] = []

    def begin(self) -> bytes:
        """The certificate of whoever is at the other end."""
        self._send()
        while not self._session.established:
            self._receive()
        return self._session.peer_certificate

    def say(self, message: PairingMessage) -> None:
        self._session.write(self._encoder.encode(*encode_pairing(message)))
        self._send()

    def hear(self, kind: type[_Wanted]) -> _Wanted:
        while not self._heard:
            self._receive()
        message = self._heard.pop(0)
        if isinstance(message, PairingRefused):
            raise PairingError(f"the device refuses: {message.reason}")
        if not isinstance(message, kind):
            raise PairingError("the device answers out of order; begin the pairing again")
        return message

    def _receive(self) -> None:
        left_s = self._deadline_s - time.monotonic()
        records = self._carrier.read(left_s) if left_s > 0 else None
        if records is None and time.monotonic() >= self._deadline_s:
            raise DeviceLostError("the device does not answer")
        if records == b"":
            raise DeviceLostError("the device closed the connection")
        for event in self._decoder.feed(self._session.feed(records or b"")):
            if not isinstance(event, Frame):
                raise PairingError("a message of the pairing was damaged; begin again")
            self._heard.append(decode_pairing(event))
        self._send()

    def _send(self) -> None:
        if records := self._session.take_outgoing():
            self._carrier.write(records)
