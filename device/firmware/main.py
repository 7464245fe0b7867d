"""Pulse front end on the MicroPython unix port; EOF on standard input ends it.

micropython main.py --serial TTY --counter-hz HZ --marker-interval SAMPLES --boot-id NUMBER
"""

import argparse
import sys

from hal_host import EventsEnded, HostHal, LineLost
from pulse_front_end import PulseFrontEnd, UnknownRecord

EVENTS_PER_FLUSH = 128


def parse_arguments():
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description="Pulse front end of Spotcheck")
    parser.add_argument("--serial", required=True, help="tty of the serial line")
    parser.add_argument("--counter-hz", type=int, required=True, help="rate of the counter")
    parser.add_argument("--marker-interval", type=int, required=True, help="samples per marker")
    parser.add_argument("--boot-id", type=int, required=True, help="differs between boots")
    return parser.parse_args()


def serve_once(hal, front_end):
    """Serve commands and up to a batch of events, then flush once.

    Raises:
        EventsEnded: the FIFO was closed.
        UnknownRecord: the FIFO cannot be trusted any more.
        LineLost: nobody listens.
    """
    hal.wait()
    try:
        commands = hal.command_bytes()
        if commands:
            front_end.commands(commands)
        for _ in range(EVENTS_PER_FLUSH):
            event = hal.next_event()
            if event is None:
                break
            front_end.event(event[0], event[1])
    finally:
        front_end.flush()


def main():
    """Serve until the FIFO closes; return the exit status."""
    arguments = parse_arguments()
    hal = HostHal(arguments.serial)
    front_end = PulseFrontEnd(
        hal.send, arguments.counter_hz, arguments.boot_id, arguments.marker_interval
    )
    try:
        front_end.boot()
        while True:
            serve_once(hal, front_end)
    except EventsEnded as end:
        if not end.torn:
            return 0
        failure = end
    except (UnknownRecord, LineLost) as error:
        failure = error
    print("pulse front end:", failure, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
