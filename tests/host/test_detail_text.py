"""Findings in Chinese: every one that the software makes is known, and keeps its numbers."""

import ast
import itertools
import re
from pathlib import Path

import pytest

from spotcheck_host.detail_text import finding_in_chinese


@pytest.mark.parametrize(
    ("detail", "chinese"),
    [
        ("U1 is 0.0 V", "U1 为 0.0 V"),
        ("the current is 3.1 mA", "电流为 3.1 mA"),
        (
            "the power of phase 1 is -2203.1 W: export, or a clamp reversed",
            "第 1 相功率为 −2203.1 W：反向送电，或电流钳接反",
        ),
        (
            "pulses: 0, none for 28 s; with 2203 W one is expected every 1.36 s",
            "脉冲数 0，已有 28 s 没有脉冲；功率 2203 W 时应每 1.36 s 一个",
        ),
        (
            "jjg596-2012 has no limit for class 1 at 99.2 A, PF 1.00",
            "jjg596-2012 对准确度等级 1 在 99.2 A, PF 1.00 处没有规定限值",
        ),
        (
            "U2 is 180.0 V, -18.2 % off 220 V; the rule allows ±10 %",
            "U2 为 180.0 V，偏离 −18.2 %（参比电压 220 V）；规程允许 ±10 %",
        ),
        ("something new", "something new"),
    ],
)
def test_finding_says_the_same_with_its_numbers(detail: str, chinese: str) -> None:
    assert finding_in_chinese(detail) == chinese


def _details_of(path: Path) -> list[str]:
    """Texts that stand beside a `Reason.…` in a tuple or call, numbers for their fields."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        items = node.elts if isinstance(node, ast.Tuple) else getattr(node, "args", [])
        if not isinstance(items, list):
            continue
        for before, after in itertools.pairwise(items):
            is_reason = (
                isinstance(before, ast.Attribute)
                and isinstance(before.value, ast.Name)
                and before.value.id == "Reason"
            )
            if is_reason and isinstance(after, ast.JoinedStr | ast.Constant):
                found.append(_example(after))
    return found


def _example(node: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    parts = (str(p.value) if isinstance(p, ast.Constant) else "7" for p in node.values)
    return "".join(parts)


def test_every_finding_that_stands_beside_its_reason_has_its_chinese() -> None:
    root = Path(__file__).parents[2]
    files = [
        *root.glob("device/spotcheck_device/*.py"),
        *root.glob("calibration/spotcheck_calibration/*.py"),
        root / "domain" / "spotcheck" / "verdict.py",
        root / "host_app" / "spotcheck_host" / "procedure.py",
    ]
    details = [detail for path in files for detail in _details_of(path)]
    assert len(details) >= 15
    unknown = [d for d in details if not re.search("[\u4e00-\u9fff]", finding_in_chinese(d))]
    assert unknown == []
