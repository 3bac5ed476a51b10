"""A review's folder, and the files of decisions in it: nothing is lost, nothing damaged is used."""

import contextlib
import errno
import importlib.util
import json
import os
import re
import sys
import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.training.review import folder
from geosleuth.training.review.decision import Reject
from geosleuth.training.review.decisions_file import append, read_lines
from geosleuth.training.review.folder import ABOUT, ITEMS, check_reviewer, make_review, open_review
from geosleuth.training.review.item import PairItem, pair_item

spec = importlib.util.spec_from_file_location("review_items", Path(__file__).with_name("review_items.py"))
made = sys.modules.setdefault("review_items", importlib.util.module_from_spec(spec))
spec.loader.exec_module(made)


def test_a_review_opens_as_it_was_made(tmp_path):
    review = made.pairs(tmp_path, 3)
    again = open_review(review.path)
    assert (again.kind, again.items, again.root) == ("pair", review.items, review.root)
    assert [item.id for item in again.items] == ["p0 (en)", "p1 (en)", "p2 (en)"]
    moved = open_review(review.path, tmp_path / "elsewhere")
    assert moved.root == tmp_path / "elsewhere"


def test_what_cannot_be_a_review_is_refused(tmp_path):
    root = made.pictures(tmp_path / "pictures")
    item = pair_item(made.record(0))
    with pytest.raises(InputError, match="Wanted items to review; found none"):
        make_review(tmp_path / "a", [], root)
    with pytest.raises(InputError, match="'p0 \\(en\\)' twice"):
        make_review(tmp_path / "b", [item, item], root)
    with pytest.raises(InputError, match="pairs and reasons"):
        make_review(tmp_path / "c", [item, made.answers(tmp_path / "d", 1).items[0]], root)
    with pytest.raises(InputError, match="no folder"):
        make_review(tmp_path / "e", [item], tmp_path / "nowhere")
    made.pairs(tmp_path / "f", 1)
    with pytest.raises(InputError, match="a new folder for the review"):
        make_review(tmp_path / "f" / "review", [item], root)
    with pytest.raises(InputError, match="a review folder"):
        open_review(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="a folder for the review that can be written"):
        make_review(tmp_path / "file", [item], root)


def test_a_pair_without_explanation_is_no_item():
    with pytest.raises(ValidationError, match="no explanation"):
        PairItem(id="x", record=made.record(0, explanation=None))


def test_items_that_were_changed_are_not_used(tmp_path):
    review = made.pairs(tmp_path, 2)
    path = review.path / ITEMS
    path.write_text(path.read_text().replace("a junction", "a tower"))
    with pytest.raises(InputError, match="a file that was changed"):
        open_review(review.path)


def test_a_picture_lies_below_the_root(tmp_path):
    review = made.pairs(tmp_path, 1)
    assert review.picture("above/tile.jpg") == review.root / "above" / "tile.jpg"
    for outside in ("../secret.jpg", "/etc/passwd", "a/../../b.jpg", "C:\\x.jpg", ""):
        with pytest.raises(InputError, match="a picture below"):
            review.picture(outside)
    with pytest.raises(InputError, match=r"no file .*gone\.jpg"):
        review.picture("gone.jpg")
    (tmp_path / "secret.jpg").touch()
    (review.root / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(InputError, match="a link that leads out"):
        review.picture("link.jpg")


@pytest.mark.parametrize("name", ["anna", "Łukasz", "王芳", "r2", "label-studio-7", "a_b"])
def test_names_of_reviewers(name):
    assert check_reviewer(name) == name


@pytest.mark.parametrize("name", ["", "../anna", "a/b", "a\\b", "a b", ".a", "-a", "_a", "a.b", "a" * 33, "a\n", "a\0"])
def test_names_that_are_none(name):
    with pytest.raises(InputError, match="a reviewer's name"):
        check_reviewer(name)


def test_two_names_that_differ_in_capitals_would_be_one_file_elsewhere(tmp_path):
    review = made.pairs(tmp_path, 1)
    append(review, "anna", made.accept("p0 (en)"))
    with pytest.raises(InputError, match="Anna, beside anna"):
        append(review, "Anna", made.accept("p0 (en)"))


def test_a_file_that_is_nobodys_is_named(tmp_path):
    review = made.pairs(tmp_path, 1)
    append(review, "anna", made.accept("p0 (en)"))
    stray = review.path / "decisions" / "anna (conflicted copy).jsonl"
    stray.touch()
    with pytest.raises(InputError, match=re.escape(f"found {stray}. Move it out of the review.")):
        review.reviewers()


@pytest.mark.parametrize("ends_at", [ITEMS, ABOUT])
def test_a_full_disk_is_told_and_the_same_command_goes_on(tmp_path, monkeypatch, ends_at):
    root, item, out = made.pictures(tmp_path / "pictures"), pair_item(made.record(0)), tmp_path / "review"
    whole = folder.appearing

    @contextlib.contextmanager
    def full(path):
        with whole(path) as scratch:
            if path.name == ends_at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            yield scratch

    with monkeypatch.context() as patch:
        patch.setattr(folder, "appearing", full)
        with pytest.raises(InputError, match="No space left on device"):
            make_review(out, [item], root)
    (out / ".0123456789abcdef.part").touch()  # what a kill leaves
    if ends_at == ABOUT:
        with pytest.raises(InputError, match=r"with items\.jsonl"):  # other items are not written over
            make_review(out, [pair_item(made.record(1))], root)
    assert make_review(out, [item], root).items == open_review(out).items == (item,)


def test_decisions_come_back_as_they_were_said(tmp_path):
    review = made.pairs(tmp_path, 2)
    said = [made.accept("p0 (en)"), made.edit("p1 (en)", note="一"), made.reject("p0 (en)"), made.undo("p0 (en)")]
    for line in said:
        append(review, "anna", line)
    assert read_lines(review, "anna") == tuple(said)
    assert read_lines(review, "ben") == ()
    assert review.reviewers() == ["anna"]


def test_two_tabs_at_once_lose_nothing(tmp_path):
    review = made.pairs(tmp_path, 1)

    def tab(number: int) -> None:
        for n in range(10):
            append(review, "anna", made.accept("p0 (en)", note=f"{number} {n} {'x' * 400}"))

    tabs = [threading.Thread(target=tab, args=(number,)) for number in range(4)]
    for one in tabs:
        one.start()
    for one in tabs:
        one.join()
    said = read_lines(review, "anna")
    assert len({line.note[:4] for line in said}) == len(said) == 40


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    review = made.pairs(tmp_path, 1)
    append(review, "anna", made.accept("p0 (en)"))
    before = review.file_of("anna").read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match="No space left on device"):
            append(review, "anna", made.reject("p0 (en)"))
    assert review.file_of("anna").read_bytes() == before


def test_a_damaged_line_is_named_and_nothing_is_overwritten(tmp_path):
    review = made.pairs(tmp_path, 1)
    for _ in range(3):
        append(review, "anna", made.accept("p0 (en)"))
    path = review.file_of("anna")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b'{"item": "p0 (en)", "verdict"' + b"\n" + lines[2])
    damaged = path.read_bytes()
    with pytest.raises(InputError, match=r"anna\.jsonl, line 2"):
        read_lines(review, "anna")
    path.write_bytes(damaged[:-9])
    with pytest.raises(InputError, match=r"anna\.jsonl, line 3; found a line that was cut off"):
        append(review, "anna", made.accept("p0 (en)"))
    assert path.read_bytes() == damaged[:-9]
    path.write_bytes(lines[0][:-9])
    with pytest.raises(InputError, match=r"line 1; found a line that was cut off"):
        read_lines(review, "anna")


def test_decisions_of_another_review_are_told(tmp_path):
    review = made.pairs(tmp_path, 1)
    append(review, "anna", made.accept("p7 (en)"))
    with pytest.raises(InputError, match=r"line 1; found 'accept' of 'p7 \(en\)'"):
        read_lines(review, "anna")
    append(review, "ben", made.rate("p0 (en)", 1, 2, 3))
    with pytest.raises(InputError, match="found 'rate' of"):
        read_lines(review, "ben")


def test_what_a_decision_must_hold():
    with pytest.raises(ValidationError, match="needs a note"):
        made.reject("a", why="other", note=" ")
    assert made.reject("a", why="other", note="blurred").why == "other"
    with pytest.raises(ValidationError):
        made.rate("a", 0, 1, 1)
    with pytest.raises(ValidationError):
        made.rate("a", 1, 6, 1)
    with pytest.raises(ValidationError, match="timezone"):
        Reject.model_validate(json.loads('{"item": "a", "at": "2026-01-01T00:00:00", "why": "vague"}'))
