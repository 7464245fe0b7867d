"""What the fundamentals say about the wiring: sequence, angles, signs, which current fits where.

Features only. What they mean ("clamp reversed", "currents 2 and 3 exchanged", or "the customer
feeds in") is for the caller, who knows the place. What cannot be told is None, or UNDETERMINED;
never 0.
"""

import enum
import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.argument_checks import refuse_negative, refuse_not_positive, refuse_unusable

Complex = NDArray[np.complex128]

_MOST_PHASES = 3


class PhaseSequence(enum.Enum):
    """The order in which the voltages pass."""

    ABC = "abc"
    ACB = "acb"
    UNDETERMINED = "undetermined"


class Sign(enum.Enum):
    """Sign of a power."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True, kw_only=True)
class WiringThresholds:
    """From where on a feature is told."""

    least_voltage_v: float = 40.0
    """Below this a voltage is missing."""
    least_current_a: float = 0.02
    """Below this a current is missing."""
    sequence_tolerance_deg: float = 30.0
    """What the angle between two voltages may be off ±120° (±60° between two line voltages)."""
    least_power_share: float = 0.02
    """|P|/S and |Q|/S below this have no sign."""
    expected_current_angle_deg: float = -15.0
    """Angle of a current to its own phase voltage that is taken as the likeliest (lag is negative).
    In a three-wire system its line voltages stand 30° to either side of that."""
    least_margin_deg: float = 10.0
    """By how much the best assignment of currents must be nearer than the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentMatch:
    """The voltage that a current fits best."""

    voltage: int
    """Its number, from 0."""
    reversed: bool
    """Whether the current fits when it is turned round."""
    angle_deg: float
    """Angle of the current, turned round if so, to that voltage; lag is negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WiringFeatures:
    """Features of one set of fundamentals, by phase from 0."""

    missing_voltages: tuple[bool, ...]
    """Whether each voltage is below the threshold."""
    missing_currents: tuple[bool, ...]
    """Whether each current is."""
    voltage_ratios: tuple[float | None, ...]
    """Each voltage over the largest; None where all are missing."""
    current_ratios: tuple[float | None, ...]
    """Each current over the largest; None where all are missing."""
    sequence: PhaseSequence
    """Of three phase voltages, or of two line voltages U12, U32."""
    voltage_angles_deg: tuple[float | None, ...]
    """Of each voltage to U1, −180 … 180; None where either is missing."""
    current_angles_deg: tuple[tuple[float | None, ...], ...]
    """[current][voltage]: of each current to each voltage, lag negative; None where either is
    missing."""
    active_signs: tuple[Sign, ...]
    """Of P of each current with its own voltage."""
    reactive_signs: tuple[Sign, ...]
    """Of Q1; positive is inductive import."""
    matches: tuple[CurrentMatch | None, ...]
    """Of the best assignment of all currents to voltages; None for a missing current, and for all
    where a voltage is missing, no assignment is better than the others, or two line voltages have
    no sequence."""
    match_margin_deg: float | None
    """By how much (RMS over the currents) the next best assignment is further from the expected
    angle; None where there is nothing to assign."""

    @property
    def own_angles_deg(self) -> tuple[float | None, ...]:
        """Of each current to its own voltage."""
        return tuple(row[phase] for phase, row in enumerate(self.current_angles_deg))


_DEFAULTS = WiringThresholds()


def wiring_features(
    fundamentals: Complex, thresholds: WiringThresholds = _DEFAULTS
) -> WiringFeatures:
    """Features of the wiring from one set of fundamental phasors.

    Args:
        fundamentals: (channels,) RMS phasors u1, i1[, u2, i2[, u3, i3]] in V and A, in one frame.
            Two phases are the elements U12, I1 and U32, I3 of a three-wire system.
        thresholds: From where on features are told.

    Raises:
        TypeError: no array of numbers.
        ValueError: not 2, 4 or 6 channels, not finite, or a threshold out of its range.
    """
    refuse_unusable("fundamentals", fundamentals, 1)
    _refuse_thresholds(thresholds)
    phases = len(fundamentals) // 2
    if len(fundamentals) != 2 * phases or not 1 <= phases <= _MOST_PHASES:
        raise ValueError(
            f"fundamentals has {len(fundamentals)} channels; u1, i1 up to u3, i3 are expected"
        )
    u, i = fundamentals[::2], fundamentals[1::2]
    u_missing = tuple(bool(abs(value) < thresholds.least_voltage_v) for value in u)
    i_missing = tuple(bool(abs(value) < thresholds.least_current_a) for value in i)
    there = [None if gone else complex(v) for v, gone in zip(u, u_missing, strict=True)]
    flowing = [None if gone else complex(v) for v, gone in zip(i, i_missing, strict=True)]
    angles = tuple(tuple(_angle_deg(current, v) for v in there) for current in flowing)
    sequence = _sequence(there, thresholds.sequence_tolerance_deg)
    expected = _expected_deg(sequence, phases, thresholds.expected_current_angle_deg)
    matches, margin = _assign(
        angles, None if any(u_missing) else expected, thresholds.least_margin_deg
    )
    pairs = list(zip(there, flowing, strict=True))
    return WiringFeatures(
        missing_voltages=u_missing,
        missing_currents=i_missing,
        voltage_ratios=_ratios(u, all(u_missing)),
        current_ratios=_ratios(i, all(i_missing)),
        sequence=sequence,
        voltage_angles_deg=tuple(_angle_deg(v, there[0]) for v in there),
        current_angles_deg=angles,
        active_signs=tuple(_sign(*pair, False, thresholds.least_power_share) for pair in pairs),
        reactive_signs=tuple(_sign(*pair, True, thresholds.least_power_share) for pair in pairs),
        matches=matches,
        match_margin_deg=margin,
    )


def _refuse_thresholds(thresholds: WiringThresholds) -> None:
    for name in ("least_voltage_v", "least_current_a", "sequence_tolerance_deg"):
        refuse_not_positive(name, getattr(thresholds, name))
    refuse_negative("least_power_share", thresholds.least_power_share)
    refuse_negative("least_margin_deg", thresholds.least_margin_deg)
    if thresholds.sequence_tolerance_deg >= 60:
        raise ValueError(
            f"sequence_tolerance_deg is {thresholds.sequence_tolerance_deg}; from 60° on both "
            f"sequences would fit"
        )
    if not abs(thresholds.expected_current_angle_deg) < 90:
        raise ValueError(
            f"expected_current_angle_deg is {thresholds.expected_current_angle_deg}; "
            f"between −90° and 90° is needed, or a reversed current fits better"
        )


def _wrapped(angle_deg: float) -> float:
    """The same angle in −180 … 180."""
    return float((angle_deg + 180) % 360 - 180)


def _angle_deg(of: complex | None, to: complex | None) -> float | None:
    if of is None or to is None:
        return None
    return float(np.degrees(np.angle(of * np.conj(to))))


def _ratios(phasors: Complex, all_missing: bool) -> tuple[float | None, ...]:
    if all_missing:
        return (None,) * len(phasors)
    levels = np.abs(phasors)
    return tuple(float(level) for level in levels / levels.max())


def _sequence(voltages: list[complex | None], tolerance_deg: float) -> PhaseSequence:
    """By the steps from voltage to voltage.

    One reversed voltage makes it undetermined, where the stronger of two symmetrical components
    would name a wrong sequence.
    """
    steps = [
        _angle_deg(voltages[(k + 1) % len(voltages)], voltages[k])
        for k in range(len(voltages) if len(voltages) == _MOST_PHASES else len(voltages) - 1)
    ]
    if not steps or None in steps:
        return PhaseSequence.UNDETERMINED
    # In the order abc, U32 leads U12 by 60°; each phase voltage lags the one before by 120°.
    step_of_abc = -120.0 if len(voltages) == _MOST_PHASES else 60.0
    for sequence, wanted in ((PhaseSequence.ABC, step_of_abc), (PhaseSequence.ACB, -step_of_abc)):
        if all(abs(_wrapped(step - wanted)) <= tolerance_deg for step in steps if step is not None):
            return sequence
    return PhaseSequence.UNDETERMINED


def _sign(u: complex | None, i: complex | None, reactive: bool, least_share: float) -> Sign:
    if u is None or i is None:
        return Sign.UNDETERMINED
    power = u * i.conjugate()
    share = (power.imag if reactive else power.real) / abs(power)
    if abs(share) < least_share:
        return Sign.UNDETERMINED
    return Sign.POSITIVE if share > 0 else Sign.NEGATIVE


def _expected_deg(
    sequence: PhaseSequence, phases: int, to_phase_voltage_deg: float
) -> tuple[float, ...] | None:
    """Likeliest angle of a current to each voltage as its own; None where that is not known."""
    if phases != 2:
        return (to_phase_voltage_deg,) * phases
    if sequence is PhaseSequence.UNDETERMINED:
        return None
    # In the order abc, U12 leads U1 by 30° and U32 lags U3 by 30°.
    lead = 30.0 if sequence is PhaseSequence.ABC else -30.0
    return to_phase_voltage_deg - lead, to_phase_voltage_deg + lead


def _assign(
    angles: tuple[tuple[float | None, ...], ...], expected_deg: tuple[float, ...] | None,
    least_margin_deg: float,
) -> tuple[tuple[CurrentMatch | None, ...], float | None]:  # fmt: skip
    """The assignment of currents to different voltages that lies nearest to the expected angles."""
    nothing: tuple[CurrentMatch | None, ...] = (None,) * len(angles)
    present = [k for k, row in enumerate(angles) if row[0] is not None]
    if expected_deg is None or not present:
        return nothing, None
    options = []
    for chosen in itertools.permutations(range(len(angles)), len(present)):
        for turned in itertools.product((False, True), repeat=len(present)):
            matched = [
                _match(angles[k][v], v, back)
                for k, v, back in zip(present, chosen, turned, strict=True)
            ]
            off = [_wrapped(m.angle_deg - expected_deg[m.voltage]) for m in matched]
            options.append((float(np.sqrt(np.mean(np.square(off)))), matched))
    options.sort(key=lambda option: option[0])
    margin = options[1][0] - options[0][0]
    if margin < least_margin_deg:
        return nothing, margin
    found = dict(zip(present, options[0][1], strict=True))
    return tuple(found.get(k) for k in range(len(angles))), margin


def _match(angle_deg: float | None, voltage: int, turned: bool) -> CurrentMatch:
    if angle_deg is None:
        raise ValueError("a missing current or voltage has no angle to be matched by")
    angle = _wrapped(angle_deg + 180) if turned else angle_deg
    return CurrentMatch(voltage=voltage, reversed=turned, angle_deg=angle)
