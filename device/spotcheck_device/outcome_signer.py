"""Outcomes as they leave the session, signed by the device's own key."""

from dataclasses import dataclass

from spotcheck.plain import to_plain
from spotcheck.reading import ErrorReading
from spotcheck_device.journal import PendingOutcome
from spotcheck_device.session_messages import SessionOutcome
from spotcheck_trust.identity import Identity
from spotcheck_trust.result_signature import SignedResult
from spotcheck_wire import host_messages as wire


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeSigner:
    """The device, as its signatures name it."""

    identity: Identity
    """Its key."""
    device_id: str
    """Serial number of the instrument."""
    boot: int
    """This boot."""
    correction_set_sha256: str
    """Digest of the correction set in use."""

    def signed(self, event: SessionOutcome) -> PendingOutcome:
        """The outcome with the device's signature."""
        outcome, evidence = event.outcome, event.evidence
        is_reading = isinstance(outcome, ErrorReading)
        result = SignedResult(
            device_id=self.device_id,
            boot=self.boot,
            request_id=event.request_id,
            kind=wire.OUTCOME_READING if is_reading else wire.OUTCOME_CANNOT_JUDGE,
            outcome_id=(
                outcome.reading_id if isinstance(outcome, ErrorReading) else outcome.outcome_id
            ),
            body=to_plain(outcome),
            evidence_sha256=evidence.sha256 if evidence else None,
            correction_set_sha256=self.correction_set_sha256,
        )
        return PendingOutcome(
            request_id=result.request_id,
            kind=result.kind,
            outcome_id=result.outcome_id,
            body=dict(result.body),
            evidence_sha256=result.evidence_sha256,
            evidence=evidence.to_bytes() if evidence else None,
            device_id=result.device_id,
            boot=result.boot,
            correction_set_sha256=result.correction_set_sha256,
            signature=self.identity.sign(result.message()),
        )
