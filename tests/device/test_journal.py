"""What survives the daemon; a kill is a journal that is simply opened again."""

import os
from pathlib import Path

import pytest

from spotcheck.errors import ConfigurationError
from spotcheck_device.journal import Journal, PendingOutcome


def outcome(name: str, evidence: bytes | None = b"\x00\n\xff") -> PendingOutcome:
    return PendingOutcome(
        request_id="q-1",
        kind="reading" if evidence is not None else "cannot judge",
        outcome_id=name,
        body={"error_percent": "0x1p-1", "detail": "张"},
        evidence_sha256="ab" * 32 if evidence is not None else None,
        evidence=evidence,
        device_id="SC-1",
        boot=3,
        correction_set_sha256="cd" * 32,
        signature=bytes(range(64)),
    )


def test_boots_are_counted(tmp_path: Path) -> None:
    assert [Journal(tmp_path / "state").boot for _ in range(3)] == [1, 2, 3]


def test_damaged_boot_counter_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "boot").write_text("seven")
    with pytest.raises(ConfigurationError, match="holds 'seven', no number"):
        Journal(tmp_path)
    assert (tmp_path / "boot").read_text() == "seven"


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"state_folder .*file/state"):
        Journal(tmp_path / "file" / "state")


@pytest.mark.parametrize("evidence", [b"\x00\n\xff", b"", None])
def test_kept_outcome_survives_a_kill(tmp_path: Path, evidence: bytes | None) -> None:
    Journal(tmp_path).keep(outcome("SC-1-1-1", evidence))
    again = Journal(tmp_path)
    assert again.pending() == ["SC-1-1-1"]
    assert again.load("SC-1-1-1") == outcome("SC-1-1-1", evidence)


def test_pending_outcomes_come_oldest_first(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for order, name in enumerate(("b", "c", "a", "d")):
        journal.keep(outcome(name))
        os.utime(tmp_path / "pending" / f"{name}.json", ns=(order, order))
    assert Journal(tmp_path).pending() == ["b", "c", "a", "d"]


def test_acknowledged_outcome_is_gone_for_good(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.keep(outcome("one"))
    journal.keep(outcome("two"))
    journal.acknowledged("one")
    journal.acknowledged("one")
    journal.acknowledged("never kept")
    assert journal.pending() == ["two"]
    assert Journal(tmp_path).pending() == ["two"]
    assert not list((tmp_path / "pending").glob("one*"))


def test_keeping_twice_keeps_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.keep(outcome("one"))
    journal.keep(outcome("one"))
    assert len(journal.pending()) == 1


def test_outcome_with_evidence_but_killed_before_its_head_was_never_there(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    (tmp_path / "pending" / "x.evidence").write_bytes(b"1")
    (tmp_path / "pending" / "x.json.new").write_bytes(b"{")
    assert journal.pending() == []


def test_name_of_an_outcome_cannot_leave_the_folder(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state")
    journal.keep(outcome("../../evil"))
    assert journal.pending() == ["../../evil"]
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    journal.acknowledged("../../evil")
    assert journal.pending() == []


def test_interrupted_request_is_told_at_every_boot_until_a_host_has_heard_it(
    tmp_path: Path,
) -> None:
    Journal(tmp_path).begin("q-7")
    assert Journal(tmp_path).interrupted_request == "q-7"
    again = Journal(tmp_path)
    assert again.interrupted_request == "q-7"
    again.told()
    assert Journal(tmp_path).interrupted_request is None


def test_finished_request_was_not_interrupted(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert journal.interrupted_request is None
    journal.begin("q-7")
    journal.end()
    journal.end()
    assert Journal(tmp_path).interrupted_request is None
