"""Energy per pulse of a meter of unknown filter: a weighted line, and what it leaves open."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.pulses.filtered_lines import (
    FilteredLines,
    FreeLine,
    Lines,
    PulseEnergies,
    StampNoise,
)
from spotcheck_dsp.pulses.pulse_ripple import PULSATING_RAD, SMOOTHED_RAD, first_order_coefficients
from spotcheck_dsp.pulses.tick_bounds import TickBounds, bound_by_tick
from spotcheck_dsp.student_t import coverage_factor

_COARSE_ANGLES = 91
_ZOOMS = 4
_ZOOM_POINTS = 21
_ROUNDS = 3
"""Passes in which the scatter found goes back into the weights."""
_SETTLED_SCATTER = 0.3
"""Change of the scatter that no longer matters: it only moves the weights of pulses that come
where the power is nearly 0."""
_LARGEST_COEFFICIENT = 1.2
"""No meter counts more than all of the ripple; the rest is for noise."""
_LARGEST_SPREAD = 0.1
"""Standard deviation of a free filter's coefficients up to which they are believed."""
_ROUNDING_S = 1e-10
"""Scatter that is rounding of energies and angles."""
_LARGEST_INFLATION = 1.5
"""A free filter is believed as long as it inflates the slope's variance by no more than this."""
_FREE_NEEDS_PULSES = 6
"""Pulses beyond its coefficients from which a free filter may be told from noise."""

_DITHERING_SHARE = 0.3
"""Scatter apart from the rounding that makes it white, by the step of the stamps."""
_MOST_SIGMAS = 4.0
"""Beyond so many standard deviations no stamp is off for another reason than its rounding."""
_NO_TICK_SHARE = 1e-3
"""Rounding goes both ways, a tick one way: this part of a step stands for no tick."""

Array = NDArray[np.float64]


class PulseFilter(StrEnum):
    """What is taken to be known of the meter's filter."""

    PULSATING = "pulsating"
    """None: the meter counts the instantaneous power."""
    SMOOTHED = "smoothed"
    """The meter counts the mean power."""
    FIRST_ORDER = "first order"
    """Of first order, with any time constant; both kinds above are its ends."""
    FREE = "free"
    """Any amplitude and lag of each component, found from the pulses: never assumed beforehand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseEnergyFit:
    """Energy per pulse, with all that the pulses themselves leave unknown."""

    energy_per_pulse_j: float
    """Middle of the 95 % interval, in J."""
    standard_uncertainty_j: float
    """Type A: of a meter whose filter were known, in J."""
    degrees_of_freedom: float
    """Of the Type A part, prior knowledge of the stamps included."""
    coverage_factor: float
    """k of the 95 % interval at these degrees of freedom (Student's t)."""
    expanded_uncertainty_j: float
    """Half width of the 95 % interval over all filters that explain the pulses, and of all slopes
    that rounding allows where nothing dithers it, in J."""
    ambiguity_j: float
    """Not knowing the filter, or how the stamps were rounded, as the standard uncertainty that
    makes up the rest of the half width: expanded = k·√(standard² + ambiguity²), in J."""
    filter: PulseFilter
    """Model that the figures rest on; FREE where no filter of first order explains the pulses."""
    smoothing_deg: float
    """Most likely lag of the filter at twice the mains frequency: 0 pulsates, 90 smooths."""
    smoothing_range_deg: tuple[float, float]
    """Smallest and largest lag that the pulses do not rule out."""
    residuals_s: Array
    """(n,) by how much each pulse was later than the line, in s."""
    scatter_s: float
    """Standard deviation of the stamps, prior knowledge included, in s."""
    gate_j: float
    """Energy per pulse of the classic gate from the first to the last pulse, by the same filter."""


def fit_energy_per_pulse(
    pulses: PulseEnergies, noise: StampNoise, known: PulseFilter = PulseFilter.FIRST_ORDER
) -> PulseEnergyFit:
    """The line through (pulse number, energy) for a meter whose filter need not be known.

    For every filter of the family the energy it counted is weighted by its own power: a stamp that
    is late by δ is late by p(t)·δ in energy. The 95 % interval is that of the profile likelihood:
    all energies per pulse which some filter explains as well as the best one does, up to the
    quantile of Student's t. With many pulses it is the interval of a known filter; with few, or
    where the pulses keep step with the mains, it spans what the filters leave open. Where `noise`
    names the step of the stamps and nothing dithers it, the interval also holds every slope for
    which no stamp is off by more than half a step (`tick_bounds`).

    Args:
        pulses: Readings at two pulses or more.
        noise: What is known of the stamps beforehand; without it three pulses leave no judgement.
        known: Filter of the meter, where it is known; FREE cannot be asked for.

    Raises:
        ValueError: `known` is FREE, or neither prior nor residuals say how the stamps scatter.
    """
    if known is PulseFilter.FREE:
        raise ValueError("a free filter is found from the pulses; ask for FIRST_ORDER")
    lines = FilteredLines(pulses, noise)
    found = _best_filter(lines, noise, known)
    bounds = _rounding_bounds(pulses, noise, known)
    free = None
    # As long as some filter of the family explains every stamp, none of no family is asked for.
    if bounds is None and known is PulseFilter.FIRST_ORDER and lines.has_ripple:
        free = _free_filter(lines, noise, found)
    return _free_result(lines, free) if free else _profile_result(lines, found, known, bounds)


def _rounding_bounds(
    pulses: PulseEnergies, noise: StampNoise, known: PulseFilter
) -> TickBounds | None:
    """All slopes for which no stamp is off by more than half a step and what scatters besides.

    Asked for only where nothing dithers the rounding. It may then keep step with the pulses, and
    single errors of a filter that was told from residuals lie far outside what white noise would
    allow.
    """
    register_s = noise.register_j / float(np.min(np.abs(pulses.power_w)))
    besides_s = math.hypot(noise.besides_rounding_s, register_s)
    if besides_s >= _DITHERING_SHARE * noise.resolution_s:
        return None
    angles = {
        PulseFilter.PULSATING: np.array([PULSATING_RAD]),
        PulseFilter.SMOOTHED: np.array([SMOOTHED_RAD]),
    }
    return bound_by_tick(
        pulses,
        tick_s=_NO_TICK_SHARE * noise.resolution_s,
        slack_s=noise.resolution_s / 2 + _MOST_SIGMAS * besides_s,
        smoothing_rad=angles.get(known),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scan:
    """Lines of the filters that were tried, and what they say of the scatter."""

    angles_rad: Array
    lines: Lines
    best: int
    scatter_s: float
    freedom: float

    @property
    def angle_rad(self) -> float:
        return float(self.angles_rad[self.best])


@dataclass(frozen=True, slots=True, kw_only=True)
class _FreeFit:
    """The line of a filter of no family."""

    line: FreeLine
    scatter_s: float
    freedom: float


def _best_filter(lines: FilteredLines, noise: StampNoise, known: PulseFilter) -> _Scan:
    """All filters of the family, densely around those that fit best."""
    unknown = known is PulseFilter.FIRST_ORDER and lines.has_ripple
    start = np.array([PULSATING_RAD if known is PulseFilter.PULSATING else SMOOTHED_RAD])
    if unknown:
        start = np.linspace(PULSATING_RAD, SMOOTHED_RAD, _COARSE_ANGLES)
    left_over = max(len(lines.numbers) - (3 if unknown else 2), 0)
    scatter_s = lines.prior_scatter_s
    for _ in range(_ROUNDS):
        angles, tried = _zoomed(lines, start, scatter_s)
        best = int(np.argmin(_misfit(tried, scatter_s)))
        before = scatter_s
        scatter_s, freedom = _scatter(lines, noise, float(tried.squares_s2[best]), left_over)
        if abs(scatter_s - before) <= _SETTLED_SCATTER * before:
            break
    return _Scan(angles_rad=angles, lines=tried, best=best, scatter_s=scatter_s, freedom=freedom)


def _scatter(
    lines: FilteredLines, noise: StampNoise, squares_s2: float, left_over: int
) -> tuple[float, float]:
    """Scatter and its degrees of freedom from prior and residuals together."""
    prior = noise.degrees_of_freedom
    if math.isinf(prior):
        return lines.prior_scatter_s, prior
    if prior + left_over < 1:
        raise ValueError(
            f"{len(lines.numbers)} pulses leave nothing to judge their scatter by; "
            "give the noise of a stamp with one degree of freedom or more"
        )
    freedom = prior + left_over
    return math.sqrt((prior * lines.prior_scatter_s**2 + squares_s2) / freedom), freedom


def _zoomed(lines: FilteredLines, coarse: Array, scatter_s: float) -> tuple[Array, Lines]:
    """Lines at the coarse angles and ever closer around each of their minima."""
    tried = lines.lines(first_order_coefficients(lines.orders, coarse), scatter_s)
    if len(coarse) == 1:
        return coarse, tried
    squares = np.concatenate([[np.inf], _misfit(tried, scatter_s), [np.inf]])
    low = (squares[1:-1] <= squares[:-2]) & (squares[1:-1] <= squares[2:])
    angles, parts = [coarse], [tried]
    for start in coarse[low]:
        centre = start
        step = float(coarse[1] - coarse[0])
        for _ in range(_ZOOMS):
            near = np.clip(
                centre + step * np.linspace(-1, 1, _ZOOM_POINTS), PULSATING_RAD, SMOOTHED_RAD
            )
            angles.append(near)
            parts.append(lines.lines(first_order_coefficients(lines.orders, near), scatter_s))
            centre = near[np.argmin(_misfit(parts[-1], scatter_s))]
            step *= 2 / (_ZOOM_POINTS - 1)
    return np.concatenate(angles), Lines(
        slopes_j=np.concatenate([part.slopes_j for part in parts]),
        slope_variances=np.concatenate([part.slope_variances for part in parts]),
        squares_s2=np.concatenate([part.squares_s2 for part in parts]),
        improbability=np.concatenate([part.improbability for part in parts]),
    )


def _misfit(tried: Lines, scatter_s: float) -> Array:
    """Minus twice the logarithm of the likelihood but for a constant, times the variance, in s²."""
    misfit: Array = tried.squares_s2 + scatter_s**2 * tried.improbability
    return misfit


def _profile_result(
    lines: FilteredLines, scan: _Scan, known: PulseFilter, bounds: TickBounds | None
) -> PulseEnergyFit:
    """All slopes which some filter explains nearly as well as the best one, and all in bounds."""
    factor = coverage_factor(scan.freedom)
    misfit = _misfit(scan.lines, scan.scatter_s)
    worse = misfit - misfit.min()
    left = (factor * scan.scatter_s) ** 2 - worse
    open_still = left >= 0
    reach = np.sqrt(scan.lines.slope_variances[open_still] * left[open_still])
    slopes = scan.lines.slopes_j[open_still]
    low, high = float(np.min(slopes - reach)), float(np.max(slopes + reach))
    possible_deg = np.degrees(scan.angles_rad[open_still])
    if bounds is not None:
        low = min(low, bounds.energy_per_pulse_j - bounds.half_width_j)
        high = max(high, bounds.energy_per_pulse_j + bounds.half_width_j)
        if known is PulseFilter.FIRST_ORDER:
            possible_deg = np.append(possible_deg, bounds.smoothing_range_deg)
    standard = scan.scatter_s * math.sqrt(float(scan.lines.slope_variances[scan.best]))
    coefficients = first_order_coefficients(lines.orders, scan.angles_rad[[scan.best]])[0]
    undetermined = known is PulseFilter.FIRST_ORDER and not lines.has_ripple
    return _result(
        lines,
        coefficients,
        slope_j=(low + high) / 2,
        half_width_j=(high - low) / 2,
        standard_j=standard,
        scatter=(scan.scatter_s, scan.freedom),
        model=known,
        smoothing_deg=(
            math.degrees(scan.angle_rad),
            *(
                (0.0, 90.0)
                if undetermined
                else (float(possible_deg.min()), float(possible_deg.max()))
            ),
        ),
    )


def _free_filter(lines: FilteredLines, noise: StampNoise, scan: _Scan) -> _FreeFit | None:
    """A filter of no family, if the pulses rule out all those of the family."""
    count = 2 * lines.orders.size
    left_over = len(lines.numbers) - 2 - count
    if left_over < _FREE_NEEDS_PULSES:
        return None
    weighing = first_order_coefficients(lines.orders, scan.angles_rad[[scan.best]])[0]
    line = lines.free_line(weighing, scan.scatter_s)
    best = float(scan.lines.squares_s2[scan.best])
    # About the 99.9 % quantile of F for so many more coefficients and many pulses.
    limit = count + 5 + 4 * math.sqrt(2 * (count - 1))
    unit = _scatter(lines, noise, line.squares_s2, left_over)[0] ** 2 + _ROUNDING_S**2
    known = float(scan.lines.slope_variances[scan.best])
    if best - line.squares_s2 <= limit * unit or _out_of_hand(lines, line, math.sqrt(unit), known):
        return None
    for _ in range(_ROUNDS):
        scatter_s, freedom = _scatter(lines, noise, line.squares_s2, left_over)
        line = lines.free_line(line.coefficients, scatter_s)
    return _FreeFit(line=line, scatter_s=scatter_s, freedom=freedom)


def _out_of_hand(
    lines: FilteredLines, free: FreeLine, scatter_s: float, known_variance: float
) -> bool:
    """Whether a free filter counts more ripple than there is, or takes the slope for ripple.

    Pulses that nearly keep step with the mains see a slow ripple, which looks like a slope, or
    none at all; its coefficients are then those of the noise.
    """
    shares = lines.shares()
    if np.max(free.coefficient_spread * shares) * scatter_s > _LARGEST_SPREAD:
        return True
    if np.max(np.abs(free.coefficients) * shares) > _LARGEST_COEFFICIENT:
        return True
    return free.slope_spread**2 > _LARGEST_INFLATION * known_variance


def _free_result(lines: FilteredLines, free: _FreeFit) -> PulseEnergyFit:
    standard = free.scatter_s * free.line.slope_spread
    return _result(
        lines,
        free.line.coefficients,
        slope_j=free.line.slope_j,
        half_width_j=coverage_factor(free.freedom) * standard,
        standard_j=standard,
        scatter=(free.scatter_s, free.freedom),
        model=PulseFilter.FREE,
        smoothing_deg=(math.nan, math.nan, math.nan),
    )


def _result(
    lines: FilteredLines, coefficients: Array, *, slope_j: float, half_width_j: float,
    standard_j: float, scatter: tuple[float, float], model: PulseFilter,
    smoothing_deg: tuple[float, float, float],
) -> PulseEnergyFit:  # fmt: skip
    scatter_s, freedom = scatter
    factor = coverage_factor(freedom)
    counted = lines.counted_j(coefficients)
    return PulseEnergyFit(
        energy_per_pulse_j=slope_j,
        standard_uncertainty_j=standard_j,
        degrees_of_freedom=freedom,
        coverage_factor=factor,
        expanded_uncertainty_j=half_width_j,
        ambiguity_j=math.sqrt(max((half_width_j / factor) ** 2 - standard_j**2, 0.0)),
        filter=model,
        smoothing_deg=smoothing_deg[0],
        smoothing_range_deg=smoothing_deg[1:],
        residuals_s=lines.residuals_s(coefficients, slope_j, scatter_s),
        scatter_s=scatter_s,
        gate_j=float((counted[-1] - counted[0]) / lines.numbers[-1]),
    )
