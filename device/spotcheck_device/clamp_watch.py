"""Whether the clamps that are plugged in are those that the correction set was made with.

Their identity memory names a correction set by its digest. Clamps without a memory, or with one
that names no set, say nothing, and the operator answers for them.
"""

import asyncio
from collections.abc import Callable

from spotcheck.errors import CommandRefusedError, DeviceLostError
from spotcheck_device.front_end_commands import FrontEndCommands
from spotcheck_wire.frontend_codec import REFUSED_CLAMP_DAMAGED, REFUSED_NO_CLAMP
from spotcheck_wire.frontend_messages import Clamp, ReadClamp

LOOK_S = 5.0
_SHOWN = 12


class ClampWatch:
    """Asks the front end again and again, as clamps may be changed at any time."""

    def __init__(
        self,
        commands: FrontEndCommands,
        correction_sha256: str,
        *,
        on_obstacle: Callable[[str], None],
        on_notice: Callable[[str, str], None],
    ) -> None:
        """Nothing is known before `run`.

        Args:
            commands: Orders to the front end.
            correction_sha256: Digest of the correction set in use, hexadecimal.
            on_obstacle: Told, once each time, why nothing can be measured with these clamps.
            on_notice: Takes what a person should know (code, text).
        """
        self._commands = commands
        self._sha256 = correction_sha256
        self._on_obstacle = on_obstacle
        self._on_notice = on_notice
        self._is_damaged = False
        self.obstacle: str | None = None
        """Why nothing can be measured with the clamps that are plugged in; None: nothing known."""

    async def run(self) -> None:
        """Look, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Ask once."""
        try:
            told = await self._commands.order(ReadClamp())
        except CommandRefusedError as error:
            # Any other refusal, as of a front end that is busy, says nothing of the clamps.
            if error.reason in (REFUSED_NO_CLAMP, REFUSED_CLAMP_DAMAGED):
                self._take(None, is_damaged=error.reason == REFUSED_CLAMP_DAMAGED)
        except DeviceLostError:
            return  # the loss of the front end is told by its link, and nothing new is known
        else:
            clamps = [message for message in told if isinstance(message, Clamp)]
            self._take(clamps[0] if clamps else None, is_damaged=False)

    def _take(self, clamp: Clamp | None, *, is_damaged: bool) -> None:
        if is_damaged and not self._is_damaged:
            text = "the identity of the clamps cannot be read: both copies are damaged"
            self._on_notice("clamp-damaged", text)
        self._is_damaged = is_damaged
        before, self.obstacle = self.obstacle, self._mismatch(clamp)
        if self.obstacle and self.obstacle != before:
            self._on_obstacle(self.obstacle)

    def _mismatch(self, clamp: Clamp | None) -> str | None:
        if clamp is None or not any(clamp.correction_sha256):
            return None
        theirs = clamp.correction_sha256.hex()
        if theirs == self._sha256:
            return None
        serial = clamp.serial.rstrip(b"\0").decode("ascii", "replace")
        return (
            f"the clamp {serial} belongs to correction set {theirs[:_SHOWN]}, "
            f"the instrument uses {self._sha256[:_SHOWN]}"
        )
