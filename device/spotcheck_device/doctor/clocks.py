"""Clocks of the machine: UTC, battery clock, PPS. No measuring decision reads them.

UTC dates the record and decides whether the calibration still holds, so a dead battery clock
matters all the same.
"""

import ctypes
import datetime
import time
from dataclasses import dataclass
from pathlib import Path

from spotcheck_device.doctor.finding import Fact, Finding, failed, ok, warning

OLDEST_PLAUSIBLE = datetime.date(2026, 1, 1)
"""Before this software was written."""
MOST_RTC_OFFSET_S = 5.0
PPS_FRESH_S = 2.5
_UNSYNCHRONISED = 0x0040  # STA_UNSYNC of adjtimex(2)


class _Timex(ctypes.Structure):
    """The begin of `struct timex`; the kernel writes no more than 256 bytes."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelClock:
    """What the kernel says of its UTC, whichever program disciplines it."""

    is_synchronised: bool
    """Whether NTP, PTP or GPS holds it."""
    largest_error_s: float
    """Its own bound of the error; grows while nobody disciplines it."""


def kernel_clock() -> KernelClock | None:
    """Read only (modes 0), by adjtimex(2); None where the system does not tell."""
    timex = _Timex()
    if ctypes.CDLL(None).adjtimex(ctypes.byref(timex)) < 0:
        return None
    return KernelClock(
        is_synchronised=not timex.status & _UNSYNCHRONISED, largest_error_s=timex.maxerror / 1e6
    )


def check_utc(now_utc: datetime.datetime, clock: KernelClock | None) -> Finding:
    """Whether UTC is plausible and disciplined; `clock` is None where the kernel does not tell."""
    facts: dict[str, Fact] = {"utc": now_utc.strftime("%Y-%m-%d %H:%M:%S")}
    if now_utc.date() < OLDEST_PLAUSIBLE:
        return failed("utc.implausible", **facts)
    if clock is None:
        return warning("utc.unknown", **facts)
    facts["largest_error_s"] = round(clock.largest_error_s, 6)
    if not clock.is_synchronised:
        return warning("utc.not-synchronised", **facts)
    return ok("utc.good", **facts)


def check_battery_clock(rtc: Path = Path("/sys/class/rtc/rtc0")) -> Finding:
    """Whether there is a battery clock, and how far it is from UTC."""
    try:
        seconds = int((rtc / "since_epoch").read_text("ascii"))
    except (OSError, ValueError):
        return warning("battery-clock.none")
    offset_s = round(seconds - time.time(), 1)
    if abs(offset_s) > MOST_RTC_OFFSET_S:
        return warning("battery-clock.off", offset_s=offset_s)
    return ok("battery-clock.good", offset_s=offset_s)


def check_pps(folder: Path = Path("/sys/class/pps")) -> Finding:
    """Whether the kernel sees a pulse a second (its `assert` holds `seconds.nanoseconds#count`)."""
    newest_s, name = 0.0, ""
    for path in sorted(folder.glob("pps*/assert")):
        stamp_s = float(path.read_text("ascii").partition("#")[0] or 0)
        if stamp_s >= newest_s:
            newest_s, name = stamp_s, path.parent.name
    if not name:
        return ok("pps.none")
    age_s = round(time.time() - newest_s, 1)
    if age_s > PPS_FRESH_S:
        return warning("pps.silent", source=name, age_s=age_s)
    return ok("pps.good", source=name, age_s=age_s)
