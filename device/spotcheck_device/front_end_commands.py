"""Commands to the pulse front end: one is outstanding, each is answered by its number."""

import asyncio
from collections.abc import Callable

from spotcheck.errors import CommandRefusedError, DeviceLostError
from spotcheck_wire import frontend_codec as codec
from spotcheck_wire import frontend_messages as table

ANSWER_TIMEOUT_S = 30.0
"""Longest that a command may take: the verification of an image on a slow processor."""

REFUSAL_TEXTS = {
    codec.REFUSED_BUSY: "another command is under way; wait for its answer",
    codec.REFUSED_INPUT: "the input has no such setting",
    codec.REFUSED_VALUE: "the value is out of range",
    codec.REFUSED_NO_SENSOR: "the environment sensor does not answer; check its cable",
    codec.REFUSED_SENSOR_CHECKSUM: "the environment sensor's answer was damaged; ask again",
    codec.REFUSED_NO_CLAMP: "no clamp is connected, or its memory does not answer",
    codec.REFUSED_CLAMP_DAMAGED: "the clamp's memory holds no whole identity; write it anew",
    codec.REFUSED_CLAMP_LOCKED: "the clamp's identity is locked; unlock it by its serial number",
    codec.REFUSED_OTHER_SERIAL: "the clamp has another serial number",
    codec.REFUSED_CLAMP_NOT_WRITTEN: "the identity does not read back; the old one still holds",
    codec.REFUSED_SIGNATURE: "the image's manifest is not signed with the vendor's key",
    codec.REFUSED_OTHER_BOARD: "the image is for another board",
    codec.REFUSED_ROLLBACK: "the image is not newer than what has run; rollback is refused",
    codec.REFUSED_IMAGE_LENGTH: "the image does not fit into a slot",
    codec.REFUSED_UPDATE_ORDER: "a piece of the image is missing; begin the update again",
    codec.REFUSED_DIGEST: "the image that arrived is not the one that was signed",
    codec.REFUSED_NO_FLASH: "this front end has no room for updates",
    codec.REFUSED_ON_TRIAL: "the running image is still on trial; restart the front end first",
}


class FrontEndCommands:
    """Sends commands and pairs them with their answers."""

    def __init__(self, send: Callable[[table.FrontEndCommand], int]) -> None:
        """Nothing is sent yet.

        Args:
            send: Sends a command and returns its sequence number; raises DeviceLostError where
                the line is not open.
        """
        self._send = send
        self._turn = asyncio.Lock()
        self._sequence: int | None = None
        self._told: list[table.FrontEndMessage] = []
        self._answered: asyncio.Future[table.Ack | table.Refused] | None = None

    async def order(
        self, command: table.FrontEndCommand, *, timeout_s: float = ANSWER_TIMEOUT_S
    ) -> tuple[table.FrontEndMessage, ...]:
        """Have a command carried out; others wait meanwhile.

        Returns:
            What the front end told in answer: environment or clamp, or nothing.

        Raises:
            CommandRefusedError: it was refused; says why.
            DeviceLostError: the line is not open, or no answer came in time.
        """
        async with self._turn:
            self._told = []
            self._answered = asyncio.get_running_loop().create_future()
            try:
                self._sequence = self._send(command)
                answer = await asyncio.wait_for(self._answered, timeout_s)
            except TimeoutError as error:
                name = type(command).__name__
                raise DeviceLostError(
                    f"the pulse front end did not answer {name} within {timeout_s:g} s"
                ) from error
            finally:
                self._answered = None
        if isinstance(answer, table.Refused):
            why = REFUSAL_TEXTS.get(answer.reason, f"reason {answer.reason}")
            raise CommandRefusedError(
                f"the pulse front end refused {type(command).__name__}: {why}", answer.reason
            )
        return tuple(self._told)

    def take(self, message: table.FrontEndMessage) -> None:
        """Take what the front end said; what answers nothing is left alone."""
        if self._answered is None or self._answered.done():
            return
        if isinstance(message, table.Environment | table.Clamp):
            self._told.append(message)
        elif isinstance(message, table.Ack | table.Refused) and message.sequence == self._sequence:
            self._answered.set_result(message)

    def lose_line(self) -> None:
        """The line is gone: whoever waits is told."""
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(DeviceLostError("the pulse front end went away"))
