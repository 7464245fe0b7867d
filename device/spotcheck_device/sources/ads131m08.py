"""An ADS131M08 on an SPI bus: configures it, starts it, and reads a frame at each edge of DRDY.

The converter keeps two conversions. When more edges are waiting than one, what it would give is
not the newest: both are read away and count as lost, and the next frame is fresh again.
"""

import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

from spotcheck.errors import SampleSourceError
from spotcheck_device.sources import ads131m08_registers as chip
from spotcheck_device.sources.ads131m08_frames import Status, decode_frames
from spotcheck_device.sources.channel_map import ChannelMap
from spotcheck_device.sources.numbered_stream import StampedFrames
from spotcheck_device.sources.sampler import RawFrames
from spotcheck_wire.sample_stream import StreamFormatMessage

READ_AT_ONCE_S = 0.005
EDGE_WAIT_S = 0.25
AFTER_RESET_S = 0.001
"""The registers can be read 5 µs after a reset; a millisecond does not matter."""
_RESTARTED = Status.RESET | Status.F_RESYNC | Status.REG_MAP


class SpiBus(Protocol):
    """The wires to one converter."""

    def transfer(self, data: bytes) -> bytes:
        """Send bytes and return those that came back meanwhile.

        Raises:
            OSError: the bus is gone.
        """

    def close(self) -> None:
        """Give the bus back."""


class DataReady(Protocol):
    """The edges of the converter's DRDY output."""

    def wait(self, timeout_s: float) -> tuple[int, ...]:
        """Instants (monotonic, ns) of the edges since the last call; waits for the first.

        Raises:
            OSError: the line is gone.
        """

    def close(self) -> None:
        """Give the line back."""


class Ads131m08:
    """An open converter; a `Converter`."""

    def __init__(
        self,
        *,
        bus: SpiBus,
        ready: DataReady,
        configuration: chip.Ads131m08Configuration,
        channels: ChannelMap,
        stream_format: StreamFormatMessage,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Reset the converter, configure it and start it.

        Args:
            bus: Its SPI bus.
            ready: Its DRDY line.
            configuration: Rate and gains.
            channels: Which inputs are wanted.
            stream_format: What the stream will look like.
            sleep: Waits for so many seconds.

        Raises:
            SampleSourceError: it does not answer as an ADS131M08 does.
            OSError: bus or line cannot be used.
        """
        self._bus, self._ready, self._sleep = bus, ready, sleep
        self._channels = channels
        self.stream_format = stream_format
        self.starts_here = True
        self._first_edge_ns: int | None = None
        self._most_frames = max(1, round(READ_AT_ONCE_S * configuration.sample_rate_hz))
        self._null = chip.command_frame(chip.NULL)
        self._configure(configuration)
        self._start()

    def read(self) -> RawFrames:
        """Read some milliseconds of frames; fewer when none comes for a quarter of a second.

        Raises:
            OSError: the converter is gone.
        """
        frames = bytearray()
        stamps: list[int] = []
        while len(stamps) < self._most_frames and (edges := self._ready.wait(EDGE_WAIT_S)):
            if self._first_edge_ns is None:
                self._first_edge_ns = edges[0]
            frame = self._bus.transfer(self._null)
            if len(edges) == 1:
                frames += frame
                stamps.append(edges[0])
            else:
                self._bus.transfer(self._null)
        return RawFrames(data=bytes(frames), stamps_ns=np.array(stamps, np.int64))

    def close(self) -> None:
        """Let the converter rest, and give back bus and line."""
        try:
            self._bus.transfer(chip.command_frame(chip.STANDBY))
        except OSError:
            pass  # the bus is gone: that is why it is closed
        finally:
            self._ready.close()
            self._bus.close()

    def first_edge_ns(self, stamped: StampedFrames) -> int:
        """Instant of the first edge after the start, whether or not its frame was read."""
        return int(stamped.stamps_ns[0]) if self._first_edge_ns is None else self._first_edge_ns

    def arrival_ns(self, now_ns: int) -> int:
        """The same: the kernel stamps edges on the monotonic clock."""
        return now_ns

    def decode(self, raw: RawFrames) -> StampedFrames:
        """Codes of what was read.

        Raises:
            SampleSourceError: the converter was reset, or has begun anew in its frame.
        """
        found = decode_frames(raw.data, self._channels.inputs)
        status = found.status[found.whole]
        if restarted := Status(int(np.bitwise_or.reduce(status, initial=0))) & _RESTARTED:
            names = ", ".join(flag.name or "" for flag in Status if flag in restarted)
            raise SampleSourceError(f"the converter has begun anew by itself: status {names}")
        fresh = (found.status & Status.DRDY_ALL) == Status.DRDY_ALL
        return StampedFrames(codes=found.codes, stamps_ns=raw.stamps_ns, whole=found.whole & fresh)

    def _configure(self, configuration: chip.Ads131m08Configuration) -> None:
        self._bus.transfer(chip.command_frame(chip.RESET))
        self._sleep(AFTER_RESET_S)
        answer = self._command(chip.read_command(chip.Register.ID))
        if answer & chip.IDENTITY_MASK != chip.IDENTITY:
            raise SampleSourceError(
                f"what answers on the SPI bus has the identity {answer:#06x}; an ADS131M08 has "
                f"{chip.IDENTITY:#06x}: check wiring and bus"
            )
        self._expect(chip.STANDBY, chip.STANDBY)
        for register, value in configuration.words():
            self._expect(chip.write_command(register), chip.write_acknowledged(register), value)
            if (kept := self._command(chip.read_command(register))) != value:
                raise SampleSourceError(
                    f"the converter's register {register.name} holds {kept:#06x} where "
                    f"{value:#06x} was written: check the SPI bus"
                )

    def _start(self) -> None:
        while self._ready.wait(0.0):
            pass  # edges from before
        self._expect(chip.WAKEUP, chip.WAKEUP)
        self._command(chip.NULL)  # what the status says of the start is of no interest

    def _expect(self, command: int, wanted: int, *values: int) -> None:
        if (answer := self._command(command, *values)) != wanted:
            raise SampleSourceError(
                f"the converter answered {answer:#06x} to {command:#06x}, and should have "
                f"answered {wanted:#06x}: check the SPI bus"
            )

    def _command(self, command: int, *values: int) -> int:
        """Send a command; its answer comes with the next frame."""
        self._bus.transfer(chip.command_frame(command, *values))
        return int.from_bytes(self._bus.transfer(self._null)[:2], "big")
