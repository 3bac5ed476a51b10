"""Comparisons of candidates by inliers or by a model; where they decide nothing, the order of retrieval stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import Photo, load_photo
from geosleuth.tools.candidate import Candidate, Verdict, Verification
from geosleuth.tools.pairwise import Comparisons, InlierJudge, Preference, VlmJudge, select_best, stands_out
from geosleuth.tools.vlm.model import Prompt, Reply, Scores, UnavailableError


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


def test_a_judge_that_is_unavailable_is_not_asked_again(photo: Photo, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")

    class Leaving(Table):
        def prefer(self, photo: Photo, first: Candidate, second: Candidate) -> Preference:
            if len(self.asked) == 2:
                raise UnavailableError("a server", "none at /home/case/7.jpg", "Start it.")
            return super().prefer(photo, first, second)

    judge = Leaving({"id2": 1, "id1": 2, "id3": 3})
    comparisons = Comparisons(photo, judge)
    best = select_best([candidate(rank) for rank in range(1, 6)], comparisons)
    # 1-2: 2; 2-3: 2; 2-4 and all later ones fail: 2-5 | 1-3, 1-4, 1-5 | 3-4, 3-5
    assert judge.asked == [("id1", "id2"), ("id2", "id3")]
    assert [one.reference_id for one in best] == ["id2", "id1", "id3", "id4", "id5"]
    assert (comparisons.asked, comparisons.ties, comparisons.failures) == (9, 0, 7)
    told = [record.message for record in caplog.records]
    assert told == ["Comparisons failed (7 UnavailableError): there the order of retrieval stands"]


def test_the_log_counts_failures_and_names_no_file(photo: Photo, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    comparisons = Comparisons(photo, Table({"id1": 1}))
    select_best([candidate(rank) for rank in range(1, 4)], comparisons)
    told = [record.message for record in caplog.records]
    assert told == ["Comparisons failed (3 InputError): there the order of retrieval stands"]


def test_a_match_comes_before_what_only_looks_alike(photo: Photo) -> None:
    given = [candidate(1, 10, "no_match"), candidate(2, 0, "not_applicable"), candidate(3, 80), candidate(4, 150)]
    best = select_best(given, Comparisons(photo, InlierJudge()))
    assert [one.reference_id for one in best] == ["id4", "id3", "id1", "id2"]
    assert select_best([], Comparisons(photo, InlierJudge())) == ()


@dataclass
class Eyes:
    """A model that sees how red each candidate is; `says` turns the two rednesses into log-odds of candidate 1."""

    says: Callable[[int, int], float] = lambda first, second: float(first - second)
    spec: str = "dir:eyes"
    weights: str = "eyes 0"
    batches: list[Sequence[Prompt]] = field(default_factory=list)
    written: list[Sequence[Prompt]] = field(default_factory=list)

    def generate(self, prompts: Sequence[Prompt], *, max_tokens: int = 512, **_: Any) -> list[list[Reply]]:
        assert max_tokens == 256
        self.written.append(prompts)
        return [[Reply(f"1 is {p.images[1][0, 0, 0]}", finished=True)] for p in prompts]

    def score(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Scores:
        assert tuple(answers) == ("1", "2")
        self.batches.append(prompts)
        odds = np.array([self.says(*(int(image[0, 0, 0]) for image in p.images[1:])) for p in prompts])
        return Scores(np.stack([odds, np.zeros_like(odds)], axis=1))

    def chat(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("no judge chats")


def red(rank: int, worth: int = 0, **changes: Any) -> Candidate:
    """A candidate whose picture is as red as it is worth."""
    return candidate(rank).model_copy(update={"uri": str(worth), **changes})


def picture(one: Candidate) -> np.ndarray:
    if one.uri == "gone":
        raise InputError("the images of this index", "nothing there", "Mount them.")
    return np.full((4, 4, 3), int(one.uri), np.uint8)


def test_a_model_sees_both_orders_in_one_batch_with_the_photo_first(photo: Photo) -> None:
    model = Eyes()
    judge = VlmJudge(model, picture)
    assert judge.prefer(photo, red(1, 3), red(2, 5, view="satellite")) == "second"
    assert judge.prefer(photo, red(3, 9), red(2, 5)) == "first"
    first, second = model.batches[0]
    assert [int(i[0, 0, 0]) for i in first.images] == [0, 3, 5]
    assert [int(i[0, 0, 0]) for i in second.images] == [0, 5, 3]
    assert first.begun == '{"preference": '
    assert first.images[0] is second.images[0] is photo.pixels  # what is the same object is encoded once
    user = first.turns[-1].parts
    assert user[1] is photo.pixels
    words = [part for part in user[2:] if isinstance(part, str)]
    assert "road network" in words[0]
    assert words[1].startswith("Candidate 1, a picture taken from the ground")
    assert words[2].startswith("Candidate 2, a satellite picture")
    swapped = [part for part in second.turns[-1].parts[2:] if isinstance(part, str)]
    assert (swapped[0], swapped[-1]) == (words[0], words[-1])  # the same words, the views change places
    assert swapped[1].startswith("Candidate 1, a satellite picture")
    assert judge.asked == 4


def test_a_model_that_favours_a_position_decides_nothing(photo: Photo) -> None:
    always_first = Eyes(lambda first, second: 50.0 + first - second)
    candidates = [red(rank, rank) for rank in range(1, 6)]
    comparisons = Comparisons(photo, VlmJudge(always_first, picture))
    assert select_best(candidates, comparisons) == tuple(candidates)
    assert (comparisons.asked, comparisons.ties) == (9, 9)
    a_little = Eyes(lambda first, second: 0.5 + first - second)  # less than the difference: the better one wins twice
    assert VlmJudge(a_little, picture).prefer(photo, red(1, 3), red(2, 5)) == "second"
    assert VlmJudge(Eyes(lambda *_: 0.0), picture).prefer(photo, red(1, 3), red(2, 5)) == "tie"  # undecided is a tie


def test_reasons_are_written_before_the_preference(photo: Photo) -> None:
    model = Eyes()
    judge = VlmJudge(model, picture, reasoned=True)
    assert judge.prefer(photo, red(1, 3), red(2, 5)) == "second"
    assert (len(model.written), judge.asked) == (1, 4)
    asked, answered = model.written[0][0], model.batches[0][0]
    assert answered.turns[: len(asked.turns)] == asked.turns  # goes on from what was read, pictures included
    assert [(turn.role, turn.parts[0]) for turn in answered.turns[len(asked.turns) : -1]] == [("assistant", "1 is 3")]
    assert "preference" not in str(asked.turns[-1].parts[-1])
    assert "preference" in str(answered.turns[-1].parts[-1])


def test_what_cannot_be_compared_keeps_its_place(photo: Photo) -> None:
    candidates = [red(1, 1), red(2, 7), red(3, uri="gone"), red(4, 9)]
    model = Eyes()
    comparisons = Comparisons(photo, VlmJudge(model, picture))
    # 1-2: 2; 2-gone fails; 2-4: 4 | 1-2 known: 2; 2-gone known | 1-gone fails: the first of those left stays first
    assert [one.reference_id for one in select_best(candidates, comparisons)] == ["id4", "id2", "id1", "id3"]
    assert (comparisons.asked, comparisons.failures, len(model.batches)) == (4, 2, 2)
    nan = Comparisons(photo, VlmJudge(Eyes(lambda *_: float("nan")), picture))
    assert select_best([red(1, 1), red(2, 7)], nan) == (red(1, 1), red(2, 7))
    assert (nan.asked, nan.ties, nan.failures) == (1, 0, 1)


@pytest.mark.parametrize(
    ("worths", "comparisons", "pairs"),
    [
        # Retrieval is right: 9 + 8 + 7 pairs, none of them twice.
        (range(10, 0, -1), 24, 24),
        # Retrieval is wholly wrong. Round 1 compares 1-2, 2-3, ..., 9-10; round 2 the same but the last, round 3 but
        # the last two: each is known, so 9 questions answer all 24.
        (range(1, 11), 24, 9),
        # The best is fifth, the others are in order: 1-2, 1-3, 1-4, 1-5, 5-6, ..., 5-10 | 1-2, 1-3, 1-4 known, then
        # 1-6, ..., 1-10 | 2-3, 2-4, 2-6, ..., 2-10: 9 + 5 + 7.
        ((9, 8, 7, 6, 10, 5, 4, 3, 2, 1), 24, 21),
    ],
)
def test_three_of_ten_take_24_comparisons_in_two_orders_less_what_is_known(
    photo: Photo, worths: Sequence[int], comparisons: int, pairs: int
) -> None:
    model = Eyes()
    counted = Counted(photo, VlmJudge(model, picture))
    best = select_best([red(rank, worth) for rank, worth in enumerate(worths, start=1)], counted)
    assert [int(one.uri) for one in best[:3]] == [10, 9, 8]
    assert (counted.looked_up, counted.asked) == (comparisons, pairs)
    assert sum(map(len, model.batches)) == 2 * pairs


class Counted(Comparisons):
    """Counts what selection wants to know, whether or not it is known already."""

    looked_up = 0

    def prefer(self, first: Candidate, second: Candidate) -> Preference:
        self.looked_up += 1
        return super().prefer(first, second)


def alike(*similarities: float, **changes: Any) -> list[Candidate]:
    return [red(rank, 10 - rank, similarity=value, **changes) for rank, value in enumerate(similarities, start=1)]


def test_the_first_stands_out_where_chance_alone_would_seldom_have_it_so() -> None:
    # Gaps times rank: 0.40; then 8 of 0.02 each, 0.16 in all. (1 + 0.40 / 0.16)^-8 = 3.5^-8 = 4.4e-5.
    tail = [0.5 - 0.02 * sum(1 / i for i in range(2, k)) for k in range(2, 11)]
    assert stands_out(alike(0.9, *tail))
    # (1 + g / 0.16)^-8 = 0.01 at g = 0.16 * (100^(1/8) - 1) = 0.1245
    assert stands_out(alike(0.5 + 0.126, *tail))
    assert not stands_out(alike(0.5 + 0.123, *tail))
    assert not stands_out(alike(0.5 + 0.02, *tail))


@pytest.mark.parametrize(
    "candidates",
    [
        alike(0.9),
        alike(0.9, 0.1),  # one gap has nothing to be compared with
        [*alike(0.9, 0.5, 0.4, 0.3, 0.2), *alike(0.1, view="satellite")],  # other views, other scales
        alike(0.5, 0.95, 0.4, 0.39, 0.38, 0.37),  # something else than similarity ranked
        alike(0.9, 0.5, 0.5, 0.5, 0.5, 0.5),  # copies
        [
            alike(0.9, verification=candidate(1, 3, "no_match").verification)[0],
            *alike(0.9, 0.5, 0.49, 0.48, 0.47, 0.46)[1:],
        ],
    ],
)
def test_an_early_stop_does_not_apply_where_similarities_tell_nothing(
    photo: Photo, candidates: list[Candidate]
) -> None:
    assert not stands_out(candidates)


def test_chance_makes_the_first_of_a_gallery_stand_out_in_one_case_of_a_hundred() -> None:
    rng = np.random.default_rng(0)
    exponential, normal = (
        sum(stands_out(alike(*np.sort(draw(2000))[:-11:-1].tolist())) for _ in range(2000))
        for draw in (lambda n: 0.01 * rng.exponential(size=n), lambda n: rng.normal(0.2, 0.1, n))
    )
    assert 12 <= exponential <= 30  # 20, give or take two standard deviations of 4.4
    assert normal < exponential  # a lighter tail has smaller gaps at its end: the stop is rarer still


def test_an_early_stop_spares_comparisons(photo: Photo) -> None:
    tail = (0.5, 0.49, 0.485, 0.48, 0.477, 0.474, 0.472, 0.47, 0.468)
    asked = {}
    for early in (False, True):
        model = Eyes()  # prefers the earlier one, as retrieval does
        comparisons = Comparisons(photo, VlmJudge(model, picture))
        best = select_best(alike(0.9, *tail), comparisons, early_stop=early)
        assert [one.rank for one in best] == list(range(1, 11))
        assert [one.reference_id for one in best[:3]] == ["id1", "id2", "id3"]
        asked[early] = comparisons.asked
    assert asked == {False: 24, True: 15}  # 8 + 7: the second and the third are not set apart
