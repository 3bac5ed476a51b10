import dataclasses

import pytest

from geosleuth.indexes.countries import country, country_codes
from geosleuth.training.towns.making.style import Style
from geosleuth.training.towns.making.styles import STYLES, style_of


def test_styles_are_of_real_countries_on_all_inhabited_continents():
    codes = [style.country for style in STYLES]
    assert len(codes) == len(set(codes)) >= 24
    assert set(codes) <= set(country_codes())
    regions = {region for code in codes for region in country(code).regions}
    assert {"002", "005", "009", "142", "150"} <= regions  # Africa, South America, Oceania, Asia, Europe (UN M49)
    assert {"US", "MX"} & set(codes)


def test_every_style_says_that_it_is_invented():
    for style in STYLES:
        assert "invented town in an invented style" in style.note
        assert country(style.country).name in style.note


def test_the_side_of_the_road_is_a_fact():
    sides = {style.country: style.drive_side for style in STYLES}
    assert {code for code, side in sides.items() if side == "left"} == {
        "GB",
        "TZ",
        "ZA",
        "IN",
        "BD",
        "TH",
        "ID",
        "AU",
        "NZ",
    }


def test_plans_scripts_and_looks_vary():
    assert {style.plan for style in STYLES} == {"grid", "organic", "radial"}
    assert len({style.language for style in STYLES}) >= 20
    assert len({(style.walls, style.roofs, style.block_m) for style in STYLES}) == len(STYLES)
    assert all(0 <= channel <= 255 for style in STYLES for colour in style.walls + style.roofs for channel in colour)


def test_a_roof_goes_with_each_wall():
    with pytest.raises(ValueError, match="DE has 1 wall colours and"):
        dataclasses.replace(style_of("DE"), walls=((1, 2, 3),))


def test_a_country_without_a_style_is_an_error():
    assert isinstance(style_of("VN"), Style)
    with pytest.raises(KeyError):
        style_of("AQ")
