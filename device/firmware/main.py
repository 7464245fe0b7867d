"""Pulse front end on the MicroPython unix port; EOF on standard input ends it.

micropython main.py --serial TTY --counter-hz HZ --marker-interval SAMPLES --boot-id NUMBER
    [--boot-reason CODE] [--board TTY] [--flash FILE]
"""

import argparse
import sys

from hal_contract import Restarting, UnknownRecord
from hal_host import EventsEnded, HostHal, LineLost
from serving import serve

RESTART_STATUS = 3


def parse_arguments():
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description="Pulse front end of Spotcheck")
    parser.add_argument("--serial", required=True, help="tty of the serial line")
    parser.add_argument("--counter-hz", type=int, required=True, help="rate of the counter")
    parser.add_argument("--marker-interval", type=int, required=True, help="samples per marker")
    parser.add_argument("--boot-id", type=int, required=True, help="differs between boots")
    parser.add_argument("--boot-reason", type=int, default=0, help="0 power on, 1 watchdog, …")
    parser.add_argument("--board", help="tty of the simulated board")
    parser.add_argument("--flash", help="file that stands for the flash")
    return parser.parse_args()


def main():
    """Serve until the FIFO closes; return the exit status."""
    arguments = parse_arguments()
    hal = HostHal(
        arguments.serial,
        arguments.counter_hz,
        arguments.boot_reason,
        arguments.board,
        arguments.flash,
    )
    try:
        serve(hal, arguments.boot_id, arguments.marker_interval)
    except Restarting:
        return RESTART_STATUS
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
