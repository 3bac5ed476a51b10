"""Decisions carried to another copy of a review, and items made of files."""

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.review.decisions_file import append, read_lines
from geosleuth.training.review.exchange import export_decisions, import_decisions
from geosleuth.training.review.folder import open_review
from geosleuth.training.review.queueing import queued

spec = importlib.util.spec_from_file_location("review_items", Path(__file__).with_name("review_items.py"))
made = sys.modules.setdefault("review_items", importlib.util.module_from_spec(spec))
spec.loader.exec_module(made)


@pytest.fixture
def copies(tmp_path):
    """Return a review with decisions of two, and a copy of it on another machine, without any."""
    here = made.pairs(tmp_path, 2)
    there = tmp_path / "there"
    shutil.copytree(here.path, there)
    for line in (made.accept("p0 (en)"), made.undo("p0 (en)", 1), made.edit("p0 (en)", 2, note="王")):
        append(here, "anna", line)
    append(here, "ben", made.reject("p0 (en)", why="absent"))
    return here, open_review(there)


def test_all_that_was_said_goes_to_another_copy_once(copies, tmp_path):
    here, there = copies
    assert export_decisions(here, tmp_path / "said.jsonl") == 4
    done = import_decisions(there, tmp_path / "said.jsonl")
    assert (done.added, done.known) == (4, 0)
    for reviewer in ("anna", "ben"):
        assert read_lines(there, reviewer) == read_lines(here, reviewer)
    assert import_decisions(there, tmp_path / "said.jsonl").added == 0
    append(here, "anna", made.accept("p1 (en)", 5))
    export_decisions(here, tmp_path / "more.jsonl")
    done = import_decisions(there, tmp_path / "more.jsonl")
    assert (done.added, done.known) == (1, 4)
    assert import_decisions(there, tmp_path / "said.jsonl").added == 0  # an older export takes nothing back


def test_copies_that_both_went_on_are_not_mixed(copies, tmp_path):
    here, there = copies
    export_decisions(here, tmp_path / "said.jsonl")
    append(there, "anna", made.reject("p1 (en)", 9))
    with pytest.raises(InputError, match="two copies that differ"):
        import_decisions(there, tmp_path / "said.jsonl")
    assert there.reviewers() == ["anna"]  # not even ben's were added
    assert len(read_lines(there, "anna")) == 1


def test_a_mark_of_byte_order_and_blank_lines_cost_nothing(copies, tmp_path):
    here, there = copies
    export_decisions(here, tmp_path / "said.jsonl")
    (tmp_path / "edited.jsonl").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "said.jsonl").read_bytes() + b"\r\n\n")
    assert import_decisions(there, tmp_path / "edited.jsonl").added == 4


@pytest.mark.parametrize("names", [("Zoe", "zoe"), ("Anna", "zoe")])
def test_names_that_differ_in_capitals_alone_add_nothing(copies, tmp_path, names):
    here, there = copies
    append(there, "anna", made.accept("p1 (en)"))
    path = tmp_path / "said.jsonl"
    export_decisions(here, path)
    text = path.read_text().replace('"reviewer":"anna"', f'"reviewer":"{names[0]}"')
    path.write_text(text.replace('"reviewer":"ben"', f'"reviewer":"{names[1]}"'))
    with pytest.raises(InputError, match="a reviewer's name of its own"):
        import_decisions(there, path)
    assert there.reviewers() == ["anna"]


def test_what_is_no_export_is_told(copies, tmp_path):
    here, there = copies
    path = tmp_path / "said.jsonl"
    export_decisions(here, path)
    lines = path.read_text().splitlines()
    path.write_text(f"{lines[0]}\n{lines[1][:40]}\n")
    with pytest.raises(InputError, match=r"said\.jsonl, line 2"):
        import_decisions(there, path)
    path.write_text(f"{lines[0]}\n{lines[1].replace(json.loads(lines[1])['review'], 'another')}\n")
    with pytest.raises(InputError, match="one of another review in line 2"):
        import_decisions(there, path)
    assert there.reviewers() == []
    with pytest.raises(InputError, match="a file to import"):
        import_decisions(there, tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="a file to export to"):
        export_decisions(here, tmp_path / "no" / "folder.jsonl")
    path.write_text(lines[0].replace('"anna"', '"../anna"') + "\n")
    with pytest.raises(InputError, match="a reviewer's name"):
        import_decisions(there, path)


def test_pairs_with_explanations_are_queued_and_the_rest_counted(tmp_path):
    chinese = made.record(0, lang="zh")
    lines = [made.record(0), chinese, made.record(1, explanation=None)]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(f"{one.model_dump_json()}\n" for one in lines) + '{"pair_id": "broken"}\n')
    found = queued(path)
    assert [(item.kind, item.id) for item in found.items] == [("pair", "p0 (en)"), ("pair", "p0 (zh)")]
    assert found.items[1].record == chinese
    assert sum(found.skipped.values()) == 2
    assert found.skipped["the pair has no explanation"] == 1
    assert repr(found) == "2 items, 2 lines left out"


def test_answers_with_reasons_are_queued_in_the_forms_that_models_write(tmp_path):
    lines = [
        {"image": "a.jpg", "country": "France", "city": "Lyon", "reasons": ["A sign.", "A plate."], "model": "m"},
        {"path": "a.jpg", "Country": "Spain", "reason": "Palms."},
        {"image": "../b.jpg", "country": "France", "reasons": ["x"]},
        {"country": "France", "reasons": ["x"]},
        {"image": "c.jpg", "country": "France"},
        {"image": "c.jpg", "reasons": ["x"]},
        ["no object"],
    ]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in lines) + "{\n")
    found = queued(path)
    assert [(item.id, item.path, item.country, item.city, item.reasons, item.model) for item in found.items] == [
        ("a.jpg", "a.jpg", "France", "Lyon", ("A sign.", "A plate."), "m"),
        ("a.jpg #2", "a.jpg", "Spain", "", ("Palms.",), None),
    ]
    assert sum(found.skipped.values()) == 6


def test_a_file_with_nothing_to_review_says_why(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"image": "a.jpg", "country": "France"}\n')
    with pytest.raises(InputError, match="1 lines: no reasons are given"):
        queued(path)
    path.write_text("")
    with pytest.raises(InputError, match="no line"):
        queued(path)
    with pytest.raises(InputError, match="a JSONL file of items"):
        queued(tmp_path / "none.jsonl")
