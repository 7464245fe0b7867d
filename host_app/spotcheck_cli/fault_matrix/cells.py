"""Every cell of the fault matrix: a kind of fault at a step of a protocol."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from spotcheck_cli.demo_instrument import exact_front_end, stream_format
from spotcheck_cli.fault_matrix.faulty_transport import ACKNOWLEDGE, HOST_STEPS
from spotcheck_cli.fault_matrix.finding import Finding
from spotcheck_cli.fault_matrix.journal_run import JournalFault, JournalTrial, run_journal
from spotcheck_cli.fault_matrix.session_run import SESSION_STEPS, run_in_session
from spotcheck_cli.fault_matrix.trial import SAMPLE_RATE_HZ, make_trial
from spotcheck_cli.fault_matrix.wired_run import WiredTrial, run_wired
from spotcheck_sim.front_end_change import FrontEndChange
from spotcheck_sim.front_end_twin import COMPLETE, HELLO, MARKER, PULSE
from spotcheck_sim.gps_receiver import GpsReceiver, PpsOutage, PpsStep
from spotcheck_sim.link_faults import LinkFault, LinkFaultKind
from spotcheck_sim.plant_faults import EVERYWHERE, THREE_PHASE, PlantFault, with_plant_fault
from spotcheck_sim.wired_bench import BLOCK, CHUNKS_PER_SECOND, END, FORMAT, WiredFaults

SESSION, LINE, STREAM, HOST, JOURNAL = (
    "Plant, by the state of the measuring session",
    "Line of the pulse front end",
    "Stream of samples",
    "Link to the host",
    "Journal",
)
ALWAYS = "from the beginning"
LINE_STEPS = {
    "hello": (HELLO, 0),
    "first marker": (MARKER, 0),
    "a marker": (MARKER, 30),
    "first complete": (COMPLETE, 0),
    "a complete": (COMPLETE, 12),
    "first pulse": (PULSE, 0),
    "pulse of a reading": (PULSE, 5),
    "last pulse of a reading": (PULSE, 10),
    "last pulse of all": (PULSE, 19),
}
"""Steps of the front end's line: which message of which kind."""
STREAM_STEPS = {
    "format": (FORMAT, 0),
    "first block": (BLOCK, 0),
    "a block": (BLOCK, 12),
    "block at a reading's end": (BLOCK, 21),
    "last block": (BLOCK, 40),
}
"""Steps of the stream of samples."""
WIRE_TIMES = {"settling": 0.3, "measuring": 3.0, "next reading": 7.5}
"""When a source misbehaves that is no matter of one message, in s of stream."""
_PPS_JITTER_S = 1e-6
KILLED_AT = range(24)
CUT_AT = (0, 1, 6, 100, 3000, 5000, 10_239)
TORN = {
    "boot": "boot",
    "outcome": "pending/SC-1-1-1.json",
    "evidence": "pending/SC-1-1-1.evidence",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One trial of the matrix."""

    protocol: str
    """Where it goes wrong."""
    kind: str
    """What goes wrong."""
    step: str
    """When."""
    run: Callable[[int], Awaitable[Finding]]
    """Tries it with a seed."""

    @property
    def waits(self) -> bool:
        """Whether it ends only when somebody's patience does, after three seconds or more."""
        if self.kind == LinkFaultKind.SILENCE:
            return True
        if self.protocol == HOST:
            return self.kind != LinkFaultKind.CUT and self.step != ACKNOWLEDGE
        return self.step in ("format", "hello") and self.kind != LinkFaultKind.CUT_AND_BACK


def all_cells() -> list[Cell]:
    """All cells, protocol by protocol."""
    return [
        *_plant_cells(),
        *_range_cells(),
        *_link_cells(LINE, LINE_STEPS, _on_line),
        *_front_end_cells(),
        *_pps_cells(),
        *_link_cells(STREAM, STREAM_STEPS, _on_stream),
        *_source_cells(),
        *_host_cells(),
        *_journal_cells(),
    ]


def _plant_cells() -> list[Cell]:
    return [
        Cell(protocol=SESSION, kind=fault.value, step=step, run=_plant_run(fault, at_s))
        for fault in PlantFault
        for step, at_s in ({ALWAYS: 0.0} if fault in EVERYWHERE else SESSION_STEPS).items()
    ]


def _plant_run(fault: PlantFault, at_s: float) -> Callable[[int], Awaitable[Finding]]:
    async def run(seed: int) -> Finding:
        trial = make_trial(seed, 3 if fault in THREE_PHASE else 1)
        config = with_plant_fault(trial.config, fault, at_s=at_s, seed=seed)
        return run_in_session(trial, config, seed)

    return run


def _range_cells() -> list[Cell]:
    """Only the wire tells a session that the stream has another format."""
    return [
        Cell(protocol=SESSION, kind="range change", step=step, run=_range_run(at_s))
        for step, at_s in SESSION_STEPS.items()
    ]


def _range_run(at_s: float) -> Callable[[int], Awaitable[Finding]]:
    async def run(seed: int) -> Finding:
        trial = make_trial(seed)
        finer = exact_front_end(trial.correction, stream_format(trial.meter.phases, "C5"))
        # A range changes between two blocks of the source.
        block = SAMPLE_RATE_HZ // CHUNKS_PER_SECOND
        at_sample = max(1, round(at_s * CHUNKS_PER_SECOND)) * block
        change = FrontEndChange(at_sample=at_sample, front_end=finer)
        config = replace(trial.config, front_end_changes=(change,))
        return await run_wired(WiredTrial(trial=trial, config=config, seed=seed))

    return run


def _link_cells(
    protocol: str, steps: dict[str, tuple[str, int]], on: Callable[[LinkFault], WiredFaults]
) -> list[Cell]:
    return [
        Cell(
            protocol=protocol,
            kind=kind.value,
            step=name,
            run=_wired_run(wires=on(LinkFault(kind=kind, step=step, occurrence=occurrence))),
        )
        for kind in LinkFaultKind
        for name, (step, occurrence) in steps.items()
    ]


def _on_line(fault: LinkFault) -> WiredFaults:
    return WiredFaults(line=fault)


def _on_stream(fault: LinkFault) -> WiredFaults:
    return WiredFaults(stream=fault)


def _wired_run(
    *, wires: WiredFaults | None = None, host: LinkFault | None = None
) -> Callable[[int], Awaitable[Finding]]:
    async def run(seed: int) -> Finding:
        trial = make_trial(seed)
        return await run_wired(
            WiredTrial(
                trial=trial,
                config=trial.config,
                seed=seed,
                wires=wires or WiredFaults(),
                host=host,
            )
        )

    return run


def _front_end_cells() -> list[Cell]:
    kinds: dict[str, Callable[[int], WiredFaults]] = {
        "front end restarts": lambda at: WiredFaults(reboot_at_sample=at),
        "pulse counted, never sent": lambda at: WiredFaults(pulse_skipped_at_sample=at),
        "clock step": lambda at: WiredFaults(counter_steps_at_sample=at),
    }
    return _timed_cells(LINE, kinds)


def _pps_cells() -> list[Cell]:
    """A GPS receiver whose seconds discipline the sample clock, and what goes wrong with it."""
    kinds: dict[str, Callable[[float], GpsReceiver]] = {
        "PPS loss": lambda at_s: GpsReceiver(
            jitter_s=_PPS_JITTER_S, outages=(PpsOutage(start_s=at_s),)
        ),
        "PPS outage of 3 s": lambda at_s: GpsReceiver(
            jitter_s=_PPS_JITTER_S, outages=(PpsOutage(start_s=at_s, duration_s=3.0),)
        ),
        "PPS step of 100 µs": lambda at_s: GpsReceiver(
            jitter_s=_PPS_JITTER_S, step=PpsStep(at_s=at_s, step_s=1e-4)
        ),
        "PPS step of 0.3 s": lambda at_s: GpsReceiver(
            jitter_s=_PPS_JITTER_S, step=PpsStep(at_s=at_s, step_s=0.3)
        ),
        "PPS jitter of 1 ms": lambda _: GpsReceiver(jitter_s=1e-3),
    }
    return [
        Cell(protocol=LINE, kind=kind, step=step, run=_pps_run(make(at_s)))
        for kind, make in kinds.items()
        for step, at_s in WIRE_TIMES.items()
    ]


def _pps_run(receiver: GpsReceiver) -> Callable[[int], Awaitable[Finding]]:
    async def run(seed: int) -> Finding:
        trial = make_trial(seed)
        config = replace(trial.config, gps=receiver)
        return await run_wired(WiredTrial(trial=trial, config=config, seed=seed))

    return run


def _source_cells() -> list[Cell]:
    kinds: dict[str, Callable[[int], WiredFaults]] = {
        "AFE CRC: a block dropped": lambda at: WiredFaults(blocks_lost_at_sample=at),
    }
    ending = LinkFault(kind=LinkFaultKind.CUT, step=END)
    end = Cell(protocol=STREAM, kind="cut", step="end", run=_wired_run(wires=_on_stream(ending)))
    return [*_timed_cells(STREAM, kinds), end]


def _timed_cells(protocol: str, kinds: dict[str, Callable[[int], WiredFaults]]) -> list[Cell]:
    return [
        Cell(
            protocol=protocol,
            kind=kind,
            step=step,
            run=_wired_run(wires=make(round(at_s * SAMPLE_RATE_HZ))),
        )
        for kind, make in kinds.items()
        for step, at_s in WIRE_TIMES.items()
    ]


def _host_cells() -> list[Cell]:
    return [
        Cell(
            protocol=HOST,
            kind=kind.value,
            step=step,
            run=_wired_run(host=LinkFault(kind=kind, step=step)),
        )
        for kind in LinkFaultKind
        if kind is not LinkFaultKind.CUT_AND_BACK
        for step in HOST_STEPS
    ]


def _journal_cells() -> list[Cell]:
    found = [
        Cell(
            protocol=JOURNAL,
            kind=JournalFault.KILLED.value,
            step=f"before file operation {at}",
            run=_journal_run(JournalTrial(fault=JournalFault.KILLED, at=at)),
        )
        for at in KILLED_AT
    ]
    found += [
        Cell(
            protocol=JOURNAL,
            kind=fault.value,
            step=f"after {at} bytes of a file",
            run=_journal_run(JournalTrial(fault=fault, at=at)),
        )
        for fault in (JournalFault.POWER_CUT, JournalFault.DISK_FULL)
        for at in CUT_AT
    ]
    found += [
        Cell(
            protocol=JOURNAL,
            kind=JournalFault.TORN.value,
            step=f"{name}, {at} bytes left",
            run=_journal_run(JournalTrial(fault=JournalFault.TORN, at=at, file=file)),
        )
        for name, file in TORN.items()
        for at in (0, 100)
        if name != "boot" or at == 0
    ]
    return found


def _journal_run(trial: JournalTrial) -> Callable[[int], Awaitable[Finding]]:
    async def run(_: int) -> Finding:
        await asyncio.sleep(0)
        return run_journal(trial)

    return run
