"""Sentences and the moves that the rules take them for."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosleuth.agent.dialogue.move import (
    AddHint,
    BringBack,
    CompareWith,
    LeaveOut,
    NotUnderstood,
    Observe,
    SearchEverything,
    Undo,
    WhyNot,
)
from geosleuth.agent.dialogue.rules import understand
from geosleuth.tools.hints import hint_evidence


def ids(*numbers: int) -> tuple[str, ...]:
    return tuple(f"{number:012x}" for number in numbers)


HINTS = {
    "it is in Portugal": "in Portugal",
    "It's in Portugal.": "in Portugal",
    "Portugal": "in Portugal",
    "portugal!": "in portugal",
    "the photo was taken in Bavaria": "in Bavaria",
    "I think it is near Lisbon": "near Lisbon",
    "maybe it's Porto": "in Porto",
    "close to Lisbon": "near Lisbon",
    "not Lisbon": "not Lisbon",
    "It is not in Spain": "not Spain",
    "it isn't in Spain": "not Spain",
    "this can't be Spain": "not Spain",
    "I don't think it's Spain": "not Spain",
    "no, it's not Spain": "not Spain",
    "definitely not in France": "not France",
    "outside of Spain": "not Spain",
    "rule out Spain": "not Spain",
    "exclude Spain": "not Spain",
    "it is anything but Spain": "not Spain",
    "everywhere except in Spain": "not Spain",
    "please note: ": None,
    "north of the equator": "north of the equator",
    "it is south of the equator": "south of the equator",
    "southern hemisphere": "south of the equator",
    "48.85, 2.35": "48.85, 2.35",
    "it is near 48.85, 2.35": "48.85, 2.35",
    "Portugal or Spain": "in Portugal or Spain",
    "Springfield, Illinois": "in Springfield, Illinois",
    "it is in the UK": "in United Kingdom",
    "it was taken in the us": "in United States",
    "on Madeira": "in Madeira",
    "“in Portugal”": "in Portugal",
    "es ist nicht in Spanien": "not Spanien",
    "nicht Spanien": "not Spanien",
    "pas en Espagne": "not Espagne",
    "no es España": "not España",
    "não é a Espanha": "not Espanha",
    "non è in Spagna": "not Spagna",
    "не Испания": "not Испания",
    "在葡萄牙": "in 葡萄牙",
    "不是西班牙": "not 西班牙",
}
MOVES = {
    "compare with candidate 3": CompareWith(rank=3),
    # The list shows the match first, which retrieval had ranked second: number and rank differ.
    "compare with candidate 2": CompareWith(rank=1),
    "Compare it with candidate two, please": CompareWith(rank=1),
    "could you compare the photo to candidate #1?": CompareWith(rank=2),
    "look at candidate 3 again": CompareWith(rank=3),
    "look at the third candidate": CompareWith(rank=3),
    "candidate 3 again": CompareWith(rank=3),
    "verify reference 3": CompareWith(rank=3),
    "comapre with candidate 3": CompareWith(rank=3),
    "search the whole gallery": SearchEverything(),
    "search everything": SearchEverything(),
    "Please search the entire index": SearchEverything(),
    "can you look everywhere?": SearchEverything(),
    "serach everthing": SearchEverything(),
    "why not Spain?": WhyNot(codes=("ES",), name="Spain"),
    "why not spain": WhyNot(codes=("ES",), name="Spain"),
    "why isn't it Spain?": WhyNot(codes=("ES",), name="Spain"),
    "why is it not in Spain?": WhyNot(codes=("ES",), name="Spain"),
    "why couldn't it be Spain": WhyNot(codes=("ES",), name="Spain"),
    "why Portugal and not Spain?": WhyNot(codes=("ES",), name="Spain"),
    "why Spain and not Portugal?": WhyNot(codes=("ES",), name="Spain"),
    "why Portugal rather than France?": WhyNot(codes=("FR",), name="France"),
    "why Portugal?": WhyNot(codes=("ES",), name="Spain"),  # the answer itself: against the runner-up
    "why do you think it is Portugal?": WhyNot(codes=("ES",), name="Spain"),
    "what about Spain?": WhyNot(codes=("ES",), name="Spain"),
    "and Spain?": WhyNot(codes=("ES",), name="Spain"),
    "is it in Spain?": WhyNot(codes=("ES",), name="Spain"),
    "why not Barcelona?": WhyNot(codes=("ES",), name="Spain (Barcelona)"),
    "warum nicht Spanien?": WhyNot(codes=("ES",), name="Spain"),
    "pourquoi pas l'Espagne ?": WhyNot(codes=("ES",), name="Spain"),
    "ignore the phone number": LeaveOut(ids=ids(1)),
    "without clue 1": LeaveOut(ids=ids(1)),
    "without clues 1 and 2": LeaveOut(ids=ids(1, 2)),
    "without clues 2-4": LeaveOut(ids=ids(2, 3, 4)),
    "leave clue 2 out": LeaveOut(ids=ids(2)),
    "leave out clue two": LeaveOut(ids=ids(2)),
    "what if you ignore clue 2?": LeaveOut(ids=ids(2)),
    "forget the language": LeaveOut(ids=ids(2)),
    "forget Rossio": LeaveOut(ids=ids(4)),
    "don't use the phone number": LeaveOut(ids=ids(1)),
    "clue 2 is wrong": LeaveOut(ids=ids(2)),
    "drop the first clue": LeaveOut(ids=ids(1)),
    "without all clues": LeaveOut(ids=ids(1, 2, 4)),
    "use clue 5 again": BringBack(ids=ids(5)),
    "use the hint again": BringBack(ids=ids(5)),
    "with clue 5": BringBack(ids=ids(5)),
    "bring back the hint": BringBack(ids=ids(5)),
    "bring back everything": BringBack(ids=ids(5)),
    "undo": Undo(),
    "Undo that, please.": Undo(),
    "take that back": Undo(),
    "rückgängig": Undo(),
    "cars drive on the left": Observe(question="driving_side", option="left"),
    "people drive on the right here": Observe(question="driving_side", option="right"),
    "left-hand traffic": Observe(question="driving_side", option="left"),
    "on the left": Observe(question="driving_side", option="left"),  # a reply to the open question
    "Left": Observe(question="driving_side", option="left"),
    "the front plate is yellow": Observe(question="plate_front", option="yellow"),
    "the number plates at the rear are white": Observe(question="plate_rear", option="white"),
    "the writing is Cyrillic": Observe(question="script", option="Cyrl"),
    "warning signs are yellow diamonds": Observe(question="warning_sign", option="diamond"),
    "the centre line is yellow": Observe(question="centre_line", option="yellow"),
    "at noon the sun is in the north": Observe(question="midday_sun", option="north"),
    "the poles are made of wood": Observe(question="poles", option="wood"),
    "the plates have no blue strip": Observe(question="plate_strip", option="none"),
}
REFUSED = {  # sentence -> (part of the reason, a suggestion or None)
    "compare with candidate 9": ("There are 3 candidates, and no number 9.", "compare with candidate 3"),
    "check candidate 0": ("no number 0", None),
    "in summer": ("the name of a place?", "in Summer, United States"),
    "near the river": ("the name of a place?", None),
    "in English": ("the name of a place?", "in English, United States"),
    "explain": ("not understood", None),
    "the car is on the left of the photo": ("not understood", None),
    "the car is on the left": ("not understood", None),
    "leave Portugal": ("not understood", None),
    "without clue 12": ("There are 5 clues, and no number 12.", None),
    "forget the plate": ('No clue is called "the plate"', "without clue 1"),
    "forget France": ("Do you mean that it is not there?", "not France"),
    "use clue 1 again": ("Left out is clue 5", "use clue 5 again"),
    "without clue 5": ("Left out already", None),
    "why not Lisbon?": ("countries are compared", "near Lisbon"),
    "in Portugl": ("Did you mean Portugal?", "in Portugal"),
    "portugl": ("Did you mean Portugal?", "in Portugal"),
    "it is nice": ("Is “nice” the name of a place?".replace("“nice”", '"nice"'), "in Nice, France"),
    "the plate is yellow": ("Which plate", "the front plate is yellow"),
    "it was taken at 2024-06-01 12:30": (
        "time by itself says nothing",
        "taken 2024-06-01 12:30, the sun is 45 degrees high",
    ),
    "the shadow is as long as the pole": ("only together with the time", None),
    "it is in Portugal, not Spain": ("one at a time", "not Spain"),
    "cars do not drive on the left": ("not understood", None),
    "do cars drive on the left?": ("not understood", None),
    "it is beautiful": ('No place is known as "beautiful"', None),
    "Who took this photo?": ("not understood", "in Portugal"),
    "what is the weather like there tomorrow": ("not understood", "why not Spain?"),
    "write a poem about Lisbon": ("not understood", None),
    "it has an elevation of 300 m": ("not understood", None),
    "nice": ('Is "nice" the name', "in Nice, France"),
    "hello": ("nothing to do", None),
    "yes": ("not understood", None),
    "": ("nothing to do", None),
    "why?": ("not understood", None),
}


@pytest.mark.parametrize(("sentence", "hint"), HINTS.items())
def test_hints(sentence, hint, lisbon):
    found = understand(sentence, lisbon)
    if hint is None:
        assert isinstance(found.move, NotUnderstood)
        return
    assert found.move == AddHint(text=hint)
    assert found.by == "rules"
    assert found.words.startswith("Taken as a hint: the photo is ")
    assert hint_evidence(hint)  # it will be understood again when the inquiry is asked


@pytest.mark.parametrize(("sentence", "move"), MOVES.items())
def test_moves(sentence, move, lisbon):
    assert understand(sentence, lisbon).move == move


@pytest.mark.parametrize(("sentence", "expected"), REFUSED.items())
def test_refusals_say_why_and_what_would_do(sentence, expected, lisbon):
    if "taken at" in sentence:
        pytest.importorskip("astral")
    reason, suggestion = expected
    found = understand(sentence, lisbon)
    assert isinstance(found.move, NotUnderstood)
    assert reason in found.words
    assert found.move.reason == found.words
    assert suggestion is None or suggestion in found.move.suggestions
    assert found.move.suggestions


@pytest.mark.parametrize("sentence", [one for one, (_, suggestion) in REFUSED.items() if suggestion])
def test_what_is_suggested_is_understood(sentence, lisbon):
    pytest.importorskip("astral")
    for suggestion in understand(sentence, lisbon).move.suggestions:
        assert not isinstance(understand(suggestion, lisbon).move, NotUnderstood), suggestion


@pytest.mark.parametrize("sentence", ["why not Spain?", "without clue 1", "compare with candidate 1"])
def test_before_the_first_answer_there_is_nothing_to_ask_about(sentence):
    assert understand(sentence, None).words == "There is no answer yet: give a photo first."


def test_what_is_not_shown_is_no_part_of_a_hint(lisbon):
    assert understand("in \ud800\u202eSpain\x1b", lisbon).move == AddHint(text="in Spain")
    assert isinstance(understand("\ud800", lisbon).move, NotUnderstood)


def test_hints_and_observations_need_no_answer():
    assert understand("in Portugal", None).move == AddHint(text="in Portugal")
    assert understand("cars drive on the left", None).move == Observe(question="driving_side", option="left")


def test_without_an_index_there_is_nothing_to_search(answers):
    found = understand("search everything", answers.answer())
    assert isinstance(found.move, NotUnderstood)
    assert "no gallery" in found.words


def test_the_words_name_the_place_that_is_called_so_first(lisbon):
    # GeoNames has "Porto" among the other names of Bordeaux, which is larger.
    assert understand("in Porto", lisbon).words.startswith("Taken as a hint: the photo is in Porto, Portugal")
    assert understand("not in the southern hemisphere", lisbon).words.endswith("in the northern hemisphere.")


@pytest.mark.parametrize("sentence", ["it is outside Spain and Portugal", "it is outside Spain, Portugal"])
def test_the_opposite_is_never_suggested(sentence, lisbon):
    found = understand(sentence, lisbon).move
    assert isinstance(found, NotUnderstood)
    assert found.suggestions == ("it is outside Spain",)


def test_more_than_a_sentence_is_refused_at_once(lisbon):
    for text in ("x" * 10_000, "please " * 1_500, "not " * 2_500, "why not " * 1_250, "in Spain or " * 900):
        started = time.process_time()
        assert isinstance(understand(text, lisbon).move, NotUnderstood)
        assert time.process_time() - started < 1.0


WORDS = (
    "we is are on the left plate yellow why not it in clue 3 and or sun at , ? . with candidate taken 2024-06-01 near"
)


@settings(max_examples=300, deadline=None, derandomize=True)  # a deadline goes by the clock: a busy machine breaks it
@given(text=st.one_of(st.text(max_size=600), st.lists(st.sampled_from(WORDS.split()), max_size=150).map(" ".join)))
def test_no_text_raises_or_takes_long(text, lisbon):
    started = time.process_time()
    for answer in (None, lisbon):
        found = understand(text, answer)
        assert found.words
        assert found.by == "rules"
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize(
    "word",
    [
        "we is ",
        "actually ",
        "maybe ",
        "not ",
        "in ",
        "plate ",
        "ignore ",
        "use it again ",
        "1 2 ",
        "sun ",
        "shadow is as long as ",
    ],
)
def test_repeated_words_take_no_longer(word, lisbon):
    started = time.process_time()
    understand((word * 500)[:499], lisbon)
    assert time.process_time() - started < 1.0
