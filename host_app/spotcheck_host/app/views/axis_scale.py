"""Round axis ranges that do not flicker, and the ticks on them."""

import math

_ROUND = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_SHRINK_BELOW = 0.65


def round_top(value: float) -> float:
    """Smallest round number that is not below value; 1 for what is not a positive number."""
    if not math.isfinite(value) or value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    for mantissa in _ROUND:
        if value <= mantissa * power * (1 + 1e-9):
            return float(f"{mantissa * power:.6g}")
    return float(f"{10 * power:.6g}")


class SteadyTop:
    """Top of an axis: grows at once when values leave it, shrinks only when clearly too large."""

    def __init__(self, *, headroom: float = 1.05, smallest: float = 1e-6) -> None:
        self._headroom = headroom
        self._smallest = smallest
        self._top = 0.0

    def follow(self, peak: float) -> float:
        """The top for a signal of this peak."""
        wanted = round_top(max(peak * self._headroom, self._smallest))
        if self._top == 0 or peak > self._top or wanted < self._top * _SHRINK_BELOW:
            self._top = wanted
        return self._top


def tick_step(span: float, most: int) -> float:
    """Round distance of ticks so that at most `most` intervals cover the span."""
    raw = span / max(most, 1)
    if not math.isfinite(raw) or raw <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in _STEPS if raw <= step * power * (1 + 1e-9))


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round values between low and high, both included."""
    step = tick_step(high - low, most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def tick_label(value: float) -> str:
    """Shortest text of a tick, with a true minus."""
    return f"{value + 0.0:.6g}".replace("-", "−")


def signed_label(value: float) -> str:
    """As tick_label, with a plus before what is above zero."""
    return ("+" if value > 0 else "") + tick_label(value)


def significant(value: float, digits: int = 5) -> str:
    """The value with so many significant digits, trailing zeros kept."""
    if not math.isfinite(value):
        return "—"
    size = abs(value)
    if size >= 10.0**digits:
        return f"{value:.2e}"
    before = 1 if size < 1 else math.floor(math.log10(size)) + 1
    return f"{value:.{max(digits - before, 0)}f}"
