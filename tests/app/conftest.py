"""Qt draws offscreen, and whatever it complains about fails the test."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

# Said of every window by the platform that has no screen; it says nothing about us.
EXPECTED = ("This plugin does not support propagateSizeHints()",)


@pytest.fixture(autouse=True)
def no_unexpected_qt_messages() -> Iterator[list[str]]:
    """Messages of the test so far; a test that provokes some takes them out of the list."""
    messages: list[str] = []

    def take(kind: QtMsgType, _: QMessageLogContext, text: str) -> None:
        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) and text not in EXPECTED:
            messages.append(text)

    previous = qInstallMessageHandler(take)
    yield messages
    qInstallMessageHandler(previous)
    assert not messages, messages
