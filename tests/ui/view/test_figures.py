import pytest

from geosleuth.agent import figures
from geosleuth.agent.localization import Point


@pytest.mark.parametrize(("km", "words"), [(0.0, "0 m"), (0.1112, "111 m"), (4.25, "4.2 km"), (1234.5, "1,234 km")])
def test_distances(km: float, words: str) -> None:
    assert figures.km(km) == words


@pytest.mark.parametrize(("km2", "words"), [(0.00054, "540 m²"), (1.25, "1.2 km²"), (329091.0, "329,091 km²")])
def test_areas(km2: float, words: str) -> None:
    assert figures.area(km2) == words


def test_no_belief_is_certain() -> None:
    assert figures.percent(1.0) == "99.9%"
    assert figures.percent(0.665) == "66.5%"


@pytest.mark.parametrize(
    ("bits", "words"), [(4.96, "+5.0 bits"), (-0.5, "-0.5 bits"), (-0.04, "0.0 bits"), (0.0, "0.0 bits")]
)
def test_bits_have_a_sign_where_they_are_more_than_nothing(bits: float, words: str) -> None:
    assert figures.bits(bits) == words


@pytest.mark.parametrize(
    ("radius_km", "words"),
    [(None, "52.5123, 13.3989"), (5.0, "52.512, 13.399"), (472.0, "52.5, 13.4"), (5000.0, "53, 13")],
)
def test_coordinates_have_no_more_decimals_than_the_radius_deserves(radius_km: float | None, words: str) -> None:
    assert figures.coordinates(Point(lat=52.51229, lon=13.39887), radius_km) == words
