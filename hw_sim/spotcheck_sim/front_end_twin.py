"""A twin of the pulse front end's firmware in this process: edges in, frames out.

It speaks by the wire package's own messages. What the firmware itself does is tried where it runs
(`bench_process`); here the board is tried with every kind of line behind it.
"""

from spotcheck_sim.bench import MARKER_INTERVAL_SAMPLES, CounterEdge, EdgeKind
from spotcheck_wire import frontend_codec as codec
from spotcheck_wire import frontend_messages as table
from spotcheck_wire.frames import FRONT_END_MAX_FRAME, Frame, FrameDecoder, FrameEncoder

HELLO, PULSE, MARKER, COMPLETE, PPS = "hello", "pulse", "marker", "complete", "PPS"
STEPS = (HELLO, MARKER, COMPLETE, PULSE, PPS)
"""Kinds of messages that the front end sends."""


class FrontEndTwin:
    """One boot after another of a front end whose first optical input is in use."""

    def __init__(self, counter_hz: int, boot_id: int = 1) -> None:
        """A front end that has just booted.

        Args:
            counter_hz: Nominal rate of its counter.
            boot_id: Number of the boot.
        """
        self._counter_hz = counter_hz
        self._commands = FrameDecoder(max_frame=FRONT_END_MAX_FRAME)
        self._markers = 0
        self.boot(boot_id)

    def boot(self, boot_id: int) -> None:
        """Start anew: frames and pulses are counted from 0; the counter is another one."""
        self._boot_id = boot_id
        self._encoder = FrameEncoder(max_frame=FRONT_END_MAX_FRAME)
        self._pulses = self._seconds = 0

    def hello(self) -> tuple[str, bytes]:
        """Who it is."""
        return HELLO, self._frame(
            table.FrontEndHello(
                counter_hz=self._counter_hz,
                boot_id=self._boot_id,
                marker_interval=MARKER_INTERVAL_SAMPLES,
                firmware_major=2,
                firmware_minor=0,
                firmware_patch=0,
                inputs=codec.INPUTS,
                boot_reason=codec.BOOT_POWER_ON,
                self_test=0,
            )
        )

    def answers(self, data: bytes) -> list[tuple[str, bytes]]:
        """What it answers to bytes from the board; a new filter holds at once and is not told."""
        found = [event for event in self._commands.feed(data) if isinstance(event, Frame)]
        asked = [table.decode_front_end(frame) for frame in found]
        return [self.hello() for message in asked if isinstance(message, table.HelloRequest)]

    def messages(self, edges: list[CounterEdge], complete_count: int) -> list[tuple[str, bytes]]:
        """What it sends for edges in order, and the promise behind them.

        Args:
            edges: Everything that its counter caught since the last call.
            complete_count: Count before which nothing more is to come.
        """
        found = [message for edge in edges for message in self._of_edge(edge)]
        complete = table.Complete(
            counter=complete_count,
            pulses_so_far=(self._pulses, *(0,) * (codec.INPUTS - 1)),
            dropped_edges=0,
            records_lost=0,
        )
        return [*found, (COMPLETE, self._frame(complete))]

    def skip_pulse(self) -> None:
        """Count a pulse that is never sent."""
        self._pulses += 1

    def _of_edge(self, edge: CounterEdge) -> list[tuple[str, bytes]]:
        if edge.kind is EdgeKind.RISING:
            pulse = table.Pulse(input=0, index=self._pulses, counter=edge.count, width_counts=0)
            self._pulses += 1
            return [(PULSE, self._frame(pulse))]
        if edge.kind is EdgeKind.MARKER:
            sample = self._markers * MARKER_INTERVAL_SAMPLES
            self._markers += 1
            return [(MARKER, self._frame(table.Marker(sample_index=sample, counter=edge.count)))]
        if edge.kind is EdgeKind.PPS:
            pps = table.Pps(counter=edge.count, number=self._seconds)
            self._seconds += 1
            return [(PPS, self._frame(pps))]
        return []

    def _frame(self, message: table.FrontEndMessage) -> bytes:
        return self._encoder.encode(*table.encode_front_end(message))
