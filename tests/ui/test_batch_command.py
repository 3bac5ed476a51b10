import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from geosleuth.agent.batch import worker_process
from geosleuth.ui import cli

QUICK = Path(__file__).resolve().parents[1] / "agent" / "batch" / "quick_worker.py"
ANSWERS = Path(__file__).with_name("answers.py")


def run(*arguments: object):
    return CliRunner().invoke(cli.app, ["batch", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Three photos, one of them empty; workers take 20 ms each."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("answers_of_batch", ANSWERS)
    answers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(answers)
    (tmp_path / "answer.json").write_text(answers.answer().model_dump_json())
    monkeypatch.setenv("ANSWER", str(tmp_path / "answer.json"))
    monkeypatch.setenv("LOOKS", str(tmp_path / "looks"))
    monkeypatch.setattr(worker_process, "_PROGRAM", (str(QUICK),))
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(2):
        Image.fromarray(np.full((20, 30, 3), 40 * number, dtype=np.uint8)).save(photos / f"{number}.png")
    (photos / "\x1b[2Jbad.jpg").touch()
    return photos


def test_a_folder_becomes_a_table_and_failures_are_counted(tmp_path, folder):
    import pandas

    out = tmp_path / "results.csv"
    result = run(folder, "--out", out, "--workers", 1)
    assert result.exit_code == 0, result.stderr
    assert f"{out}: 3 photos in " in result.stdout
    assert "2 localized, 0 coarse, 0 not locatable, 1 failed" in result.stdout
    assert "found an empty file" in result.stdout
    assert "\x1b" not in result.stdout + result.stderr  # the name of a file must not steer the terminal
    assert "3 of 3 photos (100%), 1 failed" in result.stderr
    assert sorted(pandas.read_csv(out)["status"]) == ["failed", "localized", "localized"]
    again = run(folder, "--out", out, "--workers", 1)
    assert "2 needed no work" in again.stdout
    anew = run(folder, "--out", out, "--workers", 1, "--anew")
    assert "needed no work" not in anew.stdout


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["nowhere", "--out", "r.csv"], "no such folder or file: nowhere"),
        (["empty", "--out", "r.csv"], "none in empty"),
        (["photos", "--out", "r.txt"], "one that ends in '.txt'"),
        (["photos", "--out", "r.csv", "--hint", "in Xyzzyland"], "Xyzzyland"),
    ],
)
def test_what_cannot_be_is_explained_before_any_photo(tmp_path, folder, monkeypatch, arguments, found):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    result = run(*arguments)
    assert result.exit_code == 2
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["Wanted", "Found", "Do"]
    assert found in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "looks").exists()


def test_interrupted_it_ends_its_workers_writes_what_is_done_and_says_how_to_go_on(tmp_path, folder):
    import pandas

    for number in range(2, 400):  # 8 s of work
        Image.fromarray(np.full((20, 30, 3), number % 256, dtype=np.uint8)).resize((30 + number, 20)).save(
            folder / f"{number}.png"
        )
    program = (
        "import signal; from geosleuth.agent.batch import worker_process; from geosleuth.ui import cli; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # a shell's background jobs inherit it ignored
        f"worker_process._PROGRAM = ({str(QUICK)!r},); cli.main()"
    )
    out = tmp_path / "r.csv"
    command = [sys.executable, "-c", program, "batch", str(folder), "--out", str(out), "--workers", "1"]
    # A group of its own, so that the signal goes to all of it, as the terminal's does.
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0)
    limit = time.monotonic() + 120
    while not ((tmp_path / "looks").exists() and (tmp_path / "looks").read_text().count("\n") > 5):
        assert time.monotonic() < limit
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, words = process.communicate(timeout=60)
    assert process.returncode == 130, words
    assert words.splitlines()[-1] == "Interrupted. What is done is kept; the same command goes on from here."
    assert "Traceback" not in words
    assert 4 <= len(pandas.read_csv(out)) < 401
