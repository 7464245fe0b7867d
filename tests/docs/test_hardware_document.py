"""docs/hardware.md says what is computed, and what the firmware wires."""

import ast
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "hardware.md").read_text("utf-8")
FIRMWARE = ROOT / "device" / "firmware"


@pytest.fixture(scope="module")
def computed() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "tools" / "hardware_figures.py"))


def test_every_computed_figure_stands_in_the_document(computed: dict[str, Any]) -> None:
    text = DOCUMENT.replace("−", "-")
    missing = {
        figure.name: figure.value for figure in computed["figures"]() if figure.value not in text
    }
    assert missing == {}


def test_budget_of_the_document_is_the_computed_one(
    computed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    computed["main"]()
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert "\n".join(rows) in DOCUMENT
    assert len(rows) > 10


def test_full_scale_is_half_of_a_sine_of_506_volts(computed: dict[str, Any]) -> None:
    """An independent way: 506 V rms through the ladder of five resistors gives 1.2 V peak."""
    current = 506 * 2**0.5 / (5 * 200e3 + 1 / (1 / 1690 + 1 / 330e3))
    assert current / (1 / 1690 + 1 / 330e3) == pytest.approx(1.2, rel=1e-3)


def wired() -> dict[str, int]:
    """Name and GPIO of the document's table of the front end."""
    table = DOCUMENT.partition("### Pulse front end")[2].partition("###")[0]
    rows = re.findall(r"^\| (\d+) \| ([A-Z_]+(?:\[\d\])?) \|", table, re.MULTILINE)
    return {name: int(pin) for pin, name in rows}


def constants(path: Path) -> dict[str, Any]:
    """Upper-case names of a module with their literal values, read without running it."""
    found = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue  # computed, not written
    return found


@pytest.mark.skipif(
    not (FIRMWARE / "hal_rp2.py").exists(), reason="the RP2040's HAL is not in this tree"
)
def test_wiring_is_that_of_the_firmware() -> None:
    pins = constants(FIRMWARE / "hal_rp2.py") | constants(FIRMWARE / "pio_stamp.py")
    expected = {}
    for name, value in pins.items():
        if name.endswith("_PIN"):
            expected[name] = value
        elif name.endswith("_PINS"):
            expected |= {f"{name}[{place}]": pin for place, pin in enumerate(value)}
    assert wired() == expected


def test_no_pin_is_wired_twice() -> None:
    assert len(set(wired().values())) == len(wired()) >= 16


def test_files_that_the_document_names_are_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", DOCUMENT)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
    assert "images/hardware.svg" in links
