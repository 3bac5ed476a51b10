import importlib.util
import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from geosleuth.agent.cases.store import CaseStore


def _neighbour(name: str, path: Path):
    """Tests are no package (import-mode importlib), so a neighbour is loaded by its path."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules.setdefault(name, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


_TESTS = Path(__file__).resolve().parents[2]
_answers = _neighbour("answers", _TESTS / "ui" / "answers.py")


@pytest.fixture
def store(tmp_path):
    return CaseStore(tmp_path / "cases", audit_log=tmp_path / "audit.jsonl")


@pytest.fixture
def jpeg():
    """A small photo as a file, 60 wide and 40 high, whose camera wrote that it stood at 17.5 S, 178.25 E."""
    exif = Image.Exif()
    gps = exif.get_ifd(0x8825)
    gps |= {1: "S", 2: (17.0, 30.0, 0.0), 3: "E", 4: (178.0, 15.0, 0.0)}
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), (200, 30, 30)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


@pytest.fixture
def png():
    buffer = io.BytesIO()
    Image.new("RGB", (48, 36), (0, 0, 255)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def answer():
    """Makes an answer: Fiji, see tests/ui/answers.py."""
    return _answers.answer
