"""A running front end for each test."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

# importlib mode puts no test folder on the path; the helper beside us is imported by name.
sys.path.insert(0, str(Path(__file__).parent))
# The firmware's own names for its modules; last, so that they hide nobody's.
sys.path += [
    str(Path(__file__).parents[2] / "device" / room) for room in ("firmware", "spotcheck_wire")
]

from running_front_end import RunningFrontEnd

from spotcheck_wire.frontend_messages import FrontEndHello


@pytest.fixture
def start_front_end() -> Iterator[Callable[..., RunningFrontEnd]]:
    with ExitStack() as stack:

        def start(**options: Any) -> RunningFrontEnd:
            front_end = stack.enter_context(RunningFrontEnd(**options))
            assert isinstance(front_end.next_message(), FrontEndHello)
            return front_end

        yield start


@pytest.fixture
def front_end(start_front_end: Callable[..., RunningFrontEnd]) -> RunningFrontEnd:
    return start_front_end()
