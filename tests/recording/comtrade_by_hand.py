"""COMTRADE files written with struct and str, independently of the code under test."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An analogue channel."""

    name: str
    phase: str = "A"
    unit: str = "V"
    a: float = 0.5
    b: float = 0.25
    skew_us: float = 0.0
    primary: float = 1.0
    secondary: float = 1.0
    ps: str = "S"


PAIR = (Line(name="Ua"), Line(name="Ia", unit="A", a=0.125, b=-0.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comtrade:
    """A recording; counts are made by `counts`."""

    lines: Sequence[Line] = PAIR
    revision: str = "1999"
    kind: str = "BINARY"
    rates: Sequence[tuple[str, int]] = (("1000", 40),)
    promised_rates: int | None = None
    status: int = 3
    timemult: str = "1"
    stamps: Sequence[int] | None = None

    @property
    def samples(self) -> int:
        return self.rates[-1][1]

    def counts(self, sample: int) -> list[int]:
        return [(sample * 37 + k * 11) % 2000 - 1000 for k in range(len(self.lines))]

    def value(self, sample: int, channel: int) -> float:
        line = self.lines[channel]
        return line.a * self.counts(sample)[channel] + line.b

    def stamp(self, sample: int) -> int:
        return self.stamps[sample] if self.stamps is not None else sample * 1000

    def cfg(self) -> str:
        total = len(self.lines) + self.status
        rows = ["站,dev" + ("" if self.revision == "" else f",{self.revision}")]
        rows.append(f"{total},{len(self.lines)}A,{self.status}D")
        for number, line in enumerate(self.lines, start=1):
            row = f"{number},{line.name},{line.phase},,{line.unit},{line.a!r},{line.b!r}"
            row += f",{line.skew_us!r},-32767,32767"
            if self.revision not in ("", "1991"):
                row += f",{line.primary!r},{line.secondary!r},{line.ps}"
            rows.append(row)
        rows += [f"{k},S{k},,,0" for k in range(1, self.status + 1)]
        promised = len(self.rates) if self.promised_rates is None else self.promised_rates
        rows += ["50", str(promised), *(f"{rate},{end}" for rate, end in self.rates)]
        rows += ["12/05/2023,19:45:25.603838", "12/05/2023,19:45:25.803774", self.kind]
        if self.revision not in ("", "1991"):
            rows.append(self.timemult)
        if self.revision == "2013":
            rows += ["8h0,8h0", "0,0"]
        return "".join(f"{row}\r\n" for row in rows)

    def dat(self) -> bytes:
        return b"".join(self.record(sample) for sample in range(self.samples))

    def record(self, sample: int) -> bytes:
        counts, stamp = self.counts(sample), self.stamp(sample)
        if self.kind == "ASCII":
            fields = [sample + 1, stamp, *counts, *([1] * self.status)]
            return (",".join(map(str, fields)) + "\r\n").encode()
        code = {"BINARY": "h", "BINARY32": "i", "FLOAT32": "f"}[self.kind]
        words = -(-self.status // 16)
        return struct.pack(
            f"<II{len(counts)}{code}{words}H", sample + 1, stamp, *counts, *([5] * words)
        )

    def write(self, folder: Path, name: str = "rec", encoding: str = "utf-8") -> Path:
        (folder / f"{name}.dat").write_bytes(self.dat())
        path = folder / f"{name}.cfg"
        path.write_bytes(self.cfg().encode(encoding))
        return path

    def cff(self, folder: Path) -> Path:
        data = self.dat()
        head = "DAT ASCII" if self.kind == "ASCII" else f"DAT BINARY: {len(data)}"
        path = folder / "rec.cff"
        path.write_bytes(
            f"--- file type: CFG ---\r\n{self.cfg()}--- file type: INF ---\r\n[x]\r\n"
            f"--- file type: HDR ---\r\nfree text\r\n--- file type: {head} ---\r\n".encode()
            + data
        )
        return path
