"""How a command says what went wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from spotcheck.errors import SpotcheckError

EXIT_INPUT = 2


@contextmanager
def named_errors() -> Iterator[None]:
    """What went wrong, in one sentence and without a traceback."""
    try:
        yield
    except (SpotcheckError, OSError) as error:
        Console(stderr=True).print(
            f"[bold red]spotcheck:[/] {error}", highlight=False, soft_wrap=True
        )
        raise typer.Exit(EXIT_INPUT) from error
