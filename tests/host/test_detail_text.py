"""Findings in Chinese: every one that the software makes is known, and keeps its numbers."""

import ast
import itertools
import re
import socket
from pathlib import Path

import pytest

from spotcheck.errors import DeviceLostError
from spotcheck.samples import SampleBlock
from spotcheck_cli.demo_instrument import demonstration_correction_set, stream_format
from spotcheck_device.live_view import LiveViewer
from spotcheck_device.measuring_session import MeasuringSession
from spotcheck_host.detail_text import finding_in_chinese
from spotcheck_host.transports import SerialTransport, TcpTransport

ROOT = Path(__file__).parents[2]


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
        ("U1 is 0.1 V, U2 is 0.2 V", "U1 为 0.1 V，U2 为 0.2 V"),
        (
            "no mains between 40 and 70 Hz in a voltage of 231.0 V",
            "在 40 Hz 至 70 Hz 之间没有市电频率（电压 231.0 V）",
        ),
        (
            "no device at 127.0.0.1:5025: [Errno 111] Connection refused",
            "在 127.0.0.1:5025 找不到装置：[Errno 111] Connection refused",
        ),
        (
            "the pulse front end speaks message table 1, the board 2: "
            "update the front end's firmware",
            "脉冲前端使用的消息表版本为 1，主板为 2：请更新前端固件",
        ),
        (
            "the pulse front end speaks message table 3, the board 2: update the board's software",
            "脉冲前端使用的消息表版本为 3，主板为 2：请更新主板软件",
        ),
        (
            "input 3: pulses lost on the line of the front end: 2",
            "输入 3：前端线路上丢失的脉冲数：2",
        ),
        ("still measuring SC-1/2; stop it first", "仍在测量 SC-1/2；请先停止"),
        (
            "the meter has 1 phases, the instrument is connected to 3",
            "电能表为 1 相，而装置接入 3 相",
        ),
        (
            "another program wrote to records.sqlite; open it again",
            "另有程序写入了 records.sqlite；请重新打开",
        ),
        (
            "the device speaks protocol 2, the host 3",
            "装置使用的协议版本为 2，主机为 3",
        ),
        (
            "by PPS the sample clock is -31.250 ppm off, by calibration +0.500 ppm; "
            "standard uncertainty of the difference 0.100 ppm",
            "按 PPS 采样时钟偏差为 −31.250 ppm，按校准为 +0.500 ppm；"
            "差值的标准不确定度为 0.100 ppm",
        ),
        ("the window was closed", "窗口已关闭"),
        ("no space is left for /home/a b/store.db", "/home/a b/store.db 已无存储空间"),
        (
            "no space is left for the record; nothing more was stored",
            "记录已无存储空间；未再存入数据",
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
    files = [
        *ROOT.glob("device/spotcheck_device/*.py"),
        *ROOT.glob("calibration/spotcheck_calibration/*.py"),
        ROOT / "domain" / "spotcheck" / "verdict.py",
        ROOT / "host_app" / "spotcheck_host" / "procedure.py",
    ]
    details = [detail for path in files for detail in _details_of(path)]
    assert len(details) >= 15
    assert _without_chinese(details) == []


def _without_chinese(sentences: list[str]) -> list[str]:
    return [s for s in sentences if not re.search("[\u4e00-\u9fff]", finding_in_chinese(s))]


SAID = {
    "device/spotcheck_device/daemon.py": ("EvidenceError", "DeviceHello", "Notice"),
    "device/spotcheck_device/live_view.py": ("return",),
    "device/spotcheck_device/measuring_session.py": ("EvidenceError", "abort"),
    "device/spotcheck_device/recorder.py": ("_on_notice",),
    "device/spotcheck_device/sources/socket_source.py": ("return",),
    "host_app/spotcheck_host/app/reader.py": ("Failed", "Noticed", "DeviceLostError"),
    "host_app/spotcheck_cli/pairing.py": ("announce",),
    "device/spotcheck_wire/table_offer.py": ("NoCommonTableError",),
    "host_app/spotcheck_host/device_client.py": (
        "DeviceLostError",
        "ForgedResultError",
        "ProtocolVersionError",
    ),
    "host_app/spotcheck_host/secure_transport.py": (
        "DeviceLostError",
        "LinkTamperedError",
        "NotPairedError",
    ),
    "host_app/spotcheck_host/procedure.py": ("DeviceLostError",),
    "host_app/spotcheck_host/records.py": ("RecordStoreFullError",),
}
"""What is told to a person: sentences in such calls, or returned."""


def _sentences_of(path: Path, told_by: tuple[str, ...]) -> list[str]:
    """Sentences, numbers for their fields, in calls of these names or in `return`."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        told: list[ast.expr | None] = []
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in told_by:
                told = [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.Return) and "return" in told_by:
            told = [node.value]
        for value in told:
            texts = value.elts if isinstance(value, ast.Tuple) else [value]
            texts = [t.body if isinstance(t, ast.IfExp) else t for t in texts]
            found += [_example(t) for t in texts if isinstance(t, ast.JoinedStr | ast.Constant)]
    # Codes, and names such as "samples lost", are no sentences.
    return [text for text in found if text.count(" ") >= 3]


def test_what_device_link_and_store_say_has_its_chinese() -> None:
    said = [s for path, told_by in SAID.items() for s in _sentences_of(ROOT / path, told_by)]
    assert len(said) >= 20
    assert _without_chinese(said) == []


@pytest.mark.parametrize("phases", [1, 3])
def test_a_stream_without_mains_says_so_in_chinese(phases: int) -> None:
    stream, correction = stream_format(phases, "C100"), demonstration_correction_set()
    session = MeasuringSession(stream=stream, correction=correction, outcome_prefix="SC-1-1")
    viewer = LiveViewer(stream, correction)
    codes = bytes(4 * stream.channels * stream.sample_rate_hz)
    block = SampleBlock(first_sample=0, channels=stream.channels, codes=codes)
    session.add_block(block)
    viewer.add_block(block)
    obstacle = viewer.picture(session, 10).obstacle
    found = finding_in_chinese(obstacle)
    assert found.count("为") == phases
    assert obstacle.count("U") == found.count("U") == phases


def test_a_device_that_is_not_there_is_told_in_chinese() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]  # nobody listens there
        with pytest.raises(DeviceLostError) as lost:
            TcpTransport("127.0.0.1", port)
    assert finding_in_chinese(str(lost.value)).startswith(f"在 127.0.0.1:{port} 找不到装置：")
    with pytest.raises(DeviceLostError) as absent:
        SerialTransport("/dev/no-such-port")
    assert finding_in_chinese(str(absent.value)).startswith("在 /dev/no-such-port 找不到装置：")
