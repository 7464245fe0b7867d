# ruff: noqa: F821  (MicroPython's manifest language provides these names)
"""What is frozen into the front end's image, for MicroPython's FROZEN_MANIFEST.

The codec is the board's own file, so both ends of the line run the same bytes.
"""

module("frontend_codec.py", base_path="../spotcheck_wire")
module("pulse_front_end.py")
module("main.py")

# The unix port's HAL and the command line that only it has; a board's port brings its own.
module("hal_host.py")
require("argparse")
