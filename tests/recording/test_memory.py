"""Long recordings are streamed: memory does not grow with the file."""

import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from spotcheck_recording.code_scale import ChannelScale
from spotcheck_recording.opening import open_recording
from spotcheck_recording.writers import open_writer

SCALES = tuple(
    ChannelScale(
        name=f"{quantity}{phase}", unit=unit, gain_per_code=3.1e-5, offset_codes=0.5, skew_s=0.0
    )
    for phase in (1, 2, 3)
    for quantity, unit in (("u", "V"), ("i", "A"))
)


@pytest.mark.parametrize(("kind", "name"), [("parquet", "r.parquet"), ("comtrade", "r.cfg")])
def test_sixty_megabytes_are_read_in_forty(tmp_path: Path, kind: str, name: str) -> None:
    samples = 2_000_000 if kind == "comtrade" else 1_000_000
    writer = open_writer(
        tmp_path / name,
        format=kind,
        sample_rate_hz=50_000,
        scales=SCALES,
        first_sample=0,
        station="x",
        start_utc_ns=0,
    )
    rng = np.random.default_rng(5)
    portion = rng.integers(-(2**23), 2**23, (50_000, 6), np.int32)
    for _ in range(samples // len(portion)):
        writer.append(portion)
    writer.close()
    size = max(path.stat().st_size for path in tmp_path.iterdir())
    assert size > 40e6
    arrow = pa.total_allocated_bytes()
    arrow_peak = 0
    tracemalloc.start()
    with open_recording(tmp_path / name) as recording:
        rows = 0
        for block in recording.blocks():
            rows += len(block.values)
            arrow_peak = max(arrow_peak, pa.total_allocated_bytes() - arrow)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == samples
    assert peak + arrow_peak < 40e6
