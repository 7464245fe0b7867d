"""The PIO programs clock by clock on a stand-in (pio_machine.py), against the edges put in."""

import random
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from pio_machine import StateMachine, pio_assembler
from running_front_end import FIRMWARE

SHORTEST_CLOCKS = 8
MEMORY_WORDS = 32
COUNT_MASK = 0x7FFFFFFF


@pytest.fixture(scope="module")
def firmware() -> Iterator[Callable[[str], ModuleType]]:
    loaded: dict[str, ModuleType] = {}

    def load(name: str) -> ModuleType:
        loaded[name] = module = ModuleType(name)
        sys.modules[name] = module
        source = (FIRMWARE / f"{name}.py").read_text(encoding="utf-8")
        exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102
        return module

    with pio_assembler():
        pio = load("pio_stamp")
        segments = load("pulse_segments")
    modules = {"pio_stamp": pio, "pulse_segments": segments}
    yield modules.__getitem__
    for name in loaded:
        del sys.modules[name]


@pytest.fixture
def pio(firmware: Callable[[str], ModuleType]) -> Any:
    return firmware("pio_stamp")


def random_edges(seed: int, count: int, shortest: int, longest: int) -> list[int]:
    draw = random.Random(seed)
    clocks = [draw.randint(10, 20)]
    for _ in range(count - 1):
        clocks.append(clocks[-1] + draw.randint(shortest, longest))
    return clocks


def run(machine: StateMachine, edges: list[int], clocks: int) -> list[int]:
    """Run from the start's clock on, the pin low at first, the FIFO emptied at every clock."""
    taken: list[int] = []
    flips = set(edges)
    level = False
    for clock in range(clocks):
        level ^= clock in flips
        # `wait` itself ends one clock before the first that counts.
        if clock == 0:
            machine.step(level)
        machine.step(level)
        taken += machine.fifo
        machine.fifo.clear()
    return taken


def stamps(words: list[int]) -> list[tuple[bool, int]]:
    return [(bool(word & 1), COUNT_MASK - (word >> 1)) for word in words]


@pytest.mark.parametrize("seed", range(5))
def test_every_edge_is_stamped_within_one_count(pio: Any, seed: int) -> None:
    edges = random_edges(seed, 200, SHORTEST_CLOCKS, 60)
    found = stamps(run(StateMachine(pio.stamp_edges, y=1), edges, edges[-1] + 20))
    assert [rose for rose, _ in found] == [number % 2 == 0 for number in range(200)]
    for clock, (_, count) in zip(edges, found, strict=True):
        assert 0 < count - clock / pio.CLOCKS_PER_COUNT <= 1


@pytest.mark.parametrize("counts_to_wrap", [1, 2, 3, 50, 1 << 31, (1 << 31) + 1])
def test_counters_agree_whatever_happens_at_their_pins(pio: Any, counts_to_wrap: int) -> None:
    clocks = 4000
    for seed in range(4):
        edges = random_edges(seed, 300, 1, 14)
        for machine in (
            StateMachine(pio.stamp_edges, x=counts_to_wrap - 1, y=1),
            StateMachine(pio.stamp_every_nth_fall, x=counts_to_wrap - 1, osr=3),
        ):
            run(machine, edges, clocks)
            # Where its loop looks at the pin, it has counted once since the last look.
            clock = clocks
            while machine.pc != machine.program.labels["low_test"]:
                machine.step(False)
                clock += 1
            assert machine.x == (counts_to_wrap - 1 - (clock + 1) // 2) % (1 << 32)


def test_stamps_go_on_over_the_wrap(pio: Any) -> None:
    edges = random_edges(7, 100, SHORTEST_CLOCKS, 30)
    found = stamps(run(StateMachine(pio.stamp_edges, x=400, y=1), edges, edges[-1] + 20))
    first = COUNT_MASK - 400
    for clock, (_, count) in zip(edges, found, strict=True):
        assert 0 < (count - first - clock / 2) % (1 << 31) <= 1


def test_full_fifo_keeps_the_oldest_and_says_that_it_dropped(pio: Any) -> None:
    edges = random_edges(9, 30, SHORTEST_CLOCKS, 30)
    machine = StateMachine(pio.stamp_edges, y=1)
    flips = set(edges)
    level = False
    machine.step(level)
    for clock in range(edges[-1] + 20):
        level ^= clock in flips
        machine.step(level)
        assert clock >= edges[8] or not machine.has_dropped
    assert machine.has_dropped
    kept = stamps(machine.fifo)
    assert len(kept) == 8
    for clock, (_, count) in zip(edges[:8], kept, strict=True):
        assert 0 < count - clock / 2 <= 1


def test_nothing_dropped_is_not_told(pio: Any) -> None:
    edges = random_edges(9, 8, SHORTEST_CLOCKS, 30)
    machine = StateMachine(pio.stamp_edges, y=1)
    run(machine, edges, edges[-1] + 20)
    assert not machine.has_dropped


@pytest.mark.parametrize("shortest", range(1, SHORTEST_CLOCKS))
def test_too_short_pulses_come_late_or_not_but_always_in_pairs(pio: Any, shortest: int) -> None:
    edges = random_edges(shortest, 400, shortest, shortest + 3)
    found = stamps(run(StateMachine(pio.stamp_edges, y=1), edges, edges[-1] + 40))
    assert [rose for rose, _ in found] == [number % 2 == 0 for number in range(len(found))]
    rises, falls = edges[0::2], edges[1::2]
    for rose, count in found:
        latest = max(clock for clock in (rises if rose else falls) if clock < 2 * count)
        assert count - latest / 2 <= 4


@pytest.mark.parametrize("interval", [1, 2, 7, 1024])
def test_first_fall_and_every_nth_after_it_are_stamped(pio: Any, interval: int) -> None:
    edges = random_edges(interval, 2 * (2 * interval + 3), 12, 20)
    machine = StateMachine(pio.stamp_every_nth_fall, osr=interval - 1)
    found = stamps(run(machine, edges, edges[-1] + 20))
    expected = edges[1::2][::interval]
    assert len(found) == len(expected)
    for clock, (_, count) in zip(expected, found, strict=True):
        assert 0 < count - clock / 2 <= 1


def test_machines_wait_for_the_start_pin(pio: Any) -> None:
    for program in (pio.stamp_edges, pio.stamp_every_nth_fall, pio.put_out_segments):
        assert program.instructions[0] == ("wait", (1, "gpio", pio.START_PIN))
        machine = StateMachine(program)
        for _ in range(5):
            machine.step(True, started=False)
        assert (machine.pc, machine.x) == (0, 0xFFFFFFFF)


def test_programs_of_each_block_fit_its_memory(pio: Any) -> None:
    edges = len(pio.stamp_edges.instructions)
    assert edges + len(pio.stamp_every_nth_fall.instructions) <= MEMORY_WORDS
    assert edges + len(pio.put_out_segments.instructions) <= MEMORY_WORDS


def test_pulses_rise_and_fall_at_the_clock_asked_for(
    firmware: Callable[[str], ModuleType], pio: Any
) -> None:
    segments = firmware("pulse_segments")
    draw = random.Random(5)
    machine = StateMachine(pio.put_out_segments, x=segments.segment_word(0, segments.IDLE_CLOCKS))
    machine.step(False)
    plan = segments.PulseSegments()
    asked: list[tuple[int, int]] = []
    rise = 150_000
    for _ in range(4):
        width = draw.randint(segments.SHORTEST_HIGH_CLOCKS, 30_000)
        asked.append((rise, width))
        plan.add(rise, width)
        rise += width + draw.randint(2_000, 120_000)
    changes = []
    write_at, words = None, None
    for clock in range(rise + 50_000):
        if write_at is None and clock % 997 == 0 and len(machine.fifo) <= 6:
            words = plan.next_words(clock - draw.randint(0, 125), clock + draw.randint(0, 125))
            write_at = clock + draw.randint(0, segments.WRITE_WITHIN_CLOCKS - 1) if words else None
        if write_at == clock and words is not None:
            machine.fifo += words
            plan.words_written()
            write_at = None
        before = machine.pin
        machine.step(False)
        if machine.pin != before:
            changes.append(clock)
    assert changes == [clock for rise, width in asked for clock in (rise, rise + width)]
