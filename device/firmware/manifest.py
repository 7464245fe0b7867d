# ruff: noqa: F821  (MicroPython's manifest language provides these names)
"""What is frozen into the front end's image, for MicroPython's FROZEN_MANIFEST.

The codec is the board's own file, so both ends of the line run the same bytes.
"""

module("frontend_codec.py", base_path="../spotcheck_wire")

# The application; an image in a slot may replace these.
module("clamp_memory.py")
module("command_server.py")
module("environment_sensor.py")
module("frame_writer.py")
module("hand_switch.py")
module("optical_threshold.py")
module("pulse_front_end.py")
module("pulse_input.py")
module("pulse_output.py")
module("self_test.py")
module("stream_time.py")

# What chooses a slot and verifies an image; only an image of the whole processor replaces it.
module("boot_record.py")
module("ed25519.py")
module("firmware_update.py")
module("hal_contract.py")
module("image_loader.py")
module("serving.py")
module("sha512.py")
module("update_key.py")
module("update_manifest.py")

# The unix port's HAL and the command line that only it has; a board's port brings its own.
module("main.py")
module("hal_host.py")
require("argparse")
