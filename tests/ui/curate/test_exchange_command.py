"""`geosleuth curate queue`, `export`, `import` as a shell sees them."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from geosleuth.training.gleam_x.record_file import read_records
from geosleuth.training.review.decisions_file import append, read_lines
from geosleuth.training.review.folder import open_review
from geosleuth.ui.curate.exchange_command import export, import_decisions, queue

ITEMS = Path(__file__).parents[2] / "training" / "review" / "review_items.py"
spec = importlib.util.spec_from_file_location("review_items", ITEMS)
made = sys.modules.setdefault("review_items", importlib.util.module_from_spec(spec))
spec.loader.exec_module(made)

app = Typer(rich_markup_mode=None)
for name, command in (("queue", queue), ("export", export), ("import", import_decisions)):
    app.command(name)(command)


def run(*arguments, code: int = 0):
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    assert result.exit_code == code, result.output + result.stderr
    return result


@pytest.fixture
def queued(tmp_path):
    """Return a review that the command made of two pairs, of three."""
    root = made.pictures(tmp_path / "pictures")
    records = [made.record(0), made.record(1), made.record(2, explanation=None)]
    (tmp_path / "pairs.jsonl").write_text("".join(f"{one.model_dump_json()}\n" for one in records))
    result = run("queue", tmp_path / "pairs.jsonl", "--root", root, "--out", tmp_path / "review")
    assert "2 items to review" in result.stdout
    assert "1 lines left out: the pair has no explanation" in result.stderr
    return open_review(tmp_path / "review")


def test_pairs_go_out_as_reviewers_left_them(queued, tmp_path):
    append(queued, "anna", made.edit("p0 (en)"))
    append(queued, "ben", made.accept("p0 (en)", 1))
    result = run("export", queued.path, "--to", tmp_path / "revised.jsonl", "--format", "revised")
    assert "1 of 2 pairs" in result.stdout
    (kept,) = read_records(tmp_path / "revised.jsonl").records
    assert (kept.explanation, kept.human_revised) == (made.OTHER, True)


def test_rated_reasons_go_out_with_their_means(tmp_path):
    review = made.answers(tmp_path, 1)
    append(review, "anna", made.rate("a0", 1, 2, 3))
    append(review, "ben", made.rate("a0", 2, 2, 4, 1))
    run("export", review.path, "--to", tmp_path / "rated.jsonl", "--format", "revised")
    (one,) = map(json.loads, (tmp_path / "rated.jsonl").read_text().splitlines())
    assert one["means"] == {"presence": 1.5, "logic": 2, "help": 3.5}
    assert one["item"]["country"] == "France"


def test_decisions_go_out_and_come_back(queued, tmp_path):
    append(queued, "anna", made.accept("p0 (en)"))
    assert "1 decisions" in run("export", queued.path, "--to", tmp_path / "said.jsonl").stdout
    queued.file_of("anna").unlink()
    result = run("import", queued.path, tmp_path / "said.jsonl")
    assert "1 decisions added, 0 known already, 0 left out." in result.stdout
    assert read_lines(queued, "anna") == (made.accept("p0 (en)"),)


def test_label_studios_way_out_and_back(queued, tmp_path):
    tasks = tmp_path / "tasks.json"
    assert "2 tasks" in run("export", queued.path, "--to", tasks, "--format", "label-studio", "--prefix", "x/").stdout
    assert (tmp_path / "tasks.xml").read_text().startswith("<View>")
    exported = json.loads(tasks.read_text())
    assert exported[0]["data"]["query"] == "x/street.jpg"
    verdict = {"from_name": "verdict", "to_name": "query", "type": "choices", "value": {"choices": ["accept"]}}
    annotation = {"completed_by": 1, "result": [verdict], "created_at": "2026-02-01T09:00:00Z"}
    exported[0]["annotations"] = [annotation]
    exported[1]["annotations"] = [annotation | {"was_cancelled": True}]
    tasks.write_text(json.dumps(exported))
    result = run("import", queued.path, tasks, "--annotator", "1=anna")
    assert "1 decisions added, 0 known already, 1 left out." in result.stdout
    assert "Left out: p1 (en), anna: skipped by the annotator" in result.stderr
    assert [line.verdict for line in read_lines(queued, "anna")] == ["accept"]


def test_what_is_wrong_is_told_in_three_parts(queued, tmp_path):
    assert "a review folder" in run("export", tmp_path, "--to", tmp_path / "x", code=2).stderr
    assert "a file to import" in run("import", queued.path, tmp_path / "none", code=2).stderr
    xml = run("export", queued.path, "--to", tmp_path / "x.xml", "--format", "label-studio", code=2)
    assert "Name one that does not end in .xml." in xml.stderr
    (tmp_path / "tasks.json").write_text("[]")
    assert (
        "Write --annotator 1=anna."
        in run("import", queued.path, tmp_path / "tasks.json", "--annotator", "anna", code=2).stderr
    )


@pytest.mark.parametrize("format", ["jsonl", "label-studio", "revised"])
def test_an_export_destroys_nothing(queued, tmp_path, format):  # noqa: A002  the option's name
    append(queued, "anna", made.accept("p0 (en)"))
    inside = queued.file_of("anna")
    before = inside.read_bytes()
    (tmp_path / "there.jsonl").write_text("mine")
    (tmp_path / "linked").symlink_to(queued.path)
    for to, said in (
        (inside, "inside of the review"),
        (queued.path / "new.jsonl", "inside of the review"),
        (tmp_path / "linked" / "new.jsonl", "inside of the review"),
        (tmp_path / "there.jsonl", "one that is there"),
    ):
        assert said in run("export", queued.path, "--to", to, "--format", format, code=2).stderr
    assert (inside.read_bytes(), (tmp_path / "there.jsonl").read_text()) == (before, "mine")
    assert not (queued.path / "new.jsonl").exists()


def test_a_configuration_that_is_there_stays(queued, tmp_path):
    (tmp_path / "tasks.xml").write_text("mine")
    result = run("export", queued.path, "--to", tmp_path / "tasks.json", "--format", "label-studio", code=2)
    assert "one that is there" in result.stderr
    assert (tmp_path / "tasks.xml").read_text() == "mine"
    assert not (tmp_path / "tasks.json").exists()
