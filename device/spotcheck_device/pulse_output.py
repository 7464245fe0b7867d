"""What the calibrated pulse output is told: power and constant as a phase increment."""

from fractions import Fraction

from spotcheck.errors import InvalidInputError
from spotcheck_wire.frontend_messages import SetPulseOutput

TURN = 1 << 64
"""A whole turn of the front end's phase accumulator: one pulse."""
HIGHEST_RATE_HZ = 1000
"""Most pulses in a second that the front end puts out."""
_WS_PER_KWH = 3_600_000


def output_rate(
    power_w: Fraction, constant_imp_per_kwh: Fraction, counter_hz: Fraction, width_s: Fraction
) -> SetPulseOutput:
    """Return the command that makes the output's rate proportional to a power.

    The rate is P·C/3,600,000 pulses a second. The increment is rounded to the nearest integer,
    which is wrong by at most 0.5/increment of the rate: 0.003 ppm for 1 W at 1000 imp/kWh and
    24 MHz, and less for more. The error of `counter_hz` goes into the rate one to one; give
    the rate that was measured against the sample clock or PPS, not the nominal one.

    Args:
        power_w: Measured power in W; the sign is left out, as a meter's pulses have none.
        constant_imp_per_kwh: Constant of the output in imp/kWh.
        counter_hz: Rate of the front end's counter in Hz.
        width_s: Length of a pulse in s; a pulse that would be longer than half of its period
            is made as long as that.

    Raises:
        InvalidInputError: The constant, the counter's rate or the width is not positive, or
            there would be more than 1000 pulses a second.
    """
    if constant_imp_per_kwh <= 0 or counter_hz <= 0 or width_s <= 0:
        raise InvalidInputError(
            "constant, counter rate and width of the pulse output must be positive"
        )
    rate_hz = abs(power_w) * constant_imp_per_kwh / _WS_PER_KWH
    if rate_hz > HIGHEST_RATE_HZ:
        raise InvalidInputError(
            f"the pulse output would give {float(rate_hz):.0f} pulses/s, at most "
            f"{HIGHEST_RATE_HZ} are possible; take a smaller constant than "
            f"{float(constant_imp_per_kwh):g} imp/kWh"
        )
    increment = round(TURN * rate_hz / counter_hz)
    width = max(1, round(width_s * counter_hz))
    if increment:
        width = min(width, TURN // (2 * increment))
    return SetPulseOutput(increment=increment, width_counts=width)
