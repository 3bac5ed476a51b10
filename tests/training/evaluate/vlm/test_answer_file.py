"""Answers on the disk: what was killed inside of a line is asked again, all else is kept."""

import logging

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.vlm.answer_file import AnswerFile, answer_key
from geosleuth.training.evaluate.vlm.verifier import VerdictAnswer


def test_answers_are_there_again(tmp_path):
    file = AnswerFile(tmp_path / "answers.jsonl", VerdictAnswer)
    file.add(VerdictAnswer(key="a", logit=1.5))
    file.add(VerdictAnswer(key="b", logit=None))
    again = AnswerFile(tmp_path / "answers.jsonl", VerdictAnswer)
    assert len(again) == 2
    assert again["a"].logit == 1.5
    assert "c" not in again


def test_half_a_line_is_cut_off_and_the_next_answer_stands_alone(tmp_path):
    path = tmp_path / "answers.jsonl"
    AnswerFile(path, VerdictAnswer).add(VerdictAnswer(key="a", logit=1.5))
    path.write_bytes(path.read_bytes() + b'{"key": "b", "lo')
    file = AnswerFile(path, VerdictAnswer)
    assert len(file) == 1
    file.add(VerdictAnswer(key="b", logit=-1.0))
    assert len(AnswerFile(path, VerdictAnswer)) == 2


def test_a_damaged_line_is_told(tmp_path, caplog):
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b'not JSON\n{"key": "a", "logit": 2.0}\n')
    with caplog.at_level(logging.WARNING):
        assert AnswerFile(path, VerdictAnswer)["a"].logit == 2.0
    assert "1 lines are no answers" in caplog.text


def test_a_file_that_cannot_be_read_is_said_in_three_parts(tmp_path):
    (tmp_path / "answers.jsonl").mkdir()
    with pytest.raises(InputError, match=r"a file to keep answers in.*Name another folder with --out"):
        AnswerFile(tmp_path / "answers.jsonl", VerdictAnswer)


def test_a_key_is_of_weights_pictures_and_words():
    key = answer_key("weights", ["p", "q"], "words")
    assert key == answer_key("weights", ["p", "q"], "words")
    others = [("other", ["p", "q"], "words"), ("weights", ["q", "p"], "words"), ("weights", ["p", "q"], "word", "s")]
    assert len({key, *(answer_key(w, p, *q) for w, p, *q in others), answer_key("weights", ["p"], "q", "words")}) == 5
