"""A trial straight into the measuring session: the session's states are the steps."""

from spotcheck.reading import CannotJudge, ErrorReading
from spotcheck.verdict import judge_readings
from spotcheck_calibration.budget import combine_readings
from spotcheck_cli.fault_matrix.finding import Finding, of_reason, of_verdict, wrong
from spotcheck_cli.fault_matrix.trial import Trial
from spotcheck_cli.in_process_bench import measure_in_process
from spotcheck_sim.bench import BenchConfig, SimulatedBench

SESSION_STEPS = {
    "settling": 0.3,
    "waiting for a pulse": 0.58,
    "measuring": 3.0,
    "end of a reading": 5.15,
    "next reading": 7.5,
    "last margin": 9.95,
}
"""States of the measuring session, and when the undisturbed trial is in each, in s of stream."""


def run_in_session(trial: Trial, config: BenchConfig, seed: int) -> Finding:
    """Measure and judge on a bench with a fault.

    Args:
        trial: The trial.
        config: Its bench with the fault.
        seed: Seed of everything random.
    """
    events = measure_in_process(SimulatedBench(config, seed), trial.correction, trial.request)
    readings: list[ErrorReading] = []
    for event in events:
        if isinstance(event.outcome, CannotJudge):
            return of_reason(event.outcome.reason)
        readings.append(event.outcome)
    if len(readings) < trial.request.readings:
        return wrong(f"{len(readings)} readings and no reason")
    taken = tuple(readings)
    verdict = judge_readings(trial.rule, trial.meter, combine_readings(taken), taken)
    return of_verdict(verdict, taken, trial.true_error_percent)
