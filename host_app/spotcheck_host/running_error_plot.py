"""Plot of the error as it settles, with its 95 % band narrowing, against the limits."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from spotcheck.errors import ConfigurationError
from spotcheck_host.report_fonts import NO_CHINESE_FONT, report_fonts
from spotcheck_host.report_text import Language, label

WIDTH_INCH, HEIGHT_INCH = 4.0, 2.05
_INK, _LINE, _LIMIT, _TRUE = "#3a444e", "#17395c", "#b3261e", "#1b6e3c"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPoint:
    """The error as it stood at one moment of a measurement."""

    duration_s: float
    """Since the first pulse."""
    pulses: int
    """Pulses so far."""
    error_percent: float
    """Error so far."""
    expanded_uncertainty_percent: float
    """U of it, half width of the 95 % interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalError:
    """The result that the points led to."""

    error_percent: float
    """Error."""
    expanded_uncertainty_percent: float
    """U of it."""


def render_running_error(
    points: Sequence[RunningPoint],
    final: FinalError | None,
    mpe_percent: Decimal | None,
    true_error_percent: float | None,
    language: Language,
) -> bytes:
    """The plot as SVG with its text as outlines; identical bytes for identical data.

    Args:
        points: The error as it went, in order of time.
        final: The result, drawn at the end with its interval.
        mpe_percent: The limit, ±; None to draw none.
        true_error_percent: The true error, where a simulator knows it.
        language: Of the labels.

    Raises:
        ConfigurationError: Chinese labels without a Chinese font.
    """
    with _style(language):
        figure = _figure(points, final, mpe_percent, true_error_percent, language)
        FigureCanvasSVG(figure)
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def render_running_error_png(
    points: Sequence[RunningPoint],
    final: FinalError | None,
    mpe_percent: Decimal | None,
    true_error_percent: float | None,
    language: Language,
) -> bytes:
    """The same plot as PNG at 200 dots per inch."""
    with _style(language):
        figure = _figure(points, final, mpe_percent, true_error_percent, language)
        FigureCanvasAgg(figure)
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=200, metadata={"Software": None})
    return file.getvalue()


def _style(language: Language) -> Any:
    families = ["DejaVu Sans"]
    fonts = report_fonts()
    if language == "zh":
        if fonts.chinese_path is None:
            raise ConfigurationError(NO_CHINESE_FONT)
        font_manager.fontManager.addfont(str(fonts.chinese_path))
        properties = font_manager.FontProperties(fname=str(fonts.chinese_path))
        families.insert(0, properties.get_name())
    settings: Any = {
        "svg.hashsalt": "spotcheck",
        "svg.fonttype": "path",
        "font.family": families,
        "font.size": 7.0,
        "axes.unicode_minus": True,
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "axes.edgecolor": "#9aa5b1",
        "axes.linewidth": 0.6,
        "xtick.color": _INK,
        "ytick.color": _INK,
    }
    return matplotlib.rc_context(settings)


def _figure(
    points: Sequence[RunningPoint],
    final: FinalError | None,
    mpe_percent: Decimal | None,
    true_error_percent: float | None,
    language: Language,
) -> Figure:
    figure = Figure(figsize=(WIDTH_INCH, HEIGHT_INCH), layout="constrained")
    whole, magnified = figure.subplots(1, 2, width_ratios=(3, 4))
    ranges = (
        (whole, _range(points, final, mpe_percent, true_error_percent)),
        (magnified, _magnified_range(points, final, true_error_percent)),
    )
    for axes, (low, high) in ranges:
        _draw_error(axes, points, final, language)
        _draw_limits(axes, mpe_percent, language)
        if true_error_percent is not None:
            text = label("plot_true", language).format(error=_signed(true_error_percent))
            axes.axhline(true_error_percent, color=_TRUE, linewidth=0.9, linestyle=":", label=text)
        axes.set_ylim(low, high)
        axes.set_xlim(0, 1.03 * max((point.duration_s for point in points), default=1.0) or 1.0)
        axes.grid(visible=True, color="#e3e8ec", linewidth=0.5)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(width=0.5, length=2.5)
    whole.set_ylabel(label("plot_error", language))
    figure.supxlabel(label("plot_time", language), fontsize=7.0)
    handles, labels = whole.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=4, frameon=False, fontsize=6.2,
        handlelength=1.6, columnspacing=1.2, borderpad=0.0,
    )  # fmt: skip
    return figure


def _draw_error(
    axes: Axes, points: Sequence[RunningPoint], final: FinalError | None, language: Language
) -> None:
    times = [point.duration_s for point in points]
    errors = [point.error_percent for point in points]
    low = [point.error_percent - point.expanded_uncertainty_percent for point in points]
    high = [point.error_percent + point.expanded_uncertainty_percent for point in points]
    band = label("plot_band", language)
    axes.fill_between(times, low, high, color=_LINE, alpha=0.18, linewidth=0, label=band)
    axes.plot(times, errors, color=_LINE, linewidth=1.3, label=label("plot_running", language))
    if final is not None and points:
        axes.errorbar(
            [times[-1]], [final.error_percent], yerr=[final.expanded_uncertainty_percent],
            color=_LINE, marker="o", markersize=2.6, capsize=2, linewidth=1, zorder=5,
        )  # fmt: skip


def _draw_limits(axes: Axes, mpe_percent: Decimal | None, language: Language) -> None:
    axes.axhline(0, color="#9aa5b1", linewidth=0.5)
    if mpe_percent is None:
        return
    text = label("plot_limit", language).format(mpe=mpe_percent)
    for sign, name in ((1, text), (-1, None)):
        limit = sign * float(mpe_percent)
        axes.axhline(limit, color=_LIMIT, linewidth=0.9, linestyle="--", label=name)


def _range(
    points: Sequence[RunningPoint],
    final: FinalError | None,
    mpe_percent: Decimal | None,
    true_error_percent: float | None,
) -> tuple[float, float]:
    """Limits and the settled error in view; the wild band of the first pulses may leave it."""
    settled = points[len(points) // 5 :]
    values = [0.0]
    shown: list[RunningPoint | FinalError] = [*settled, *([final] if final else [])]
    for point in shown:
        spread = point.expanded_uncertainty_percent
        values += [point.error_percent - spread, point.error_percent + spread]
    if mpe_percent is not None:
        values += [-float(mpe_percent), float(mpe_percent)]
    if true_error_percent is not None:
        values.append(true_error_percent)
    margin = 0.12 * (max(values) - min(values)) or 1.0
    return min(values) - margin, max(values) + margin


def _magnified_range(
    points: Sequence[RunningPoint], final: FinalError | None, true_error_percent: float | None
) -> tuple[float, float]:
    """The settled error with its band, whatever the limits are."""
    shown: list[RunningPoint | FinalError] = [*points[len(points) // 5 :]]
    shown += [final] if final else []
    values = [] if true_error_percent is None else [true_error_percent]
    for point in shown:
        spread = point.expanded_uncertainty_percent
        values += [point.error_percent - spread, point.error_percent + spread]
    if not values:
        return -1.0, 1.0
    margin = 0.5 * (max(values) - min(values)) or 1.0
    return min(values) - margin, max(values) + margin


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
