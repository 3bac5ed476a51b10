import numpy as np
import pytest

from geosleuth.agent.agent import Agent
from geosleuth.agent.embedded_tools import locatability, metadata, prior, submap
from geosleuth.agent.settings import Backends, Settings
from geosleuth.agent.toolbox import Finding, Scene
from geosleuth.indexes.photo import load_photo
from geosleuth.tools.prior import RecordedPredictions

BELIEF = {"PT": 0.6, "ES": 0.39, "FR": 0.01}


@pytest.fixture
def photo():
    return load_photo(np.full((60, 80, 3), 200, dtype=np.uint8), name="a.jpg")


@pytest.fixture
def guesses(tmp_path):
    path = tmp_path / "guesses.csv"
    rows = ["model,source_file,predicted_country,predicted_city,lat,lon", "gpt,a.jpg,Portugal,Lisbon,38.72,-9.14"]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_the_embedded_prior_is_the_belief_so_far(photo):
    found = prior(Scene(photo, belief=lambda: BELIEF))
    assert found.summary == "the belief so far: Portugal 60%, Spain 39%, France 1%"
    assert found.figures == {"countries": BELIEF}
    assert found.evidence == ()  # the belief is no evidence for itself


def test_the_recorded_prior_is_evidence(photo, guesses):
    found = prior(Scene(photo, recorded=RecordedPredictions.read(guesses)))
    assert [item.type for item in found.evidence] == ["prior.country", "prior.place"]
    assert found.summary == "2 findings"


def test_the_submap_holds_the_share_asked_for(photo):
    scene = Scene(photo, belief=lambda: BELIEF)
    assert submap(scene, share=0.5).figures["countries"] == ["PT"]
    assert submap(scene).figures["countries"] == ["PT", "ES"]
    assert submap(scene).summary == "2 countries hold 95% of the belief: Portugal, Spain"


def test_metadata_gives_its_reason_when_there_is_none(photo):
    found = metadata(Scene(photo))
    assert found.evidence[0].likelihood.kind == "nothing"
    assert found.evidence[0].likelihood.reason in found.summary


def test_locatability_names_its_backend(photo):
    score = locatability(Scene(photo)).locatability
    assert 0 <= score.score <= 1
    assert score.backend


def test_the_rules_ask_a_recorded_prior_first(guesses):
    def read_text(scene):
        """Find nothing."""
        return Finding("0 lines", lines=())

    settings = Settings(backends=Backends(prior=f"file:{guesses}#gpt"))
    agent = Agent(settings, tools={"metadata": metadata, "prior": prior, "read_text": read_text})
    answer = agent.localize(load_photo(np.zeros((60, 80, 3), dtype=np.uint8), name="a.jpg"))
    assert [step.tool for step in answer.trace] == ["metadata", "prior", "read_text"]
    assert answer.country.code == "PT"
    assert answer.backends["prior"].startswith(f"file:{guesses}#gpt; gpt, recorded in guesses.csv (sha256 ")
