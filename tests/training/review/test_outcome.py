"""What counts of what was said, who is asked, and what becomes of an item."""

import importlib.util
import sys
from pathlib import Path

import pytest

from geosleuth.training.review.assignment import to_decide
from geosleuth.training.review.decisions_file import append
from geosleuth.training.review.outcome import outcome, rated, revised
from geosleuth.training.review.report import report
from geosleuth.training.review.standing import standing, standing_of

spec = importlib.util.spec_from_file_location("review_items", Path(__file__).with_name("review_items.py"))
made = sys.modules.setdefault("review_items", importlib.util.module_from_spec(spec))
spec.loader.exec_module(made)


def say(review, **lines):
    for reviewer, said in lines.items():
        for line in said:
            append(review, reviewer, line)


def test_the_last_decision_counts_and_an_undo_brings_back_the_one_before():
    said = standing_of({"anna": [made.accept("a", 0), made.edit("a", 1), made.reject("a", 2), made.undo("a", 3)]})
    assert said.mine("anna")["a"].verdict == "edit"
    gone = standing_of({"anna": [made.accept("a"), made.undo("a"), made.undo("a")]})
    assert "a" not in gone.mine("anna")  # an undo too many takes nothing else back


def test_nobody_sees_another_decision_before_making_one():
    said = standing_of({"anna": [made.accept("a")], "ben": [made.reject("a", 1)], "cleo": []})
    assert said.shown_to("cleo", "a") == []
    assert said.is_blind("cleo", "a")
    assert [(who, one.verdict) for who, one in said.shown_to("anna", "a")] == [("ben", "reject")]
    assert not said.is_blind("anna", "a")


def test_who_has_seen_another_decision_is_never_blind_again():
    said = standing_of({"anna": [made.accept("a"), made.undo("a", 2, blind=False)], "ben": [made.reject("a", 1)]})
    assert said.shown_to("anna", "a") == []
    assert not said.is_blind("anna", "a")


def test_agreement_counts_what_was_said_blind_and_outcomes_what_was_said_last(tmp_path):
    review = made.pairs(tmp_path, 2)
    one, two = (item.id for item in review.items)
    say(
        review,
        anna=[made.accept(one), made.accept(two), made.reject(one, 5, blind=False)],
        ben=[made.reject(one, 1), made.accept(two, 1)],
    )
    found = report(review, standing(review))
    (verdict,) = found.agreed
    assert (verdict.figures.count, verdict.figures.share) == (2, 0.5)
    assert found.states["rejected"] == 1
    assert found.states["as_is"] == 1
    assert found.by_reviewer == {"anna": 2, "ben": 2}
    assert found.by_both == 2


@pytest.mark.parametrize(
    ("said", "state", "text"),
    [
        (["a"], "waiting", None),
        (["a", "a"], "as_is", "as it was"),
        (["a", "e"], "edited", "other"),
        (["e", "a"], "edited", "other"),
        (["e", "e"], "edited", "other"),
        (["e", "f"], "disputed", None),
        (["a", "r"], "disputed", None),
        (["e", "r"], "disputed", None),
        (["r", "r"], "rejected", None),
        (["a", "r", "a"], "as_is", "as it was"),
        (["a", "r", "e"], "edited", "other"),
        (["a", "r", "r"], "rejected", None),
        (["e", "f", "a"], "as_is", "as it was"),
        (["e", "f", "f"], "edited", "third"),
        (["a", "a", "r"], "as_is", "as it was"),  # two agreed: a third changes nothing
        (["a", "r", "r", "a"], "rejected", None),  # nor does a fourth
    ],
)
def test_the_rules_for_pairs(tmp_path, said, state, text):
    item = made.pairs(tmp_path, 1).items[0]
    texts = {"as it was": made.TEXT, "other": made.OTHER, "third": made.THIRD, None: None}
    kinds = {
        "a": made.accept,
        "r": made.reject,
        "e": made.edit,
        "f": lambda name: made.edit(name, text=made.THIRD),
    }
    found = outcome(item, [kinds[letter](item.id) for letter in said])
    assert (found.state, found.explanation) == (state, texts[text])


def test_an_edit_back_to_the_original_is_as_it_was(tmp_path):
    item = made.pairs(tmp_path, 1).items[0]
    assert outcome(item, [made.accept(item.id), made.edit(item.id, text=made.TEXT)]).state == "as_is"


def test_the_first_two_are_those_who_decided_first_and_not_first_in_the_alphabet(tmp_path):
    review = made.pairs(tmp_path, 1)
    item = review.items[0].id
    say(review, zoe=[made.accept(item, 0)], yan=[made.reject(item, 1)], anna=[made.reject(item, 2)])
    assert [who for who, _ in standing(review).of_item(item)] == ["zoe", "yan", "anna"]


def test_revised_pairs_carry_the_last_text_and_the_mark(tmp_path):
    review = made.pairs(tmp_path, 4)
    ids = [item.id for item in review.items]
    say(
        review,
        anna=[made.accept(ids[0]), made.edit(ids[1]), made.accept(ids[2]), made.accept(ids[3])],
        ben=[made.accept(ids[0], 1), made.accept(ids[1], 1), made.reject(ids[2], 1)],
    )
    found = revised(review)
    assert [(one.pair_id, one.explanation, one.human_revised) for one in found] == [
        ("p0", made.TEXT, True),
        ("p1", made.OTHER, True),
    ]
    assert not review.items[0].record.human_revised  # the original stays what it was


def test_ratings_of_two_are_averaged_and_their_agreement_is_weighted(tmp_path):
    review = made.answers(tmp_path, 3)
    a, b, c = (item.id for item in review.items)
    say(
        review,
        anna=[made.rate(a, 1, 5, 3), made.rate(b, 2, 5, 3), made.rate(c, 3, 5, 3)],
        ben=[made.rate(a, 1, 5, 4, 1), made.rate(b, 2, 5, 3, 1), made.rate(c, 5, 5, 2, 1)],
    )
    found = {one.about: one.figures for one in report(review, standing(review)).agreed}
    assert found["presence"].kappa == pytest.approx(2 / 3)  # as in test_agreement
    assert found["logic"].kappa is None
    assert found["logic"].share == 1.0
    assert [one.means for one in rated(review)] == [
        {"presence": 1, "logic": 5, "help": 3.5},
        {"presence": 2, "logic": 5, "help": 3},
        {"presence": 4, "logic": 5, "help": 2.5},
    ]


def test_reasons_that_one_rates_and_one_rejects_wait_for_a_third(tmp_path):
    item = made.answers(tmp_path, 1).items[0]
    two = [made.rate(item.id, 1, 1, 1), made.reject(item.id, why="no_place")]
    assert outcome(item, two).state == "disputed"
    assert outcome(item, [*two, made.reject(item.id, why="no_place")]).state == "rejected"
    assert outcome(item, [*two, made.rate(item.id, 2, 2, 2)]).state == "rated"


def test_what_more_than_two_rate_changes_nothing(tmp_path):
    review = made.answers(tmp_path, 2)
    a, b = (item.id for item in review.items)
    say(
        review,
        anna=[made.rate(a, 1, 1, 1, 0), made.reject(b, 0, why="no_place")],
        ben=[made.rate(a, 2, 2, 2, 1), made.rate(b, 3, 3, 3, 1)],
        cleo=[made.rate(a, 5, 5, 5, 2), made.rate(b, 4, 4, 4, 2)],
        dora=[made.rate(a, 5, 5, 5, 3), made.rate(b, 1, 1, 1, 3)],
    )
    assert [one.means["presence"] for one in rated(review)] == [1.5, 3.5]  # of anna and ben, of ben and cleo
    assert report(review, standing(review)).means["presence"] == 2.5


def test_every_item_is_asked_of_two_and_a_disputed_one_of_a_third(tmp_path):
    review = made.pairs(tmp_path, 3)
    ids = [item.id for item in review.items]
    assert to_decide(review, "anna", standing(review)) == [0, 1, 2]
    say(
        review,
        anna=[made.accept(ids[0]), made.accept(ids[1])],
        ben=[made.accept(ids[0], 1), made.reject(ids[1], 1)],
    )
    said = standing(review)
    assert to_decide(review, "anna", said) == [2]
    assert to_decide(review, "cleo", said) == [1, 2]  # 0 is settled, 1 disputed
    say(review, cleo=[made.accept(ids[1], 2)])
    assert to_decide(review, "dora", standing(review)) == [2]
