"""Judges what the product's image sent under the emulator (product.mjs).

usage: product_line.py FILE
"""

import json
import sys
from pathlib import Path

from spotcheck_wire.frames import Frame, FrameDecoder
from spotcheck_wire.frontend_messages import Complete, FrontEndHello, Pulse, decode_front_end

CLOCKS_PER_COUNT = 2


def main() -> int:
    """Return 0 where HELLO, every pulse at its count and no loss were told."""
    told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    events = FrameDecoder(max_frame=256).feed(bytes.fromhex(told["line"]))
    messages = [decode_front_end(event) for event in events if isinstance(event, Frame)]
    hello = messages[0]
    pulses = [message for message in messages if isinstance(message, Pulse)]
    complete = [message for message in messages if isinstance(message, Complete)][-1]
    late = [
        pulse.counter - (told["first_clock"] + number * told["period_clocks"]) / CLOCKS_PER_COUNT
        for number, pulse in enumerate(pulses)
    ]
    print(f"product: {hello} after {told['hello_s']:.2f} s")
    print(
        f"product: {len(pulses)} of {told['pulses']} pulses, {min(late)} to {max(late)} counts late"
    )
    is_right = (
        len(messages) == len(events)
        and isinstance(hello, FrontEndHello)
        and len(pulses) == told["pulses"] == complete.pulses_so_far[0]
        and complete.records_lost == 0
        and all(0 < each <= 1 for each in late)
    )
    print(f"product: {'as it should be' if is_right else 'FAILED'}")
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
