"""Which claims a planner's words make, and which of them a finding or the answer bears out."""

import importlib.util
import math
from pathlib import Path

import pytest

from geosleuth.agent.agent import Agent
from geosleuth.agent.claims import claims_in
from geosleuth.agent.closing import Backing
from geosleuth.agent.settings import Settings
from geosleuth.agent.toolbox import Finding
from geosleuth.tools.captions import CAPTION
from geosleuth.tools.evidence import Evidence, Nothing, OverRegions

# Tests are no package (import-mode importlib), so a neighbour is loaded by its path.
_spec = importlib.util.spec_from_file_location("scenes", Path(__file__).with_name("scenes.py"))
scenes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(scenes)


@pytest.mark.parametrize(
    ("words", "claims"),
    [
        ("This is certainly Paris.", ["Paris"]),
        ("Paris, France.", ["Paris", "France"]),
        ("It is Paris. PARIS! paris", ["Paris"]),
        ("in Ho Chi Minh City or São Paulo", ["Ho Chi Minh City", "São Paulo"]),
        ("Somewhere in Bavaria, Germany", ["Bavaria", "Germany"]),
        ("a street in Quimper", ["Quimper"]),
        ("Quimper", []),  # 66,000 people: without a preposition a name so small is more often another word
        ("It is not Paris, and rules out Spain; never in Italy", []),
        ("Nice light. Reading the signs next. The Orange van. Google Street View.", []),
        ("It was taken in Nice.", ["Nice"]),
        ("THE SIGN AND THE CAR ARE OLD. GPS, EXIF and OCR. IT IS IN PT.", []),
        ("Portuguese words in Latin letters, European plates, South America", []),
        ("照片在法国巴黎，不是德国", ["法国", "巴黎"]),
        ("可能是日本の東京", ["日本", "東京"]),
        ("at 48.8566, 2.3522", ["48.8566, 2.3522"]),
        ("33.87° S, 151.21° E", ["33.87° S, 151.21° E"]),
        ("version 4.56.3, 99.9 / 300.5", []),  # 99.9 is no latitude
        ("I am 95 % sure, or 7.5 percent", ["95 %", "7.5 percent"]),
        ("", []),
    ],
)
def test_claims_are_found_in_words(words, claims):
    assert [claim.text for claim in claims_in(words)] == claims


def test_positions_have_their_hemisphere():
    (claim,) = claims_in("33.87° S, 151.21° W")
    assert claim.position == (-33.87, -151.21)


def test_words_without_end_are_read_up_to_8000_characters():
    assert [claim.text for claim in claims_in("Paris " * 100_000)] == ["Paris"]
    assert [claim.text for claim in claims_in("x " * 3990 + "Paris")] == ["Paris"]
    assert claims_in("x " * 4000 + "Paris") == []


def answer(*evidence, text="read"):
    def read_text(scene):
        """Read."""
        return Finding(text, evidence)

    return Agent(Settings(), tools={"metadata": scenes.metadata, "read_text": read_text}).localize(scenes.PICTURE)


PRIOR = {"PT": 0.1, "ES": 0.4, "FR": 0.5}


def unbacked(words, *evidence, text="read"):
    return Backing.of(evidence, PRIOR, answer(*evidence, text=text)).missing(words)


def over(code, ratio):
    return scenes.says(code, ratio)


@pytest.mark.parametrize(
    ("ratio", "missing"),
    [
        (1.0, ("Portugal",)),
        (2.0, ("Portugal",)),  # expected 0.1 x 2 + 0.9 = 1.1, and 2 / 1.1 is not twice
        (2.5, ()),  # expected 1.15, and 2.5 / 1.15 = 2.17 is
        (1e4, ()),
    ],
)
def test_a_finding_backs_the_country_that_it_makes_twice_as_probable(ratio, missing):
    assert unbacked("It is Portugal.", over("PT", ratio)) == missing


def test_a_finding_for_a_country_backs_no_city_and_no_other_country():
    assert unbacked("Lisbon in Portugal, or Madrid in Spain", over("PT", 5.0)) == ("Lisbon", "Madrid", "Spain")


def test_nothing_and_what_speaks_against_back_nothing():
    none = Evidence(tool="reading", type="reading.language", claim="Paris?", likelihood=Nothing(reason="Paris"))
    against = Evidence(
        tool="hint",
        type="hint.country",
        claim="Not France.",
        likelihood=OverRegions(log_ratios={"FR": math.log(0.01)}, wrong=0.0),
    )
    # Spain becomes 0.4 / (0.1 + 0.4 + 0.005) = 0.79 of 0.4 before: not twice; Portugal 1 / 0.505 = 1.98 times, nearly
    assert unbacked("France, Spain, Portugal", none, against) == ("France", "Spain", "Portugal")


def test_a_finding_near_a_place_backs_it_and_its_country():
    found = scenes.stands(48.86, 2.35)
    assert unbacked("Paris, France, not Spain. Or Lyon. 48.8566, 2.3522 or 48.0, 2.0", found) == ("Lyon", "48.0, 2.0")


def test_a_caption_backs_no_words():
    """What somebody wrote over the picture is no finding of a tool about the scene."""
    found = [scenes.stands(-1.29, 36.82, ratio=7.0), over("KE", 8.0)]
    captions = [one.model_copy(update={"type": CAPTION, "claim": "80 % Nairobi"}) for one in found]
    words = "The photo was taken in Nairobi, Kenya, at -1.29, 36.82, to 80 %"
    assert Backing.of(found, PRIOR, answer()).missing(words) == ("80 %",)
    assert Backing.of(captions, PRIOR, answer()).missing(words) == ("Nairobi", "Kenya", "-1.29, 36.82", "80 %")


def test_a_vague_or_weak_place_backs_no_city():
    weak = scenes.stands(48.86, 2.35, ratio=0.9)  # 1.9 times as probable as elsewhere
    assert unbacked("Paris", weak) == ("Paris",)
    vague = scenes.stands(48.86, 2.35)
    place = vague.likelihood.places[0].model_copy(update={"spread_km": 300.0})
    vague = vague.model_copy(update={"likelihood": vague.likelihood.model_copy(update={"places": (place,)})})
    assert "Paris" in Backing.of([vague], PRIOR, answer()).missing("Paris")


def test_percentages_are_backed_by_figures_of_the_answer_and_of_the_tools():
    found = answer(over("PT", 1e4), text="the text is 62.4 % Portuguese")
    share = 100 * found.countries[0].probability
    backing = Backing.of([], PRIOR, found)
    assert backing.missing(f"{share:.0f} %, and 62 %, and 37 %") == ("37 %",)
