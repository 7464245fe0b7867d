"""The code that a device shows: one at a time, for a time, for three tries."""

from pathlib import Path

import pytest

from spotcheck.errors import PairingError
from spotcheck_trust.pairing_desk import LASTS_S, PairingDesk


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> PairingDesk:
    return PairingDesk(tmp_path / "pairing", clock)


def test_code_is_seen_by_another_program_and_by_nobody_else(
    desk: PairingDesk, tmp_path: Path, clock: Clock
) -> None:
    assert desk.current() is None
    opened = desk.open()
    assert PairingDesk(tmp_path / "pairing", clock).current() == opened
    assert (tmp_path / "pairing").stat().st_mode & 0o777 == 0o600
    digits = opened.code.replace("-", "")
    assert len(digits) == 8
    assert digits.isdecimal()


def test_codes_differ(desk: PairingDesk) -> None:
    codes = set()
    for _ in range(5):
        codes.add(desk.open().code)
        desk.close()
    assert len(codes) == 5


def test_second_pairing_is_refused_while_one_is_open(desk: PairingDesk, clock: Clock) -> None:
    desk.open()
    with pytest.raises(PairingError, match="open already"):
        desk.open()
    clock.now_s += LASTS_S + 1
    desk.open()


def test_code_expires(desk: PairingDesk, clock: Clock) -> None:
    desk.open()
    clock.now_s += LASTS_S
    assert desk.current() is not None
    clock.now_s += 1
    assert desk.current() is None


def test_code_of_before_the_boards_last_start_is_worth_nothing(
    desk: PairingDesk, clock: Clock
) -> None:
    desk.open()
    clock.now_s = 3.0
    assert desk.current() is None


def test_three_wrong_tries_close_the_pairing(desk: PairingDesk) -> None:
    desk.open()
    assert [desk.count_wrong_try() for _ in range(3)] == [2, 1, 0]
    assert desk.current() is None
    assert desk.count_wrong_try() == 0


def test_code_can_be_used_once(desk: PairingDesk) -> None:
    desk.open()
    desk.succeed("li (key:0)")
    assert desk.current() is None
    last = desk.last()
    assert last is not None
    assert last.paired_with == "li (key:0)"


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"code":"1"}', b"\xff"])
def test_damaged_file_is_no_open_pairing(desk: PairingDesk, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pairing").write_bytes(content)
    assert desk.current() is None
    assert desk.open().code
