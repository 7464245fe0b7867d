"""Runs the demonstration through all processes, inside the test's own interpreter."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from spotcheck_cli.demo import DemoOutput, run_demo
from spotcheck_cli.scenario import Scenario
from spotcheck_host.device_client import DeviceEvent


@dataclass(frozen=True)
class Rehearsal:
    """A finished demonstration."""

    output: DemoOutput
    events: list[DeviceEvent]
    told: list[str]
    folder: Path


@pytest.fixture
def rehearse(tmp_path: Path) -> Callable[..., Rehearsal]:
    def run(
        scenario: Scenario,
        *,
        rule_id: str = "jjg596-2012",
        out: Path = tmp_path,
        ask: Callable[[str], bool | None] = lambda question: None,
    ) -> Rehearsal:
        events: list[DeviceEvent] = []
        told: list[str] = []
        output = run_demo(
            scenario,
            rule_id=rule_id,
            out=out,
            language="en",
            real_time=False,
            observe=events.append,
            ask=ask,
            tell=told.append,
        )
        return Rehearsal(output=output, events=events, told=told, folder=out)

    return run
