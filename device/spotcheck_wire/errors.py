r"""Every error that the wire raises by name.

    ValueError
    ├── MessageError              a message is not what the message table says
    ├── FrameTooLongError         a message does not fit into one frame
    ├── StreamDamagedError        the sample stream is damaged; the caller reconnects
    ├── NoCommonTableError        the two ends have no table of messages in common
    └── SecureSessionError        a secure session cannot begin, or cannot go on
        ├── PeerNotTrustedError   the other end is none that this end was paired with
        ├── NotTrustedByPeerError the other end says that it was not paired with this one
        └── RecordRefusedError    what arrived is not what the other end sent, in its order

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


class NoCommonTableError(ValueError):
    """The two ends have no table of messages in common; says which one to update."""


class SecureSessionError(ValueError):
    """A secure session cannot begin, or cannot go on; nothing more is taken from it."""


class PeerNotTrustedError(SecureSessionError):
    """The other end is none that this end was paired with."""


class NotTrustedByPeerError(SecureSessionError):
    """The other end says that it was not paired with this one."""


class RecordRefusedError(SecureSessionError):
    """What arrived is not what the other end sent, in the order in which it sent it."""
