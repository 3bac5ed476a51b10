import errno
import importlib.util
import os
import sys
from pathlib import Path

import pytest

from geosleuth.agent.report.write import write_report
from geosleuth.indexes.errors import InputError

spec = importlib.util.spec_from_file_location("answers", Path(__file__).parents[2] / "ui" / "answers.py")
answers = sys.modules.setdefault("answers", importlib.util.module_from_spec(spec))
spec.loader.exec_module(answers)


def test_a_report_is_there_whole_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "a.html"
    write_report(path, answers.answer())
    assert path.read_text(encoding="utf-8").endswith("</html>\n")
    assert list(tmp_path.iterdir()) == [path]
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_leaves_the_report_of_before_and_no_hidden_file(tmp_path, monkeypatch):
    path = tmp_path / "a.html"
    path.write_text("of before")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    for way, name in ((os, "fsync"), (Path, "replace")):
        with monkeypatch.context() as broken:
            broken.setattr(way, name, full)
            with pytest.raises(InputError, match=r"No space left on device.*Free space"):
                write_report(path, answers.answer())
    assert path.read_text() == "of before"
    assert list(tmp_path.iterdir()) == [path]
