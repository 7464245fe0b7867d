"""Poor light is told once, and once when it is over."""

from spotcheck_device.light_watch import GOOD_PERCENT, POOR_PERCENT, LightWatch
from spotcheck_wire.frontend_messages import InputSignal


def told(*qualities: int, swing: int = 900) -> list[tuple[str, str]]:
    notices: list[tuple[str, str]] = []
    watch = LightWatch(lambda code, text: notices.append((code, text)))
    for quality in qualities:
        watch.take(InputSignal(input=0, ambient=400, swing=swing, threshold=850, quality=quality))
    return notices


def test_poor_light_is_told_once_until_it_was_good() -> None:
    assert told(80, 12, 9, 12, 60, 5) == [
        ("light-poor", "optical head 1: signal quality 12 %; shade it and align it again"),
        ("light-good", "optical head 1: signal quality 60 % again"),
        ("light-poor", "optical head 1: signal quality 5 %; shade it and align it again"),
    ]


def test_quality_between_the_two_limits_changes_nothing() -> None:
    between = (POOR_PERCENT + GOOD_PERCENT) // 2
    assert told(between, between) == []
    assert [code for code, _ in told(3, between, 3, between)] == ["light-poor"]


def test_dark_led_says_nothing_of_the_light() -> None:
    assert told(0, swing=0) == []
