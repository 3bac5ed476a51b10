"""Every table on one photo whose ranks are known by hand: its look-alike abroad is first, its own reference second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.vlm.model import Prompt, Scores
from geosleuth.training.evaluate.ablations import (
    corrupted,
    geographic,
    look_alikes,
    missing,
    reranking,
    submaps,
    verifier,
)
from geosleuth.training.evaluate.ablations import setup as setup_file
from geosleuth.training.evaluate.ablations.arm import ERROR
from geosleuth.training.evaluate.ablations.gallery_content import Spots
from geosleuth.training.evaluate.ablations.query import is_right
from geosleuth.training.evaluate.ablations.run import makeable, run
from geosleuth.training.evaluate.ablations.setup import Look, Setup, strategies_named
from geosleuth.training.evaluate.ablations.tables import TABLES, table_named

PARIS_TO_BERLIN_KM = 878.0


@pytest.fixture
def look(setup, query) -> Look:
    return Look(setup, query)


@dataclass
class Judge:
    """A model that knows the right one by its green; of two it names the right one, or always `favours`."""

    favours: int | None = None
    spec: str = "dir:judge"
    weights: str = "judge 0"

    def for_photo(self) -> Judge:
        return self

    def score(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Scores:
        return Scores(np.array([self._logs(p, len(answers)) for p in prompts]))

    def _logs(self, asked: Prompt, answers: int) -> list[float]:
        right = [5.0 if int(image[0, 0, 1]) == 60 else -5.0 for image in asked.images[1:]]
        if answers == 2:
            return [float(self.favours == 1), float(self.favours == 2)] if self.favours else right
        return [right[0], -np.inf, 0.0, -np.inf]

    def generate(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("nothing is to be written")


def test_there_is_a_table_for_each_ablation() -> None:
    assert list(TABLES) == ["submaps", "geographic", "corrupted", "reranking", "verifier", "missing", "look_alikes"]
    with pytest.raises(InputError) as error:
        table_named("submap")
    assert "'submap'" in error.value.found
    assert "submaps, geographic" in error.value.remedy


def test_a_submap_of_the_right_country_leaves_the_look_alike_out(look: Look) -> None:
    found = {name: arm.values for name, arm in submaps.run(look).items()}
    whole = found[submaps.WHOLE]
    assert (whole["recall@1"], whole["recall@3"], whole["recall@5"]) == (0, 1, 1)
    assert whole[ERROR] == pytest.approx(PARIS_TO_BERLIN_KM, abs=2.0)
    assert whole["searched whole instead"] is None
    for name in ("likeliest country, buffered", "likeliest country, not buffered"):
        assert found[name]["recall@1"] == 1, name
        assert found[name]["right reference cut off"] == 0, name
        assert found[name][ERROR] == pytest.approx(0.0, abs=1e-6)
    assert found["likeliest country, buffered"]["share of the gallery searched"] == 0.5
    # 48 cells of one reference each: three of them are fewer than the 20 below which a submap gives way.
    fine = found["K-means, K = 500, 3 nearest"]
    assert (fine["searched whole instead"], fine["recall@1"], fine["right reference cut off"]) == (1, 0, 0)


def test_geography_decides_between_two_that_look_alike(look: Look) -> None:
    found = {name: arm.values["recall@1"] for name, arm in geographic.run(look).items()}
    assert found[geographic.OFF] == 0
    assert found["by the point, weight 0.2"] == found["by the belief, weight 1"] == 1
    assert found["submap, off"] == 0  # the countries of 95 % of the belief hold Germany too
    assert found["submap, by the point"] == 1


def test_a_wrong_prior_buries_what_a_right_one_finds(look: Look) -> None:
    found = {name: arm.values["recall@1"] for name, arm in corrupted.run(look).items()}
    assert found[corrupted.NO_PRIOR] == 0
    for way in ("likeliest country", "reranked by the point", "reranked by the belief"):
        assert found[f"the truth: {way}"] == found[f"as given: {way}"] == 1, way
        assert found[f"another country: {way}"] == 0, way
    assert found["uniform: reranked by the belief"] == 0  # it says nothing: the order of similarity stands
    assert found["uniform: likeliest country"] in (0, 1)
    assert len(found) == 1 + 8 * len(corrupted.WAYS)


def test_features_cannot_tell_flat_pictures_apart_and_leave_the_order(look: Look) -> None:
    found = reranking.run(look)
    assert set(found) == {reranking.RETRIEVAL, reranking.INLIERS, reranking.INLIER_PAIRS}
    for arm in found.values():
        assert (arm.values["recall@1"], arm.values["recall@3"]) == (0, 1)
    assert found[reranking.RETRIEVAL].scores[0][1] is False
    assert found[reranking.RETRIEVAL].scores[1][1] is True
    assert found[reranking.INLIERS].values["calls"] == 10
    assert found[reranking.INLIER_PAIRS].values["right preferred to wrong"] == 0.5  # ties


def test_a_model_that_knows_is_right_in_every_mode_and_each_mode_has_its_price(setup, query) -> None:
    judged = replace(setup, judge=Judge(), strategies=("yes_no", "pairwise"))
    found = reranking.run(Look(judged, query))
    for name in ("pointwise, yes or no", reranking.BOTH_ORDERS, reranking.ONE_ORDER):
        assert found[name].values["recall@1"] == 1, name
    assert found["pointwise, yes or no"].values["calls"] == 10
    assert dict(found["pointwise, yes or no"].scores) == {5.0: True, -5.0: False}
    both, once = found[reranking.BOTH_ORDERS].values, found[reranking.ONE_ORDER].values
    assert both["right preferred to wrong"] == once["right preferred to wrong"] == 1
    assert both["calls"] == 2 * both["comparisons"]
    assert once["calls"] == once["comparisons"]


def test_a_favour_for_a_position_decides_in_one_order_and_ties_in_both(setup, query) -> None:
    judged = replace(setup, judge=Judge(favours=2), strategies=("pairwise",))
    found = reranking.run(Look(judged, query))
    both, once = found[reranking.BOTH_ORDERS].values, found[reranking.ONE_ORDER].values
    assert (both["recall@1"], both["recall@3"], both["ties"]) == (0, 1, both["comparisons"])
    assert (once["recall@1"], once["recall@3"], once["ties"]) == (0, 0, 0)  # the last three came to the front


def test_verifiers_abstain_where_everything_is_wrong(setup, query) -> None:
    found = {name: arm.values for name, arm in verifier.run(Look(replace(setup, judge=Judge()), query)).items()}
    off, taken_out = found["off: as found"], found["off: right ones taken out"]
    assert off["answered wrong"] == taken_out["answered wrong"] == 1
    assert off["accepts the first where it is wrong"] == 1
    assert off["accepts the first where it is right"] is None
    assert found["local features: as found"]["no answer"] == 1
    assert found["local features: as found"]["accepts the first where it is wrong"] == 0
    assert found["a model: as found"]["answered right"] == 1
    assert found["a model: right ones taken out"]["no answer"] == 1
    assert found["a model: right ones taken out"]["answered wrong, and sure"] == 0


def test_a_sure_model_that_is_wrong_is_told_of(setup, query) -> None:
    class Believer(Judge):
        def score(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Scores:
            return Scores(np.array([[3.0, -np.inf, 0.0, -np.inf]] * len(prompts))[:, : len(answers)])  # ln 9 is 2.2

    found = verifier.run(Look(replace(setup, judge=Believer()), query))
    values = found["a model: right ones taken out"].values
    assert (values["answered wrong"], values["answered wrong, and sure"]) == (1, 1)


def test_removed_countries_are_nested_and_one_stays(setup) -> None:
    kept = [missing.removed_countries(setup, share) for share in missing.SHARES]
    assert [len(one) for one in kept] == [0, 0, 1, 1]  # of two; a quarter of two rounds to none
    assert kept[2] == kept[3] < {"DE", "FR"}


def test_a_photo_of_a_missing_country_is_counted_apart(setup, query) -> None:
    seeds = [seed for seed in range(8) if "FR" in missing.removed_countries(replace(setup, seed=seed), 0.5)]
    found = missing.run(Look(replace(setup, seed=seeds[0]), query))
    gone = found["50% removed: first candidate"].values
    assert gone["answered wrong, of missing regions"] == 1
    assert gone["answered wrong, of present regions"] is None
    there = found["0% removed: first candidate"].values
    assert there["answered wrong, of missing regions"] is None
    assert there["answered wrong, of present regions"] == 1  # the look-alike
    assert found["50% removed: verified"].values["no answer, of missing regions"] == 1
    assert found["50% removed: belief"].values["truth in the 90 % region, of missing regions"] == 1  # by the prior


def test_a_gallery_with_too_few_references_left_is_refused(setup, query, monkeypatch) -> None:
    monkeypatch.setattr(missing, "removed_countries", lambda _, share: frozenset(setup.countries if share else ()))
    for ask in (lambda: missing.run(Look(setup, query)), lambda: missing.TABLE.check(setup)):
        with pytest.raises(InputError) as error:
            ask()
        assert "20 references left" in error.value.wanted
        assert "48 references, of countries: 2" in error.value.found


def test_arms_that_take_out_the_same_are_left_out_and_what_was_taken_out_is_said(setup, query) -> None:
    # Of two countries a quarter rounds to none, as 0 does, and three quarters to one, as a half does.
    assert list(missing.removals(setup)) == [0.0, 0.5]
    assert {name.split(":")[0] for name in missing.run(Look(setup, query))} == {"0% removed", "50% removed"}
    (note,) = missing.TABLE.notes_of(setup)
    assert "50% removed: 1 of 2 countries, 50.0% of the references" in note  # 24 of 48
    assert note.endswith("too few references: 25%, 75%.")


def test_all_references_count_for_the_countries_not_a_sample(setup, monkeypatch) -> None:
    monkeypatch.setattr(setup_file, "_MOST_GROUND", 1)
    one = replace(setup)
    assert len(one.ground) == 1
    assert one.countries == ("DE", "FR")
    assert one.by_country == {"DE": 24, "FR": 24}


def test_a_reference_is_near_where_a_candidate_there_would_be_right(setup, monkeypatch) -> None:
    metre = 1 / 111_195  # degrees of latitude on the sphere; on the ellipsoid at 48.85 N it is 1.0001 m
    south = LatLon(48.85 - 900.0 * metre, 2.35)
    here = Candidate(rank=1, reference_id="a", uri="a", lat=48.85, lon=2.35, view="ground", similarity=0.5, score=0.5)
    counted = []
    for within_m in (899.0, 900.05, 901.0):
        one = replace(setup, within_m=within_m)
        counted.append(len(one.near(south)[0]))
        assert counted[-1] == int(is_right(here, south, within_m))
    assert counted == [0, 0, 1]
    tile = Spots(np.array([48.85]), np.array([2.35]), np.array([64.0]))
    monkeypatch.setattr(setup_file, "spots", lambda _: tile)
    assert len(replace(setup).near(LatLon(48.85 + 60.0 * metre, 2.35))[0]) == 1  # in the tile's circle
    assert len(replace(setup).near(LatLon(48.85 + 66.0 * metre, 2.35))[0]) == 0


def test_a_prior_cannot_be_corrupted_in_one_country(setup, monkeypatch) -> None:
    monkeypatch.setattr(Setup, "ground", [(LatLon(48.85, 2.35), "FR")])
    one = replace(setup)  # the fixture may have its ground already
    fit, left_out = makeable([corrupted.TABLE, reranking.TABLE], one)
    assert fit == [reranking.TABLE]
    assert left_out == [
        ("corrupted", "wanted a gallery of two countries or more, to simulate or corrupt a prior, found 1 places in FR")
    ]
    with pytest.raises(InputError):
        run([corrupted.TABLE], [], one)


def test_the_prior_tells_a_place_from_its_twin(look: Look) -> None:
    found = {name: arm.values for name, arm in look_alikes.run(look).items()}
    alone = found["similarity alone: both in the gallery"]
    assert (alone["first: the place"], alone["first: the twin"]) == (0, 1)
    assert alone["verified: none"] == 1  # flat pictures
    for way in ("likeliest country", "reranked by the belief"):
        assert found[f"{way}: both in the gallery"]["first: the place"] == 1, way
    assert found["likeliest country: the place itself missing"]["first: elsewhere"] == 1
    assert found["reranked by the belief: the place itself missing"]["first: the place"] == 0


def test_a_photo_without_a_twin_is_no_look_alike(setup, query) -> None:
    with pytest.raises(InputError) as error:
        look_alikes.run(Look(setup, replace(query, twin=None)))
    assert error.value.found == "photo.png"
    assert "--twins" in error.value.remedy


def test_the_photo_itself_is_never_found(setup, query, gallery_folder) -> None:
    itself = Look(setup, replace(query, path=gallery_folder / "fr0.png"))
    assert "fr0.png" not in [one.uri for one in itself.found]
    assert itself.known_near


def test_strategies_are_read_in_their_own_order() -> None:
    assert strategies_named("pairwise, yes_no") == ("yes_no", "pairwise")
    assert len(strategies_named(None)) == 6
    for text in ("pairs", ""):
        with pytest.raises(InputError) as error:
            strategies_named(text)
        assert "direct, likert" in error.value.remedy
