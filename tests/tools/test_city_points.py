import pytest

from geosleuth.tools.city_points import city_points


def test_a_city_with_its_country_is_that_one():
    (best, *others) = city_points("Lisbon", "PT")
    assert (best.lat, best.lon) == pytest.approx((38.72, -9.14), abs=0.05)
    assert best.share == pytest.approx(0.9, abs=0.02)
    assert sum(point.share for point in others) <= 0.1


def test_shares_go_by_population_where_no_country_is_named():
    points = city_points("Birmingham", None)
    english, alabama = (next(p for p in points if abs(p.lon - lon) < 1) for lon in (-1.9, -86.8))
    assert english.share / alabama.share == pytest.approx(1_157_603 / 196_910, rel=0.2)  # GeoNames' people


def test_the_named_country_comes_before_a_larger_namesake():
    points = city_points("Birmingham", "US")
    assert points[0].lon == pytest.approx(-86.8, abs=0.1)
    assert points[0].share > 0.6


@pytest.mark.parametrize("name", ["Wien", "Vienna", "Βιέννη"])
def test_names_in_other_languages(name):
    assert (city_points(name, "AT")[0].lat, city_points(name, "AT")[0].lon) == pytest.approx((48.2, 16.37), abs=0.05)


def test_a_name_with_its_division():
    (point,) = city_points("Springfield, Illinois", "US")
    assert (point.lat, point.lon) == pytest.approx((39.8, -89.64), abs=0.05)
    assert city_points("Porto, Northern Portugal", "PT")[0].lon == pytest.approx(-8.6, abs=0.1)


@pytest.mark.parametrize("name", ["Xyzzyville", "", "a rural area near the coast"])
def test_an_unknown_name_is_no_place(name):
    assert city_points(name, "FR") == []
