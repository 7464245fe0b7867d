"""Prints what the compiled kernels give here, for comparison with another processor.

One line of JSON: the kernels offered, a digest of exact sums by each of them, and phasors.
"""

import hashlib
import json

import numpy as np

from spotcheck_dsp.mains_stream import WAVEFORM_KERNELS, MainsStream
from spotcheck_dsp.slot_sums import KERNELS, SlotAccumulator


def digest_of_sums(kernel: str) -> str:
    """Of random codes over all of 24 bits, in blocks, for each number of phases."""
    rng = np.random.default_rng(20261124)
    digest = hashlib.sha256()
    for phases in (1, 2, 3, 4):
        codes = rng.integers(-(1 << 23), 1 << 23, (5_000, 2 * phases), endpoint=True)
        accumulator = SlotAccumulator(phases=phases, slot_length=77, kernel=kernel)
        for block in np.split(codes.astype(np.int32), [1, 20, 1_731]):
            digest.update(accumulator.add(block)[0].astype("<i8").tobytes())
    return digest.hexdigest()


def main() -> None:
    """Print the line."""
    n = np.arange(20_000)
    mains = 4e6 * np.cos(2 * np.pi * 50.2 / 50e3 * n[:, None] + np.arange(6))
    stream = MainsStream(phases=3, sample_rate_hz=50e3)
    phasors = stream.add(np.rint(mains).astype(np.int32)).phasors
    found = {
        "sums": KERNELS,
        "stream": WAVEFORM_KERNELS,
        "digests": {kernel: digest_of_sums(kernel) for kernel in KERNELS},
        "real": phasors.real.tolist(),
        "imaginary": phasors.imag.tolist(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
