"""Short form of `spotcheck campaign kill`; the long one's result is in benchmarks/results.md."""

import sqlite3
from pathlib import Path

import pytest

from spotcheck_cli.kill_campaign import kill_and_look
from spotcheck_host.case_list import list_cases

pytestmark = pytest.mark.processes


def test_every_acknowledged_outcome_is_found_after_a_kill_at_a_random_moment(
    tmp_path: Path,
) -> None:
    trials = list(kill_and_look(tmp_path, runs=3, seed=3))
    assert [trial.lost for trial in trials] == [()] * 3
    assert {trial.victim for trial in trials} == {"host", "device"}
    assert any(trial.acknowledged for trial in trials)
    # Whatever was cut off is closed by the next start, which says so in the record.
    for _, lines in list_cases(tmp_path / "records.sqlite"):
        assert "case closed" in lines
        after = lines[lines.index("case closed") + 1 :]
        assert all(line.endswith("came late") for line in after)
        assert any(line.startswith(("verdict", "interrupted")) for line in lines)
    database = sqlite3.connect(tmp_path / "records.sqlite")
    try:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        database.close()
