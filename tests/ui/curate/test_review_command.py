"""`geosleuth curate review`: what it checks before it serves, and what it serves."""

import importlib.util
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from geosleuth.training.review.decisions_file import append
from geosleuth.ui.curate import review_command

ITEMS = Path(__file__).parents[2] / "training" / "review" / "review_items.py"
spec = importlib.util.spec_from_file_location("review_items", ITEMS)
made = sys.modules.setdefault("review_items", importlib.util.module_from_spec(spec))
spec.loader.exec_module(made)


@pytest.fixture
def run(monkeypatch):
    """Return what runs the command, and gives what it would have served."""
    pytest.importorskip("streamlit")
    served = []
    monkeypatch.setattr(review_command, "serve", lambda *given: served.append(given))
    app = Typer()
    app.command()(review_command.review)

    def invoke(*arguments: str):
        return CliRunner().invoke(app, list(arguments)), served

    return invoke


def test_the_page_is_served_on_this_machine_alone(run, tmp_path):
    review = made.pairs(tmp_path, 2)
    append(review, "anna", made.accept("p0 (en)"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    result, served = run(str(review.path), "--reviewer", "anna", "--port", str(port), "--root", str(review.root))
    assert result.exit_code == 0, result.stderr
    assert "1 of 2 items are left for anna." in result.stderr
    assert f"http://127.0.0.1:{port}" in result.stderr
    ((script, options, arguments),) = served
    assert options["server.address"] == "127.0.0.1"
    assert options["browser.gatherUsageStats"] == "false"
    assert options["server.allowedHosts"] == ["localhost", "127.0.0.1", "::1"]
    assert arguments == ["--folder", str(review.path), "--reviewer", "anna", "--root", str(review.root)]
    assert script.is_file()


def test_what_is_wrong_ends_the_command_before_anything_is_served(run, tmp_path):
    review = made.pairs(tmp_path, 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result, served = run(str(review.path), "--reviewer", "anna", "--port", port)
    assert result.exit_code == 2
    assert f"Wanted: port {port} of 127.0.0.1 for the review" in result.stderr
    result, _ = run(str(review.path), "--reviewer", "../anna")
    assert (result.exit_code, "a reviewer's name" in result.stderr) == (2, True)
    result, _ = run(str(tmp_path), "--reviewer", "anna")
    assert (result.exit_code, "a review folder" in result.stderr) == (2, True)
    append(review, "anna", made.accept("p0 (en)"))
    review.file_of("anna").write_bytes(b"{\n")
    result, _ = run(str(review.path), "--reviewer", "ben")
    assert (result.exit_code, "anna.jsonl, line 1" in result.stderr) == (2, True)
    assert served == []


def test_a_missing_streamlit_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setattr(review_command, "find_spec", lambda _: None)
    result, _ = run(str(tmp_path), "--reviewer", "anna")
    assert result.exit_code == 2
    assert "pip install 'geosleuth[chat]'" in result.stderr


def test_importing_the_commands_loads_no_streamlit_and_no_review():
    code = (
        "import sys, geosleuth.ui.curate.review_command, geosleuth.ui.curate.exchange_command;"
        "print([m for m in ('streamlit', 'PIL', 'geosleuth.training.review.folder') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
