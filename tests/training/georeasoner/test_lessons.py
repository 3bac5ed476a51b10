"""Lessons are asked, scored and read back as the prior does it, for all countries."""

import json
import pickle

import h3
import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.countries import country_codes
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import distance_km
from geosleuth.tools.georeasoner_reply import BEGUN, GeoAnswer, prompt, scored_beginnings, written
from geosleuth.tools.vlm.structured import read_as
from geosleuth.training.georeasoner.lessons import NO_COUNTRY, location_lessons, reasoning_lessons
from geosleuth.training.georeasoner.reasoned import Reasoned, ReasonedView
from geosleuth.training.georeasoner.street_views import StreetView, StreetViews

PORTO = (41.14961, -8.61099)


@pytest.fixture
def picture(tmp_path):
    """Two rows of three pixels, on their side: EXIF says to turn them."""
    image = Image.fromarray(np.full((2, 3, 3), 200, np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.png", exif=exif)
    return tmp_path / "a.png"


@pytest.fixture
def views(picture):
    named = StreetView(picture, *PORTO, "PT", "Porto")
    return StreetViews(
        (named, StreetView(picture, 51.5, -0.12, "GB"), StreetView(picture, 30.0, -45.0)), name="invented"
    )


def test_the_question_is_the_priors_own(views):
    lessons = location_lessons(views)
    asked, answer = lessons[0].turns
    (original,) = prompt(np.full((3, 2, 3), 200, np.uint8)).turns
    assert asked.role == "user"
    assert np.array_equal(asked.parts[0], original.parts[0])  # upright
    assert asked.parts[1] == original.parts[1]
    assert (answer.role, answer.parts) == ("assistant", ('{"country": "Portugal", "city": "Porto"}',))
    assert lessons[1].turns[1].parts == ('{"country": "United Kingdom", "city": "unknown"}',)


def test_the_priors_question_has_not_changed():
    import hashlib

    (turn,) = prompt(np.zeros((1, 1, 3), np.uint8)).turns
    # Adapters are taught on these very bytes: a new wording makes all that were taught before answer worse.
    digest = "c644bd1d451925bc"
    assert hashlib.sha256(turn.parts[1].encode()).hexdigest()[:16] == digest


def test_views_without_a_place_are_counted_out(views):
    lessons = location_lessons(views)
    assert len(lessons) == 2
    about = lessons.about()
    assert about["skipped"] == {NO_COUNTRY: 1}
    assert (about["lessons"], about["by_country"], about["name"]) == (2, {"PT": 1, "GB": 1}, "invented")
    assert json.loads(json.dumps(about)) == about
    assert len(location_lessons(list(views)[:1])) == 1
    with pytest.raises(InputError, match="found none among 1"):
        location_lessons(list(views)[2:])


def test_reasons_come_last(picture):
    pair = ReasonedView(picture, "CI", "Yamoussoukro", ('A sign says "Côte".', "Red soil."), (6.8276, -5.2893))
    (_, answer) = reasoning_lessons(Reasoned((pair,)))[0].turns
    expected = '{"country": "Ivory Coast", "city": "Yamoussoukro", "reasons": ["A sign says \\"Côte\\".", "Red soil."]}'
    assert answer.parts == (expected,)
    (_, finer) = reasoning_lessons(Reasoned((pair,)), street_level="coordinates")[0].turns
    assert list(json.loads(finer.parts[0])) == ["country", "city", "lat", "lon", "reasons"]
    (_, without) = reasoning_lessons(Reasoned((ReasonedView(picture, None, "X", ("y",)),)), street_level="cell")[
        0
    ].turns
    assert without.parts == ('{"country": "unknown", "city": "X", "reasons": ["y"]}',)


def test_a_position_follows_the_city(views):
    (_, answer) = location_lessons(views, street_level="coordinates")[0].turns
    assert answer.parts == ('{"country": "Portugal", "city": "Porto", "lat": 41.1496, "lon": -8.6110}',)
    (_, answer) = location_lessons(views, street_level="cell")[0].turns
    value = json.loads(answer.parts[0])
    assert list(value) == ["country", "city", "cell"]
    assert h3.get_resolution(value["cell"]) == 8
    position = GeoAnswer.model_validate(value).position
    assert position is not None
    assert distance_km(*position, *PORTO) < 0.6
    with pytest.raises(InputError, match="none, coordinates, cell"):
        location_lessons(views, street_level="street")


@pytest.mark.parametrize("reasons", [None, ["x"]])
def test_every_countrys_answer_is_scored_as_that_country_and_read_back(reasons):
    beginnings = scored_beginnings()
    for code in country_codes():
        answer = written(code, 'São "Tomé"', lat=-0.5, lon=100.0, reasons=reasons)
        assert answer.startswith(BEGUN)
        assert [own for text, own in beginnings if answer[len(BEGUN) :].startswith(text)] == [code]
        read = read_as(answer, GeoAnswer)
        assert (read.country_code, read.city_name, read.position) == (code, 'São "Tomé"', (-0.5, 100.0))
        assert read.reasons == (reasons or [])


def test_nothing_known_is_read_back_as_nothing():
    answer = written(None, None)
    assert answer == '{"country": "unknown", "city": "unknown"}'
    assert not any(answer[len(BEGUN) :].startswith(text) for text, _ in scored_beginnings())
    read = read_as(answer, GeoAnswer)
    assert (read.country_code, read.city_name, read.has_street_level) == (None, None, False)


def test_lessons_travel_to_other_processes(views):
    lessons = pickle.loads(pickle.dumps(location_lessons(views)))  # noqa: S301  our own, just made
    assert lessons[0].turns[1].parts == ('{"country": "Portugal", "city": "Porto"}',)


def test_a_picture_that_is_none_is_said(views, picture):
    lessons = location_lessons(views)
    picture.write_bytes(b"no picture")
    with pytest.raises(InputError):
        lessons[0]
