"""Stand-in for the RP2040's PIO: assembles the firmware's programs and runs them clock by clock.

It knows the instructions that the programs use, as section 3.4 of the RP2040 data sheet has them,
and refuses all others. The emulation (`make campaign-emulation`) runs the same programs as the
real assembler made them.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

WORD = 0xFFFFFFFF
SYMBOLS = ("gpio", "pin", "pins", "x", "y", "null", "isr", "osr", "x_dec", "y_dec", "noblock")


@dataclass
class Program:
    """Instructions as (operation, operands), and where they wrap."""

    instructions: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)
    wrap_target: int = 0
    wrap: int = 0


def assemble(function: Callable[[], None], names: dict[str, Any]) -> Program:
    program = Program()

    def emit(operation: str) -> Callable[..., None]:
        return lambda *operands: program.instructions.append((operation, operands))

    def wrap_target() -> None:
        program.wrap_target = len(program.instructions)

    def wrap() -> None:
        program.wrap = len(program.instructions) - 1

    def label(name: str) -> None:
        program.labels[name] = len(program.instructions)

    names.update(
        {name: emit(name) for name in ("wait", "jmp", "in_", "push", "pull", "mov", "out")}
    )
    names.update({name: name for name in SYMBOLS})
    names.update(wrap_target=wrap_target, wrap=wrap, label=label)
    function()
    return program


@contextmanager
def pio_assembler() -> Iterator[None]:
    """Let `import rp2` give this assembler."""
    rp2 = ModuleType("rp2")

    def asm_pio(**_: Any) -> Callable[[Callable[[], None]], Program]:
        return lambda function: assemble(function, function.__globals__)

    settings = SimpleNamespace(SHIFT_RIGHT=1, JOIN_RX=2, JOIN_TX=1, OUT_LOW=0)
    rp2.__dict__.update(asm_pio=asm_pio, PIO=settings)
    sys.modules["rp2"] = rp2
    try:
        yield
    finally:
        del sys.modules["rp2"]


class StateMachine:
    """One machine; shifts go to the right. `fifo` is RX or TX, whichever the program uses."""

    def __init__(self, program: Program, *, x: int = WORD, y: int = 0, osr: int = 0) -> None:
        self.program = program
        self.x, self.y, self.osr, self.isr = x, y, osr, 0
        self.pc = 0
        self.pin = False
        self.fifo: list[int] = []
        self.fifo_words = 8
        self.has_dropped = False

    def step(self, level: bool, *, started: bool = True) -> None:
        """Execute one clock; the pin that `jmp` looks at stands at `level`."""
        operation, operands = self.program.instructions[self.pc]
        if operation == "wait":
            if started:
                self._next()
        elif operation == "jmp":
            *conditions, target = operands
            if self._holds(conditions[0] if conditions else None, level):
                self.pc = self.program.labels[target]
            else:
                self._next()
        else:
            getattr(self, f"_{operation}")(*operands)
            self._next()

    def _next(self) -> None:
        self.pc = self.program.wrap_target if self.pc == self.program.wrap else self.pc + 1

    def _holds(self, condition: str | None, level: bool) -> bool:
        if condition is None:
            return True
        if condition == "pin":
            return level
        register = {"x_dec": "x", "y_dec": "y"}[condition]
        before = getattr(self, register)
        setattr(self, register, (before - 1) & WORD)
        return bool(before)

    def _in_(self, source: str, bits: int) -> None:
        taken = self._value(source) & ((1 << bits) - 1)
        self.isr = (self.isr >> bits) | (taken << (32 - bits))

    def _push(self, option: str) -> None:
        assert option == "noblock"
        if len(self.fifo) < self.fifo_words:
            self.fifo.append(self.isr)
        else:
            self.has_dropped = True
        self.isr = 0

    def _pull(self, option: str) -> None:
        assert option == "noblock"
        self.osr = self.fifo.pop(0) if self.fifo else self.x

    def _out(self, target: str, bits: int) -> None:
        value = self.osr & ((1 << bits) - 1)
        self.osr >>= bits
        if target == "pins":
            self.pin = bool(value)
        else:
            setattr(self, {"y": "y"}[target], value)

    def _mov(self, target: str, source: str) -> None:
        setattr(self, {"y": "y"}[target], self._value(source))

    def _value(self, source: str) -> int:
        return int({"x": self.x, "y": self.y, "osr": self.osr, "null": 0}[source])
