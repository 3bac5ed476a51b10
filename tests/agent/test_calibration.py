"""The file of the settings is used everywhere, and a model that it does not know is named."""

import json
import math
from pathlib import Path

import pytest

from geosleuth.agent.agent import Agent
from geosleuth.agent.belief import Belief
from geosleuth.agent.calibration import Calibration, ErrorShare, ModelWeights, load_calibration, model_of
from geosleuth.agent.opinion import as_counted
from geosleuth.agent.settings import Settings
from geosleuth.agent.toolbox import Finding, Scene
from geosleuth.indexes.errors import InputError
from geosleuth.tools.captions import CAPTION
from geosleuth.tools.evidence import Evidence, NearPlace, NearPoints, OverRegions


def opinion(model: str, code: str = "PT", group: str = "prior:a") -> Evidence:
    likelihood = OverRegions(log_ratios={code: 4.0}, wrong=0.0)
    return Evidence(
        tool="prior", type="prior.country", claim=code, likelihood=likelihood, weights=model, group=group
    )  # fmt: skip


def place(model: str, group: str = "prior:a") -> Evidence:
    near = NearPoints(places=(NearPlace(lat=38.7, lon=-9.1, spread_km=500.0, weight=50.0),), floor=1.0)
    return Evidence(tool="prior", type="prior.place", claim="there", likelihood=near, weights=model, group=group)


def fitted(temperature: float = 0.5) -> Calibration:
    weights = ModelWeights(temperatures={"prior.country": temperature})
    return Calibration(temperatures={}, correlation=0.9, source="invented", models={"a@1": weights})


def odds(belief: Belief) -> float:
    share = belief.country_probabilities()["PT"]
    return math.log(share / (1.0 - share))


def test_a_model_counts_by_its_own_temperature_and_another_as_it_says() -> None:
    start = Belief.start(fitted(0.5))
    gained = {name: odds(start.update([opinion(name)])) - odds(start) for name in ("a@1", "b@1")}
    assert gained == pytest.approx({"a@1": 2.0, "b@1": 4.0}, abs=1e-6)


def test_a_fitted_models_country_and_point_add_up_and_its_two_photos_do_not() -> None:
    start = Belief.start(fitted(1.0))
    both = start.update([opinion("a@1"), place("a@1")])
    alone = odds(start.update([place("a@1")])), odds(start.update([opinion("a@1")])) - odds(start)
    assert odds(both) == pytest.approx(sum(alone), abs=0.05)  # cells are split where mass gathers, so not to the last
    twice = start.update([opinion("a@1"), opinion("a@1")])
    assert odds(twice) - odds(start) == pytest.approx(4.0 * 1.1, abs=1e-6)  # the correlation is 0.9


def test_a_recorded_model_goes_by_its_name_and_weights_by_theirs() -> None:
    recorded = opinion("gpt, recorded in said.csv (sha256 0123456789ab)")
    assert model_of(recorded) == "gpt"
    assert model_of(opinion("dir:a@abc")) == "dir:a@abc"
    assert model_of(recorded.model_copy(update={"weights": None})) == "prior:a"
    assert model_of(Evidence(tool="t", type="t.x", claim="", likelihood=recorded.likelihood)) is None


def test_a_stranger_is_named_and_an_acquaintance_is_not() -> None:
    (note,) = fitted().notes_on([opinion("a@1"), opinion("b@1"), opinion("b@1")])
    assert "How often b@1 errs" in note
    assert "(invented)" in note
    assert "the answers of a@1." in note
    (note,) = load_calibration().notes_on([opinion("b@1")])
    assert "answers of other models." in note
    unmeasured = load_calibration().model_copy(update={"errors_of_others": ()})
    assert unmeasured.notes_on([opinion("b@1")]) == ()  # it says nothing of any model


def test_the_points_of_a_stranger_err_as_those_of_others_and_its_country_counts_as_before() -> None:
    others = (ErrorShare(share=0.2, spread_km=12.0), ErrorShare(share=0.3, spread_km=500.0))
    calibration = fitted().model_copy(update={"errors_of_others": others})
    stranger = calibration.counted(place("b@1")).likelihood
    assert stranger == as_counted(place("b@1").likelihood, ModelWeights(errors=others))
    assert isinstance(stranger, NearPoints)
    assert stranger.floor == pytest.approx(0.5)
    assert calibration.counted(opinion("b@1")) == opinion("b@1")
    assert calibration.counted(place("a@1")) == place("a@1")  # that one was measured, and keeps its tool's likelihood
    not_a_model = place("b@1").model_copy(update={"tool": "reading", "type": "reading.place"})
    assert calibration.counted(not_a_model) == not_a_model


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a calibration of the belief"):
        load_calibration(tmp_path / "missing.json")
    (tmp_path / "bad.json").write_text('{"temperatures": {"a": -1}, "correlation": 0.5, "source": "x"}')
    with pytest.raises(InputError, match=r"temperatures\.a"):
        Agent(Settings(calibration=tmp_path / "bad.json"))


def test_the_agent_uses_its_file_in_the_belief_and_in_contradictions(tmp_path: Path) -> None:
    """A sign of Portugal and one of Japan: at a tenth of their weight they neither place the photo nor contradict."""
    import numpy as np

    def signs(scene: Scene) -> Finding:
        """Two signs."""
        said = [("PT", "test.one"), ("JP", "test.two")]
        found = tuple(
            Evidence(tool="test", type=kind, claim=code, likelihood=OverRegions(log_ratios={code: 9.0 - i}))
            for i, (code, kind) in enumerate(said)
        )
        return Finding("two signs", (*found, opinion("b@1")))

    path = tmp_path / "weak.json"
    weak = fitted().model_copy(update={"temperatures": {"test.one": 0.1, "test.two": 0.1}})
    path.write_text(weak.model_dump_json())
    picture = np.full((40, 60, 3), 127, dtype=np.uint8)
    strong, less = (
        Agent(Settings(calibration=one), tools={"metadata": signs}).localize(picture) for one in (None, path)
    )
    assert len(strong.contradictions) == 1
    assert not less.contradictions
    assert less.evidence[0].contribution_bits < 0.5 * strong.evidence[0].contribution_bits
    assert [note for note in less.notes if "How often b@1 errs" in note]
    assert [note for note in strong.notes if "How often b@1 errs" in note and "other models" in note]


REMOTE = (-48.88, -123.39)  # Point Nemo: 2,690 km from any land


def counted_at(lat: float, lon: float, *spreads_km: float) -> NearPoints:
    near = NearPoints(places=(NearPlace(lat=lat, lon=lon, spread_km=500.0, weight=50.0),), floor=1.0)
    weights = ModelWeights(errors=tuple(ErrorShare(share=0.3, spread_km=km) for km in spreads_km))
    found = as_counted(near, weights)
    assert isinstance(found, NearPoints)
    return found


def test_a_spread_in_which_no_photo_is_taken_leaves_its_share_to_anywhere() -> None:
    """12 km around a point at sea reach nobody: of 0.3, 0.3 and the rest of 0.4, the floor has 0.7."""
    found = counted_at(*REMOTE, 12.0, 2500.0)
    assert found.floor == pytest.approx(0.7)
    assert {one.spread_km for one in found.places} == {2500.0}
    assert counted_at(38.7, -9.1, 12.0, 2500.0).floor == pytest.approx(0.4)


def test_a_point_where_no_photo_is_taken_says_nothing() -> None:
    found = counted_at(*REMOTE, 12.0, 90.0)
    assert {one.weight for one in found.places} == {0.0}
    assert found.floor == 1.0
    calibration = fitted().model_copy(
        update={"models": {"a@1": ModelWeights(errors=(ErrorShare(share=0.9, spread_km=12.0),))}}
    )
    start = Belief.start(calibration)
    lost = place("a@1").model_copy(
        update={
            "likelihood": NearPoints(
                places=(NearPlace(lat=-48.88, lon=-123.39, spread_km=500.0, weight=50.0),), floor=1.0
            )
        }
    )
    assert odds(start.update([lost])) == pytest.approx(odds(start), abs=1e-9)


@pytest.mark.parametrize(("told", "counted"), [(3.0, 1.0), (0.5, 0.5)])
def test_no_calibration_makes_a_caption_count_more_than_the_policy(told: float, counted: float, tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    said = {"temperatures": {CAPTION: told, "reading.language": 3.0}, "correlation": 0.9, "source": "invented"}
    file.write_text(json.dumps(said))
    calibration = load_calibration(file)
    likelihood = OverRegions(log_ratios={"PT": 2.0})
    sign = Evidence(tool="reading", type="reading.language", claim="", likelihood=likelihood)
    caption = sign.model_copy(update={"type": CAPTION})
    assert (calibration.temperature(caption), calibration.temperature(sign)) == (counted, 3.0)
