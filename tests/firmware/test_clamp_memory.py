"""Identity of the clamps in a simulated 24C02 that wraps in its pages and loses its power."""

import binascii
import struct

import clamp_memory
import pytest
from clamp_memory import ClampMemory
from simulated_parts import Bus, Eeprom24C02, PowerCutError, run_steps

SERIAL = b"CL-100A-0042".ljust(16, b"\0")
OTHER_SERIAL = b"CL-100A-0043".ljust(16, b"\0")
BEFORE = (SERIAL, 0, 5000, 100_000, 0, 0, b"cs-1".ljust(16, b"\0"), bytes(range(32)))
AFTER = (SERIAL, 1, 5000, 200_000, 0, 0, b"cs-2".ljust(16, b"\0"), bytes(range(32, 64)))
STORED_BYTES = 94


def clamp() -> tuple[ClampMemory, Eeprom24C02, Bus]:
    eeprom = Eeprom24C02()
    bus = Bus({0x50: eeprom})
    return ClampMemory(bus), eeprom, bus


def write(memory: ClampMemory, bus: Bus, identity: tuple[object, ...]) -> None:
    run_steps(memory.write_steps(identity), bus)


def test_layout_is_the_documented_one() -> None:
    memory, eeprom, bus = clamp()
    write(memory, bus, BEFORE)
    record = struct.pack("<4sBI16sBIIII16s32s", b"SCCL", 1, 1, *BEFORE)
    stored = record + struct.pack("<I", binascii.crc32(record))
    assert eeprom.memory == stored + b"\xff" * (256 - len(stored))


def test_writes_go_to_the_copies_in_turn_and_the_newest_holds() -> None:
    memory, eeprom, bus = clamp()
    write(memory, bus, BEFORE)
    assert memory.read() == (0b10, 1, BEFORE)
    first = bytes(eeprom.memory[:128])
    write(memory, bus, AFTER)
    assert memory.read() == (0, 2, AFTER)
    assert eeprom.memory[:128] == first


@pytest.mark.parametrize("writes_before", [1, 2])
def test_power_that_fails_at_any_byte_leaves_a_valid_copy(writes_before: int) -> None:
    for cut in range(STORED_BYTES):
        memory, eeprom, bus = clamp()
        for _ in range(writes_before):
            write(memory, bus, BEFORE)
        eeprom.bytes_until_cut = cut
        with pytest.raises(PowerCutError):
            write(memory, bus, AFTER)
        # The memory comes back with the power, and with it a fresh firmware.
        eeprom.bytes_until_cut = None
        bus.pass_time(100)
        memory = ClampMemory(bus)
        damaged, written, identity = memory.read()
        assert (written, identity) == (writes_before, BEFORE)
        assert damaged in (0, 1 << (writes_before % 2))
        write(memory, bus, AFTER)
        assert memory.read() == (0b10 if writes_before == 0 else 0, writes_before + 1, AFTER)


def test_power_that_fails_after_the_last_byte_has_written() -> None:
    memory, eeprom, bus = clamp()
    write(memory, bus, BEFORE)
    eeprom.bytes_until_cut = STORED_BYTES
    write(memory, bus, AFTER)
    assert ClampMemory(bus).read()[2] == AFTER


@pytest.mark.parametrize("place", range(0, STORED_BYTES, 7))
def test_damaged_copy_is_told_and_the_other_holds(place: int) -> None:
    memory, eeprom, bus = clamp()
    write(memory, bus, BEFORE)
    write(memory, bus, AFTER)
    eeprom.memory[128 + place] ^= 0x10
    assert memory.read() == (0b10, 1, BEFORE)
    eeprom.memory[place] ^= 0x01
    with pytest.raises(clamp_memory.ClampDamaged):
        memory.read()
    write(memory, bus, AFTER)
    assert memory.read() == (0b10, 1, AFTER)


def test_locked_clamp_refuses_until_unlocked_and_for_one_write_only() -> None:
    memory, _, bus = clamp()
    write(memory, bus, AFTER)
    with pytest.raises(clamp_memory.ClampLocked):
        write(memory, bus, BEFORE)
    with pytest.raises(clamp_memory.OtherSerial):
        memory.unlock(OTHER_SERIAL)
    with pytest.raises(clamp_memory.ClampLocked):
        write(memory, bus, BEFORE)
    memory.unlock(SERIAL)
    write(memory, bus, AFTER)
    with pytest.raises(clamp_memory.ClampLocked):
        write(memory, bus, BEFORE)


def test_clamp_plugged_in_after_unlocking_another_stays_locked() -> None:
    memory, _, bus = clamp()
    write(memory, bus, AFTER)
    memory.unlock(SERIAL)
    other, eeprom, other_bus = clamp()
    write(other, other_bus, (OTHER_SERIAL, *AFTER[1:]))
    bus.devices[0x50] = eeprom
    with pytest.raises(clamp_memory.ClampLocked):
        write(memory, bus, BEFORE)


def test_no_clamp_is_named() -> None:
    bus = Bus({})
    memory = ClampMemory(bus)
    assert not memory.is_present()
    for action in (memory.read, lambda: write(memory, bus, BEFORE), lambda: memory.unlock(SERIAL)):
        with pytest.raises(clamp_memory.NoClamp):
            action()


def test_memory_that_forgets_is_told_and_the_copy_from_before_holds() -> None:
    memory, eeprom, bus = clamp()
    write(memory, bus, BEFORE)
    steps = memory.write_steps(AFTER)
    next(steps)
    next(steps)
    bus.pass_time(5)
    eeprom.memory[128] = 0xFF
    with pytest.raises(clamp_memory.ClampNotWritten):
        run_steps(steps, bus)
    assert memory.read()[2] == BEFORE


def test_another_format_version_is_no_identity() -> None:
    memory, eeprom, bus = clamp()
    write(memory, bus, BEFORE)
    eeprom.memory[4] = 2
    eeprom.memory[90:94] = struct.pack("<I", binascii.crc32(eeprom.memory[:90]))
    with pytest.raises(clamp_memory.ClampDamaged):
        memory.read()


def test_page_write_before_the_memory_is_ready_is_no_clamp() -> None:
    memory, _, bus = clamp()
    with pytest.raises(clamp_memory.NoClamp):
        run_steps(memory.write_steps(BEFORE))
    assert bus.devices[0x50]
