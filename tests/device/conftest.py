"""The synthesised instrument, as a module (importlib mode does not import siblings)."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def synthesis() -> ModuleType:
    """`synthesis.py` of the calibration tests."""
    path = Path(__file__).parents[1] / "calibration" / "synthesis.py"
    spec = importlib.util.spec_from_file_location("synthesis", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["synthesis"] = module
    spec.loader.exec_module(module)
    return module
