"""An hour of eight channels at 32 kS/s through source and session: CPU time, losses, memory.

SPI frames of an ADS131M08 come in portions of 5 ms with the stamps of their edges, are checked,
decoded and numbered, and go into a running measurement whose readings follow one another. The ten
seconds of signal are made beforehand; their numbers and stamps go on for ever.

Run: nice .venv/bin/python benchmarks/sustained_rate.py --seconds 3600
"""

import argparse
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sustained_signal import (
    RATE_HZ,
    STREAM,
    TEMPLATE_FRAMES,
    pulse_batches,
    request,
    spi_frames,
    template_codes,
)

from spotcheck.reading import ErrorReading
from spotcheck.samples import SampleBlock
from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_device.measuring_session import MeasuringSession
from spotcheck_device.session_messages import SessionOutcome
from spotcheck_device.sources.ads131m08_frames import FRAME_BYTES, decode_frames
from spotcheck_device.sources.numbered_stream import NumberedStream, StampedFrames

PORTION = RATE_HZ // 200
INPUTS = (0, 1, 2, 3, 4, 5)
BEGIN_NS = 10**15
MARKED = 1024


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class Load:
    """Source, session and what came of them."""

    def __init__(self, reading_s: float) -> None:
        self._frames = spi_frames(template_codes())
        self._late_ns = np.random.default_rng(1).exponential(2000, TEMPLATE_FRAMES)
        self._stream = NumberedStream(RATE_HZ, len(INPUTS))
        self._stream.begin(BEGIN_NS, is_started_here=True)
        self._session = MeasuringSession(
            stream=STREAM, correction=demonstration_correction_set(), outcome_prefix="B"
        )
        self._session.start(request(10**9, reading_s))
        self._batches = pulse_batches()
        self._complete = 0
        self.samples = 0
        self.gaps = 0
        self.outcomes: list[object] = []

    def portion(self, at: int) -> None:
        """Frames `at` to `at + PORTION`."""
        place = at % TEMPLATE_FRAMES
        data = self._frames[place * FRAME_BYTES : (place + PORTION) * FRAME_BYTES]
        edges_ns = np.arange(at, at + PORTION) * (1e9 / RATE_HZ)
        stamps_ns = (edges_ns + self._late_ns[place : place + PORTION]).astype(np.int64)
        if at % MARKED < PORTION:
            marked = at - at % MARKED
            arrival_ns = BEGIN_NS + marked * 1_000_000_000 // RATE_HZ + 3_000_000
            self._stream.add_marker(marked, arrival_ns)
        found = decode_frames(data, INPUTS)
        frames = StampedFrames(codes=found.codes, stamps_ns=BEGIN_NS + stamps_ns, whole=found.whole)
        for part in self._stream.feed(frames):
            self._take(part)

    def _take(self, part: object) -> None:
        if not isinstance(part, SampleBlock):
            self.gaps += 1
            return
        self.samples += part.sample_count
        events = self._session.add_block(part)
        while self._complete < part.end_sample:
            events += self._session.add_pulses(next(self._batches))
            self._complete += RATE_HZ // 10
        self.outcomes += [e.outcome for e in events if isinstance(e, SessionOutcome)]


def portions(seconds: int) -> Iterator[int]:
    return iter(range(0, seconds * RATE_HZ, PORTION))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--reading-s", type=float, default=60.0)
    parser.add_argument("--report-s", type=int, default=600)
    options = parser.parse_args()
    load = Load(options.reading_s)
    print("| stream, s | CPU s per s of stream | resident, MiB | readings | gaps |")
    print("|---|---:|---:|---:|---:|")
    begun_s = last_s = time.process_time()
    for at in portions(options.seconds):
        load.portion(at)
        second = (at + PORTION) / RATE_HZ
        if second % options.report_s == 0:
            now_s = time.process_time()
            print(
                f"| {second - options.report_s:.0f} to {second:.0f} "
                f"| {(now_s - last_s) / options.report_s:.3f} | {resident_mib():.0f} "
                f"| {len(load.outcomes)} | {load.gaps} |",
                flush=True,
            )
            last_s = now_s
    cpu = (time.process_time() - begun_s) / options.seconds
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    errors = [o.error_percent for o in load.outcomes if isinstance(o, ErrorReading)]
    print(f"\n{cpu:.3f} CPU s per s of stream; largest resident memory {peak_mib:.0f} MiB;")
    print(f"samples made {options.seconds * RATE_HZ}, measured {load.samples}, gaps {load.gaps};")
    print(f"readings {len(errors)} of {len(load.outcomes)} outcomes,", end=" ")
    print(f"errors {min(errors):.6f} to {max(errors):.6f} %")


if __name__ == "__main__":
    main()
