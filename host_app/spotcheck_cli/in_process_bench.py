"""A verification in one process: the simulated bench straight into the measuring session.

The same session, evaluation and correction as on the board, without wire and processes; this is
how thousands of runs are judged against the simulator's truth.
"""

from typing import Protocol

from spotcheck.ports import PulseSource, SampleSource
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_device.measuring_session import MeasuringSession
from spotcheck_device.session_messages import MeasurementRequest, SessionFinished, SessionOutcome


class Bench(SampleSource, PulseSource, Protocol):
    """Samples and pulses on one clock, as the simulated bench delivers them."""


def measure_in_process(
    bench: Bench, correction: CorrectionSet, request: MeasurementRequest
) -> list[SessionOutcome]:
    """Work on a request until it is finished.

    Args:
        bench: Samples and pulses, at any position of their stream.
        correction: The instrument's correction set.
        request: What to measure.
    """
    session = MeasuringSession(
        stream=bench.stream_format, correction=correction, outcome_prefix=request.request_id
    )
    session.start(request)
    outcomes: list[SessionOutcome] = []
    for block in bench.blocks():
        events = session.add_block(block)
        events += session.add_pulses(bench.batch_up_to(block.end_sample))
        outcomes += [event for event in events if isinstance(event, SessionOutcome)]
        if any(isinstance(event, SessionFinished) for event in events):
            break
    return outcomes
