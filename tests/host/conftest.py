"""Keys, stores and bundles that the tests of the host share."""

import importlib.util
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest

from spotcheck_host.bundle import bundle_bytes
from spotcheck_host.keys import SigningKey, demonstration_key
from spotcheck_host.records import RecordStore


@pytest.fixture(scope="session")
def demo_key() -> SigningKey:
    return demonstration_key(1, "tester")


@pytest.fixture
def clock() -> Callable[[], int]:
    ticks = count(1_700_000_000_000_000_000, 1_000_000_000)
    return lambda: next(ticks)


@pytest.fixture
def store(tmp_path: Path, demo_key: SigningKey, clock: Callable[[], int]) -> Iterator[RecordStore]:
    with RecordStore(tmp_path / "records.db", demo_key, clock, demonstration=True) as opened:
        yield opened


FillCase = Callable[..., None]


@pytest.fixture
def fill_case() -> FillCase:
    return _fill_case


def _fill_case(store: RecordStore, case_id: str = "c1") -> None:
    evidence = b"slots and stamps" * 4
    store.append(case_id, "case_opened", {"operator": "张三", "demonstration": True})
    store.append(
        case_id,
        "outcome",
        {"kind": "reading", "value": {"reading_id": f"{case_id}-r1", "error_percent": "0x1p-1"}},
        {sha256(evidence).hexdigest(): evidence},
    )
    store.append(case_id, "case_closed", {})


@pytest.fixture
def bundle(store: RecordStore) -> bytes:
    _fill_case(store)
    return bundle_bytes(store, "c1", {"report-en.pdf": b"%PDF-1.7 report"})


@pytest.fixture(scope="session")
def examples() -> ModuleType:
    """The cases of `report_examples.py` (importlib mode does not import siblings)."""
    path = Path(__file__).with_name("report_examples.py")
    spec = importlib.util.spec_from_file_location("report_examples", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
