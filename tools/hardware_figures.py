"""The computed figures of docs/hardware.md, one line each: name, value, unit, formula.

Inputs are the values that the design chooses and what data sheets state; nothing here was measured.
"""

import math
from dataclasses import dataclass

MAINS_HZ = 50.0
OMEGA = 2 * math.pi * MAINS_HZ
REFERENCE_V = 1.2  # full scale of the ADS131M08 at gain 1
CODES = 1 << 23
ADC_INPUT_OHM = 330e3
MODULATOR_HZ = 8.192e6 / 2
R1_OHM, R1_PARTS = 1.0e6, 5
R2_OHM = 1690.0
FILTER_F = 2.2e-9
FILTER_TOLERANCE, FILTER_PPM_PER_K = 0.01, 60.0  # two C0G capacitors of ±30 ppm/K
BURDEN_OHM, TURNS = 20.0, 3000
WINDING_OHM, MAGNETISING_H = 120.0, 100.0
COPPER_PER_K = 3.9e-3
SPAN_K = 5.0  # the laboratory's 23 °C ± 5 K
FIELD_SPAN_K = 20.0
PF05_TAN = math.tan(math.radians(60.0))
XIN_HZ = 12e6
SPI_FRAME_BITS = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One computed figure."""

    name: str
    """What it is."""
    value: str
    """As the document prints it, with its unit."""
    formula: str
    """Where it comes from."""


def sinc3(frequency_hz: float, oversampling: int) -> float:
    """Gain of the converter's filter at a frequency."""
    x = math.pi * frequency_hz / (MODULATOR_HZ / oversampling)
    return (math.sin(x) / (oversampling * math.sin(x / oversampling))) ** 3


def divider() -> list[Figure]:
    """Voltage divider and its filter."""
    lower = R2_OHM * ADC_INPUT_OHM / (R2_OHM + ADC_INPUT_OHM)
    ratio = (R1_OHM + lower) / lower
    full_scale = REFERENCE_V * ratio
    tau = FILTER_F * lower * R1_OHM / (R1_OHM + lower)
    return [
        Figure(name="R2 with the ADC's input", value=f"{lower:.1f} Ω", formula="R2·Rin/(R2 + Rin)"),
        Figure(name="divider ratio", value=f"{ratio:.1f}", formula="(R1 + R2')/R2'"),
        Figure(name="full scale, peak", value=f"{full_scale:.0f} V", formula="1.2 V · ratio"),
        Figure(
            name="full scale, rms", value=f"{full_scale / 2**0.5:.0f} V", formula="peak/√2"
        ),
        Figure(
            name="gain per code", value=f"{full_scale / CODES * 1e6:.1f} µV", formula="peak/2²³"
        ),
        Figure(
            name="power in R1 at 230 V", value=f"{230**2 / R1_OHM * 1e3:.0f} mW", formula="U²/R1"
        ),
        Figure(
            name="power in one part at 480 V",
            value=f"{480**2 / R1_OHM / R1_PARTS * 1e3:.0f} mW",
            formula="U²/R1/5",
        ),
        Figure(
            name="peak across one part at 480 V",
            value=f"{480 * 2**0.5 / R1_PARTS:.0f} V",
            formula="√2·U/5",
        ),
        Figure(
            name="peak across one part at 1.5 kV",
            value=f"{1500 / R1_PARTS:.0f} V",
            formula="1.5 kV/5, behind the varistor",
        ),
        Figure(name="delay of the filter", value=f"{tau * 1e6:.2f} µs", formula="τ = R·C"),
        Figure(
            name="corner of the filter",
            value=f"{1e-3 / (2 * math.pi * tau):.0f} kHz",
            formula="1/(2πτ)",
        ),
        Figure(name="phase at 50 Hz", value=f"{OMEGA * tau * 1e3:.2f} mrad", formula="ωτ"),
        Figure(
            name="skew from 1 % of C",
            value=f"{tau * FILTER_TOLERANCE * 1e9:.0f} ns",
            formula="0.01·τ, before calibration",
        ),
        Figure(
            name="the same at PF 0.5",
            value=f"{PF05_TAN * OMEGA * tau * FILTER_TOLERANCE * 1e6:.0f} ppm",
            formula="tan 60°·ω·Δt, before calibration",
        ),
        Figure(
            name="skew for 0.01 % at PF 0.5",
            value=f"{1e-4 / (PF05_TAN * OMEGA) * 1e6:.2f} µs",
            formula="10⁻⁴/(tan 60°·ω)",
        ),
        Figure(
            name="skew drift over 5 K at PF 0.5",
            value=f"{PF05_TAN * OMEGA * tau * FILTER_PPM_PER_K * SPAN_K:.2f} ppm",
            formula="tan 60°·ω·τ·60 ppm/K·5 K",
        ),
        Figure(
            name="loss of the filter at 2.5 kHz",
            value=f"{100 * (1 - 1 / math.hypot(1, 50 * OMEGA * tau)):.2f} %",
            formula="1 − 1/√(1 + (ωτ)²)",
        ),
    ]  # fmt: skip


def converter() -> list[Figure]:
    """The ADC's filter and frames."""
    found = []
    for oversampling in (128, 256, 512):
        rate = MODULATOR_HZ / oversampling
        loss = 1 - sinc3(MAINS_HZ, oversampling)
        found += [
            Figure(
                name=f"filter at 2.5 kHz, {rate / 1000:.0f} kS/s",
                value=f"{100 * (1 - sinc3(2500, oversampling)):.1f} %",
                formula="1 − (sin x/(N·sin(x/N)))³, x = πf/rate",
            ),
            Figure(
                name=f"power at 50.5 against 50 Hz, {rate / 1000:.0f} kS/s",
                value=f"{2e6 * (1 - sinc3(50.5, oversampling) - loss):.1f} ppm",
                formula="twice the filter's change",
            ),
        ]
    return [
        *found,
        Figure(
            name="delay of the filter, 32 kS/s",
            value=f"{3 * 127 / 2 / MODULATOR_HZ * 1e6:.1f} µs",
            formula="3·(N − 1)/2/f_mod",
        ),
        Figure(
            name="SPI at 32 kS/s",
            value=f"{SPI_FRAME_BITS * 32e3 / 1e6:.2f} Mbit/s",
            formula="240 bit·rate",
        ),
        Figure(
            name="noise at 4 kS/s, gain 1",
            value=f"{REFERENCE_V / 2**0.5 / 10 ** (102 / 20) * 1e6:.1f} µV",
            formula="1.2 V/√2/10^(102 dB/20)",
        ),
        Figure(
            name="noise of a power, 10 s, 230 V, 1 % of the clamp",
            value=f"{noise_ppm(0.01):.1f} ppm",
            formula="(σ/I)/√(rate·t)",
        ),
    ]


def noise_ppm(share_of_range: float) -> float:
    """Noise of 10 s of power at 4 kS/s, PF 1, where the current is a share of 127 A rms."""
    noise_v = REFERENCE_V / 2**0.5 / 10 ** (102 / 20)
    signal_v = share_of_range * REFERENCE_V / 2**0.5
    voltage_v = 230 / 506 * REFERENCE_V / 2**0.5
    return 1e6 * math.hypot(noise_v / signal_v, noise_v / voltage_v) / math.sqrt(4000 * 10)


def clamp() -> list[Figure]:
    """Split-core clamp."""
    lead = (WINDING_OHM + BURDEN_OHM) / (OMEGA * MAGNETISING_H)
    drift = WINDING_OHM * COPPER_PER_K / (OMEGA * MAGNETISING_H)
    full_scale = REFERENCE_V / BURDEN_OHM * TURNS
    return [
        Figure(
            name="burden at 100 A",
            value=f"{100 / TURNS * BURDEN_OHM:.3f} V",
            formula="I/N·Rb, rms",
        ),
        *(
            Figure(
                name=f"range at gain {gain}, rms",
                value=f"{full_scale / gain / 2**0.5:.3g} A",
                formula="1.2 V/gain/Rb·N/√2",
            )
            for gain in (1, 2, 16, 64)
        ),
        Figure(name="lead at 50 Hz", value=f"{lead * 1e3:.2f} mrad", formula="(Rw + Rb)/(ωL)"),
        Figure(
            name="drift of the lead",
            value=f"{drift * 1e6:.0f} µrad/K",
            formula="Rw·0.39 %/K/(ωL)",
        ),
        Figure(
            name="clamp drift at PF 0.5",
            value=f"{PF05_TAN * drift * 1e6:.0f} ppm/K",
            formula="tan 60°·drift",
        ),
        Figure(
            name="crosstalk of U into 5 A, gain 16",
            value=f"{230 / 506 * REFERENCE_V / 2**0.5 / (5 / TURNS * BURDEN_OHM):.0f} ppm",
            formula="−120 dB·U/(I/N·Rb), worst phase",
        ),
    ]  # fmt: skip


def clock() -> list[Figure]:
    """Clocks and stamps."""
    vco = XIN_HZ * (68 + 4 / 15)
    return [
        Figure(
            name="VCO of the Si5351C",
            value=f"{vco / 1e6:.1f} MHz",
            formula="12 MHz·(68 + 4/15)",
        ),
        Figure(name="CLKIN of the ADC", value=f"{vco / 100 / 1e6:.3f} MHz", formula="VCO/100"),
        Figure(
            name="a count of the stamps",
            value=f"{2 / 125e6 * 1e9:.0f} ns",
            formula="2/125 MHz",
        ),
        Figure(
            name="a count, of a reading of 10 s",
            value=f"{2 / 125e6 / 10 * 1e6:.4f} ppm",
            formula="16 ns/10 s",
        ),
        Figure(
            name="jitter of 1 ns at 2.5 kHz",
            value=f"{20 * math.log10(50 * OMEGA * 1e-9):.0f} dB",
            formula="20·lg(ω·1 ns)",
        ),
    ]  # fmt: skip


def head() -> list[Figure]:
    """Optical head and power."""
    current_a = 50e-6 * 0.075 * 0.5
    codes = current_a * 47e3 / 3.3 * 4096
    return [
        Figure(
            name="head at 50 µW/cm²",
            value=f"{current_a * 1e6:.1f} µA",
            formula="50 µW/cm²·0.075 cm²·0.5 A/W",
        ),
        Figure(name="the same in codes", value=f"{codes:.0f}", formula="I·47 kΩ/3.3 V·4096"),
        Figure(
            name="bandwidth of the head",
            value=f"{1 / (2 * math.pi * 47e3 * 47e-12) / 1e3:.0f} kHz",
            formula="1/(2π·47 kΩ·47 pF)",
        ),
        Figure(
            name="ripple of the threshold",
            value=f"{3.3 / math.pi * 2 * (159.2 / 100e3) ** 2 * 1e6:.0f} µV",
            formula="first harmonic of the PWM through 2 × (10 kΩ, 100 nF)",
        ),
        Figure(
            name="hold-up of 2.5 F",
            value=f"{0.5 * 2.5 * (5.0**2 - 3.6**2) / 5:.1f} s",
            formula="C·(5.0² − 3.6² V²)/2/5 W",
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One line of the error budget, as standard uncertainty in ppm of energy."""

    name: str
    """What contributes."""
    direct_pf1: float
    """With the compensated transformer, PF 1."""
    direct_pf05: float
    """With it, PF 0.5."""
    clamp_pf1: float
    """With the split-core clamp, PF 1."""
    clamp_pf05: float
    """With it, PF 0.5."""


def budget(span_k: float = SPAN_K) -> list[Contribution]:
    """The budget; rectangles are divided by √3, temperature is 23 °C ± a span."""
    root3 = math.sqrt(3)
    tan = PF05_TAN

    def row(name: str, *values: float) -> Contribution:
        d1, d5, c1, c5 = values
        return Contribution(name=name, direct_pf1=d1, direct_pf05=d5, clamp_pf1=c1, clamp_pf05=c5)

    divider_drift = 5 * span_k / root3
    reference_drift = 2 * 2 * span_k / root3
    burden_drift = 5 * span_k / root3
    clamp_drift = tan * WINDING_OHM * COPPER_PER_K / (OMEGA * MAGNETISING_H) * 1e6 * span_k / root3
    # A lead falls with the frequency, its correction as a delay rises: 1 % of 50 Hz counts twice.
    lead_error = tan * 0.02 * (WINDING_OHM + BURDEN_OHM) / (OMEGA * MAGNETISING_H) * 1e6
    return [
        row("reference standard at calibration", 50, 50, 50, 50),
        row("calibration itself (repeatability, phase 20 µrad)", 15, 20 * tan, 15, 20 * tan),
        row("divider ratio, 5 ppm/K tracking", *[divider_drift] * 4),
        row("burden, 5 ppm/K", *[burden_drift] * 4),
        row("reference, 2 ppm/K, in U and in I", *[reference_drift] * 4),
        row("ageing of divider, burden, reference in a year", *[40] * 4),
        row("filters' skew over temperature", 0, 1, 0, 1),
        row("transformer: ratio", 10, 10, 500 / root3, 500 / root3),
        row("transformer: phase, 20 µrad or its drift", 0, 20 * tan, 0, clamp_drift),
        row("clamp's lead, 49.5 to 50.5 Hz, taken as a delay", 0, 0, 0, lead_error / root3),
        row("position of the conductor in the jaw", 0, 0, 500 / root3, 500 / root3),
        row("mains 49.5 to 50.5 Hz, filter at 32 kS/s", 0.5, 0.5, 0.5, 0.5),
        row("crosstalk U into I at 5 A", 12 / root3, 12 / root3, 12 / root3, 12 / root3),
        row("TCXO 0.5 ppm, ageing 1 ppm", 0.7, 0.7, 0.7, 0.7),
        row("noise of 10 s", 3, 6, 3, 6),
    ]


def totals(span_k: float = SPAN_K) -> tuple[float, float, float, float]:
    """Root of the sum of squares of each column, ppm, k = 1."""
    columns = [(c.direct_pf1, c.direct_pf05, c.clamp_pf1, c.clamp_pf05) for c in budget(span_k)]
    d1, d5, c1, c5 = (math.hypot(*column) for column in zip(*columns, strict=True))
    return d1, d5, c1, c5


def figures() -> list[Figure]:
    """All of them."""
    return [*divider(), *converter(), *clamp(), *clock(), *head()]


def main() -> None:
    """Print them, and the budget as rows of the document's table."""
    for figure in figures():
        print(f"{figure.name:48} {figure.value:>14}   {figure.formula}")
    for c in budget():
        print(
            f"| {c.name} | {c.direct_pf1:.0f} | {c.direct_pf05:.0f} | {c.clamp_pf1:.0f} "
            f"| {c.clamp_pf05:.0f} |"
        )
    print("| **together, k = 1** |" + "".join(f" **{value:.0f}** |" for value in totals()))
    for name, span_k in (("23 °C ± 5 K", SPAN_K), ("23 °C ± 20 K", FIELD_SPAN_K)):
        row = "".join(f" **{2e-4 * value:.3f}** |" for value in totals(span_k))
        print(f"| **U, k = 2, %, {name}** |{row}")


if __name__ == "__main__":
    main()
