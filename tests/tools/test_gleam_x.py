"""Match or no match by one word, then the reasons; and what of it is evidence."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.reference import Reference
from geosleuth.indexes.photo import Photo, load_photo
from geosleuth.tools.candidate import Candidate, Judgement
from geosleuth.tools.evidence import NearPoints, Nothing
from geosleuth.tools.gleam_x import EXPLANATION_TOKENS, explain, judge_matches, match_logits, match_prompt, pair_prompt
from geosleuth.tools.match_calibration import MatchCalibration
from geosleuth.tools.match_evidence import match_evidence, spread_km
from geosleuth.tools.vlm.model import Prompt, Reply, Scores

# Logit 0 is a match with 1 / (1 + e^-2); the model leans to no by 2.
LEANS_TO_NO = MatchCalibration(
    slope=1.0, intercept=2.0, matches=300, others=300, weights="eyes 0", sample="pairs", date="2026-11-21"
)


@pytest.fixture
def photo() -> Photo:
    return load_photo(np.zeros((8, 8, 3), np.uint8))


def candidate(rank: int, logit: int | str = 0, **changes: Any) -> Candidate:
    """A candidate to which the model below gives this logit, from -9 to 9."""
    facts: dict[str, Any] = {"lat": 55.7, "lon": 13.2, "view": "ground", "similarity": 0.9, "score": 0.9}
    return Candidate(rank=rank, reference_id=f"id{rank}", uri=str(logit), **(facts | changes))


def picture(one: Candidate) -> np.ndarray:
    if one.uri == "gone":
        raise InputError("the images of this index", "nothing there", "Mount them.")
    return np.full((4, 4, 3), int(one.uri) + 9, np.uint8)


@dataclass
class Eyes:
    """A model that reads its log-odds for yes off the red of the candidate, and writes what it is told to."""

    writes: Callable[[Prompt], str] = lambda _: "{}"
    answers_at_all: bool = True
    spec: str = "dir:eyes"
    weights: str = "eyes 0"
    scored: list[Sequence[Prompt]] = field(default_factory=list)
    asked: list[Prompt] = field(default_factory=list)
    most_tokens: int = 0

    def generate(self, prompts: Sequence[Prompt], *, max_tokens: int = 512, **_: Any) -> list[list[Reply]]:
        self.asked += prompts
        self.most_tokens = max_tokens
        return [[Reply(self.writes(p), finished=True)] for p in prompts]

    def score(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Scores:
        assert tuple(answers) == ("Yes", "yes", "No", "no")
        self.scored.append(prompts)
        if not self.answers_at_all:
            return Scores(np.full((len(prompts), 4), -np.inf))
        yes = np.array([float(p.images[1][0, 0, 0]) - 9.0 for p in prompts])
        half = np.full_like(yes, math.log(0.5))
        return Scores(np.stack([yes + half, yes + half, half, half], axis=1))

    def chat(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("GLEAM-X does not chat")


def judged(*said: tuple[Candidate, Judgement]) -> list[Candidate]:
    return [one.model_copy(update={"judgement": judgement}) for one, judgement in said]


def test_all_candidates_are_judged_in_one_batch_by_one_word(photo: Photo) -> None:
    model = Eyes()
    found = judge_matches(model, photo, [candidate(1, -1), candidate(2, 3), candidate(3, 0)], picture)
    assert [len(batch) for batch in model.scored] == [3]
    assert model.asked == []  # nothing is written for a verdict
    assert [one.verdict for one in found] == ["no_match", "match", "match"]
    assert [one.probability for one in found] == pytest.approx([1 / (1 + math.e), 1 / (1 + math.exp(-3)), 0.5])
    assert not any(one.calibrated or one.log_ratio is not None or one.explanation for one in found)
    assert found[1].reason == "the model gives 0.95 to the same place, of its yes and no; not calibrated"
    assert {one.weights for one in found} == {"eyes 0"}
    assert judge_matches(model, photo, [], picture) == []
    assert len(model.scored) == 1  # no candidate, no question


def test_a_lean_to_no_is_calibrated_away(photo: Photo) -> None:
    found = judge_matches(
        Eyes(), photo, [candidate(1, -1), candidate(2, -3), candidate(3, 9)], picture, calibration=LEANS_TO_NO
    )
    assert [one.verdict for one in found] == ["match", "no_match", "match"]
    assert found[0].probability == pytest.approx(1 / (1 + math.exp(-1)))
    assert [one.log_ratio for one in found] == pytest.approx([1.0, -1.0, math.log(100)])  # 11, bounded by 300 / 3
    assert found[0].reason == "the model gives 0.73 to the same place, calibrated on 600 labelled pairs"
    assert all(one.calibrated for one in found)


def test_what_cannot_be_judged_says_why(photo: Photo) -> None:
    model = Eyes()
    found = judge_matches(model, photo, [candidate(1, "gone"), candidate(2, 3)], picture)
    assert [one.verdict for one in found] == ["unreadable", "match"]
    assert "Wanted the images of this index" in found[0].reason
    assert (found[0].probability, len(model.scored[0])) == (None, 1)
    mute = judge_matches(Eyes(answers_at_all=False), photo, [candidate(1, 3)], picture, calibration=LEANS_TO_NO)
    assert (mute[0].verdict, mute[0].log_ratio) == ("unreadable", None)
    assert mute[0].reason == "the model answered neither yes nor no"
    assert match_logits(model, photo, [(candidate(1, 4), picture(candidate(1, 4)))]) == pytest.approx([4.0])


WRITTEN = {
    "agreeing": ["the arcade on the left", "a tower\u202e behind\nthe roofs", "a kerb of granite", "a fourth"],
    "disagreeing": ["the awning is gone", ""],
    "conclusion": "The arcade and the tower stand alike, so it is the same place.",
    "same_place": True,
}


def explained(photo: Photo, verdict: Any = "match", language: Any = "en", **changes: Any) -> Any:
    model = Eyes(writes=lambda _: json.dumps(WRITTEN | changes, ensure_ascii=False))
    one = candidate(1, 3)
    return explain(model, photo, one, picture(one), verdict, language=language), model


def test_reasons_are_structured_and_go_on_from_the_verdict(photo: Photo) -> None:
    found, model = explained(photo)
    assert found.agreeing == ("the arcade on the left", "a tower behind the roofs", "a kerb of granite")
    assert found.disagreeing == ("the awning is gone",)
    assert found.conclusion == "The arcade and the tower stand alike, so it is the same place."
    assert (found.language, found.contradicts, found.weights) == ("en", False, "eyes 0")
    assert (len(model.asked), model.most_tokens) == (1, EXPLANATION_TOKENS)
    one = candidate(1, 3)
    verdict = match_prompt(photo.pixels, one, picture(one))
    asked = model.asked[0].turns
    # What the model has read for the verdict is the beginning of what it reads now; then its own answer.
    assert [turn.role for turn in asked[: len(verdict.turns) + 2]] == ["system", "user", "assistant", "user"]
    assert asked[1].parts[0] == verdict.turns[1].parts[0]
    assert asked[1].parts[1] is photo.pixels
    assert asked[2].parts == ("Yes",)
    assert explained(photo, "no_match", same_place=False)[1].asked[0].turns[2].parts == ("No",)


def test_reasons_come_in_chinese_where_asked(photo: Photo) -> None:
    found, model = explained(photo, language="zh", agreeing=["左侧的拱廊"], conclusion="是同一个地方。")
    assert (found.language, found.agreeing) == ("zh", ("左侧的拱廊",))
    assert "用中文书写" in str(model.asked[0].turns[3].parts)
    assert explained(photo, language="zh")[0].language == "en"  # it was told to write Chinese, and did not
    assert "Write in English" in str(explained(photo)[1].asked[0].turns[3].parts)


@pytest.mark.parametrize(
    ("verdict", "changes", "contradicts"),
    [
        ("match", {}, False),
        ("match", {"same_place": False}, True),
        ("no_match", {"same_place": False}, False),
        ("no_match", {}, True),
        ("match", {"agreeing": []}, True),  # all its reasons speak against it
        ("no_match", {"disagreeing": [], "same_place": False}, True),
        ("match", {"agreeing": [], "disagreeing": []}, False),  # no reasons, no contradiction
    ],
)
def test_an_explanation_against_its_verdict_is_flagged(
    photo: Photo, verdict: str, changes: dict[str, Any], contradicts: bool
) -> None:
    assert explained(photo, verdict, **changes)[0].contradicts is contradicts


def test_what_is_no_explanation_is_an_error(photo: Photo) -> None:
    model = Eyes(writes=lambda _: "They look alike to me.")
    one = candidate(1, 3)
    with pytest.raises(InputError, match="Wanted an explanation in JSON; found"):
        explain(model, photo, one, picture(one), "match")


def test_an_uncalibrated_match_is_an_opinion(photo: Photo) -> None:
    given = [candidate(1, 9), candidate(2, -9)]
    said = judge_matches(Eyes(), photo, given, picture)
    evidence = match_evidence(judged(*zip(given, said, strict=True)), seconds=0.5)
    assert isinstance(evidence.likelihood, Nothing)
    assert "not calibrated on labelled pairs" in evidence.likelihood.reason
    assert evidence.claim == (
        'A model sees the photo\'s place in "9" at 55.70000, 13.20000 (probability 1.00, uncalibrated), '
        "of 2 candidates."
    )
    assert (evidence.tool, evidence.type, evidence.group) == ("gleam_x", "gleam_x.match", "verification")
    assert (evidence.seconds, evidence.weights) == (0.5, "eyes 0")
    assert [one.reference for one in evidence.support] == ["id1"]


def test_a_calibrated_match_weighs_its_likelihood_ratio(photo: Photo) -> None:
    given = [candidate(1, -1), candidate(2, 1, lat=48.0), candidate(3, "gone"), candidate(4, -9)]
    said = judge_matches(Eyes(), photo, given, picture, calibration=LEANS_TO_NO)
    evidence = match_evidence(judged(*zip(given, said, strict=True)))
    assert isinstance(evidence.likelihood, NearPoints)
    assert evidence.likelihood.floor == 1.0
    # At its place the likelihood is floor + weight = the ratio: e^3 and e^1, the likelier first.
    assert [(one.lat, one.weight) for one in evidence.likelihood.places] == [
        (48.0, pytest.approx(math.exp(3) - 1)),
        (55.7, pytest.approx(math.exp(1) - 1)),
    ]
    assert [one.spread_km for one in evidence.likelihood.places] == [0.05, 0.05]
    assert evidence.claim.endswith("(probability 0.95) and in 1 more, of 4 candidates (1 could not be judged).")


def test_references_beside_each_other_share_one_weight(photo: Photo) -> None:
    # 0.0005 degrees of latitude are 56 m, within two spreads of 50 m; 0.01 are 1.1 km.
    given = [candidate(1, 0), candidate(2, 0, lat=55.7005), candidate(3, 0, lat=55.71)]
    said = judge_matches(Eyes(), photo, given, picture, calibration=LEANS_TO_NO)
    likelihood = match_evidence(judged(*zip(given, said, strict=True))).likelihood
    assert isinstance(likelihood, NearPoints)
    full = math.exp(2) - 1
    assert [one.weight for one in likelihood.places] == pytest.approx([full / 2, full / 2, full])


def test_matches_that_say_nothing_are_nothing(photo: Photo) -> None:
    none = judge_matches(Eyes(), photo, [candidate(1, -9)], picture, calibration=LEANS_TO_NO)
    evidence = match_evidence(judged((candidate(1), none[0])))
    assert isinstance(evidence.likelihood, Nothing)
    assert evidence.likelihood.reason == "A model sees the photo's place in none of 1 candidates."
    # Where 9 of 10 labelled pairs match, a probability of 0.73 is less than what is known before any look.
    easy = LEANS_TO_NO.model_copy(update={"matches": 2700})
    said = judge_matches(Eyes(), photo, [candidate(1, -1)], picture, calibration=easy)
    assert said[0].verdict == "match"
    evidence = match_evidence(judged((candidate(1, -1), said[0])))
    assert isinstance(evidence.likelihood, Nothing)
    assert "no likelier than among the labelled pairs" in evidence.likelihood.reason
    assert match_evidence([candidate(1)]).claim == "There was no candidate to judge."


def test_the_side_of_a_tile_reaches_its_candidate() -> None:
    tile = Reference(id="a" * 16, uri="17/1/2", source=0, lat=55.7, lon=13.2, view="satellite", extent_m=72.0)
    found = Candidate.of(tile, rank=1, similarity=0.5, score=0.5)
    assert (found.extent_m, found.judgement) == (72.0, None)
    assert found.reference == tile
    assert Candidate.model_validate_json(found.model_dump_json()) == found


def test_the_spread_is_that_of_the_view() -> None:
    assert spread_km(candidate(1)) == 0.05
    assert spread_km(candidate(1, view="drone")) == 0.1
    assert spread_km(candidate(1, view="satellite", extent_m=72.0)) == pytest.approx(0.0208, abs=1e-4)  # 72 / sqrt(12)
    assert spread_km(candidate(1, view="map")) == pytest.approx(0.0577, abs=1e-4)  # 200 / sqrt(12)


def test_a_tiny_model_judges_and_its_words_are_checked(
    photo: Photo, tiny_models: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random weights: it says something about every candidate, and writes no JSON."""
    monkeypatch.setattr("geosleuth.tools.gleam_x.EXPLANATION_TOKENS", 16)  # more take time and are no more JSON
    from geosleuth.tools.vlm.load import VlmOptions, load_vlm

    rng = np.random.default_rng(0)
    looks = {f"id{rank}": rng.integers(0, 256, (56, 56, 3), dtype=np.uint8) for rank in (1, 2, 3)}
    model = load_vlm(f"dir:{tiny_models.tiny_qwen()}", VlmOptions(max_pixels=56 * 56)).for_photo()
    given = [candidate(1), candidate(2, view="satellite"), candidate(3, view="map")]
    found = judge_matches(model, photo, given, lambda one: looks[one.reference_id])
    assert all(one.verdict in ("match", "no_match") for one in found)
    alone = [judge_matches(model, photo, [one], lambda one: looks[one.reference_id])[0] for one in given]
    assert [one.probability for one in found] == pytest.approx([one.probability for one in alone], abs=1e-4)
    with pytest.raises(InputError, match="Wanted an explanation in JSON"):
        explain(model, photo, given[0], looks["id1"], "match")


def test_a_photo_of_another_view_is_announced_as_what_it_is(photo: Photo) -> None:
    one = candidate(1, 3)
    shown = picture(one)
    usual = match_prompt(photo.pixels, one, shown).turns[1].parts
    assert str(usual[2]).startswith(
        "Above is the photo in question, taken from the ground. Below are one or two candidates for its place. Season, "
        "weather, light, people and vehicles change; so compare what stays: the road network"
    )
    same = pair_prompt(photo.pixels, shown, view=one.view).turns[1].parts
    assert [part for part in same if isinstance(part, str)] == [part for part in usual if isinstance(part, str)]
    drone = pair_prompt(photo.pixels, shown, view="map", photo_view="drone").turns[1].parts
    assert "the photo in question, taken obliquely from the air by a drone. Below" in str(drone[2])
    assert str(drone[3]).startswith("The candidate, a map;")
