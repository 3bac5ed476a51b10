"""`geosleuth evaluate human`: what it checks before it serves, what it serves, and the comparison that it prints."""

import importlib.util
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer import Typer
from typer.testing import CliRunner

from geosleuth.training.evaluate.agent.record import report_of
from geosleuth.training.evaluate.human.answer_file import add
from geosleuth.ui import evaluate_human

ROWS = Path(__file__).parents[1] / "training" / "evaluate" / "human" / "human_rows.py"
spec = importlib.util.spec_from_file_location("human_rows", ROWS)
made = sys.modules.setdefault("human_rows", importlib.util.module_from_spec(spec))
spec.loader.exec_module(made)


@pytest.fixture
def run(monkeypatch):
    """Return what runs the command, and gives what it would have served."""
    served = []
    monkeypatch.setattr(evaluate_human, "serve", lambda *given: served.append(given))
    app = Typer()
    app.command()(evaluate_human.human)

    def invoke(*arguments: object):
        return CliRunner().invoke(app, [str(one) for one in arguments]), served

    return invoke


@pytest.fixture
def towns(tmp_path) -> Path:
    root = tmp_path / "towns"
    root.mkdir()
    Image.new("RGB", (32, 24)).save(root / "1.jpg")
    (root / "labels.csv").write_text("file,lat,lon,country\n1.jpg,45.764,4.8357,FR\n")
    return root


def test_the_page_is_served_on_this_machine_alone(run, towns, tmp_path):
    pytest.importorskip("streamlit")
    out = tmp_path / "new" / "answers.jsonl"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    result, served = run("--data", "csv", "--root", towns, "--out", out, "--port", port, "--limit", 1)
    assert result.exit_code == 0, result.stderr
    assert "1 photos; 0 answers of 0 people so far." in result.stderr
    assert f"http://127.0.0.1:{port}" in result.stderr
    ((script, options, arguments),) = served
    assert options["server.address"] == "127.0.0.1"
    assert options["browser.gatherUsageStats"] == "false"
    assert options["server.allowedHosts"] == ["localhost", "127.0.0.1", "::1"]
    assert arguments == ["--data", "csv", "--root", str(towns), "--out", str(out), "--limit", "1"]
    assert script.is_file()
    assert out.read_bytes() == b""


def test_what_is_wrong_ends_the_command_before_anything_is_served(run, towns, tmp_path):
    pytest.importorskip("streamlit")
    out = tmp_path / "answers.jsonl"

    def told(*arguments: object) -> str:
        result, served = run(*arguments)
        assert (result.exit_code, served) == (2, []), result.stderr
        return result.stderr

    asked = ("--data", "csv", "--root", towns)
    assert "no --data and no --root and no --out" in told()
    assert "no --out" in told(*asked)
    assert "a file to keep answers in" in told(*asked, "--out", tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"Wanted: port {port} of 127.0.0.1 for the page" in told(*asked, "--out", out, "--port", port)
    add(out, made.answer(1).model_copy(update={"data": "others"}))
    assert "some about others" in told(*asked, "--out", out)
    assert "no --report" in told("--agent", out)


def test_a_missing_streamlit_is_named(run, towns, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate_human, "find_spec", lambda _: None)
    result, _ = run("--data", "csv", "--root", towns, "--out", tmp_path / "a.jsonl")
    assert (result.exit_code, "pip install 'geosleuth[chat]'" in result.stderr) == (2, True)


def test_answers_are_set_beside_an_agents_report(run, tmp_path):
    answers, report, page = tmp_path / "a.jsonl", tmp_path / "report.json", tmp_path / "page.html"
    for one in (made.answer(1), made.nothing(2), made.answer(1, "ben", point=made.MADRID, country="ES", city=None)):
        add(answers, one)
    rows = [made.agent_row(1, 900.0, "ES"), made.agent_row(2, 3.0, "FR")]
    report.write_text(report_of(rows, "towns", {}).model_dump_json())
    result, served = run("--report", answers, "--agent", report, "--out-report", page)
    assert (result.exit_code, served) == (0, []), result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "Answers: 3, of people: 2, about photos: 2."
    gave_up = next(line for line in lines if line.startswith("gave up"))
    assert gave_up.split()[2:4] == ["33.3", "%"]  # one of three
    assert any(line.startswith("anna and ben") for line in lines)
    assert lines[-1] == f"Report: {page}"
    assert "towns; the agent&#x27;s run of" in page.read_text()


def test_a_comparison_that_cannot_be_is_told(run, tmp_path):
    answers, report = tmp_path / "a.jsonl", tmp_path / "report.json"

    def told(*arguments: object) -> str:
        result, _ = run(*arguments)
        assert result.exit_code == 2
        return result.stderr

    assert "no --agent" in told("--report", answers)
    assert "no file" in told("--report", answers, "--agent", report)
    add(answers, made.answer(1))
    assert "report.json" in told("--report", answers, "--agent", report)
    report.write_text(report_of([made.agent_row(2, 3.0, "FR")], "towns", {}).model_dump_json())
    assert "all of other photos" in told("--report", answers, "--agent", report)


@pytest.mark.parametrize("of", ["--report", "--agent"])
@pytest.mark.parametrize("how", ["the same", "by another way", "a link"])
def test_the_page_replaces_neither_the_answers_nor_the_agents_report(run, tmp_path, of, how):
    answers, report = tmp_path / "a.jsonl", tmp_path / "report.json"
    add(answers, made.answer(1))
    report.write_text(report_of([made.agent_row(1, 3.0, "FR")], "towns", {}).model_dump_json())
    before = answers.read_bytes(), report.read_bytes()
    page = answers if of == "--report" else report
    if how == "by another way":
        (tmp_path / "sub").mkdir()
        page = tmp_path / "sub" / ".." / page.name
    elif how == "a link":
        (tmp_path / "link.html").symlink_to(page)
        page = tmp_path / "link.html"
    result, _ = run("--report", answers, "--agent", report, "--out-report", page)
    assert result.exit_code == 2
    assert "Wanted: a file of its own for the HTML page" in result.stderr
    assert f"the file of {of}" in result.stderr
    assert "by --out-report" in result.stderr
    assert (answers.read_bytes(), report.read_bytes()) == before


def test_a_file_that_is_none_of_answers_gets_none(run, towns):
    pytest.importorskip("streamlit")
    table = towns / "labels.csv"
    before = table.read_bytes()
    result, served = run("--data", "csv", "--root", towns, "--out", table)
    assert (result.exit_code, served, table.read_bytes()) == (2, [], before)
    assert f"{table}: 2 lines, and none is an answer" in result.stderr
    assert "Name another with --out." in result.stderr


def test_damaged_lines_are_told_before_the_page_is_served(run, towns, tmp_path):
    pytest.importorskip("streamlit")
    out = tmp_path / "answers.jsonl"
    add(out, made.answer(1).model_copy(update={"data": "towns"}))
    with out.open("a") as file:
        file.write('{"data": "tow\n')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    result, served = run("--data", "csv", "--root", towns, "--out", out, "--port", port)
    assert (result.exit_code, len(served)) == (0, 1), result.stderr
    assert f"1 lines of {out} are damaged (the first: 2)" in result.stderr
    assert "1 answers of 1 people" in result.stderr


def test_a_report_of_no_answers_says_so(run, tmp_path):
    answers, report = tmp_path / "a.jsonl", tmp_path / "report.json"
    report.write_text(report_of([made.agent_row(1, 3.0, "FR")], "towns", {}).model_dump_json())
    for content, found in ((b"", "Found:  an empty file"), (b"file,lat\n1,2\n", "Found:  none, and 2 lines that")):
        answers.write_bytes(content)
        result, _ = run("--report", answers, "--agent", report)
        assert result.exit_code == 2
        assert "Wanted: people's answers" in result.stderr
        assert found in result.stderr
        assert "Name by --report what" in result.stderr


def test_importing_the_command_loads_no_streamlit_and_no_photo():
    code = (
        "import sys, geosleuth.ui.evaluate_human;"
        "print([m for m in ('streamlit', 'PIL', 'numpy', 'geosleuth.training.evaluate') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
