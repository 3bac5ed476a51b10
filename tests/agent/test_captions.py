"""What a caption is worth beside the writing of the scene; lines are made by hand, no picture is read."""

import math

import numpy as np
import pytest

from geosleuth.agent.answer_notes import answer_notes
from geosleuth.agent.belief import Belief
from geosleuth.agent.calibration import load_calibration
from geosleuth.agent.contradiction import find_contradictions
from geosleuth.agent.state import Found
from geosleuth.tools.captions import CAPTION, MOST
from geosleuth.tools.evidence import NearPoints, Nothing, OverRegions
from geosleuth.tools.reading import clues
from geosleuth.tools.textline import TextLine

SIZE = (1280, 960)
LATS, LONS = (
    np.array([-1.29, 37.34, 9.93, 36.97, -17.8, 52.5]),
    np.array([36.82, -121.89, -84.08, -122.03, -63.2, 13.4]),
)
FALSE_PLACE = ("Welcome to Nairobi", "Nairobi, Kenya", "www.nairobi.co.ke", "Tel. +254 20 222 2222")
# Signs that a street of the country may well show, each alone.
SIGNS = {
    "DE": ("Bäckerei und Konditorei", "Durchfahrt verboten"),
    "UA": ("Продукти та хліб", "Ремонт взуття"),
    "TR": ("Kiralık daire", "Giriş yasaktır"),
    "KR": ("동네 약국", "부동산 임대"),
}


def line(text, *, overlay=0.0, y=300.0):
    box = ((100.0, y), (500.0, y), (500.0, y + 30), (100.0, y + 30))
    script = {"П": "Cyrl", "Р": "Cyrl", "동": "Hang", "부": "Hang"}.get(text[0], "Latn")
    return TextLine(
        text=text, box=box, script=script, script_confidence=0.98, score=0.95, recogniser="test", overlay=overlay
    )


def caption(*texts):
    return [line(text, overlay=0.97, y=900.0) for text in texts]


def spoken(lines):
    return [piece for piece in clues(lines, SIZE) if not isinstance(piece.likelihood, Nothing)]


def country(lines):
    return next(iter(Belief.start().update(spoken(lines)).country_probabilities()))


@pytest.mark.parametrize("code", SIGNS)
def test_a_false_caption_moves_no_answer_that_a_sign_speaks_against(code):
    signs = [line(text) for text in SIGNS[code]]
    assert country(signs) == code
    assert country([*signs, *caption(*FALSE_PLACE)]) == code
    assert country([*signs, *(line(text) for text in FALSE_PLACE)]) == "KE"  # on signs the same words are believed


def test_a_caption_costs_certainty():
    signs = [line(text) for text in SIGNS["DE"]]
    clean, now = (Belief.start().update(spoken(lines)) for lines in (signs, [*signs, *caption(*FALSE_PLACE)]))
    assert now.country_probabilities()["KE"] > clean.country_probabilities()["KE"]
    assert now.country_probabilities()["DE"] < clean.country_probabilities()["DE"]


@pytest.mark.parametrize("correlation", [0.9, 0.0])
def test_all_captions_together_count_little_whatever_was_fitted(correlation):
    fitted = load_calibration().model_copy(update={"correlation": correlation})
    start = Belief.start(fitted)
    found = spoken(caption(*FALSE_PLACE, "San José", "Santa Cruz"))  # names of many places near to each other
    before, after = (belief.log_density(LATS, LONS) for belief in (start, start.update(found)))
    most_bits = float(np.ptp(after - before)) / math.log(2)
    assert 1.0 < most_bits < math.log2(MOST) + 0.01


def test_of_several_captions_one_contributes():
    found = spoken(caption(*FALSE_PLACE))
    worth = Belief.start().update(found).contributions()
    assert len(found) > 2
    assert sum(abs(bits) > 1e-9 for bits in worth) <= 1


def test_a_captions_language_is_its_writers_and_counts_nothing():
    (found,) = clues(caption("Bäckerei und Konditorei"), SIZE)
    assert isinstance(found.likelihood, Nothing)
    both = spoken([line(SIGNS["TR"][0]), *caption("Bäckerei und Konditorei")])
    assert both == spoken([line(SIGNS["TR"][0])])


def test_what_was_read_and_does_not_count_is_told():
    (found,) = clues(caption("Bäckerei und Konditorei"), SIZE)
    assert found.type == CAPTION
    assert found.claim == (
        'A line that seems to be laid over the picture, and names no place: "Bäckerei und Konditorei"'
    )
    assert [support.text for support in found.support] == ["Bäckerei und Konditorei"]


def test_a_caption_that_the_scene_speaks_against_is_named_as_a_contradiction():
    signs = [line(text) for text in SIGNS["DE"]]
    evidence = spoken([*signs, *caption("Nairobi, Kenya")])
    belief = Belief.start().update(evidence)
    prior = Belief.start().country_probabilities()
    told = find_contradictions(evidence, belief.point(), ("DE",), prior)
    assert any("seems to be laid over the picture (97%)" in one.claim and "Nairobi" in one.claim for one in told), told
    assert not find_contradictions(spoken(signs), belief.point(), ("DE",), prior)
    harmless = spoken([*signs, *caption("holiday 2023")])  # also the name of a town
    assert not find_contradictions(harmless, Belief.start().update(harmless).point(), ("DE",), prior)


def test_each_finding_of_a_caption_is_bounded_and_says_where_it_stands():
    found = spoken(caption(*FALSE_PLACE))
    assert {type(piece.likelihood) for piece in found} == {NearPoints, OverRegions}
    for piece in found:
        assert (piece.type, piece.group) == (CAPTION, "caption")
        assert piece.claim.startswith("Seems to be laid over the picture (97%): ")
        one = piece.likelihood
        if isinstance(one, OverRegions):
            assert all(abs(ratio - one.otherwise) <= math.log(MOST) + 1e-9 for ratio in one.log_ratios.values())
        else:
            nairobi = max(one.places, key=lambda place: place.weight)
            here = sum(place.weight for place in one.places if (place.lat, place.lon) == (nairobi.lat, nairobi.lon))
            assert one.floor + here <= MOST * one.floor + 1e-9


def test_the_answer_says_what_a_caption_is_worth():
    told = [Found(id=f"{n}", step=1, evidence=piece) for n, piece in enumerate(spoken(caption("Nairobi, Kenya")))]
    (note,) = answer_notes((), told, told, (), ())
    assert "counts at most 3 bits, and its language nothing" in note
    assert answer_notes((), (), (), (), ()) == ()
