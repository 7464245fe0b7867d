"""COMTRADE files written by hand, as a module (importlib mode does not import siblings)."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def by_hand() -> ModuleType:
    """`comtrade_by_hand.py` beside this file."""
    path = Path(__file__).with_name("comtrade_by_hand.py")
    spec = importlib.util.spec_from_file_location("comtrade_by_hand", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["comtrade_by_hand"] = module
    spec.loader.exec_module(module)
    return module
