import importlib.util
from pathlib import Path

import pytest

from geosleuth.agent.batch import worker_process

HERE = Path(__file__).parent


@pytest.fixture
def looks(tmp_path, monkeypatch) -> Path:
    """Workers that take 20 ms a photo; the file in which they note what they look at."""
    spec = importlib.util.spec_from_file_location("answers_for_batches", HERE.parents[1] / "ui" / "answers.py")
    answers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(answers)
    (tmp_path / "answer.json").write_text(answers.answer().model_dump_json())
    monkeypatch.setenv("ANSWER", str(tmp_path / "answer.json"))
    monkeypatch.setenv("LOOKS", str(tmp_path / "looks"))
    monkeypatch.setattr(worker_process, "_PROGRAM", (str(HERE / "quick_worker.py"),))
    return tmp_path / "looks"
