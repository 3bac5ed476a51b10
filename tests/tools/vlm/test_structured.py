"""Replies that should be JSON, and what models make of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.lenient_json import objects_in
from geosleuth.tools.vlm.model import Prompt, Reply, Turn
from geosleuth.tools.vlm.structured import Unreadable, answer_as, read_as


class Place(BaseModel):
    country: str
    score: int = Field(default=0, ge=0, le=100)
    reasons: list[str] = []


class Scripted:
    """A model whose replies are written down, and that keeps what it was asked."""

    def __init__(self, *batches):
        self.batches = list(batches)
        self.asked = []

    def generate(self, prompts, **settings):
        self.asked.append((list(prompts), settings))
        batch = self.batches.pop(0)
        if isinstance(batch, Exception):
            raise batch
        return [[Reply(text, finished=True) for text in row] for row in batch]


QUESTION = Prompt((Turn("system", ("Be brief.",)), Turn("user", ("Where?",))))
FRANCE = Place(country="France", score=90, reasons=["a sign"])


@pytest.mark.parametrize(
    "text",
    [
        '{"country": "France", "score": 90, "reasons": ["a sign"]}',
        '```json\n{"country": "France", "score": 90, "reasons": ["a sign"]}\n```',
        'The sign is French.\n{"country": "France", "score": 90, "reasons": ["a sign"],}\nI hope {this} helps.',
        "{'country': 'France', 'score': 90, 'reasons': ['a sign',]}",
        '{country: "France", score: 90, reasons: ["a sign"]}',
        '{"country": “France”, "score": 90, // certain\n "reasons": ["a sign"]}',
        '{"country": "Spain", "country": "France", "score": 9e1, "reasons": ["a sign"]}',
        '{"country": "Spain"} No: {"country": "France", "score": "90", "reasons": ["a sign"]}',
        '{"country": "France", "score": 90, "reasons": ["a sign", "a',
        '{"country": "France", "score": 90, "reasons": ["a sign"], "wea',
        '[{"country": "\\u0046rance", "score": 90, "reasons": ["a sign"]}]',
        '{"country": "France", "score": 90, "reasons": ["a sign"]} {"country": "Ma',
    ],
)
def test_what_is_clear_is_read(text):
    assert read_as(text, Place) == FRANCE


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("France", "there is no JSON object in it"),
        ("", "there is no JSON object in it"),
        ('{"country": "Mal', "country: field required"),  # Mali, Malta, Malaysia
        ('{"score": 1', "country: field required"),
        (
            '{"country": "France", "score": 900}',
            "score: input should be less than or equal to 100",
        ),
        (
            '{"country": null, "score": NaN}',
            "there is no JSON object in it",
        ),
        (
            '{"country": ["France"], "score": true}',
            "country: input should be a valid string",
        ),
    ],
)
def test_what_is_not_is_unreadable_with_the_reason(text, problem):
    assert read_as(text, Place) == Unreadable(text, problem)


def test_a_cut_number_goes_and_a_cut_sentence_stays():
    text = '{"country": "France", "reasons": ["the plates are white and have a blue band on the le'
    assert read_as(text, Place).reasons == ["the plates are white and have a blue band on the …"]
    assert read_as('{"country": "France", "score": 9', Place).score == 0
    assert list(objects_in('{"a": {"b": [1, 2, 3')) == [{"a": {"b": [1, 2]}}]


def test_one_repair_turn_for_each_bad_reply_and_all_in_one_batch():
    good = '{"country": "France", "score": 90, "reasons": ["a sign"]}'
    model = Scripted([[good], ["It is Spain."], ['{"score": 5}']], [['{"country": "Spain"}'], ["no"]])
    spain, other = Prompt(QUESTION.turns, begun="Answer: "), QUESTION

    rows = answer_as(model, [QUESTION, spain, other], Place, max_tokens=40, temperature=0.7, seed=3)

    assert rows == [[FRANCE], [Place(country="Spain")], [Unreadable("no", "there is no JSON object in it")]]
    (first, settings), (repairs, again) = model.asked
    assert first == [QUESTION, spain, other]
    assert settings == {"max_tokens": 40, "samples": 1, "temperature": 0.7, "seed": 3, "schema": Place}
    assert again == {"max_tokens": 40, "schema": Place}  # greedy
    assert [turn.role for turn in repairs[0].turns] == ["system", "user", "assistant", "user"]
    assert repairs[0].turns[2].parts == ("Answer: It is Spain.",)
    assert repairs[0].begun == "Answer: "
    assert "country: field required" in repairs[1].turns[3].parts[0]
    assert "JSON object only" in repairs[1].turns[3].parts[0]


def test_the_beginning_belongs_to_the_object():
    model = Scripted([['France", "score": 90, "reasons": ["a sign"]}']])
    assert answer_as(model, [Prompt(QUESTION.turns, begun='{"country": "')], Place) == [[FRANCE]]


def test_equal_replies_are_mended_once():
    model = Scripted([["bad"] * 5], [['{"country": "Peru"}']])
    assert answer_as(model, [QUESTION], Place, samples=5) == [[Place(country="Peru")] * 5]
    assert len(model.asked[1][0]) == 1


def test_a_spent_budget_keeps_what_was_readable(caplog):
    spent = InputError("a request left", "all sent", "Raise it.")
    rows = answer_as(Scripted([['{"country": "Peru"}', "bad"]], spent), [QUESTION], Place, samples=2, temperature=1.0)
    assert rows == [[Place(country="Peru"), Unreadable("bad", "there is no JSON object in it")]]
    assert "1 replies could not be mended: InputError" in caplog.text
    assert "all sent" not in caplog.text
    with pytest.raises(InputError, match="all sent"):
        answer_as(Scripted(spent), [QUESTION], Place)


NAMES = st.text(min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)
# Text that is nearly JSON breaks readers sooner than text that is not.
PIECES = st.sampled_from(
    [*"{}[]\"'“”:,\\ue0-+.#/\n", "null", "1e999", "9" * 5000, '{"country":', "\\ud800", "\ud800", "//"]
)
NEARLY = st.lists(PIECES | st.characters(), max_size=60).map("".join)


@given(OBJECTS, st.booleans())
def test_what_strict_readers_read_is_read_alike(value, ascii_only):
    assert list(objects_in(json.dumps(value, ensure_ascii=ascii_only))) == [value]


@given(OBJECTS, st.data())
def test_a_cut_object_holds_nothing_that_the_whole_one_does_not(value, data):
    text = json.dumps(value)
    cut = data.draw(st.integers(1, len(text)))
    (found,) = objects_in(text[:cut])
    assert _within(found, value)


def _within(part, whole) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and _within(part[key], whole[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and all(_within(a, b) for a, b in zip(part, whole, strict=False))
    if isinstance(part, str) and part.endswith(" …"):
        return " ".join(whole.split()).startswith(part[:-2])
    return part == whole and isinstance(part, bool) == isinstance(whole, bool)


@given(st.text() | NEARLY)
def test_no_text_whatsoever_raises(text):
    model = Scripted([[text]], [[text]])
    ((answer,),) = answer_as(model, [QUESTION], Place)
    assert isinstance(answer, Place | Unreadable)
    str(answer).encode("utf-8", "backslashreplace")


@pytest.mark.parametrize(
    "text", ["{" * 100_000, '{"a":' * 50_000, '{"a":[' * 50_000, '{"' * 50_000, "{'" * 50_000 + "}"]
)
def test_deep_and_long_texts_end_soon(text):
    assert isinstance(read_as(text, Place), Unreadable)
