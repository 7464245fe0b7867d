"""Starts the application out of the slot that was chosen: a slot holds a read-only file system."""

import sys

import vfs
from boot_record import BUILT_IN, BootRecord
from firmware_update import choose_slot, slot_start

MOUNT_POINT = "/slot"


def mount_chosen_slot(hal):
    """Choose a slot and put its files before the built-in ones; return which it is."""
    slot = choose_slot(hal)
    if slot != BUILT_IN:
        length = BootRecord(hal).slots[slot][0]
        image = hal.flash_view(slot_start(hal, slot), length)
        vfs.mount(vfs.VfsRom(image), MOUNT_POINT)  # type: ignore[attr-defined]  # not in the stubs
        sys.path.insert(0, MOUNT_POINT)
        # From here on the watchdog runs, so an image that hangs comes back to the choice.
        hal.feed_watchdog()
    return slot
