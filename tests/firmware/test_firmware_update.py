"""Updates on simulated flash, with the power failing at every write and within it."""

import random

import firmware_update as module
import pytest
from firmware_update import FirmwareUpdate, choose_slot, confirm, slot_bytes, slot_start
from signed_images import BOARD, KEY, PUBLIC, VENDOR, manifest_of
from simulated_parts import Flash, PowerCutError, run_steps
from update_manifest import ForeignManifest

BUILT_IN = 2
EMPTY = b"\xff" * (4096 * 2 + 2 * 4096 * 3)
OLD = random.Random(1).randbytes(9000)
NEW = random.Random(2).randbytes(9217)
NEWEST = random.Random(3).randbytes(128)


def pieces(image: bytes) -> list[tuple[int, bytes]]:
    return [
        (offset, image[offset : offset + 128].ljust(128, b"\xff"))
        for offset in range(0, len(image), 128)
    ]


def install(flash: Flash, image: bytes, counter: int) -> None:
    manifest = manifest_of(image, counter)
    update = FirmwareUpdate(flash, VENDOR, BOARD, PUBLIC)
    run_steps(update.begin_steps(manifest, KEY.sign(manifest)))
    for offset, piece in pieces(image):
        update.data(offset, piece)
    run_steps(update.finish_steps())


def running(flash: Flash) -> bytes:
    """Boot, and return the image that starts; none is the built-in application."""
    slot = choose_slot(flash)
    if slot == BUILT_IN:
        return b""
    start = slot_start(flash, slot)
    content = flash.flash_read(start, slot_bytes(flash))
    for image in (OLD, NEW, NEWEST):
        if content.startswith(image):
            return image
    raise AssertionError("what starts is no image that anybody signed")


def with_old_confirmed() -> Flash:
    flash = Flash(EMPTY)
    install(flash, OLD, 5)
    assert running(flash) == OLD
    confirm(flash)
    return flash


def test_new_board_starts_what_is_built_in() -> None:
    assert running(Flash(EMPTY)) == b""


def test_update_starts_and_stays_once_confirmed() -> None:
    flash = with_old_confirmed()
    install(flash, NEW, 6)
    assert running(flash) == NEW
    confirm(flash)
    assert [running(flash) for _ in range(3)] == [NEW, NEW, NEW]


def test_update_that_is_never_confirmed_gives_way_to_the_one_before() -> None:
    flash = with_old_confirmed()
    install(flash, NEW, 6)
    assert [running(flash) for _ in range(3)] == [NEW, OLD, OLD]
    # Its counter was never confirmed, so the same image may be tried again.
    install(flash, NEW, 6)
    assert running(flash) == NEW


def test_first_update_that_is_never_confirmed_gives_way_to_what_is_built_in() -> None:
    flash = Flash(EMPTY)
    install(flash, OLD, 5)
    assert [running(flash) for _ in range(2)] == [OLD, b""]


@pytest.mark.parametrize("before", [EMPTY, bytes(with_old_confirmed().content)])
@pytest.mark.parametrize("done", [0.0, 0.5, 1.0])
def test_power_that_fails_at_any_write_leaves_a_working_slot(before: bytes, done: float) -> None:
    old = running(Flash(before))
    cut = 0
    while True:
        flash = Flash(before, writes_until_cut=cut, done=done)
        try:
            install(flash, NEW, 6)
            new_has_started = running(flash) == NEW
            confirm(flash)
        except PowerCutError:
            after = Flash(bytes(flash.content))
            started = running(after)
            assert started in (old, NEW)
            # Whatever was left behind, the next update goes through.
            if started == NEW:
                confirm(after)
                install(after, NEWEST, 7)
            else:
                install(after, NEW, 6)
            assert running(after) == (NEWEST if started == NEW else NEW)
            confirm(after)
            assert running(after) == running(after) != old
            cut += 1
            continue
        break
    assert new_has_started
    # 3 sectors erased, 37 pages, and the boot record: installed, tried, confirmed.
    assert cut >= 3 + 37 + 3 * 2


def test_power_that_fails_while_the_boot_chooses_leaves_a_working_slot() -> None:
    before = with_old_confirmed()
    install(before, NEW, 6)
    for cut in range(2):
        flash = Flash(bytes(before.content), writes_until_cut=cut, done=0.5)
        with pytest.raises(PowerCutError):
            running(flash)
        assert running(Flash(bytes(flash.content))) in (OLD, NEW)


@pytest.mark.parametrize("counter", [0, 4, 5])
def test_rollback_is_refused(counter: int) -> None:
    flash = with_old_confirmed()
    with pytest.raises(module.Rollback):
        install(flash, NEW, counter)


def test_counter_of_a_fallback_does_not_open_the_way_back() -> None:
    flash = with_old_confirmed()
    install(flash, NEW, 9)
    assert running(flash) == NEW
    confirm(flash)
    # The newest slot rots, the one before starts; what it once followed stays refused.
    flash.content[slot_start(flash, 1) + 100] ^= 1
    assert running(flash) == OLD
    with pytest.raises(module.Rollback):
        install(flash, NEWEST, 9)


@pytest.mark.parametrize("place", [0, 4, 8, 40, 44, 79, 80, 143])
def test_manifest_or_signature_that_was_changed_is_refused_before_any_write(place: int) -> None:
    flash = with_old_confirmed()
    writes = flash.writes
    manifest = manifest_of(NEW, 6)
    signed = bytearray(manifest + KEY.sign(manifest))
    signed[place] ^= 1
    update = FirmwareUpdate(flash, VENDOR, BOARD, PUBLIC)
    with pytest.raises(module.SignatureWrong):
        run_steps(update.begin_steps(bytes(signed[:80]), bytes(signed[80:])))
    with pytest.raises(module.UpdateOrder):
        update.data(0, bytes(128))
    assert flash.writes == writes


@pytest.mark.parametrize(
    "changes",
    [{"vendor": b"other"}, {"board": b"spotcheck"}, {"magic": b"SCFX"}, {"version": 2}],
)
def test_image_for_another_board_is_refused(changes: dict[str, object]) -> None:
    manifest = manifest_of(NEW, 6, **changes)  # type: ignore[arg-type]
    update = FirmwareUpdate(with_old_confirmed(), VENDOR, BOARD, PUBLIC)
    with pytest.raises(ForeignManifest):
        run_steps(update.begin_steps(manifest, KEY.sign(manifest)))


@pytest.mark.parametrize("length", [0, 4096 * 3 + 1])
def test_image_that_does_not_fit_is_refused(length: int) -> None:
    manifest = manifest_of(NEW, 6, length=length)
    update = FirmwareUpdate(with_old_confirmed(), VENDOR, BOARD, PUBLIC)
    with pytest.raises(module.ImageLength):
        run_steps(update.begin_steps(manifest, KEY.sign(manifest)))


def test_another_image_than_the_signed_one_never_starts() -> None:
    flash = with_old_confirmed()
    manifest = manifest_of(NEW, 6)
    update = FirmwareUpdate(flash, VENDOR, BOARD, PUBLIC)
    run_steps(update.begin_steps(manifest, KEY.sign(manifest)))
    for offset, piece in pieces(NEW[:-1] + b"?"):
        update.data(offset, piece)
    with pytest.raises(module.DigestWrong):
        run_steps(update.finish_steps())
    assert running(flash) == OLD


def test_pieces_out_of_order_missing_or_beyond_the_end_are_refused() -> None:
    flash = with_old_confirmed()
    manifest = manifest_of(NEWEST, 6)
    update = FirmwareUpdate(flash, VENDOR, BOARD, PUBLIC)
    with pytest.raises(module.UpdateOrder):
        update.data(0, NEWEST)
    run_steps(update.begin_steps(manifest, KEY.sign(manifest)))
    with pytest.raises(module.UpdateOrder):
        run_steps(update.finish_steps())
    with pytest.raises(module.UpdateOrder):
        update.data(128, NEWEST)
    update.data(0, NEWEST)
    # Once more, as where its acknowledgement was lost.
    writes = flash.writes
    update.data(0, NEWEST)
    assert flash.writes == writes
    with pytest.raises(module.UpdateOrder):
        update.data(128, NEWEST)
    run_steps(update.finish_steps())
    assert running(flash) == NEWEST


def test_while_an_image_is_on_trial_its_fallback_stays() -> None:
    flash = with_old_confirmed()
    install(flash, NEW, 6)
    with pytest.raises(module.StillOnTrial):
        install(flash, NEWEST, 7)
    assert running(flash) == NEW
    with pytest.raises(module.StillOnTrial):
        install(flash, NEWEST, 7)
    assert running(flash) == OLD


def test_slot_that_rots_gives_way_to_the_other_then_to_what_is_built_in() -> None:
    flash = with_old_confirmed()
    install(flash, NEW, 6)
    assert running(flash) == NEW
    confirm(flash)
    flash.content[slot_start(flash, 1)] ^= 0x80
    assert running(flash) == OLD
    flash.content[slot_start(flash, 0)] ^= 0x80
    assert running(flash) == b""
