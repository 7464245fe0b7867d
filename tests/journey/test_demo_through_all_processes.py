"""The main job, through bench, firmware, daemon and host as processes of their own."""

import fcntl
import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pypdf
import pytest

from spotcheck.errors import VerificationError
from spotcheck.reading import Reason
from spotcheck_cli.scenario import Fault, Scenario, SimulatedPulseOutput
from spotcheck_host.bundle import check_bundle
from spotcheck_host.case_list import list_cases
from spotcheck_host.recompute import recompute_bundle
from spotcheck_host.verify_bundle import canonical_zip

pytestmark = pytest.mark.processes

Rehearse = Callable[..., object]


@pytest.mark.parametrize(
    ("scenario", "rule_id", "verdict"),
    [
        (Scenario(meter_error_percent=-0.83), "jjg596-2012", "pass"),
        (
            Scenario(
                meter_error_percent=-1.3, power_factor="0.5L", phases=3, constant="800",
                pulse_output=SimulatedPulseOutput.PULSATING, seed=8,
            ),
            "jjg596-2012",
            "fail",
        ),
        (Scenario(meter_error_percent=1.05, seed=9), "jjg596-2012", "undecided"),
        (
            Scenario(meter_error_percent=1.4, current_a=1.0, constant="6400", seed=10),
            "jjf-hebei-174-2020",
            "pass",
        ),
        (
            Scenario(
                meter_error_percent=0.6, power_factor="0.5L",
                pulse_output=SimulatedPulseOutput.FILTERED, seed=11,
            ),
            "jjg596-2012",
            "pass",
        ),
        (Scenario(meter_class="0.2S", meter_error_percent=0.0), "jjg596-2012", "pass"),
    ],
    ids=["pass", "fail-3ph", "undecided", "on-site-rule", "filtered", "class-0.2S"],
)  # fmt: skip
def test_known_error_in_comes_out_within_its_uncertainty(
    rehearse: Rehearse, scenario: Scenario, rule_id: str, verdict: str
) -> None:
    summary = rehearse(scenario, rule_id=rule_id).output.summary
    off = abs(summary["error_percent"] - scenario.meter_error_percent)
    # Seeds are fixed: one run in twenty may lie outside U, none of these does.
    assert off <= summary["expanded_uncertainty_percent"]
    assert summary["verdict"] == verdict
    assert summary["clause"]
    assert summary["rule"] == rule_id


@pytest.mark.parametrize("fault", [Fault.NONE, Fault.OVERLOAD, Fault.NO_PULSES])
def test_same_seed_gives_byte_identical_events_reports_and_bundle(
    rehearse: Rehearse, tmp_path: Path, fault: Fault
) -> None:
    bundles = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        bundles.append(
            Path(rehearse(Scenario(seed=21, fault=fault), out=folder).output.summary["bundle"])
        )
    first, second = (zipfile.ZipFile(path) for path in bundles)
    for name in ("events.jsonl", "attachments/report-zh.pdf", "attachments/report-en.pdf"):
        assert first.read(name) == second.read(name)
    assert bundles[0].read_bytes() == bundles[1].read_bytes()


def test_other_seed_gives_other_events(rehearse: Rehearse, tmp_path: Path) -> None:
    digests = set()
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        bundle = Path(rehearse(Scenario(seed=seed), out=folder).output.summary["bundle"])
        evidence = [n for n in zipfile.ZipFile(bundle).namelist() if n.startswith("blobs/")]
        digests |= set(evidence)
    # The correction set is the same in both; the two readings of each are not.
    assert len(digests) == 1 + 2 * 2


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.NO_PULSES, Reason.NO_PULSES),
        (Fault.ONE_PULSE, Reason.TOO_FEW_PULSES),
        (Fault.NO_VOLTAGE, Reason.OUTAGE),
        (Fault.VOLTAGE_LOST, Reason.OUTAGE),
        (Fault.NO_LOAD, Reason.NO_LOAD),
        (Fault.NO_CLAMP, Reason.NO_LOAD),
        (Fault.REVERSED_CLAMP, Reason.NEGATIVE_POWER),
        (Fault.OVERLOAD, Reason.OVERLOAD),
        (Fault.WRONG_CONSTANT, Reason.PULSES_IMPLAUSIBLE),
        (Fault.UNPLUGGED_FRONT_END, Reason.FRONT_END_LOST),
        (Fault.CORRUPTED_FRAMES, Reason.DATA_LOST),
        (Fault.FULL_DISK, Reason.RECORD_STORE_FULL),
    ],
)
def test_fault_has_its_named_outcome_in_interface_and_record_and_no_verdict(
    rehearse: Rehearse, fault: Fault, reason: Reason
) -> None:
    rehearsal = rehearse(Scenario(fault=fault))
    summary = rehearsal.output.summary
    assert (summary["verdict"], summary["reason"]) == ("cannot judge", reason.value)
    assert summary["error_percent"] is None
    assert summary["cure"][1:] in rehearsal.output.sentence
    ((_, lines),) = list_cases(rehearsal.folder / "records.sqlite")
    judged = [line for line in lines if line.startswith("verdict")]
    assert len(judged) == 1
    assert judged[0].startswith("verdict: cannot judge")


@pytest.mark.parametrize(
    ("fault", "counted"),
    [(Fault.MISSED_PULSE, "pulses_missing"), (Fault.DOUBLE_PULSE, "pulses_rejected")],
)
def test_missed_or_double_pulse_is_repaired_and_counted(
    rehearse: Rehearse, fault: Fault, counted: str
) -> None:
    rehearsal = rehearse(Scenario(fault=fault))
    summary = rehearsal.output.summary
    assert summary["verdict"] == "pass"
    off = abs(summary["error_percent"] - summary["true_error_percent"])
    assert off < summary["expanded_uncertainty_percent"]
    with zipfile.ZipFile(summary["bundle"]) as bundle:
        events = b"".join(bundle.read(n) for n in bundle.namelist() if not n.startswith("blobs/"))
    assert f'"{counted}":1'.encode() in events


def test_wrong_constant_in_the_other_direction_is_found_too(rehearse: Rehearse) -> None:
    # The meter gives a tenth of the pulses that the entered constant makes expect.
    scenario = Scenario(fault=Fault.WRONG_CONSTANT, constant="120")
    assert rehearse(scenario).output.summary["reason"] == Reason.PULSES_IMPLAUSIBLE.value


def test_person_who_turned_the_clamp_is_measured_again(rehearse: Rehearse) -> None:
    # The simulated clamp stays reversed: after the second attempt nobody answers any more.
    answers = iter([True, None])
    rehearsal = rehearse(Scenario(fault=Fault.REVERSED_CLAMP), ask=lambda question: next(answers))
    assert rehearsal.output.summary["reason"] == Reason.NEGATIVE_POWER.value
    ((_, lines),) = list_cases(rehearsal.folder / "records.sqlite")
    assert lines.count("question asked") == 2


def test_report_is_signed_and_says_its_number_in_both_languages(rehearse: Rehearse) -> None:
    summary = rehearse(Scenario()).output.summary
    error = f"{abs(summary['error_percent']):.3f}"
    for key, word in (("report", "PASS"), ("report_zh", "合格")):
        reader = pypdf.PdfReader(summary[key])
        text = reader.pages[0].extract_text()
        assert error in text
        assert word in text
        assert "/Sig" in {field.get("/FT") for field in (reader.get_fields() or {}).values()}


def test_flipped_bit_anywhere_in_a_real_bundle_is_reported(rehearse: Rehearse) -> None:
    bundle = Path(rehearse(Scenario()).output.summary["bundle"])
    assert check_bundle(bundle).case_id == "demo-7-1"
    assert len(list(recompute_bundle(bundle))) == 3  # two readings and the verdict
    data = bundle.read_bytes()
    chance = random.Random(1)
    # A sample of the bytes; the exhaustive trial is in tests/host, on a small bundle.
    for _ in range(150):
        position, bit = chance.randrange(len(data)), 1 << chance.randrange(8)
        bundle.write_bytes(data[:position] + bytes([data[position] ^ bit]) + data[position + 1 :])
        with pytest.raises(VerificationError):
            check_bundle(bundle)


def test_reading_that_was_bettered_does_not_recompute(rehearse: Rehearse) -> None:
    bundle = Path(rehearse(Scenario()).output.summary["bundle"])
    archive = zipfile.ZipFile(bundle)
    entries = {name: archive.read(name) for name in archive.namelist()}
    lines = entries["events.jsonl"].splitlines(keepends=True)
    claimed = json.loads(lines[2])["body"]["value"]["error_percent"]
    better = float.hex(float.fromhex(claimed) * (1 - 1e-9))
    lines[2] = lines[2].replace(claimed.encode(), better.encode(), 1)
    entries["events.jsonl"] = b"".join(lines)
    bundle.write_bytes(canonical_zip(entries))
    with pytest.raises(VerificationError, match="does not follow from its evidence"):
        list(recompute_bundle(bundle))


def test_verdict_that_was_turned_is_not_judged_so_again(rehearse: Rehearse) -> None:
    scenario = Scenario(meter_error_percent=-1.3, seed=12)
    bundle = Path(rehearse(scenario).output.summary["bundle"])
    archive = zipfile.ZipFile(bundle)
    entries = {name: archive.read(name) for name in archive.namelist()}
    assert b'"judgement":"fail"' in entries["events.jsonl"]
    turned = entries["events.jsonl"].replace(b'"judgement":"fail"', b'"judgement":"pass"')
    bundle.write_bytes(canonical_zip({**entries, "events.jsonl": turned}))
    with pytest.raises(VerificationError, match="verdict does not follow from the readings"):
        list(recompute_bundle(bundle))


def test_second_run_in_the_same_folder_appends_a_case(rehearse: Rehearse, tmp_path: Path) -> None:
    for _ in range(2):
        assert rehearse(Scenario(), out=tmp_path).told == []
    assert [case for case, _ in list_cases(tmp_path / "records.sqlite")] == ["demo-7-1", "demo-7-2"]


def _spotcheck(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "spotcheck_cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_json_holds_every_promised_key(tmp_path: Path) -> None:
    run = _spotcheck("demo", "--json", "--out", str(tmp_path), "--meter-error", "-1.3",
                     "--meter-class", "1", "--phases", "1", "--current", "10",
                     "--power-factor", "0.5L", "--basic-current", "5", "--max-current", "60",
                     "--constant", "1200", "--rule", "jjg596-2012", "--seed", "7",
                     "--lang", "zh")  # fmt: skip
    assert run.returncode == 0, run.stderr
    summary = json.loads(run.stdout)
    assert {
        "true_error_percent", "error_percent", "expanded_uncertainty_percent", "coverage_factor",
        "pulses", "duration_s", "verdict", "reason", "rule", "clause", "report", "bundle",
    } <= summary.keys()  # fmt: skip
    assert summary["verdict"] == "fail"
    for key in ("report", "report_zh", "bundle", "plot"):
        assert Path(summary[key]).stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--power-factor", "0.5"], "needs its side"),
        (["--power-factor", "1.2"], "write 1, 0.5L or 0.8C"),
        (["--constant", "12oo"], "unit 'oo' is not known"),
        (["--meter-class", "7"], "accuracy class '7' is not known"),
        (["--rule", "jjg1"], "there are jjf-hebei-174-2020, jjg596-2012"),
        (["--current", "500"], "the largest clamp carries 100 A"),
        (["--basic-current", "60", "--max-current", "5"], "write 5(60) A as 5 and 60"),
        (["--basic-current", "five"], "basic current 'five' is no number"),
        (["--phases", "2"], "1 or 3"),
    ],
)
def test_bad_input_is_named_with_what_to_do(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    run = _spotcheck("demo", "--out", str(tmp_path), *arguments)
    assert run.returncode == 2
    assert words in " ".join(run.stderr.split())
    assert "Traceback" not in run.stderr


def test_help_lists_every_command_with_a_line() -> None:
    text = _spotcheck("--help").stdout
    for command in ("demo", "verify", "records", "rules", "device", "bench", "campaign"):
        (line,) = [line for line in text.splitlines() if f" {command} " in line[:14]]
        assert len(line.split()) > 4, line


def test_second_demonstration_in_the_same_folder_is_refused_while_one_runs(tmp_path: Path) -> None:
    with (tmp_path / "in-use").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        run = _spotcheck("demo", "--out", str(tmp_path))
    assert run.returncode == 2
    assert "another Spotcheck is running" in run.stderr
    assert not (tmp_path / "records.sqlite").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", "no-such-file"],
        ["verify", "."],
        ["records", "no-such-folder"],
        ["bench", "no-such-file"],
        ["device", "no-such-file"],
        ["demo", "--out", "/proc/nowhere"],
        ["demo", "--meter-error", "nan"],
        ["demo", "--seed", "-1"],
        ["verify", "--trusted-key", "zz", "."],
    ],
)
def test_what_cannot_be_used_ends_in_a_sentence(tmp_path: Path, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "spotcheck_cli", *arguments]
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    assert run.returncode == 2
    assert run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
@pytest.mark.parametrize("size_kib", [700, 1500, 3000])
def test_disk_that_is_really_full_gives_no_verdict_and_no_traceback(
    tmp_path: Path, size_kib: int
) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine mounts no tmpfs")
    try:
        run = _spotcheck("demo", "--json", "--out", str(folder))
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert "Traceback" not in run.stderr
    if run.returncode == 0:
        summary = json.loads(run.stdout)
        assert (summary["verdict"], summary["reason"]) == ("cannot judge", "record store full")
        assert summary["report"] is None
    else:
        assert run.returncode == 2
        assert "space" in run.stderr


def test_long_reading_of_three_phases_does_not_stop_the_device(rehearse: Rehearse) -> None:
    # Pulses every 55 s: the evidence reaches what a link carries before 25 pulses have come.
    scenario = Scenario(phases=3, current_a=0.5, constant="200", seed=6)
    summary = rehearse(scenario).output.summary
    assert (summary["verdict"], summary["reason"]) == ("cannot judge", "too few pulses")
