import json
import math
import tracemalloc

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.model import Prompt, Turn
from geosleuth.training.gleam_x.ledger import Answer, Asked, Ledger

PICTURE = np.zeros((2, 2, 3), np.uint8)


def asked(text="Where?", digest="aa", sample=0, temperature=0.0):
    prompt = Prompt((Turn("user", (PICTURE, text)),))
    return Asked("m", prompt, {id(PICTURE): digest}, 64, temperature, sample)


def test_a_question_is_known_by_all_that_its_answer_depends_on():
    assert asked().digest == asked().digest
    others = [asked("Why?"), asked(digest="ab"), asked(sample=1), asked(temperature=0.7)]
    assert len({asked().digest, *(one.digest for one in others)}) == 5


def test_a_ledger_is_taken_up_where_it_was_left(tmp_path):
    path, question = tmp_path / "ledger.jsonl", asked()
    with Ledger(path) as ledger:
        ledger.request(question)
        ledger.request(question)
        ledger.count(question.digest)
        ledger.fail(question.digest, "busy")
        ledger.count(question.digest)
        ledger.answer(question.digest, Answer(text="在 Oslo\ud800", finish="stop", prompt_tokens=5, tokens=2))
        ledger.look("bb", (1.5, math.nan), {"feature": "a roof"})
    kinds = [json.loads(line)["kind"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert kinds == ["request", "sent", "failure", "sent", "answer", "look"]  # the question stands there once
    with Ledger(path) as again:
        assert (again.sent, again.tokens, again.damaged) == (2, 7, 0)
        assert again.answers[question.digest].text == "在 Oslo?"  # half a pair of surrogates is no text
        assert again.looks["bb"][0] == 1.5
        assert math.isnan(again.looks["bb"][1])
        again.request(question)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 6


def test_a_torn_line_is_counted_and_does_not_spoil_the_next(tmp_path):
    path = tmp_path / "ledger.jsonl"
    with Ledger(path) as ledger:
        ledger.count("a")
        ledger.answer("a", Answer(text="yes", finish="stop"))
    with path.open("ab") as file:
        file.write('{"kind": "answer", "hash": "b", "text": "屋'.encode()[:-1])
    with Ledger(path) as ledger:
        assert (ledger.damaged, set(ledger.answers)) == (1, {"a"})
        ledger.answer("b", Answer(text="no", finish="stop"))
    with Ledger(path) as ledger:
        assert (ledger.damaged, ledger.answers["b"].text) == (1, "no")


def test_a_ledger_of_another_form_is_counted(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.write_text('[1]\n{"kind": "answer", "hash": "a"}\n{"hash": "a"}\n{"kind": "sent", "hash": "c"}\n')
    with Ledger(path) as ledger:
        assert (ledger.damaged, ledger.sent) == (3, 1)


def test_a_line_nested_too_deeply_is_counted(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.write_text("[" * 100_000 + '\n{"kind": "sent", "hash": "c"}\n')
    with Ledger(path) as ledger:
        assert (ledger.damaged, ledger.sent) == (1, 1)


def test_a_ledger_is_not_held_in_memory(tmp_path):
    path = tmp_path / "ledger.jsonl"
    line = json.dumps({"kind": "request", "hash": "a", "turns": "x" * 100_000}) + "\n"
    path.write_text(line * 200)
    tracemalloc.start()
    with Ledger(path):
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000  # of 20 MB


def test_a_full_disk_is_told_once_and_tears_no_line(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "ledger.jsonl"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Ledger(path) as ledger:
        ledger.answer("a", Answer(text="yes", finish="stop"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50, hard))
        try:
            with pytest.raises(OSError, match="File too large"):
                ledger.answer("b", Answer(text="no", finish="stop"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert path.read_bytes().endswith(b"}\n")
        ledger.answer("c", Answer(text="yes", finish="stop"))
    with Ledger(path) as ledger:
        assert (ledger.damaged, set(ledger.answers)) == (0, {"a", "c"})


def test_a_ledger_that_cannot_be_opened_is_explained(tmp_path):
    with pytest.raises(InputError, match="Wanted a ledger that can be read and written"):
        Ledger(tmp_path / "none" / "ledger.jsonl")
