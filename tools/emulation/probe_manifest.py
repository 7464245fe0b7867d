# ruff: noqa: F821  (MicroPython's manifest language provides these names)
"""The emulation's image: the product's, and a boot.py that never comes to its main."""

include("../../device/firmware/rp2/manifest.py")
module("boot.py", base_path="probe")
