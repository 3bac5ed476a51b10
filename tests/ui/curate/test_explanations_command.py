import _thread
import importlib.util
import json
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from geosleuth.tools.vlm import endpoint_server
from geosleuth.tools.vlm.endpoint import _opened
from geosleuth.training.gleam_x.record import PairRecord
from geosleuth.training.gleam_x.record_file import read_records, write_records
from geosleuth.ui.curate.explanations_command import explanations

app = typer.Typer()
app.command()(explanations)

GOOD = {
    "agreeing": ["the red roof on the left"],
    "disagreeing": ["parked cars"],
    "conclusion": "The red roof stands at the same bend, so it is the same place.",
}


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(scope="module")
def server():
    """Return tests/openai_server.py."""
    pytest.importorskip("langchain_openai")
    name = "geosleuth_openai_server"
    if name not in sys.modules:
        path = Path(__file__).resolve().parents[2] / "openai_server.py"
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture
def pairs(tmp_path, monkeypatch):
    monkeypatch.setattr(endpoint_server, "FIRST_WAIT_S", 0.01)
    _opened.cache_clear()
    for number in range(3):
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(tmp_path / f"{number}.png")
        Image.fromarray(np.full((8, 8, 3), 100 + number, np.uint8)).save(tmp_path / f"{number}-tile.png")
    write_records(
        tmp_path / "pairs.jsonl",
        [
            PairRecord(
                pair_id=f"pair-{number}",
                query_path=f"{number}.png",
                query_view="panorama",
                query_modality="panorama",
                satellite_path=f"{number}-tile.png",
                label="match",
                source_dataset="made for a test",
            )
            for number in range(3)
        ],
    )
    return tmp_path / "pairs.jsonl"


def test_explanations_are_made_within_a_budget_and_gone_on_with(server, pairs, tmp_path):
    out = tmp_path / "out"
    with server.scripted_server(lambda *_: server.said(json.dumps(GOOD))) as running:
        arguments = [pairs, "--root", tmp_path, "--teacher", f"openai:m@{running.url}", "--out", out]
        first = run(*arguments, "--budget", 2)
        assert first.exit_code == 0, first.stderr
        assert f"{out}: 2 of 3 explained in " in first.stdout
        assert "2 requests now, 2 in all; 1,520 tokens in all" in first.stdout
        assert "Stopped with 1 left: the budget of 2 requests is spent; raise it, and the same command" in first.stdout
        second = run(*arguments, "--budget", 9)
        assert "1 request now, 3 in all" in second.stdout
        assert "Stopped" not in second.stdout
        assert "explained 3 of 3" in second.stderr
    assert len(read_records(out / "explained.jsonl")) == 3


def test_what_is_set_aside_and_why_is_said(server, pairs, tmp_path):
    with pairs.open("a") as file:
        file.write("{}\n{}\n")
    bad = GOOD | {"conclusion": "As the label says, it is the same place."}
    with server.scripted_server(lambda *_: server.said(json.dumps(bad))) as running:
        result = run(pairs, "--root", tmp_path, "--teacher", f"openai:m@{running.url}", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert "3 set aside in rejected.jsonl (leak 3)" in result.stdout
    assert "asked once more for 3 answers that failed a check" in result.stdout
    assert f"line 4 of {pairs} is no record: pair_id: Field required" in result.stdout
    assert "neither 1 more line\n" in result.stdout


def test_a_server_that_refuses_ends_it_with_its_words(server, pairs, tmp_path):
    with server.scripted_server(lambda *_: server.fails(401, "no such key")) as running:
        result = run(pairs, "--root", tmp_path, "--teacher", f"openai:m@{running.url}", "--out", tmp_path / "out",
                     "--concurrency", 1)  # fmt: skip
    assert result.exit_code == 2
    assert "Stopped with 2 left: Wanted access to http://127.0.0.1" in result.stdout
    assert result.stdout.count("Wanted access") == 1  # not among the failures, too
    assert "Set GEOSLEUTH_ENDPOINT_KEY to a key of this server" in result.stdout
    result = run(tmp_path / "none.jsonl", "--root", tmp_path, "--teacher", "openai:m@http://x", "--out", tmp_path / "o")
    assert result.exit_code == 2
    assert "Wanted: a file of pairs" in result.stderr


def test_a_wrong_root_and_pairs_without_pictures_are_not_passed_over(server, pairs, tmp_path):
    out = tmp_path / "out"
    with server.scripted_server(lambda *_: server.said(json.dumps(GOOD))) as running:
        rest = ["--teacher", f"openai:m@{running.url}", "--out", out]
        assert run(pairs, "--root", tmp_path, *rest).exit_code == 0
        wrong = run(pairs, "--root", tmp_path / "typo", *rest)
        assert wrong.exit_code == 2
        assert f"Wanted: pictures of the pairs below {tmp_path / 'typo'}" in wrong.stderr
        assert len(read_records(out / "explained.jsonl")) == 3
        (tmp_path / "0.png").unlink()
        deleted = run(pairs, "--root", tmp_path, *rest)
        assert deleted.exit_code == 2
        assert "0 without an answer, 1 with pictures that cannot be read" in deleted.stdout
        assert [one.pair_id for one in read_records(out / "explained.jsonl")] == ["pair-0", "pair-1", "pair-2"]


def test_an_interruption_keeps_what_was_answered(server, pairs, tmp_path):
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("only the main thread is interrupted")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a test may run where it is ignored

    def answer(body, number):
        if number == 1:
            _thread.interrupt_main()
        return server.said(json.dumps(GOOD))

    arguments = [pairs, "--root", tmp_path, "--out", tmp_path / "out", "--concurrency", 1]
    try:
        with server.scripted_server(answer) as running:
            result = run(*arguments, "--teacher", f"openai:m@{running.url}")
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.exit_code == 130
    assert "What was answered is kept; the same command goes on from here." in result.stderr
    assert "Traceback" not in result.output
    with server.scripted_server(lambda *_: server.said(json.dumps(GOOD))) as running:
        again = run(*arguments, "--teacher", f"openai:m@{running.url}")
        assert "3 of 3 explained" in again.stdout
        assert len(running.received) <= 2


def test_bad_input_makes_no_folder(pairs, tmp_path):
    (tmp_path / "empty.jsonl").touch()
    rest = ["--root", tmp_path, "--out", tmp_path / "out"]
    empty = run(tmp_path / "empty.jsonl", *rest, "--teacher", "openai:m@http://127.0.0.1:9")
    assert (empty.exit_code, "Wanted: pairs to explain" in empty.stderr) == (2, True)
    bare = run(pairs, *rest, "--teacher", "gpt-4o")
    assert bare.exit_code == 2
    assert "Do:     Name one: openai:MODEL@URL, hf:ORG/NAME[@REV] or dir:PATH." in bare.stderr
    assert not (tmp_path / "out").exists()
    pace = run(pairs, *rest, "--teacher", "openai:m@http://127.0.0.1:9", "--per-minute", "nan")
    assert (pace.exit_code, "Wanted: requests per minute above 0" in pace.stderr) == (2, True)
