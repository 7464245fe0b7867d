"""What the device shows live, as values that views draw."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import InvalidInputError
from spotcheck.load import Conditions
from spotcheck.plain import from_plain
from spotcheck_host.app.app_text import text
from spotcheck_host.app.live_values import Harmonics, Phasor, QuantityRow, Waveforms
from spotcheck_host.report_text import Language, fixed
from spotcheck_wire.host_messages import LiveView

Channels = NDArray[np.float32]

LEAST_SIDE = 0.02
"""A power factor has a side when the fundamental's reactive power is this part of S at least."""
NEGATIVE_SHARE = 0.1
"""Power counts as negative beyond this part of the mean apparent power of a phase, as it does for
the device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePicture:
    """One moment of the instrument."""

    sample: int
    """Stream time of its newest sample."""
    state: str
    """What the measuring session is doing."""
    conditions: Conditions | None
    """Quantities over the last half second; None where there are none."""
    obstacle: str
    """Why there are none."""
    overload: bool
    """Whether a converter clipped within the last second."""
    waveforms: Waveforms | None
    """A few cycles; None before there are samples."""
    phasors: tuple[Phasor, ...]
    """Arrows of the diagram."""
    harmonics: Harmonics | None
    """Levels by the fundamental; None without mains."""

    @property
    def negative_phases(self) -> tuple[int, ...]:
        """Phases whose power is clearly negative: that of an unloaded phase is noise."""
        if self.conditions is None:
            return ()
        phases = self.conditions.phases
        least_w = NEGATIVE_SHARE * self.conditions.s_va / len(phases)
        return tuple(number for number, phase in enumerate(phases, 1) if phase.p_w < -least_w)


def live_picture(message: LiveView) -> LivePicture:
    """The picture that a message holds; what does not fit together is left out.

    Args:
        message: As it came from the device.
    """
    conditions = None
    if message.conditions:
        try:
            conditions = from_plain(Conditions, message.conditions)
        except InvalidInputError:
            conditions = None
    traces = _channels(message.traces, message.trace_points)
    levels = _channels(message.harmonics, message.harmonic_orders)
    return LivePicture(
        sample=message.sample,
        state=message.state,
        conditions=conditions,
        obstacle=message.obstacle,
        overload=message.overload,
        waveforms=None
        if traces is None
        else Waveforms(
            interval_s=message.trace_interval_s,
            voltages_v=traces[::2],
            currents_a=traces[1::2],
        ),
        phasors=_phasors(conditions) if conditions else (),
        harmonics=None if levels is None else _harmonics(levels),
    )


def _channels(data: bytes, points: int) -> Channels | None:
    """(channels, points), or None where the bytes are no whole channels of voltage and current."""
    if points < 1 or not data or len(data) % (8 * points):
        return None
    values: Channels = np.frombuffer(data, "<f4").reshape(-1, points)
    return values


def _harmonics(levels: Channels) -> Harmonics:
    first = np.maximum(levels[:, :1], np.float32(1e-9))
    percent = np.where(levels[:, :1] > 0, 100 * levels / first, 0).astype(np.float32)
    return Harmonics(voltages_percent=percent[::2], currents_percent=percent[1::2])


def _phasors(conditions: Conditions) -> tuple[Phasor, ...]:
    arrows = []
    for number, phase in enumerate(conditions.phases, 1):
        arrows += [
            Phasor(name=f"U{number}", magnitude=phase.u_v, phase_deg=phase.u_phase_deg),
            Phasor(name=f"I{number}", magnitude=phase.i_a, phase_deg=phase.i_phase_deg),
        ]
    return tuple(arrows)


def quantity_headers(phases: int, language: Language) -> tuple[str, ...]:
    """Columns of the quantities table."""
    names = [text("phase", language, number=number) for number in range(1, phases + 1)]
    return ("", *names, *([text("total", language)] if phases > 1 else []))


def quantity_rows(conditions: Conditions, language: Language) -> tuple[QuantityRow, ...]:
    """Lines of the quantities table."""
    phases = conditions.phases
    c = conditions

    def row(key: str, values: list[float], places: int, total: float | None) -> QuantityRow:
        texts = [fixed(value, places) for value in values]
        if len(phases) > 1:
            texts.append("" if total is None else fixed(total, places))
        return QuantityRow(name=text(f"quantity_{key}", language), values=tuple(texts))

    angles = [_half_turn(p.u_phase_deg - p.i_phase_deg) for p in phases]
    frequency = [f"{c.frequency_hz:.3f}", *[""] * (len(phases) if len(phases) > 1 else 0)]
    return (
        row("u", [p.u_v for p in phases], 2, None),
        row("i", [p.i_a for p in phases], 3, None),
        row("p", [p.p_w for p in phases], 1, c.p_w),
        row("q1", [p.q1_var for p in phases], 1, c.q1_var),
        row("s", [p.s_va for p in phases], 1, c.s_va),
        QuantityRow(name=text("quantity_pf", language), values=_power_factors(conditions)),
        row("phi", angles, 2, None),
        row("thd_u", [p.thd_u_percent for p in phases], 2, None),
        row("thd_i", [p.thd_i_percent for p in phases], 2, None),
        QuantityRow(name=text("quantity_f", language), values=tuple(frequency)),
    )


def _power_factors(conditions: Conditions) -> tuple[str, ...]:
    """P/S of each phase and in total; L where the current lags on import, C where it leads."""
    parts = [(p.p_w, p.q1_var, p.s_va) for p in conditions.phases]
    if len(parts) > 1:
        parts.append((conditions.p_w, conditions.q1_var, conditions.s_va))
    texts = []
    for p_w, q1_var, s_va in parts:
        factor = p_w / s_va if s_va else 0.0
        side = "" if abs(q1_var) < LEAST_SIDE * s_va else " L" if q1_var * p_w >= 0 else " C"
        texts.append(f"{fixed(factor, 4)}{side}" if s_va else "–")
    return tuple(texts)


def _half_turn(angle_deg: float) -> float:
    return (angle_deg + 180.0) % 360.0 - 180.0
