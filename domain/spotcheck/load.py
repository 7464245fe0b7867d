"""The load at which a meter is measured, and the conditions of a reading."""

import enum
from dataclasses import dataclass


class Lead(enum.Enum):
    """Whether the current lags or leads the voltage."""

    LAGGING = "L"
    LEADING = "C"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPoint:
    """A load as regulations name it: current and power factor with its side."""

    current_a: float
    """RMS current, mean of the phases."""
    power_factor: float
    """|P|/S, 0 … 1."""
    lead: Lead = Lead.LAGGING
    """Side of the power factor; without meaning at 1."""

    def __str__(self) -> str:
        side = "" if self.power_factor > 0.995 else self.lead.value
        return f"{self.current_a:.3g} A, PF {self.power_factor:.2f}{side}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseQuantities:
    """Steady quantities of one phase, corrected."""

    u_v: float
    """RMS voltage."""
    i_a: float
    """RMS current."""
    p_w: float
    """Active power."""
    q1_var: float
    """Reactive power of the fundamental (IEEE 1459), positive when inductive import."""
    u_phase_deg: float
    """Phase angle of the fundamental voltage; U1 has 0."""
    i_phase_deg: float
    """Phase angle of the fundamental current; lag is negative against its voltage."""
    thd_u_percent: float
    """Total harmonic distortion of the voltage by the fundamental, √(U²−U₁²)/U₁ (IEEE 1459)."""
    thd_i_percent: float
    """The same of the current."""

    @property
    def s_va(self) -> float:
        """Apparent power U·I."""
        return self.u_v * self.i_a


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What was there while a reading was taken."""

    phases: tuple[PhaseQuantities, ...]
    """One or three phases."""
    frequency_hz: float
    """Mean frequency."""
    power_instability_percent: float | None
    """Standard deviation of the power over quarter seconds, relative to its mean; None where the
    interval is too short to tell."""

    @property
    def p_w(self) -> float:
        """Total active power."""
        return sum(phase.p_w for phase in self.phases)

    @property
    def q1_var(self) -> float:
        """Total reactive power of the fundamental."""
        return sum(phase.q1_var for phase in self.phases)

    @property
    def s_va(self) -> float:
        """Arithmetic apparent power."""
        return sum(phase.s_va for phase in self.phases)

    @property
    def power_factor(self) -> float:
        """|P|/S with arithmetic S; 0 without apparent power."""
        return abs(self.p_w) / self.s_va if self.s_va > 0 else 0.0

    @property
    def current_unbalance_percent(self) -> float:
        """Largest deviation of a phase's current from the mean of the phases; 0 with one."""
        currents_a = [phase.i_a for phase in self.phases]
        mean_a = sum(currents_a) / len(currents_a)
        return 100 * max(abs(i - mean_a) for i in currents_a) / mean_a if mean_a > 0 else 0.0

    @property
    def load_point(self) -> LoadPoint:
        """The load in the regulation's words."""
        current_a = sum(phase.i_a for phase in self.phases) / len(self.phases)
        lagging = self.q1_var * self.p_w >= 0
        lead = Lead.LAGGING if lagging else Lead.LEADING
        return LoadPoint(current_a=current_a, power_factor=min(1.0, self.power_factor), lead=lead)
