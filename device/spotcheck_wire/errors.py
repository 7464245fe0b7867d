r"""Every error that the wire raises by name.

    ValueError
    ├── MessageError          a message is not what the message table says
    ├── FrameTooLongError     a message does not fit into one frame
    └── StreamDamagedError    the sample stream is damaged; the caller reconnects

(`frontend_codec.FrameError` and `BodyError` stay inside the package: `frames` turns the
first into an event, `frontend_messages` the second into a `MessageError`.)
"""

from collections.abc import Sequence


class MessageError(ValueError):
    """A message is not what the message table says; names the field."""


class FrameTooLongError(ValueError):
    """A message does not fit into one frame."""


class StreamDamagedError(ValueError):
    """The sample stream is damaged and cannot be resynchronised."""

    def __init__(self, reason: str, *, before: Sequence[object] = ()) -> None:
        super().__init__(reason)
        self.before = tuple(before)
        """Messages of the same feed that came whole before the damage."""
