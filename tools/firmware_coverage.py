"""Counts which lines of the firmware run under MicroPython's unix port.

MicroPython's port has no tracing, so a copy of the firmware says itself which of its statements
it has reached, and the tests of the real processes on ptys run on that copy. Files that only a
board can run are left out. Exits with 1 below 95 %.

usage: firmware_coverage.py
"""

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIRMWARE = ROOT / "device" / "firmware"
LEFT_OUT = ("manifest", "hal_rp2", "pio_", "main_rp2")
LEAST_PERCENT = 95.0
RECORDER = """
import os

_path = os.getenv("SPOTCHECK_REACHED")
_seen = set()


def reached(name, line):
    if (name, line) not in _seen:
        _seen.add((name, line))
        with open(_path, "a") as file:
            file.write("%s %d\\n" % (name, line))
"""


class _Marker(ast.NodeTransformer):
    """Puts a call before each statement that does something."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.lines: set[int] = set()

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if isinstance(statements, list):
                setattr(node, field, self._marked(statements))
        return node

    def _marked(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        marked: list[ast.stmt] = []
        for statement in statements:
            is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not is_text:
                self.lines.add(statement.lineno)
                call = f"_cov.reached({self._name!r}, {statement.lineno})"
                marked.extend(ast.parse(call).body)
            marked.append(statement)
        return marked


def copy_marked(folder: Path) -> dict[str, set[int]]:
    """Write the marked copy; return the lines of each file that can be reached."""
    lines: dict[str, set[int]] = {}
    (folder / "_cov.py").write_text(RECORDER, encoding="utf-8")
    for source in sorted(FIRMWARE.glob("*.py")):
        if source.name.startswith(LEFT_OUT):
            continue
        marker = _Marker(source.name)
        tree = marker.visit(ast.parse(source.read_text(encoding="utf-8")))
        text = "import _cov\n" + ast.unparse(ast.fix_missing_locations(tree))
        (folder / source.name).write_text(text, encoding="utf-8")
        lines[source.name] = marker.lines
    return lines


def run_tests(folder: Path, reached: Path) -> None:
    """Run the tests of the real processes on the copy."""
    environment = {
        **os.environ,
        "SPOTCHECK_FIRMWARE": str(folder),
        "SPOTCHECK_REACHED": str(reached),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-m", "processes", "tests/firmware"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def report(lines: dict[str, set[int]], reached: dict[str, set[int]]) -> float:
    """Print a line per file; return the percentage of all."""
    for name, possible in lines.items():
        missing = sorted(possible - reached.get(name, set()))
        percent = 100 * (1 - len(missing) / len(possible))
        print(f"{name:24} {len(possible):4} lines {percent:6.1f} %  not reached: {missing or '-'}")
    total = sum(map(len, lines.values()))
    hit = sum(len(possible & reached.get(name, set())) for name, possible in lines.items())
    print(f"{hit} of {total} lines: {100 * hit / total:.1f} %")
    return 100 * hit / total


def main() -> int:
    """Return the exit status."""
    with tempfile.TemporaryDirectory() as name:
        folder, reached_file = Path(name), Path(name) / "reached.txt"
        lines = copy_marked(folder)
        run_tests(folder, reached_file)
        reached: dict[str, set[int]] = {}
        for entry in reached_file.read_text(encoding="utf-8").splitlines():
            file, line = entry.split()
            reached.setdefault(file, set()).add(int(line))
    return 0 if report(lines, reached) >= LEAST_PERCENT else 1


if __name__ == "__main__":
    sys.exit(main())
