"""A measurement's progress on the terminal."""

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from spotcheck_host.device_client import ArrivedOutcome, DeviceEvent
from spotcheck_wire import host_messages as wire


class Display:
    """Progress on the terminal."""

    def __init__(self, console: Console) -> None:
        """Show it on a console."""
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(24), console=console
        )
        self._task = self._progress.add_task("starting bench and device", total=None)

    def __enter__(self) -> "Display":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, event: DeviceEvent) -> None:
        """Show how the measurement stands."""
        if isinstance(event, wire.Progress):
            text = f"{event.state}, {event.pulses} pulses, {event.power_w:.0f} W"
            if event.error_percent is not None and event.expanded_uncertainty_percent is not None:
                text += (
                    f", {event.error_percent:+.3f} % ± {event.expanded_uncertainty_percent:.3f} %"
                )
            if event.expected_wait_s:
                text += f", {event.expected_wait_s:.0f} s to go"
            self._progress.update(self._task, description=text)
        elif isinstance(event, ArrivedOutcome):
            text = f"{event.message.kind} {event.message.outcome_id} stored and acknowledged"
            self._progress.console.print(f"  {text}", highlight=False, soft_wrap=True)
        elif isinstance(event, wire.Notice):
            self._progress.console.print(
                f"  [yellow]{event.code}: {event.text}[/]", highlight=False
            )
        elif isinstance(event, wire.Finished):
            self._progress.update(self._task, description="writing report, bundle and plot")

    def ask(self, question: str) -> bool | None:
        """Ask the person at the terminal."""
        self._progress.stop()
        try:
            return typer.confirm(question)
        finally:
            self._progress.start()
