"""The tools that ask a model: what is judged, in which order things are looked for, and what is said of it."""

import importlib.util
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from geosleuth.agent.model_tools import gleam_x, model_order
from geosleuth.agent.references import References
from geosleuth.agent.settings import Settings
from geosleuth.agent.toolbox import Scene
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.vlm.model import Reply, Scores

_spec = importlib.util.spec_from_file_location("galleries", Path(__file__).with_name("galleries.py"))
galleries = sys.modules.setdefault("galleries", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(galleries)


@dataclass
class Judge:
    """Says yes to each pair with the log odds that stand in a list, one after the other; writes one reason for all."""

    logits: list
    spec: str = "hf:someone/judge"
    weights: str = "judge 0123"
    asked: list = field(default_factory=list)  # pairs per call
    explained: int = 0
    reasons: str = '{"agreeing": ["a wall"], "disagreeing": [], "conclusion": "One place.", "same_place": true}'

    def score(self, prompts, answers):
        self.asked.append(len(prompts))
        own, self.logits = self.logits[: len(prompts)], self.logits[len(prompts) :]
        yes = 1.0 / (1.0 + np.exp(-np.array(own, dtype=float)))
        count = len(answers) // 2  # as many words for yes as for no
        return Scores(np.log(np.stack([yes / count] * count + [(1 - yes) / count] * count, axis=1)))

    def generate(self, prompts, **_):
        self.explained += len(prompts)
        return [[Reply(self.reasons, True, 20)] for _ in prompts]


@pytest.fixture
def street():
    return galleries.street(6)


def scene(street, judge, candidates=None, **settings):
    references = References(street, street.encoder, "embedded")
    models = SimpleNamespace(vlm=lambda _role: judge, settings=Settings(**settings))
    if candidates is None:
        candidates = tuple(
            Candidate(
                rank=rank,
                reference_id=one.id,
                uri=one.uri,
                lat=one.lat,
                lon=one.lon,
                view="ground",
                similarity=0,
                score=0,
            )
            for rank, one in enumerate(street.references, start=1)
        )
    return Scene(load_photo(galleries.place(100)), references=references, candidates=candidates, models=models)


def verdicts(candidates):
    return [one.judgement.verdict if one.judgement else None for one in candidates]


def test_only_the_candidates_without_a_judgement_are_judged(street):
    judge = Judge([2.0, -2.0, -3.0, 1.0, 3.0])
    first = gleam_x(scene(street, judge), 2)
    assert verdicts(first.candidates) == ["match", "no_match", None, None, None, None]
    assert first.summary == "2 candidates judged: 1 show the place, by a model's opinion"
    second = gleam_x(scene(street, judge, first.candidates), 5)
    assert judge.asked == [2, 3]
    assert verdicts(second.candidates) == ["match", "no_match", "no_match", "match", "match", None]
    assert [one.rank for one in second.candidates] == [1, 2, 3, 4, 5, 6]
    assert second.candidates[:2] == first.candidates[:2]  # word for word, reasons included
    assert second.summary == "5 candidates judged, 3 of them now: 3 show the place, by a model's opinion"
    assert "and in 2 more, of 5 candidates" in second.evidence[0].claim
    assert judge.explained == 1 + 2  # the first match when it was judged, and the two new ones
    third = gleam_x(scene(street, judge, second.candidates), 3)
    assert (third.summary, third.evidence, third.candidates) == ("no candidate is left to judge", (), None)
    assert judge.asked == [2, 3]


def test_a_model_is_not_loaded_for_nothing(street):
    loaded = []
    nobody = SimpleNamespace(vlm=loaded.append, settings=Settings())
    empty = Scene(load_photo(galleries.place(100)), references=None, candidates=(), models=nobody)
    assert gleam_x(empty).summary == "there is no candidate to judge"
    given = scene(street, None)
    with pytest.raises(InputError, match="Wanted an index"):
        gleam_x(Scene(given.photo, candidates=given.candidates, models=nobody))
    assert loaded == []


def test_a_gate_file_is_looked_for_before_the_model(street, tmp_path):
    loaded = []
    given = scene(street, None)
    settings = Settings(rerank_gate=tmp_path / "nowhere.json")
    models = SimpleNamespace(vlm=loaded.append, settings=settings)
    asked = Scene(given.photo, references=given.references, candidates=given.candidates, models=models)
    with pytest.raises(InputError, match="Wanted a gate file"):
        model_order(asked, given.candidates, best=3)
    assert loaded == []


def test_reasons_are_written_again_for_who_reads_another_language_and_no_pair_is_judged_again(street):
    judge = Judge([2.0, -2.0])
    first = gleam_x(scene(street, judge), 2)
    assert [one.judgement.explanation.language for one in first.candidates[:1]] == ["en"]
    judge.reasons = '{"agreeing": ["一面墙"], "disagreeing": [], "conclusion": "同一个地点。", "same_place": true}'
    second = gleam_x(replace(scene(street, judge, first.candidates), explains_in="zh"), 2)
    assert judge.asked == [2]
    assert judge.explained == 2
    assert second.candidates[0].judgement.explanation.language == "zh"
    assert second.candidates[0].judgement.verdict == first.candidates[0].judgement.verdict
    assert second.candidates[1:] == first.candidates[1:]
