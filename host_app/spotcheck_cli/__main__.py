"""`python -m spotcheck_cli` is the `spotcheck` command."""

from spotcheck_cli.main import app

app()
