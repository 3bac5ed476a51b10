"""Answers on the disk: nothing is lost on a kill, to another process, or to a full disk."""

import importlib.util
import multiprocessing
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.human import answer_file
from geosleuth.training.evaluate.human.answer import Answer, in_words
from geosleuth.training.evaluate.human.answer_file import Answers, add, check_data, read_answers

spec = importlib.util.spec_from_file_location("human_rows", Path(__file__).with_name("human_rows.py"))
made = sys.modules.setdefault("human_rows", importlib.util.module_from_spec(spec))
spec.loader.exec_module(made)


def test_the_last_answer_counts_and_its_seconds_are_those_of_all(tmp_path):
    path = tmp_path / "answers.jsonl"
    assert read_answers(path) == Answers()
    first, other, second = made.answer(1, seconds=4.0), made.answer(1, "ben"), made.answer(1, seconds=2.5, city=None)
    for one in (first, other, second):
        add(path, one)
    found = read_answers(path)
    assert found.lines == (first, other, second)
    assert found.people == ["anna", "ben"]
    assert (found.last["anna", "1.jpg"].city, found.last["anna", "1.jpg"].seconds) == (None, 6.5)
    assert found.last["ben", "1.jpg"] == other


def test_a_line_that_was_cut_off_stays_and_hides_no_other(tmp_path):
    path = tmp_path / "answers.jsonl"
    add(path, made.answer(1))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])  # a power cut in the second line
    assert read_answers(path).damaged == (2,)
    add(path, made.answer(2))
    found = read_answers(path)
    assert ([one.file for one in found.lines], found.damaged) == (["1.jpg", "2.jpg"], (2,))
    assert path.read_bytes().startswith(whole + whole[:40] + b"\n")


def test_a_whole_line_without_its_end_counts(tmp_path):
    """An editor may have taken the last line break away."""
    path = tmp_path / "answers.jsonl"
    add(path, made.answer(1))
    path.write_bytes(path.read_bytes().rstrip())
    assert len(read_answers(path).lines) == 1
    add(path, made.answer(2))
    assert (len(read_answers(path).lines), read_answers(path).damaged) == (2, ())


def _add_many(path: Path, person: str) -> None:
    for number in range(40):
        add(path, made.answer(number, person))


def test_processes_that_add_at_once_lose_nothing(tmp_path):
    path = tmp_path / "answers.jsonl"
    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=_add_many, args=(path, person)) for person in ("anna", "ben")]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)
    found = read_answers(path)
    assert (len(found.lines), found.damaged) == (80, ())


def test_what_cannot_be_written_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "answers.jsonl"
    add(path, made.answer(1))
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(answer_file.os, "fsync", full)
    with pytest.raises(InputError, match="No space left") as told:
        add(path, made.answer(2))
    assert "answer again" in told.value.remedy
    assert path.read_bytes() == before
    with pytest.raises(InputError, match="a file of people's answers"):
        read_answers(tmp_path)


def test_a_file_is_of_one_data_set(tmp_path):
    answers = Answers((made.answer(1),))
    check_data(answers, tmp_path, "towns")
    check_data(Answers(), tmp_path, "others")
    with pytest.raises(InputError, match="some about towns"):
        check_data(answers, tmp_path, "others")


@pytest.mark.parametrize(
    "wrong",
    [
        {"given": "nothing"},
        {"given": "country"},
        {"given": "place", "point": None},
        {"point": (91.0, 0.0)},
        {"country": "ZZ"},
        {"person": "../anna"},
        {"sure": 1.5},
        {"clues": ("smell",)},
    ],
)
def test_what_is_no_answer_is_refused(wrong):
    with pytest.raises(ValidationError):
        Answer.model_validate(made.answer(1).model_dump() | wrong)


def test_an_answer_in_words():
    assert in_words(made.answer(1)) == "Lyon, France (45.7640, 4.8357), 75% sure"
    assert in_words(made.answer(1, given="country", point=None, city=None)) == "France, 75% sure"
    assert in_words(made.nothing(1)) == "cannot tell"
