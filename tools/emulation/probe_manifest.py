# ruff: noqa: F821  (MicroPython's manifest language provides these names)
"""What the emulation's own image holds: the HAL as the product has it, and the probe as main."""

module("rp2.py", base_path="$(PORT_DIR)/modules")
module("frontend_codec.py", base_path="../../device/spotcheck_wire")
for name in ("pio_stamp", "record_ring", "pulse_segments", "hal_rp2", "pulse_front_end"):
    module(name + ".py", base_path="../../device/firmware")
freeze("probe", "main.py")
