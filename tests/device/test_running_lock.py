"""One daemon to a state folder."""

from pathlib import Path

import pytest

from spotcheck.errors import ConfigurationError
from spotcheck_device.running_lock import daemon_is_running, only_daemon_of


def test_second_daemon_of_a_folder_is_refused_and_the_first_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert not daemon_is_running(folder)
    with only_daemon_of(folder):
        assert daemon_is_running(folder)
        with pytest.raises(ConfigurationError, match="another daemon"), only_daemon_of(folder):
            pass
    assert not daemon_is_running(folder)
    with only_daemon_of(folder):
        pass


def test_error_within_a_run_is_not_taken_for_one_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="address"), only_daemon_of(tmp_path):
        raise OSError("address in use")


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ConfigurationError, match=r"state_folder .*Not a directory"),
        only_daemon_of(tmp_path / "file" / "state"),
    ):
        pass
