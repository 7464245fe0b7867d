"""Pulse front end on the RP2040: starts at boot and never ends."""

import os

import micropython
from hal_rp2 import Rp2Hal
from serving import serve

MARKER_INTERVAL = 1024  # 31 markers a second at 32 kS/s


def main():
    """Serve; whatever ends that, the processor starts anew."""
    # The USB console shows what went wrong; nobody there may stop the front end.
    micropython.kbd_intr(-1)
    hal = Rp2Hal(MARKER_INTERVAL)
    boot_id = int.from_bytes(os.urandom(4), "little")
    try:
        serve(hal, boot_id, MARKER_INTERVAL)
    finally:
        hal.restart()


main()
