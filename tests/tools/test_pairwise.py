"""Comparisons of candidates: verdicts first, then clearly more inliers, then the order of retrieval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import Photo, load_photo
from geosleuth.tools.candidate import Candidate, Verdict, Verification
from geosleuth.tools.pairwise import Comparisons, InlierJudge, Preference, select_best


@pytest.fixture
def photo() -> Photo:
    return load_photo(np.zeros((8, 8, 3), np.uint8))


def candidate(rank: int, inliers: int | None = None, verdict: Verdict = "match") -> Candidate:
    said = None
    if inliers is not None:
        said = Verification(verdict=verdict, reason="said so", matcher="none", inliers=inliers, matched=300)
    place: dict[str, Any] = {"lat": 55.7, "lon": 13.2, "view": "ground", "similarity": 0.9, "score": 0.9}
    return Candidate(rank=rank, reference_id=f"id{rank}", uri=f"{rank}.jpg", verification=said, **place)


class Table:
    """A judge that prefers the smaller number of a table, and fails where there is none."""

    def __init__(self, worth: Mapping[str, int]) -> None:
        self.worth = worth
        self.asked: list[tuple[str, str]] = []

    def prefer(self, photo: Photo, first: Candidate, second: Candidate) -> Preference:
        assert photo.size == (8, 8)
        self.asked.append((first.reference_id, second.reference_id))
        if first.reference_id not in self.worth or second.reference_id not in self.worth:
            raise InputError("an answer", "none", "Ask again.")
        a, b = self.worth[first.reference_id], self.worth[second.reference_id]
        return "tie" if a == b else "first" if a < b else "second"


@pytest.mark.parametrize(
    ("first", "second", "preference"),
    [
        (candidate(1, 30), candidate(2, 90, "no_match"), "first"),  # many that agree, and an objection: no match
        (candidate(1, 90, "no_match"), candidate(2, 30), "second"),
        (candidate(1), candidate(2, 30), "second"),
        (candidate(1, 0, "not_applicable"), candidate(2, 9, "no_match"), "tie"),
        (candidate(1, 20, "no_match"), candidate(2, 3, "no_match"), "tie"),
        (candidate(1), candidate(2), "tie"),
        (candidate(1, 50), candidate(2, 60), "tie"),  # sqrt(110) = 10.5
        (candidate(1, 50), candidate(2, 61), "second"),  # sqrt(111) = 10.5
        (candidate(1, 61), candidate(2, 50), "first"),
    ],
)
def test_inliers_decide_where_they_differ_by_more_than_chance(
    photo: Photo, first: Candidate, second: Candidate, preference: Preference
) -> None:
    assert InlierJudge().prefer(photo, first, second) == preference


def test_the_best_three_of_five_in_at_most_nine_comparisons(photo: Photo) -> None:
    judge = Table({"id1": 4, "id2": 3, "id3": 5, "id4": 1, "id5": 2})
    comparisons = Comparisons(photo, judge)
    best = select_best([candidate(rank) for rank in range(1, 6)], comparisons)
    assert [one.reference_id for one in best] == ["id4", "id5", "id2", "id1", "id3"]
    assert [one.rank for one in best] == [1, 2, 3, 4, 5]
    # 1-2, 2-3, 2-4, 4-5 | 1-2 known, 2-3 known, 2-5 | 1-2 known, 2-3 known: 9 comparisons, 5 questions
    assert judge.asked == [("id1", "id2"), ("id2", "id3"), ("id2", "id4"), ("id4", "id5"), ("id2", "id5")]
    assert (comparisons.asked, comparisons.ties, comparisons.failures) == (5, 0, 0)


def test_a_pair_is_asked_once_in_either_order(photo: Photo) -> None:
    judge = Table({"id1": 2, "id2": 1})
    comparisons = Comparisons(photo, judge)
    a, b = candidate(1), candidate(2)
    assert [comparisons.prefer(a, b), comparisons.prefer(b, a)] == ["second", "first"]
    assert len(judge.asked) == 1


def test_ten_candidates_take_at_most_24_questions(photo: Photo) -> None:
    for seed in range(20):
        worth = np.random.default_rng(seed).permutation(10)
        judge = Table({f"id{rank}": int(worth[rank - 1]) for rank in range(1, 11)})
        best = select_best([candidate(rank) for rank in range(1, 11)], Comparisons(photo, judge))
        assert [judge.worth[one.reference_id] for one in best[:3]] == [0, 1, 2]
        assert len(judge.asked) <= 24  # 9 + 8 + 7
        assert len({frozenset(pair) for pair in judge.asked}) == len(judge.asked)


def test_ties_and_failures_keep_the_order_of_retrieval(photo: Photo) -> None:
    candidates = [candidate(rank) for rank in range(1, 6)]
    ties = Comparisons(photo, Table({f"id{rank}": 0 for rank in range(1, 6)}))
    assert select_best(candidates, ties) == tuple(candidates)
    assert ties.ties == ties.asked == 9  # no pair came twice: 1-2 to 1-5, 2-3 to 2-5, 3-4, 3-5
    fails = Comparisons(photo, Table({"id1": 1, "id5": 0}))  # the others cannot be compared
    assert [one.reference_id for one in select_best(candidates, fails)] == ["id5", "id1", "id2", "id3", "id4"]
    assert fails.failures > 0


def test_a_match_comes_before_what_only_looks_alike(photo: Photo) -> None:
    given = [candidate(1, 10, "no_match"), candidate(2, 0, "not_applicable"), candidate(3, 80), candidate(4, 150)]
    best = select_best(given, Comparisons(photo, InlierJudge()))
    assert [one.reference_id for one in best] == ["id4", "id3", "id1", "id2"]
    assert select_best([], Comparisons(photo, InlierJudge())) == ()
