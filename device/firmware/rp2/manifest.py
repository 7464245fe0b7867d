# ruff: noqa: F821  (MicroPython's manifest language provides these names)
"""What is frozen into the RP2040's image: the application, this board's HAL and its main."""

module("frontend_codec.py", base_path="../../spotcheck_wire")

# The application; an image in a slot may replace these.
module("clamp_memory.py", base_path="..")
module("command_server.py", base_path="..")
module("environment_sensor.py", base_path="..")
module("frame_writer.py", base_path="..")
module("hand_switch.py", base_path="..")
module("optical_threshold.py", base_path="..")
module("pulse_front_end.py", base_path="..")
module("pulse_input.py", base_path="..")
module("pulse_output.py", base_path="..")
module("self_test.py", base_path="..")
module("stream_time.py", base_path="..")

# What chooses a slot and verifies an image; only an image of the whole processor replaces it.
module("boot_record.py", base_path="..")
module("ed25519.py", base_path="..")
module("firmware_update.py", base_path="..")
module("hal_contract.py", base_path="..")
module("image_loader.py", base_path="..")
module("serving.py", base_path="..")
module("sha512.py", base_path="..")
module("update_key.py", base_path="..")
module("update_manifest.py", base_path="..")

# The HAL and the main of this board, and the port's assembler of PIO programs. The port's own
# boot file is left out: it would lay a file system over the slots.
module("rp2.py", base_path="$(PORT_DIR)/modules")
module("pio_stamp.py", base_path="..")
module("record_ring.py", base_path="..")
module("pulse_segments.py", base_path="..")
module("hal_rp2.py", base_path="..")
module("main.py")
