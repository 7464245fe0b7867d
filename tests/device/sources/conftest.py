"""The stand-in for iiod, as a module (importlib mode does not import siblings)."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def iiod_stub() -> ModuleType:
    """`iiod_stub.py`; skips where libiio is not installed."""
    pytest.importorskip("iio", reason="needs pylibiio (pip) and libiio0 (apt)", exc_type=Exception)  # type: ignore[arg-type]
    path = Path(__file__).parent / "iiod_stub.py"
    spec = importlib.util.spec_from_file_location("iiod_stub", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["iiod_stub"] = module
    spec.loader.exec_module(module)
    return module
