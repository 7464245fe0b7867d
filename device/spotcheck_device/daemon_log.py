"""What the daemon logs, event by event (docs/formats/log.md)."""

import logging
import platform

from spotcheck.reading import ErrorReading
from spotcheck.samples import StreamFormat
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_calibration.evaluation import SOFTWARE
from spotcheck_device.config import DeviceConfig
from spotcheck_device.event_log import log_event
from spotcheck_device.journal import Journal
from spotcheck_device.session_messages import (
    MeasurementRequest,
    SessionEvent,
    SessionFinished,
    SessionOutcome,
)


def log_boot(config: DeviceConfig, journal: Journal, correction: CorrectionSet) -> None:
    """The daemon has opened its state; what an earlier run left is told with it."""
    log_event(
        "device-boot",
        device_id=config.device_id,
        boot=journal.boot,
        software=SOFTWARE,
        python=platform.python_version(),
        machine=platform.machine(),
        correction_set_sha256=correction.sha256,
        certificate=correction.certificate,
        valid_until=correction.valid_until,
        samples=config.samples,
        pulses=config.pulses,
    )
    if journal.interrupted_request is not None:
        log_event(
            "measurement-was-cut-off", logging.WARNING, request_id=journal.interrupted_request
        )


def log_stream(stream: StreamFormat) -> None:
    """A stream of samples has begun, or begun anew in this format."""
    log_event(
        "stream-begins",
        sample_rate_hz=stream.sample_rate_hz,
        phases=stream.phases,
        voltage_range=stream.voltage_range,
        current_range=stream.current_range,
    )


def log_request(request: MeasurementRequest) -> None:
    """A host has ordered a measurement; nothing of the customer's meter is named."""
    log_event(
        "measurement-begins",
        request_id=request.request_id,
        start_sample=request.start_sample,
        readings=request.readings,
        minimum_pulses=request.minimum_pulses,
        maximum_duration_s=request.maximum_duration_s,
    )


def log_session_event(event: SessionEvent) -> None:
    """An outcome or the end of a measurement; progress is for the screen, not for the log."""
    match event:
        case SessionFinished():
            log_event("measurement-ends", request_id=event.request_id, reason=event.reason)
        case SessionOutcome(outcome=ErrorReading() as reading):
            log_event(
                "reading",
                request_id=event.request_id,
                reading_id=reading.reading_id,
                error_percent=reading.error_percent,
                expanded_uncertainty_percent=reading.expanded_uncertainty_percent,
                pulses_used=reading.pulses_used,
                pulses_rejected=reading.pulses_rejected,
                pulses_missing=reading.pulses_missing,
                duration_s=reading.duration_s,
            )
        case SessionOutcome(outcome=outcome) if not isinstance(outcome, ErrorReading):
            log_event(
                "cannot-judge",
                logging.WARNING,
                request_id=event.request_id,
                outcome_id=outcome.outcome_id,
                reason=outcome.reason.value,
                text=outcome.detail,
                at_sample=outcome.at_sample,
            )
