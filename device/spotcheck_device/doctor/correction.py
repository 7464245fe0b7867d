"""The instrument's correction set."""

import datetime
from pathlib import Path

from spotcheck.errors import CorrectionSetError
from spotcheck_calibration.correction_set import CorrectionSet, load_correction_set
from spotcheck_device.doctor.finding import Fact, Finding, failed, ok, warning

SOON_DAYS = 30


def read_correction(path: Path) -> tuple[CorrectionSet | None, list[Finding]]:
    """The set, and what is wrong if there is none."""
    try:
        return load_correction_set(path), []
    except (CorrectionSetError, OSError) as error:
        return None, [failed("correction.unreadable", text=str(error))]


def check_correction(found: CorrectionSet, device_id: str, today: datetime.date) -> Finding:
    """Whether the set is this instrument's and holds today."""
    left = datetime.date.fromisoformat(found.valid_until) - today
    facts: dict[str, Fact] = {
        "certificate": found.certificate,
        "instrument": found.instrument,
        "device_id": device_id,
        "valid_until": found.valid_until,
        "issued_on": found.issued_on,
        "days": left.days,
    }
    if found.instrument != device_id:
        return failed("correction.other-instrument", **facts)
    if left.days < 0:
        return failed("correction.expired", **facts)
    if today < datetime.date.fromisoformat(found.issued_on):
        return warning("correction.from-the-future", **facts)
    if found.demonstration:
        return warning("correction.demonstration", **facts)
    if left.days < SOON_DAYS:
        return warning("correction.ends-soon", **facts)
    return ok("correction.good", **facts)
