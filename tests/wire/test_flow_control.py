"""Credit: a sender never has more on its way than its receiver takes."""

from hypothesis import given
from hypothesis import strategies as st

from spotcheck_wire.flow_control import CreditAccount, CreditGrants


def test_account_is_closed_until_something_is_granted() -> None:
    account = CreditAccount()
    assert not account.is_open
    account.grant_up_to(10)
    assert account.is_open
    account.use(10)
    assert not account.is_open


def test_smaller_grant_than_before_means_nothing() -> None:
    account = CreditAccount()
    account.grant_up_to(10)
    account.grant_up_to(3)
    account.use(5)
    assert account.is_open


@given(st.lists(st.integers(1, 70), min_size=1, max_size=200), st.integers(100, 200))
def test_what_is_on_its_way_is_a_window_and_a_frame_at_most(frames: list[int], window: int) -> None:
    """And a receiver that takes what comes never lets the sender wait for ever."""
    account, grants = CreditAccount(), CreditGrants(window)
    on_the_way: list[int] = []
    waiting = list(frames)
    while waiting or on_the_way:
        total = grants.due()
        if total is not None:
            account.grant_up_to(total)
        while waiting and account.is_open:
            on_the_way.append(waiting.pop(0))
            account.use(on_the_way[-1])
        assert sum(on_the_way) < window + max(frames)
        assert on_the_way, "both wait for each other"
        grants.take(on_the_way.pop(0))
