"""The ADS131M08 against a simulated one on its bus: commands, configuration, what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from spotcheck.errors import ConfigurationError, SampleSourceError
from spotcheck_device.sources import ads131m08_registers as chip
from spotcheck_device.sources.ads131m08 import Ads131m08
from spotcheck_device.sources.channel_map import ChannelMap
from spotcheck_sim.ads131m08_chip import Ads131m08Chip
from spotcheck_wire.sample_stream import StreamFormatMessage

CONFIGURATION = chip.Ads131m08Configuration(
    sample_rate_hz=32_000, clock_hz=8_192_000, gains=(1, 16, 1, 16, 1, 16, 1, 128)
)
FORMAT = StreamFormatMessage(
    sample_rate_hz=32_000, phases=3, voltage_range="480V", current_range="C100", epoch_utc_ns=0,
    counter_hz=24_000_000,
)  # fmt: skip
CHANNELS = ChannelMap(phases=3, inputs=(0, 1, 2, 3, 4, 5), available=8)
PERIOD_NS = 31_250


class Wires:
    """Bus and DRDY of a chip that converts whenever somebody waits for it."""

    def __init__(self, chip_on_bus: Ads131m08Chip) -> None:
        self.chip = chip_on_bus
        self.at_once = 1
        self.closed = 0
        self._now_ns = 0

    def transfer(self, data: bytes) -> bytes:
        return self.chip.transfer(data)

    def wait(self, timeout_s: float) -> tuple[int, ...]:
        edges = []
        for _ in range(self.at_once if timeout_s else 0):
            self._now_ns += PERIOD_NS
            if self.chip.convert():
                edges.append(self._now_ns)
        return tuple(edges)

    def close(self) -> None:
        self.closed += 1


def numbered(n: int) -> list[int]:
    return [10 * n + channel for channel in range(8)]


def opened(wires: Wires, configuration: chip.Ads131m08Configuration = CONFIGURATION) -> Ads131m08:
    return Ads131m08(
        bus=wires, ready=wires, configuration=configuration, channels=CHANNELS,
        stream_format=FORMAT, sleep=lambda _: None,
    )  # fmt: skip


def test_converter_is_configured_as_the_data_sheet_says() -> None:
    wires = Wires(Ads131m08Chip(numbered))
    opened(wires)
    # MODE: CRC of commands, words of 24 bits, time-out, no reset flag. CLOCK: all channels, own
    # oscillator off, OSR 128, high resolution. GAIN: log2 of the gain, four bits a channel.
    assert wires.chip.registers[0x02] == 0x1110
    assert wires.chip.registers[0x03] == 0xFF82
    assert wires.chip.registers[0x04] == 0x4040
    assert wires.chip.registers[0x05] == 0x7040
    assert wires.chip.is_converting


def test_frames_are_read_one_for_each_edge() -> None:
    wires = Wires(Ads131m08Chip(numbered))
    converter = opened(wires)
    first = converter.decode(converter.read())
    second = converter.decode(converter.read())
    codes = np.concatenate((first.codes, second.codes))
    assert codes.tolist() == [numbered(n)[:6] for n in range(320)]
    stamps = np.concatenate((first.stamps_ns, second.stamps_ns))
    assert (np.diff(stamps) == PERIOD_NS).all()
    assert first.whole.all()


def test_reader_that_was_late_gives_no_frame_under_a_wrong_stamp() -> None:
    wires = Wires(Ads131m08Chip(numbered))
    converter = opened(wires)
    converter.read()
    wires.at_once = 9

    late_wait = wires.wait

    def hurry(timeout_s: float) -> tuple[int, ...]:
        edges = late_wait(timeout_s)
        wires.at_once = 1
        return edges

    wires.wait = hurry  # type: ignore[method-assign]
    found = converter.decode(converter.read())
    assert found.codes[:, 0].tolist() == [10 * n for n in range(160 + 9, 160 + 9 + 160)]


def test_damaged_frame_is_told_and_its_neighbours_stay() -> None:
    wires = Wires(Ads131m08Chip(numbered))
    converter = opened(wires)
    count = 0

    def damage(frame: bytes) -> bytes:
        nonlocal count
        count += 1
        return frame[:4] + bytes([frame[4] ^ 0x10]) + frame[5:] if count == 7 else frame

    wires.chip.damage = damage
    found = converter.decode(converter.read())
    assert np.flatnonzero(~found.whole).tolist() == [6]


def test_frame_without_a_fresh_conversion_is_not_taken_for_one() -> None:
    wires = Wires(Ads131m08Chip(numbered))
    converter = opened(wires)
    wires.wait = lambda timeout_s: (1,)  # type: ignore[method-assign] # an edge that was noise
    assert not converter.decode(converter.read()).whole.any()


@pytest.mark.parametrize(("what", "name"), [("restart", "RESET"), ("resynchronise", "F_RESYNC")])
def test_converter_that_begins_anew_by_itself_ends_the_stream(what: str, name: str) -> None:
    wires = Wires(Ads131m08Chip(numbered))
    converter = opened(wires)
    converter.decode(converter.read())
    getattr(wires.chip, what)()
    with pytest.raises(SampleSourceError, match=name):
        converter.decode(converter.read())


def test_other_chip_on_the_bus_is_refused() -> None:
    wires = Wires(Ads131m08Chip(numbered))
    wires.chip.damage = lambda frame: bytes(len(frame))
    with pytest.raises(SampleSourceError, match="identity 0x0000"):
        opened(wires)


def test_register_that_does_not_take_its_value_is_refused() -> None:
    wires = Wires(Ads131m08Chip(numbered))
    kept = dict(wires.chip.registers)

    class Stuck(dict[int, int]):
        def __setitem__(self, key: int, value: int) -> None:
            super().__setitem__(key, kept[key] if key == 0x03 else value)

    def transfer(data: bytes) -> bytes:
        if not isinstance(wires.chip.registers, Stuck):
            wires.chip.registers = Stuck(wires.chip.registers)
        return wires.chip.transfer(data)

    wires.transfer = transfer  # type: ignore[method-assign]
    with pytest.raises(SampleSourceError, match="CLOCK holds 0xff0e"):
        opened(wires)


def test_closing_puts_the_converter_to_rest() -> None:
    wires = Wires(Ads131m08Chip(numbered))
    opened(wires).close()
    assert (wires.chip.is_converting, wires.closed) == (False, 2)


def test_rate_that_the_clock_does_not_give_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="it gives 32000, 16000, 8000, 4000"):
        replace(CONFIGURATION, sample_rate_hz=10_000)


@pytest.mark.parametrize("gains", [(1,) * 7, (3,) * 8])
def test_gain_that_there_is_not_is_refused(gains: tuple[int, ...]) -> None:
    with pytest.raises(ConfigurationError, match="gains"):
        replace(CONFIGURATION, gains=gains)


@pytest.mark.parametrize("inputs", [(0, 1), (0, 1, 2, 3, 4, 4), (0, 1, 2, 3, 4, 8)])
def test_inputs_that_do_not_fit_are_refused(inputs: tuple[int, ...]) -> None:
    with pytest.raises(ConfigurationError, match="inputs"):
        ChannelMap(phases=3, inputs=inputs, available=8)


def test_inputs_without_a_phase_are_named() -> None:
    assert CHANNELS.dropped == (6, 7)
