"""Recompute a bundle from its evidence: integers exactly, readings to 1e-12, then the verdict."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spotcheck.canonical_json import parse_canonical
from spotcheck.errors import InvalidInputError, RuleError, VerificationError
from spotcheck.evidence import parse_evidence
from spotcheck.meter import Meter
from spotcheck.plain import from_plain, to_plain
from spotcheck.reading import ErrorReading
from spotcheck.rule import load_rule
from spotcheck.verdict import Verdict, judge_readings
from spotcheck_calibration.budget import combine_readings
from spotcheck_calibration.correction_set import parse_correction_set
from spotcheck_calibration.evaluation import evaluate
from spotcheck_host.verify_bundle import BundleVerificationError, read_canonical_zip

RELATIVE_TOLERANCE = 1e-12


def recompute_bundle(path: Path) -> Iterator[str]:
    """One line for each reading and verdict that recomputes; call `check_bundle` first.

    Args:
        path: The bundle.

    Raises:
        VerificationError: a reading does not follow from its evidence, or the verdict from them.
    """
    try:
        entries = read_canonical_zip(path.read_bytes())
    except BundleVerificationError as error:
        raise VerificationError(str(error)) from error
    readings: dict[str, ErrorReading] = {}
    meter = None
    for line in entries["events.jsonl"].splitlines():
        event: Any = parse_canonical(line)
        body = event["body"]
        if event["kind"] == "case_opened":
            meter = from_plain(Meter, body["meter"])
        elif event["kind"] == "outcome" and body["kind"] == "reading":
            claimed = from_plain(ErrorReading, body["value"])
            readings[claimed.reading_id] = claimed
            yield _recompute(claimed, entries)
        elif event["kind"] == "verdict" and body["combined"] is not None and meter is not None:
            yield _judge_again(body, meter, readings)


def _judge_again(body: Any, meter: Meter, readings: dict[str, ErrorReading]) -> str:
    """The verdict by this software's own profile of the rule."""
    claimed = from_plain(Verdict, body["verdict"])
    try:
        averaged = tuple(readings[name] for name in body["combined"]["reading_ids"])
        rule = load_rule(claimed.rule_id)
    except KeyError as error:
        raise VerificationError(
            f"the verdict rests on {error.args[0]}, which is missing"
        ) from error
    except RuleError as error:
        return f"verdict {claimed.judgement.value}: not judged again, {error}"
    combined = combine_readings(averaged)
    found = {
        "combined": to_plain(combined),
        "verdict": to_plain(judge_readings(rule, meter, combined, averaged)),
    }
    difference = _first_difference(body, found, "verdict")
    if difference:
        raise VerificationError(f"the verdict does not follow from the readings: {difference}")
    return f"verdict: {claimed.judgement.value} by {claimed.rule_id}, judged again"


def _recompute(claimed: ErrorReading, entries: dict[str, bytes]) -> str:
    try:
        correction = parse_correction_set(entries[f"blobs/{claimed.correction_set_sha256}"])
        evidence = parse_evidence(entries[f"blobs/{claimed.evidence_sha256}"])
    except KeyError as error:
        raise VerificationError(f"{claimed.reading_id} lacks {error.args[0]}") from error
    except InvalidInputError as error:
        raise VerificationError(f"{claimed.reading_id}: {error}") from error
    found = evaluate(evidence, correction, claimed.reading_id)
    difference = _first_difference(to_plain(claimed), to_plain(found), claimed.reading_id)
    if difference:
        raise VerificationError(f"the reading does not follow from its evidence: {difference}")
    return (
        f"{claimed.reading_id}: {claimed.error_percent:+.4f} % ± "
        f"{claimed.expanded_uncertainty_percent:.4f} % recomputed from {claimed.pulses_used} "
        "stamps and the uncorrected slots"
    )


def _first_difference(claimed: Any, found: Any, path: str) -> str | None:
    """Where two plain forms differ by more than the tolerance; None where they agree."""
    if isinstance(claimed, dict) and isinstance(found, dict) and claimed.keys() == found.keys():
        pairs = ((claimed[key], found[key], f"{path}.{key}") for key in claimed)
        return next(filter(None, (_first_difference(*pair) for pair in pairs)), None)
    if isinstance(claimed, list) and isinstance(found, list) and len(claimed) == len(found):
        numbered = enumerate(zip(claimed, found, strict=True))
        pairs = ((a, b, f"{path}[{n}]") for n, (a, b) in numbered)
        return next(filter(None, (_first_difference(*pair) for pair in pairs)), None)
    if claimed == found or _close(claimed, found):
        return None
    return f"{path} is {claimed!r:.60}, recomputed {found!r:.60}"


def _close(claimed: Any, found: Any) -> bool:
    try:
        a, b = float.fromhex(claimed), float.fromhex(found)
    except (TypeError, ValueError):
        return False
    # What is zero but for rounding (a phase angle, an unimportant budget line) has no relative
    # size of its own: in percent, 1e-12 is beyond every digit that is ever shown.
    return math.isclose(a, b, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12)
