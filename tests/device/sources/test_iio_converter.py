"""An IIO device over libiio's protocol: what is asked of it, and what is refused by name."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from types import ModuleType

import pytest

from spotcheck.errors import ConfigurationError, SampleSourceError
from spotcheck_device.sources.iio_converter import IioConverter
from spotcheck_device.sources.orders import IioOrder

PERIOD_NS = 125_000


def order(uri: str) -> IioOrder:
    return IioOrder(
        uri=uri, device="ads131m08", phases=1, inputs=(5, 2), voltage_range="480V",
        current_range="C100",
    )  # fmt: skip


def frames() -> Iterator[tuple[int, tuple[int, ...]]]:
    for n in range(1000):
        yield n * PERIOD_NS, tuple(100 * n + channel for channel in range(8))


def test_buffer_holds_the_inputs_that_are_wanted_and_the_stamp(iiod_stub: ModuleType) -> None:
    bench = iiod_stub.Bench(frames=frames())
    with iiod_stub.serving(bench) as uri, closing(IioConverter(order(uri))) as converter:
        first = converter.decode(converter.read())
        second = converter.decode(converter.read())
    assert converter.stream_format.sample_rate_hz == 8000
    assert first.codes[:2].tolist() == [[5, 2], [105, 102]]
    assert second.codes[0].tolist() == [100 * 160 + 5, 100 * 160 + 2]
    assert second.stamps_ns.tolist() == [n * PERIOD_NS for n in range(160, 320)]
    # The wall clock may step; and inputs that nobody wants are not even read.
    assert bench.attributes["current_timestamp_clock"] == "monotonic"
    assert "OPEN iio:device0 160 00000124" in bench.said
    assert "CLOSE iio:device0" in bench.said


def test_rate_that_the_kernel_writes_with_decimals_is_a_whole_number(iiod_stub: ModuleType) -> None:
    bench = iiod_stub.Bench(frames=frames(), rate="31250.000000")
    with iiod_stub.serving(bench) as uri, closing(IioConverter(order(uri))) as converter:
        assert converter.stream_format.sample_rate_hz == 31_250


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"name": "ad7606"}, SampleSourceError, "has no device ads131m08; it has ad7606"),
        ({"has_timestamp": False}, SampleSourceError, "no time stamp in its scan"),
        ({"rate": "8000.5"}, SampleSourceError, "8000.5 S/s"),
        ({"channels": 4}, ConfigurationError, "the converter has 0 to 3"),
        ({"scan_format": "le:u24/32&gt;&gt;8"}, SampleSourceError, "codes are signed"),
    ],
)
def test_device_that_cannot_be_used_is_refused(
    iiod_stub: ModuleType, changes: dict[str, object], error: type[Exception], says: str
) -> None:
    bench = replace(iiod_stub.Bench(frames=frames()), **changes)
    with iiod_stub.serving(bench) as uri, pytest.raises(error, match=says):
        IioConverter(order(uri))


def test_silent_device_is_an_error(iiod_stub: ModuleType) -> None:
    bench = iiod_stub.Bench(frames=iter(()))
    with (
        iiod_stub.serving(bench) as uri,
        closing(IioConverter(order(uri))) as converter,
        pytest.raises(OSError, match="timed out"),
    ):
        converter.read()


def test_nobody_at_the_address_is_an_error(iiod_stub: ModuleType) -> None:
    with iiod_stub.serving(iiod_stub.Bench(frames=frames())) as uri:
        pass
    with pytest.raises(OSError, match="refused"):
        IioConverter(order(uri))


@pytest.mark.parametrize(
    ("hidden", "says"),
    [
        ("sys.modules['iio'] = None", "pip install 'spotcheck[device]'"),
        ("ctypes.util.find_library = lambda name: None", "apt-get install libiio0"),
    ],
)
def test_missing_library_is_named_with_the_line_that_installs_it(hidden: str, says: str) -> None:
    program = (
        f"import sys, ctypes.util; {hidden}\n"
        "from spotcheck_device.sources.iio_converter import load_libiio\n"
        "load_libiio()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ConfigurationError.__name__ in done.stderr
    assert says in done.stderr
