"""What a measurement ends in: an `ErrorReading` with its why, or `CannotJudge` with its reason.

error = 100·(E_meter − E_reference)/E_reference %, the truth over the pulses used.
"""

import enum
from dataclasses import dataclass, field

from spotcheck.load import Conditions
from spotcheck.meter import Direction, MeteredQuantity, PulseOutput
from spotcheck.plain import LATER

PLAIN_FORMAT = "spotcheck-outcome-1"
"""Name and version of the plain form of an outcome (docs/formats/outcome.md)."""


class Reason(enum.Enum):
    """Why no reading or no verdict can be given."""

    NO_LOAD = "no load"
    LOAD_TOO_SMALL = "load too small"
    POWER_FACTOR_TOO_LOW = "power factor too low"
    OUTAGE = "outage"
    VOLTAGE_ABNORMAL = "voltage abnormal"
    FREQUENCY_OUT_OF_RANGE = "frequency out of range"
    OVERLOAD = "overload"
    DISTORTION = "distortion"
    UNSTABLE_LOAD = "unstable load"
    NEGATIVE_POWER = "negative power"
    NO_PULSES = "no pulses"
    TOO_FEW_PULSES = "too few pulses"
    PULSES_IMPLAUSIBLE = "pulses implausible"
    PULSES_IRREGULAR = "pulses irregular"
    DATA_LOST = "data lost"
    FRONT_END_LOST = "front end lost"
    SAMPLES_LOST = "samples lost"
    DEVICE_LOST = "device lost"
    RESULT_NOT_SIGNED = "result not signed by the device"
    TIME_BASE_DOUBTFUL = "time base doubtful"
    REFERENCE_NOT_CALIBRATED = "reference not calibrated"
    CALIBRATION_EXPIRED = "calibration expired"
    UNCERTAINTY_TOO_LARGE = "uncertainty too large"
    NO_LIMIT_AT_THIS_LOAD = "no limit at this load"
    READINGS_DISAGREE = "readings disagree"
    RECORD_STORE_FULL = "record store full"
    QUANTITY_NOT_SUPPORTED = "quantity not supported"
    REFUSED = "order refused"
    STOPPED = "stopped"


CURES = {
    Reason.NO_LOAD: "switch on a load",
    Reason.LOAD_TOO_SMALL: "switch on a larger load",
    Reason.POWER_FACTOR_TOO_LOW: "switch on a resistive load",
    Reason.OUTAGE: "check the voltage leads and the supply",
    Reason.VOLTAGE_ABNORMAL: "check the voltage leads and the nominal voltage entered",
    Reason.FREQUENCY_OUT_OF_RANGE: "check the supply; 45 to 65 Hz is supported",
    Reason.OVERLOAD: "choose a larger range or clamp",
    Reason.DISTORTION: "switch off the distorting load",
    Reason.UNSTABLE_LOAD: "wait for a steady load, or measure longer",
    Reason.NEGATIVE_POWER: "does the customer feed in, or is the clamp reversed? "
    "Turn the clamp, or confirm export",
    Reason.NO_PULSES: "align the optical head with the meter's LED",
    Reason.TOO_FEW_PULSES: "switch on a larger load, or allow more time",
    Reason.PULSES_IMPLAUSIBLE: "check the meter constant that was entered, and the clamp's phase",
    Reason.PULSES_IRREGULAR: "shade the optical head and align it again",
    Reason.DATA_LOST: "check the cable of the front end, then measure again",
    Reason.FRONT_END_LOST: "plug in the pulse front end, then measure again",
    Reason.SAMPLES_LOST: "check the analogue front end, then measure again",
    Reason.DEVICE_LOST: "switch the instrument on, then measure again",
    Reason.RESULT_NOT_SIGNED: "do not use this computer or link until it is known who changes "
    "results; then pair the instrument again",
    Reason.TIME_BASE_DOUBTFUL: "check or disconnect the PPS receiver; have the clock calibrated",
    Reason.REFERENCE_NOT_CALIBRATED: "load the correction set of this instrument and range",
    Reason.CALIBRATION_EXPIRED: "have the instrument calibrated",
    Reason.UNCERTAINTY_TOO_LARGE: "measure longer, or use a better clamp",
    Reason.NO_LIMIT_AT_THIS_LOAD: "choose a load that the rule covers, or another rule",
    Reason.READINGS_DISAGREE: "wait for a steady load, then measure again",
    Reason.RECORD_STORE_FULL: "free some disk space, then measure again",
    Reason.QUANTITY_NOT_SUPPORTED: "use an output of the meter that counts active energy",
    Reason.REFUSED: "mend what the device names, then measure again",
    Reason.STOPPED: "start again when ready",
}
"""What the person at the meter can do about each reason."""


class Method(enum.Enum):
    """How the meter's energy was read off its pulses."""

    LEAST_SQUARES_LINE = "least-squares line through (pulse, energy)"
    ANY_FILTER_LINE = "weighted line through (pulse, energy) for any filter of the pulse output"
    GATE = "gate of two pulses"


class TimeBase(enum.Enum):
    """What the sample clock rests on."""

    FREE_RUNNING = "free running"
    PPS_DISCIPLINED = "PPS disciplined"
    PPS_HOLDOVER = "PPS holdover"


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertaintyComponent:
    """One line of the uncertainty budget of a reading."""

    name: str
    """What contributes, in the field's words."""
    standard_uncertainty_percent: float
    """Contribution to the error's standard uncertainty, in percent of energy."""
    degrees_of_freedom: float
    """inf for Type B parts that are taken as known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReading:
    """One reading of the meter's error; never a number without its why."""

    reading_id: str
    """Made by the device; duplicates fall by it."""
    quantity: MeteredQuantity
    """What the pulses count."""
    direction: Direction
    """Direction of the energy."""
    error_percent: float
    """Error of the meter under test."""
    expanded_uncertainty_percent: float
    """Half width of the 95 % interval, U = k·u."""
    coverage_factor: float
    """k, from the effective degrees of freedom."""
    degrees_of_freedom: float
    """Effective degrees of freedom (Welch–Satterthwaite, GUM G.4)."""
    type_a_percent: float
    """Standard uncertainty from this reading's own scatter."""
    type_b_percent: float
    """Standard uncertainty of the instrument: reference, gains, phase, clock, noise."""
    budget: tuple[UncertaintyComponent, ...]
    """The lines of the budget, largest first."""
    method: Method
    """How it was evaluated."""
    pulse_output: PulseOutput
    """The kind of pulse output that the evaluation rests on; UNKNOWN where neither the operator
    nor the residuals say (the difference is then in the budget)."""
    gate_error_percent: float
    """The classic gate from the first to the last pulse, beside the method's value."""
    residual_s: float
    """Standard deviation of the pulses about the line, as time at the mean power; 0 with 2."""
    first_stamp: int
    """First pulse used, 1/65536 samples since sample 0."""
    last_stamp: int
    """Last pulse used."""
    meter_energy_j: float
    """Energy that the meter's pulses claim, between the two."""
    reference_energy_j: float
    """Energy by the instrument between the two."""
    duration_s: float
    """Time between the two on the sample clock."""
    pulses_used: int
    """Pulses in the evaluation."""
    pulses_rejected: int
    """Edges left out: doubles, bounces, stray light."""
    time_base: TimeBase
    """State of the time base."""
    conditions: Conditions
    """What was there."""
    correction_set_sha256: str
    """Identity of the correction set applied."""
    evidence_sha256: str
    """Identity of the evidence (uncorrected slots and raw stamps) that recomputes it."""
    software: str
    """Name and version of the software that evaluated."""
    pulses_missing: int = field(default=0, metadata={LATER: True})
    """Pulses that the meter gave and the head did not see; their energy is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotJudge:
    """No reading can be made, and why."""

    outcome_id: str
    """Made by the device (or by the host where the device was lost)."""
    reason: Reason
    """The reason's code."""
    detail: str
    """What was found, with numbers."""
    at_sample: int | None
    """Stream position at which it was found; None when no stream was there."""
    conditions: Conditions | None
    """What was there, as far as it could be measured."""

    @property
    def cure(self) -> str:
        """What the person can do."""
        return CURES[self.reason]
