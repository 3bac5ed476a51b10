"""What people are asked, in which order, and what their words mean."""

import importlib.util
import sys
from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon
from geosleuth.training.evaluate.human.answer_file import Answers
from geosleuth.training.evaluate.human.asked import check_person, in_order, left
from geosleuth.training.evaluate.human.reading import at_point, readings
from geosleuth.training.evaluate.labelled import LabelledPhoto

spec = importlib.util.spec_from_file_location("human_rows", Path(__file__).with_name("human_rows.py"))
made = sys.modules.setdefault("human_rows", importlib.util.module_from_spec(spec))
spec.loader.exec_module(made)

PHOTOS = [LabelledPhoto(Path(f"/p/{n}.jpg"), LatLon(0, 0), "FR", file=f"{n}.jpg") for n in range(20)]


def test_orders_differ_by_person_and_survive_more_photos():
    anna, ben = in_order(PHOTOS, "anna"), in_order(PHOTOS, "ben")
    assert anna != ben != PHOTOS
    assert sorted(photo.file for photo in anna) == sorted(photo.file for photo in PHOTOS)
    fewer = in_order(PHOTOS[:10], "anna")
    assert fewer == [photo for photo in anna if photo in fewer]
    assert anna == in_order(PHOTOS[::-1], "anna")


def test_what_is_answered_is_not_asked_again():
    answers = Answers((made.answer(3), made.answer(4, "ben"), made.nothing(5)))
    assert {photo.file for photo in PHOTOS} - {photo.file for photo in left(PHOTOS, "anna", answers)} == {
        "3.jpg",
        "5.jpg",
    }


def test_a_name_is_checked():
    answers = Answers((made.answer(3),))
    assert check_person(" anna ", answers) == "anna"
    assert check_person("ben", answers) == "ben"
    for wrong in ("", "a b", "x" * 33, "Anna"):
        with pytest.raises(InputError, match="your name"):
            check_person(wrong, answers)


def test_words_are_a_country_a_place_or_coordinates():
    (france,) = [one for one in readings("france") if one.given == "country"]
    assert (france.country, france.point, france.city) == ("FR", None, None)
    lyon = readings("Lyon, France")[0]
    assert (lyon.given, lyon.country, lyon.city) == ("place", "FR", "Lyon")
    assert lyon.point == pytest.approx(made.LYON, abs=0.05)
    pin = readings("45.764, 4.8357")
    assert pin == [at_point(45.764, 4.8357, "coordinates")]
    assert pin[0].country == "FR"
    assert pin[0].words == "45.7640, 4.8357, in France"
    assert readings("95, 4") == readings("") == readings("qzxqzx") == []


def test_all_meanings_of_a_name_are_offered():
    georgia = readings("Georgia")
    assert (georgia[0].given, georgia[0].country) == ("country", "GE")
    state = next(one for one in georgia if one.country == "US" and one.given == "place")
    assert (state.city, "the middle of the region" in state.words) == (None, True)
    towns = readings("Springfield")
    assert len(towns) == 12
    assert {"Springfield"} <= {one.city for one in towns}


def test_a_point_at_sea_is_in_no_country():
    assert at_point(0.0, -20.0, "map").country is None
