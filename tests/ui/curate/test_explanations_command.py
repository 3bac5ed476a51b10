import importlib.util
import json
import sys
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
        assert "1 requests now, 3 in all" in second.stdout
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
    assert "3 answers failed a check and were asked for once more" in result.stdout
    assert f"line 4 of {pairs} is no record: pair_id: Field required" in result.stdout
    assert "1 more lines are none" in result.stdout


def test_a_server_that_refuses_ends_it_with_its_words(server, pairs, tmp_path):
    with server.scripted_server(lambda *_: server.fails(401, "no such key")) as running:
        result = run(pairs, "--root", tmp_path, "--teacher", f"openai:m@{running.url}", "--out", tmp_path / "out",
                     "--concurrency", 1)  # fmt: skip
    assert result.exit_code == 2
    assert "Stopped with 2 left: Wanted access to http://127.0.0.1" in result.stdout
    assert "Set GEOSLEUTH_ENDPOINT_KEY to a key of this server" in result.stdout
    result = run(tmp_path / "none.jsonl", "--root", tmp_path, "--teacher", "openai:m@http://x", "--out", tmp_path / "o")
    assert result.exit_code == 2
    assert "Wanted: a file of pairs" in result.stderr
