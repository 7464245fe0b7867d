"""One connected host: what waits for it, within bounds, and what it says."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from spotcheck_calibration.evaluation import SOFTWARE
from spotcheck_device.event_log import log_event
from spotcheck_wire.errors import FrameTooLongError, MessageError
from spotcheck_wire.flow_control import CreditAccount
from spotcheck_wire.host_messages import Credit, HostMessage, LiveView, Notice, Progress
from spotcheck_wire.message_channel import MessageChannel, TableAgreed, Unreadable

MOST_WAITING = 256
"""Messages that wait for a host; outcomes do not count, they wait on the disk."""
WRITE_AHEAD_BYTES = 128 * 1024
"""What the operating system has not taken yet is at most this, and a frame."""


class HostLink:
    """A host that was paired; whoever serves its line moves the bytes."""

    def __init__(self, write: Callable[[bytes], None], unsent_bytes: Callable[[], int]) -> None:
        """Offer the tables of messages.

        Args:
            write: Takes bytes for the host.
            unsent_bytes: How many of them the operating system has not taken yet.
        """
        self._write = write
        self._unsent_bytes = unsent_bytes
        self._channel = MessageChannel(f"the device ({SOFTWARE})")
        self._account = CreditAccount()
        self._waiting: deque[tuple[str, Iterator[HostMessage]]] = deque()
        self._transfers: set[str] = set()
        self._notices_left_out = 0
        self.is_lost = False
        """Whether it let more answers wait than there is room for; its line is to be closed."""
        write(self._channel.opening())

    @property
    def is_behind(self) -> bool:
        """Whether the host has not yet taken what was sent; then pictures can wait."""
        return bool(self._waiting) or not self._account.is_open or self._unsent_bytes() > 0

    @property
    def has_work(self) -> bool:
        """Whether `pump` can be of use as soon as the operating system takes bytes again."""
        return bool(self._waiting) and self._account.is_open

    def send(self, message: HostMessage) -> None:
        """Send a message in its turn; what is for display only is dropped when it would wait.

        Notices beyond what may wait are left out, and that is told; an answer beyond that means
        that the host is lost.
        """
        if isinstance(message, LiveView | Progress):
            if self.is_behind:
                return
        elif len(self._waiting) - len(self._transfers) >= MOST_WAITING:
            if isinstance(message, Notice):
                self._notices_left_out += 1
            else:
                self.is_lost = True
            return
        self._waiting.append(("", iter((message,))))
        self.pump()

    def send_transfer(self, name: str, messages: Callable[[], Iterable[HostMessage]]) -> None:
        """Send a row of messages in its turn, made only then; nothing if it waits already."""
        if name in self._transfers:
            return
        self._transfers.add(name)
        self._waiting.append((name, _lazily(messages)))
        self.pump()

    def pump(self) -> None:
        """Send what waits, as far as the host's credit and the operating system allow."""
        while self._waiting and self._account.is_open:
            if self._unsent_bytes() >= WRITE_AHEAD_BYTES:
                return
            name, messages = self._waiting[0]
            message = next(messages, None)
            if message is None:
                self._waiting.popleft()
                self._transfers.discard(name)
                self._tell_what_was_left_out()
            else:
                self._put(message)

    def receive(self, data: bytes) -> list[HostMessage | TableAgreed]:
        """Messages that bytes complete; what cannot be read is answered with a notice.

        Raises:
            NoCommonTableError: the host speaks no table that the device speaks.
        """
        messages: list[HostMessage | TableAgreed] = []
        for event in self._channel.feed(data):
            if isinstance(event, Credit):
                self._account.grant_up_to(event.total_bytes)
                self.pump()
            elif isinstance(event, Unreadable):
                log_event(event.code, logging.WARNING, text=event.text)
                self._answer(Notice(code=event.code, text=event.text, sample=None))
            else:
                messages.append(event)
        return messages

    def _answer(self, notice: Notice) -> None:
        if self._channel.agreed:
            self.send(notice)

    def _put(self, message: HostMessage) -> None:
        try:
            data = self._channel.encode(message)
        except (FrameTooLongError, MessageError) as error:
            notice = Notice(code="message-not-sent", text=str(error), sample=None)
            data = self._channel.encode(notice)
        self._account.use(len(data))
        self._write(data)

    def _tell_what_was_left_out(self) -> None:
        if self._notices_left_out and not self._waiting:
            text = f"{self._notices_left_out} notices, as the host did not take what came before"
            self._notices_left_out = 0
            self._put(Notice(code="notices-left-out", text=text, sample=None))


def _lazily(messages: Callable[[], Iterable[HostMessage]]) -> Iterator[HostMessage]:
    yield from messages()
