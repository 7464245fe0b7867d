"""pytest plugin: test a meter on a simulated, an emulated or a real bench (docs/hil.md).

    pytest -p spotcheck_sim.pytest_plugin -p spotcheck_cli.hil_instrument --backend=sim

It is asked for by name, so that nobody else's tests are changed. What measures comes from the
fixture `instrument`: of `spotcheck_cli.hil_instrument`, or of your own conftest.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from spotcheck.errors import ConfigurationError
from spotcheck.meter import AccuracyClass, Meter, MeterConstant
from spotcheck_sim.bench import BenchConfig
from spotcheck_sim.front_end import typical_front_end
from spotcheck_sim.hil.bench import (
    Backend,
    Clock,
    FrontEndOnBench,
    HilBench,
    MeterOnBench,
    Source,
)
from spotcheck_sim.hil.instrument import Instrument
from spotcheck_sim.hil.report import Check, require_report_name, table, write_report
from spotcheck_sim.meter_under_test import MeterUnderTest

CHECKS = pytest.StashKey[list[Check]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the bench."""
    group = parser.getgroup("bench", "hardware in the loop")
    group.addoption(
        "--backend",
        choices=[backend.value for backend in Backend],
        default=Backend.SIM.value,
        help="sim: in this process; emu: firmware and daemon as processes; hw: real hardware",
    )
    group.addoption("--bench-seed", type=int, default=1, help="seed of everything random")
    group.addoption(
        "--bench-report", default="", metavar="FILE", help="file for the checks: .json or .csv"
    )
    group.addoption(
        "--instrument", default="", metavar="HOST:PORT", help="address of the real instrument (hw)"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse options that contradict each other before any test pretends to run."""
    config.addinivalue_line(
        "markers", "needs_simulation: sets the bench up or makes faults; skipped on real hardware"
    )
    config.stash[CHECKS] = []
    if backend_of(config) is Backend.HW and not config.getoption("--instrument"):
        raise pytest.UsageError("--backend=hw needs the instrument: --instrument=HOST:PORT")
    if path := config.getoption("--bench-report"):
        try:
            require_report_name(Path(path))
        except ConfigurationError as error:
            raise pytest.UsageError(f"--bench-report={error}") from error


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip on real hardware what only a simulated bench can do."""
    if backend_of(config) is not Backend.HW:
        return
    reason = "--backend=hw: this test sets a simulated bench up"
    for item in items:
        if item.get_closest_marker("needs_simulation"):
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Truth, measured value and limit of every check; the file, if one is wanted."""
    checks = config.stash[CHECKS]
    if path := config.getoption("--bench-report"):
        write_report(checks, Path(path))
    if checks:
        terminalreporter.section(f"meter checks, backend {backend_of(config).value}")
        for line in table(checks):
            terminalreporter.write_line(line)


def backend_of(config: pytest.Config) -> Backend:
    """What the tests run on."""
    return Backend(config.getoption("--backend"))


@pytest.fixture
def nameplate() -> Meter:
    """The meter as it is entered; override it with yours."""
    return Meter(
        serial="1",
        accuracy_class=AccuracyClass.CLASS_1,
        constant=MeterConstant(pulses_per_unit=Fraction(1600)),
    )


@pytest.fixture
def simulated_meter(nameplate: Meter) -> MeterUnderTest:
    """The meter as it is simulated; override it with a model of yours."""
    return MeterUnderTest(constant_imp_per_kwh=float(nameplate.constant.pulses_per_unit))


@pytest.fixture
def bench_config(nameplate: Meter, simulated_meter: MeterUnderTest) -> BenchConfig:
    """The simulated bench; an instrument's plugin overrides it with its own front end."""
    return BenchConfig(meter=simulated_meter, front_end=typical_front_end(nameplate.phases))


@pytest.fixture
def instrument() -> Instrument:
    """What measures; there is none unless somebody brings it."""
    raise pytest.UsageError(
        "no instrument: add -p spotcheck_cli.hil_instrument, or a fixture `instrument` that "
        "gives a spotcheck_sim.hil.instrument.Instrument"
    )


@pytest.fixture
def bench(
    request: pytest.FixtureRequest,
    bench_config: BenchConfig,
    nameplate: Meter,
    instrument: Instrument,
) -> HilBench:
    """The whole bench of this test."""
    return HilBench(
        bench_config,
        nameplate,
        seed=request.config.getoption("--bench-seed"),
        backend=backend_of(request.config),
        instrument=instrument,
        test=request.node.nodeid,
        keep=request.config.stash[CHECKS].append,
    )


@pytest.fixture
def source(bench: HilBench) -> Source:
    """Mains and load."""
    return Source(bench)


@pytest.fixture
def meter(bench: HilBench) -> MeterOnBench:
    """The meter under test."""
    return MeterOnBench(bench)


@pytest.fixture
def frontend(bench: HilBench) -> FrontEndOnBench:
    """Optical head, clamps and converter."""
    return FrontEndOnBench(bench)


@pytest.fixture
def clock(bench: HilBench) -> Clock:
    """Stream time."""
    return bench.clock


@pytest.fixture
def fault(bench: HilBench) -> Callable[..., None]:
    """`fault("pulse bounce", at=3.0)`: lets something go wrong, the same for the same seed."""
    return bench.fault
