"""Every mode of reranking, on a model that sees how red a picture is, and on a tiny Qwen2.5-VL of random weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.photo import Photo, load_photo
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.comparison_prompts import Strategy, prompt, read_score
from geosleuth.tools.reranking_strategies import by_score, gallery_pictures, rerank_with
from geosleuth.tools.vlm.model import Prompt, Reply, Scores

STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
POINTWISE = ("direct", "likert", "yes_no", "yes_no_reasoned")


@pytest.fixture
def photo() -> Photo:
    return load_photo(np.zeros((8, 8, 3), np.uint8))


def candidates(*worths: int | str, views: Sequence[View] = ("ground",)) -> list[Candidate]:
    return [
        Candidate(
            rank=rank,
            reference_id=f"id{rank}",
            uri=str(worth),
            lat=55.7,
            lon=13.2,
            view=views[rank % len(views)],
            similarity=1.0 / rank,  # no wide margin
            score=1.0 / rank,
        )
        for rank, worth in enumerate(worths, start=1)
    ]


def picture(one: Candidate) -> np.ndarray:
    if one.uri == "gone":
        raise InputError("the images of this index", "nothing there", "Mount them.")
    return np.full((4, 4, 3), int(one.uri), np.uint8)


def order(found: Sequence[Candidate]) -> list[int]:
    assert [one.rank for one in found] == list(range(1, len(found) + 1))
    return [int(one.reference_id[2:]) for one in found]


@dataclass
class Eyes:
    """A model that thinks a candidate as good as it is red, from 0 to 100."""

    spec: str = "dir:eyes"
    weights: str = "eyes 0"
    says: Callable[[int], str] = lambda red: f"{red}}}"
    lean: float = 0.0  # log-odds for yes that it adds to everything
    scored: list[tuple[Sequence[Prompt], tuple[str, ...]]] = field(default_factory=list)
    generated: list[Sequence[Prompt]] = field(default_factory=list)
    fails: Mapping[str, bool] = field(default_factory=dict)

    def generate(self, prompts: Sequence[Prompt], **_: Any) -> list[list[Reply]]:
        self.generated.append(prompts)
        if self.fails.get("generate"):
            raise InputError("a reply", "no server", "Start it.")
        return [[Reply(self.says(_red(p)) if p.begun else "because it is red", finished=True)] for p in prompts]

    def score(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Scores:
        self.scored.append((prompts, tuple(answers)))
        if self.fails.get("score"):
            raise InputError("a reply", "no server", "Start it.")
        return Scores(np.array([self._logs(p, tuple(answers)) for p in prompts]))

    def _logs(self, asked: Prompt, answers: tuple[str, ...]) -> list[float]:
        if answers == ("1", "2"):
            first, second = (float(image[0, 0, 0]) for image in asked.images[1:])
            return [first, second]
        red = _red(asked) / 100.0
        if answers == ("1", "2", "3", "4", "5"):
            return [-((5 * red - int(answer)) ** 2) for answer in answers]
        assert answers == ("Yes", "yes", "No", "no")
        with np.errstate(divide="ignore"):
            yes, no = np.log(red) + self.lean, np.log(1.0 - red)
        return [yes + np.log(0.75), yes + np.log(0.25), no + np.log(0.5), no + np.log(0.5)]

    def chat(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("reranking does not chat")


def _red(asked: Prompt) -> int:
    return int(asked.images[1][0, 0, 0])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_brings_the_best_three_to_the_front(photo: Photo, strategy: Strategy) -> None:
    model = Eyes()
    given = candidates(10, 30, 20, 90, 50, views=("ground", "satellite", "map", "drone"))
    found = rerank_with(model, photo, given, picture, strategy)
    assert order(found.candidates)[:3] == [4, 5, 2]
    assert (found.failures, found.ties) == (0, 0)
    assert found.seconds >= 0
    # Pointwise sorts all; pairwise leaves the others as retrieval has them.
    assert order(found.candidates)[3:] == ([3, 1] if strategy in POINTWISE else [1, 3])


@pytest.mark.parametrize(
    ("strategy", "scored", "generated", "asked"),
    [
        ("direct", [], [4], 4),
        ("likert", [4], [], 4),
        ("yes_no", [4], [], 4),
        ("yes_no_reasoned", [4], [4], 8),
        # 1-2, 1-3, 1-4 | 2-3, 2-4 | 3-4: six comparisons of two orders
        ("pairwise", [2] * 6, [], 12),
        ("pairwise_reasoned", [2] * 6, [2] * 6, 24),
    ],
)
def test_what_a_strategy_costs(
    photo: Photo, strategy: Strategy, scored: list[int], generated: list[int], asked: int
) -> None:
    model = Eyes()
    found = rerank_with(model, photo, candidates(80, 60, 40, 20), picture, strategy)
    assert [len(prompts) for prompts, _ in model.scored] == scored  # all candidates in one batch
    assert [len(prompts) for prompts in model.generated] == generated
    assert found.asked == asked
    assert found.comparisons == (0 if strategy in POINTWISE else 6)
    begins = {
        (p.turns[0].parts, p.turns[1].parts[0], id(p.turns[1].parts[1]), p.turns[1].parts[2])
        for prompts in [*(prompts for prompts, _ in model.scored), *model.generated]
        for p in prompts
    }
    assert len(begins) == 1  # system, photo and task: one beginning for all
    assert {p.images[0].shape for prompts, _ in model.scored for p in prompts} <= {(8, 8, 3)}


def test_scores_are_what_the_paper_says_they_are(photo: Photo) -> None:
    one = candidates(80)
    assert rerank_with(Eyes(), photo, one, picture, "direct").scores == {"id1": 80.0}
    # ln P falls with the square of the distance from 4: weights e^-9, e^-4, e^-1, 1, e^-1 of 1 to 5.
    weights = np.exp([-9.0, -4.0, -1.0, 0.0, -1.0])
    expected = float((weights * [1, 2, 3, 4, 5]).sum() / weights.sum())
    assert expected == pytest.approx(3.979, abs=1e-3)
    assert rerank_with(Eyes(), photo, one, picture, "likert").scores["id1"] == pytest.approx(expected)
    # Yes and yes are one answer, No and no the other: 0.8 to 0.2.
    assert rerank_with(Eyes(), photo, one, picture, "yes_no").scores["id1"] == pytest.approx(np.log(4.0))
    assert rerank_with(Eyes(), photo, candidates(100), picture, "yes_no").scores["id1"] == np.inf


def test_equal_scores_keep_the_order_of_retrieval(photo: Photo) -> None:
    for strategy in STRATEGIES:
        found = rerank_with(Eyes(), photo, candidates(50, 70, 50, 70, 50), picture, strategy)
        assert order(found.candidates) == [2, 4, 1, 3, 5]


def test_a_candidate_without_a_score_stays_where_it_is(photo: Photo) -> None:
    for strategy in POINTWISE:
        found = rerank_with(Eyes(), photo, candidates(10, "gone", 30, 90), picture, strategy)  # type: ignore[arg-type]
        assert order(found.candidates) == [4, 2, 3, 1]  # the second stays the second; 10, 30, 90 are put in order
        assert (found.failures, set(found.scores)) == (1, {"id1", "id3", "id4"})
    # A pairwise mode takes it for no better than any before it, and no worse.
    for strategy in ("pairwise", "pairwise_reasoned"):
        found = rerank_with(Eyes(), photo, candidates(10, "gone", 30, 90), picture, strategy)
        assert order(found.candidates) == [4, 3, 1, 2]
        assert found.failures > 0
    unclear = Eyes(says=lambda red: "as red as can be" if red == 90 else f"{red}}}")
    found = rerank_with(unclear, photo, candidates(10, 20, 90, 30), picture, "direct")
    assert order(found.candidates) == [4, 2, 3, 1]
    assert found.failures == 1
    given = candidates(1, 2, 3)
    assert by_score(given, {}) == tuple(given)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_where_the_model_cannot_be_asked_the_order_of_retrieval_stands(photo: Photo, strategy: Strategy) -> None:
    dead = Eyes(fails={"generate": True, "score": True})
    found = rerank_with(dead, photo, candidates(10, 30, 20), picture, strategy)
    assert order(found.candidates) == [1, 2, 3]
    assert found.failures == 3  # three candidates, or the pairs 1-2, 1-3, 2-3
    assert found.scores == {}
    gone = rerank_with(Eyes(), photo, candidates("gone", "gone"), picture, strategy)
    assert (order(gone.candidates), gone.asked) == ([1, 2], 0)
    assert rerank_with(Eyes(), photo, [], picture, strategy).candidates == ()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_log_tells_once_and_names_no_file(
    photo: Photo, strategy: Strategy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")

    def hidden(one: Candidate) -> np.ndarray:
        raise InputError("a picture", f"nothing at /references/55.70_13.19/{one.uri}.jpg", "Mount it.")

    rerank_with(Eyes(), photo, candidates(10, 30, 20), hidden, strategy)
    assert len(caplog.records) == 1
    dead = Eyes(fails={"generate": True, "score": True})
    rerank_with(dead, photo, candidates(10, 30, 20), picture, strategy)
    assert len(caplog.records) == 2
    assert "3" in caplog.records[0].message
    assert "3" in caplog.records[1].message
    assert "no server" not in caplog.text
    assert "55.70" not in caplog.text


def test_candidates_behind_the_first_ten_are_not_looked_at(photo: Photo) -> None:
    given = candidates(*range(10, 20), 90, 91)
    found = rerank_with(Eyes(), photo, given, picture, "yes_no")
    assert order(found.candidates) == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 11, 12]
    found = rerank_with(Eyes(), photo, given, picture, "pairwise", among=2, best=1)
    assert order(found.candidates) == [2, 1, *range(3, 13)]


def test_a_wide_margin_of_retrieval_spares_the_pairwise_modes_their_questions(photo: Photo) -> None:
    tail = (0.9, 0.5, 0.49, 0.485, 0.48, 0.477)
    given = [
        one.model_copy(update={"similarity": value})
        for one, value in zip(candidates(10, 11, 12, 13, 14, 15), tail, strict=True)
    ]
    found = rerank_with(Eyes(), photo, given, picture, "pairwise", best=1)
    assert (order(found.candidates)[0], found.asked) == (1, 0)
    found = rerank_with(Eyes(), photo, given, picture, "pairwise", best=1, early_stop=False)
    assert (order(found.candidates)[0], found.asked) == (6, 10)


def test_each_view_is_named_for_what_it_shows() -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    words = {"ground": "from the ground", "satellite": "satellite", "drone": "drone", "map": "a map"}
    for view, word in words.items():
        parts = prompt(pixels, (view, pixels), question="?").turns[1].parts  # type: ignore[arg-type]
        assert word in str(parts[3])
        assert sum(other in str(parts[3]) for other in words.values()) == 1


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("87}", 87.0),
        (" 87.5}", 87.5),
        ("100", 100.0),
        ('"42"}', 42.0),
        ('{"score": 42}', 42.0),
        ('```json\n{"score": 7}\n```', 7.0),
        ("score: 7", 7.0),
    ],
)
def test_a_written_score_is_read(text: str, score: float) -> None:
    assert read_score(text, finished=True) == score


@pytest.mark.parametrize(
    ("text", "finished"),
    [("101}", True), ("1000", True), ("-5}", True), ("high", True), ("", True), ("8", False), ("I give it 90", True)],
)
def test_what_is_no_score_is_refused(text: str, finished: bool) -> None:
    with pytest.raises(InputError, match="Wanted a score from 0 to 100; found"):
        read_score(text, finished=finished)


def test_pictures_come_from_the_gallery_that_a_candidate_was_found_in(photo: Photo) -> None:
    class Gallery:
        def picture(self, reference: Any) -> Photo:
            assert (reference.id, reference.uri) == ("id1", "7")
            return photo

    assert gallery_pictures(Gallery())(candidates(7)[0]) is photo.pixels  # type: ignore[arg-type]


def test_a_noisy_judge_is_right_more_often_by_pairs_than_by_chance(photo: Photo) -> None:
    """Right at 85 % of the single questions: the best of ten comes first far more often than one time in ten."""
    rng = np.random.default_rng(1)

    class Noisy(Eyes):
        def _logs(self, asked: Prompt, answers: tuple[str, ...]) -> list[float]:
            logs = super()._logs(asked, answers)
            return logs if rng.random() < 0.85 else logs[::-1]

    first = 0
    for _ in range(200):
        worths = [int(value) for value in rng.permutation(10) + 1]
        found = rerank_with(Noisy(), photo, candidates(*worths), picture, "pairwise", best=1)
        first += found.candidates[0].uri == "10"
    assert 60 <= first <= 190


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_tiny_model_gives_one_order_however_it_is_asked(
    tiny_models: Any, monkeypatch: pytest.MonkeyPatch, strategy: Strategy
) -> None:
    """Random weights: they show that everything runs and agrees with itself, and nothing about quality."""
    from geosleuth.tools.vlm.load import VlmOptions, load_vlm

    for module in ("pairwise", "reranking_strategies"):
        monkeypatch.setattr(f"geosleuth.tools.{module}.REASONING_TOKENS", 24)  # 256 take time and are no wiser
    rng = np.random.default_rng(2)
    looks = {f"id{rank}": rng.integers(0, 256, (56, 56, 3), dtype=np.uint8) for rank in range(1, 5)}
    query = load_photo(rng.integers(0, 256, (56, 84, 3), dtype=np.uint8))
    shared = load_vlm(f"dir:{tiny_models.tiny_qwen()}", VlmOptions(max_pixels=56 * 84))

    class OneByOne:
        """The same model, asked a prompt at a time, each by a view that knows nothing of the others."""

        spec, weights = shared.spec, shared.weights

        def generate(self, prompts: Sequence[Prompt], **options: Any) -> list[list[Reply]]:
            return [shared.for_photo().generate([one], **options)[0] for one in prompts]

        def score(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Scores:
            rows = [shared.for_photo().score([one], answers).log_probabilities for one in prompts]
            return Scores(np.concatenate(rows))

        def chat(self, *_: Any, **__: Any) -> Any:
            raise AssertionError("reranking does not chat")

    given = candidates(1, 2, 3, 4, views=("ground", "satellite"))
    together, alone = (
        rerank_with(model, query, given, lambda one: looks[one.reference_id], strategy)
        for model in (shared.for_photo(), OneByOne())
    )
    assert order(together.candidates) == order(alone.candidates)
    assert sorted(order(together.candidates)) == [1, 2, 3, 4]
    assert (together.asked, together.comparisons, together.ties) == (alone.asked, alone.comparisons, alone.ties)
    assert together.scores == pytest.approx(alone.scores, abs=1e-3)
    if strategy != "direct":  # random weights write no number
        assert together.failures == 0
