"""The device's part of a pairing: what a host says, and what it is answered."""

from spotcheck.errors import ConfigurationError, PairingError
from spotcheck_device.device_trust import DeviceTrust
from spotcheck_trust.identity import public_key_of
from spotcheck_trust.pairing_exchange import PairingExchange
from spotcheck_trust.peers import PairedBy, Peer
from spotcheck_wire.errors import MessageError
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

NOT_OPEN = "the device is not ready to be paired; run `spotcheck device pair CONFIG` on it"


class HostPairing:
    """One host that asks to be paired; sans-IO."""

    def __init__(self, trust: DeviceTrust, *, over_cable: bool) -> None:
        """Nothing was said yet.

        Args:
            trust: The device's key, pairings and code.
            over_cable: Whether the host is at the other end of a cable.
        """
        self._trust = trust
        self._over_cable = over_cable
        self._decoder = FrameDecoder(tables=(LASTING_TABLE,))
        self._encoder = FrameEncoder(table=LASTING_TABLE)
        self._request: PairingRequest | None = None
        self._exchange: PairingExchange | None = None
        self.paired: Peer | None = None
        """The host, once it is paired."""
        self.is_over = False
        """Whether nothing more is to be said."""

    def receive(self, data: bytes) -> bytes:
        """Return the answer to received bytes."""
        answers = b""
        for event in self._decoder.feed(data):
            if self.is_over:
                break
            answers += self._encoder.encode(*encode_pairing(self._answer(event)))
        return answers

    def _answer(self, event: object) -> PairingMessage:
        try:
            return self._take(event)
        except (PairingError, ConfigurationError, MessageError, ValueError, OSError) as error:
            self.is_over = True
            return PairingRefused(reason=str(error))

    def _take(self, event: object) -> PairingMessage:
        if not isinstance(event, Frame):
            raise PairingError("a message of the pairing was damaged; begin again")
        message = decode_pairing(event)
        if isinstance(message, PairingRequest) and self._request is None:
            return self._take_request(message)
        if isinstance(message, PairingProof) and self._request is not None:
            return self._take_proof(self._request, message)
        raise PairingError("the pairing's messages are not in order; begin again")

    def _take_request(self, request: PairingRequest) -> PairingAnswer:
        public_key_of(request.certificate)
        share = b""
        if self._over_cable:
            self._require_first_over_cable(request)
        else:
            pairing = self._trust.desk.current()
            if pairing is None:
                raise PairingError(NOT_OPEN)
            self._exchange = PairingExchange(
                pairing.code,
                host_certificate=request.certificate,
                device_certificate=self._trust.identity.certificate,
                device_side=True,
            )
            share = self._exchange.share
            self._exchange.take(request.share)
        self._request = request
        return PairingAnswer(name=self._trust.device_id, share=share)

    def _require_first_over_cable(self, request: PairingRequest) -> None:
        known = [peer for peer in self._trust.hosts.all() if peer.paired_by is PairedBy.CABLE]
        others = [peer for peer in known if peer.certificate != request.certificate]
        if others:
            raise PairingError(
                f"over its cable the device is paired with {others[0].name} ({others[0].key_id}); "
                "remove that pairing on the device (`spotcheck device forget`), or pair by a code"
            )

    def _take_proof(self, request: PairingRequest, message: PairingProof) -> PairingDone:
        proof = b""
        if self._exchange is not None:
            # A code can end between two messages of one exchange.
            if self._trust.desk.current() is None:
                raise PairingError(NOT_OPEN)
            if not self._exchange.proves(message.proof):
                left = self._trust.desk.count_wrong_try()
                raise PairingError(
                    f"the code is wrong; {left} tries are left"
                    if left
                    else "the code was wrong three times; open a new pairing on the device"
                )
            proof = self._exchange.proof
        paired_by = PairedBy.CABLE if self._over_cable else PairedBy.CODE
        peer = Peer(name=request.name, certificate=request.certificate, paired_by=paired_by)
        self._trust.hosts.add(peer)
        if self._exchange is not None:
            self._trust.desk.succeed(f"{peer.name} ({peer.key_id})")
        self.paired, self.is_over = peer, True
        return PairingDone(proof=proof)
