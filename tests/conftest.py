"""Fixtures of all rooms."""

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_data_folder(tmp_path_factory):
    """What is kept between runs (the key of ids, cases) goes to no user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(autouse=True)
def _own_main():
    """Streamlit's AppTest leaves its script in the place of __main__: processes spawned afterwards would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def tiny_models():
    """Return the module tests/tiny_models.py, once per process; skips where its libraries are missing."""
    pytest.importorskip("transformers")
    pytest.importorskip("torch")
    name = "geosleuth_tiny_models"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("tiny_models.py"))
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
