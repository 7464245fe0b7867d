"""What a record holds, for people; reads the store without a key and without changing it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spotcheck.canonical_json import parse_canonical
from spotcheck.errors import RecordError


def list_cases(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each case with a line for each thing that happened.

    Args:
        path: The store's database.

    Raises:
        RecordError: there is no store.
    """
    if not path.exists():
        raise RecordError(f"{path} does not exist; run `spotcheck demo` first")
    cases: dict[str, list[str]] = {}
    try:
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            for (raw,) in database.execute("SELECT raw FROM event ORDER BY position"):
                event: Any = parse_canonical(bytes(raw))
                cases.setdefault(event["case_id"], []).append(_line(event))
        finally:
            database.close()
    except sqlite3.Error as error:
        raise RecordError(f"{path}: {error}") from error
    yield from cases.items()


def _line(event: Any) -> str:
    kind, body = event["kind"], event["body"]
    match kind:
        case "outcome" if body["kind"] == "reading":
            value = body["value"]
            error = float.fromhex(value["error_percent"])
            u = float.fromhex(value["expanded_uncertainty_percent"])
            late = ", came late" if body["late"] else ""
            return f"reading {value['reading_id']}: {error:+.3f} % ± {u:.3f} %{late}"
        case "outcome":
            value = body["value"]
            return f"cannot judge {value['outcome_id']}: {value['reason']} ({value['detail']})"
        case "verdict":
            verdict = body["verdict"]
            return f"verdict: {verdict['judgement']} ({verdict['explanation']})"
        case "case_interrupted":
            return f"interrupted: {body['what']}"
        case "notice":
            return f"notice {body['code']}: {body['text']}"
        case _:
            return str(kind).replace("_", " ")
