"""The table of small verifiers: its figures by hand, and one tiny model asked for them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.training.adapter_claims import small_asked
from geosleuth.training.adapter_claims import small_verifiers as module
from geosleuth.training.adapter_claims.small_asked import Footprint, Small, TimedAnswer, ask_small
from geosleuth.training.adapter_claims.small_verifiers import (
    FULL,
    VERIFIER,
    asked_of,
    cells,
    chance_similarity,
    section,
)
from geosleuth.training.gleam_x.record import PairRecord

FOOTPRINT = Footprint(weights="tiny", weight_bytes=2_000_000, peak_bytes=None)


def pair(name: str, label: str, lang: str = "en") -> PairRecord:
    return PairRecord(
        pair_id=name,
        query_path="a.png",
        query_view="drone",
        query_modality="drone",
        satellite_path=f"{name}.png",
        label=label,
        lang=lang,
        source_dataset="invented",
    )


def answer(logit: float, word: str | None = None, *, verdict_s: float = 0.1) -> TimedAnswer:
    said = {"agreeing": [word], "disagreeing": [], "conclusion": word, "same_place": True}
    text = None if word is None else word if word == "unreadable" else json.dumps(said)
    return TimedAnswer(key=f"{logit}{word}", logit=logit, verdict_s=verdict_s, text=text, tokens=7, reasons_s=0.3)


class Words:
    """A unit vector for each word that explanations consist of: same, same or at 60 degrees, or at right angles."""

    weights = "words"
    vectors = {"wall": (1.0, 0.0), "roof": (0.0, 1.0), "gable": (0.5, np.sqrt(0.75))}  # noqa: RUF012

    def encode(self, texts):
        return np.array([self.vectors[text.split()[0]] for text in texts], dtype=np.float32)


RECORDS = [
    pair("p", "match"),
    pair("p", "match", "zh"),
    pair("q", "no_match"),
    pair("r", "match"),
    pair("s", "no_match"),
]
FULL_SAID = [answer(2.0, "wall"), answer(2.0, "roof"), answer(-1.0, "roof"), answer(0.5), answer(-3.0)]


def test_verdicts_are_asked_once_a_pair_and_some_are_explained_in_every_language():
    records = [pair(name, "match", lang) for name in "abcdef" for lang in ("en", "zh")]
    kept, explained = asked_of(records, 2)
    assert len(explained) == 2
    assert [(one.pair_id, one.lang) for one in kept] == [
        (one.pair_id, one.lang) for one in records if one.lang == "en" or one.pair_id in explained
    ]
    assert asked_of(records, 2) == (kept, explained)
    assert asked_of(records, 99)[0] == records


def test_figures_by_hand():
    said = [answer(1.0, "wall"), answer(1.0, "gable"), answer(3.0, "unreadable"), answer(-2.0), answer(-1.0)]
    found = cells(RECORDS, said, FOOTPRINT, FULL_SAID, {"en": Words(), "zh": Words()})
    assert found["weights, MB"] == 2.0
    assert np.isnan(found["process's peak, MB"])
    assert found["a verdict, s"] == pytest.approx(0.1)
    assert found["with why, s"] == pytest.approx(0.4)
    assert found["tokens of why"] == 7
    assert found["JSON valid"] == pytest.approx(200 / 3)
    # Of p, q, r, s the full one says yes, no, yes, no, which is right; this one yes, yes, no, no.
    assert found["verdicts as the full one's"] == 50
    assert found["accuracy"] == 50
    assert found["AUC"] == 25  # matches have 1 and -2, others 3 and -1: one of four pairs is in order
    assert found["similarity (en)"] == pytest.approx(1.0)  # the other one cannot be read
    assert found["similarity (zh)"] == pytest.approx(np.sqrt(0.75), abs=1e-6)
    assert found["above 0.8 (zh)"] == 100
    own = cells(RECORDS, FULL_SAID, FOOTPRINT, FULL_SAID, {"en": Words()})
    assert [own[name] for name in ("verdicts as the full one's", "accuracy", "AUC")] == [100, 100, 100]
    assert own["similarity (en)"] == pytest.approx(1.0)


def test_explanations_of_other_pairs_are_the_floor():
    # In English: wall and roof, each beside the other.
    assert chance_similarity(RECORDS, FULL_SAID, "en", Words()) == pytest.approx(0.0)


def test_the_section_says_what_it_is():
    said = section(RECORDS, {FULL: (FULL_SAID, FOOTPRINT)}, {"en": Words()}, taught=1400)
    assert said.startswith("## Small\n")
    assert "4 verdicts and 3 explanations" in said
    assert "synthetic" in said
    assert "alike by 0.00 (en)" in said
    assert "1,400 answers" in said
    assert "| full | 2.0 | - | 0.10 | 0.40 | 7.0 |" in said


@pytest.fixture
def asked(tiny_models, tmp_path: Path, monkeypatch):
    """One tiny model, two pairs of plain pictures of which one is explained."""
    monkeypatch.setattr(small_asked, "EXPLANATION_TOKENS", 5)
    for name, level in (("a", 20), ("p", 90), ("q", 200)):
        Image.new("RGB", (28, 28), (level, 255 - level, 128)).save(tmp_path / f"{name}.png")
    verifier = Small(FULL, f"dir:{tiny_models.tiny_qwen()}")
    return lambda: ask_small(verifier, RECORDS[:3], frozenset("p"), tmp_path, tmp_path / "out")


def test_a_model_is_asked_once_and_weighed(asked, tmp_path: Path):
    answers, footprint = asked()
    assert [one.tokens > 0 for one in answers] == [True, True, False]
    assert [one.text is None for one in answers] == [False, False, True]
    assert answers[0].logit == pytest.approx(answers[1].logit)  # of one pair
    assert answers[0].logit != pytest.approx(answers[2].logit)
    assert answers[0].written is None  # gibberish
    assert all(one.verdict_s > 0 for one in answers)
    assert footprint.weight_bytes > 100_000
    before = (tmp_path / "out/answers.jsonl").read_bytes()
    (tmp_path / "out/footprint.json").write_text(footprint.model_copy(update={"peak_bytes": 1}).model_dump_json())
    again, kept = asked()
    assert again == answers
    assert kept.peak_bytes == 1
    assert (tmp_path / "out/answers.jsonl").read_bytes() == before


def test_a_model_that_gives_no_number_is_said(asked, monkeypatch):
    monkeypatch.setattr(small_asked, "yes_log_odds", lambda _: np.array([np.nan]))
    with pytest.raises(InputError, match=r"a verdict by dir:.*found ln P\(yes\) / P\(no\) = nan"):
        asked()


def test_a_verifier_that_was_not_taught_is_said(tmp_path: Path):
    with pytest.raises(InputError, match=r"Wanted a taught verifier; found nothing at .*Train it: make the table verd"):
        module.small_verifiers_section(tmp_path, tmp_path / "base", tmp_path)


def test_a_missing_package_is_said_before_the_work(tmp_path: Path, monkeypatch):
    from geosleuth.tools.vlm import quantised

    (VERIFIER.folder(tmp_path) / VERIFIER.name).mkdir(parents=True)
    monkeypatch.setattr(quantised, "find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install torchao"):
        module.small_verifiers_section(tmp_path, tmp_path / "base", tmp_path)
