"""A source that is silent for long while a measurement waits for it has gone."""

import asyncio
from collections.abc import Callable

from spotcheck.reading import Reason

SILENT_LOOKS = 8
"""A source is gone when so many looks, a second apart, find nothing new. Looks are counted, not
time, so that a daemon that was itself held up does not take its own pause for silence."""
LOOK_S = 1.0


class SilenceWatch:
    """Looks every second whether something has come; one of the uses of wall time."""

    def __init__(
        self, *, is_waited_for: Callable[[], bool], on_silence: Callable[[Reason, str], None]
    ) -> None:
        """Nothing is watched before `run`.

        Args:
            is_waited_for: Whether a measurement waits for the sources.
            on_silence: Takes which source has gone.
        """
        self._is_waited_for = is_waited_for
        self._on_silence = on_silence
        self._samples_came = self._pulses_came = True

    def hear_samples(self) -> None:
        """Samples have come."""
        self._samples_came = True

    def hear_pulses(self) -> None:
        """The pulse front end has said something."""
        self._pulses_came = True

    async def run(self) -> None:
        """Look, until cancelled."""
        silent_samples = silent_pulses = 0
        while True:
            await asyncio.sleep(LOOK_S)
            waiting = self._is_waited_for()
            silent_samples = 0 if self._samples_came or not waiting else silent_samples + 1
            silent_pulses = 0 if self._pulses_came or not waiting else silent_pulses + 1
            self._samples_came = self._pulses_came = False
            if silent_pulses >= SILENT_LOOKS:
                self._on_silence(Reason.FRONT_END_LOST, "the pulse front end says nothing any more")
            elif silent_samples >= SILENT_LOOKS:
                self._on_silence(Reason.SAMPLES_LOST, "no samples come any more")
