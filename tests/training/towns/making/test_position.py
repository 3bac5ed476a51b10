import math
from itertools import product

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gazetteer import load_gazetteer
from geosleuth.indexes.regions import country_at
from geosleuth.training.towns.making.position import origin_of, style_of_seed
from geosleuth.training.towns.making.styles import STYLES
from geosleuth.training.towns.world import SEEDS_PER_WORLD


def test_towns_lie_apart_near_a_place_of_their_country():
    origins = {seed: origin_of(seed, style_of_seed(seed)) for seed in range(200)}
    assert len(set(origins.values())) == len(origins)
    for seed, origin in list(origins.items())[::20]:
        assert country_at(origin.lat, origin.lon) == style_of_seed(seed).country
        assert load_gazetteer().nearest(origin.lat, origin.lon)[0][1] < 5.0  # km


def test_seeds_in_a_row_go_through_all_countries():
    count = len(STYLES)
    assert {style_of_seed(seed).country for seed in range(count, 2 * count)} == {style.country for style in STYLES}


@pytest.mark.parametrize("world", [42, 1000, 2**31])
def test_the_largest_town_of_any_world_lies_in_its_country(world):
    for index in range(0, 64, 3):
        style = style_of_seed(world * SEEDS_PER_WORLD + index)
        origin = origin_of(world * SEEDS_PER_WORLD + index, style)
        north, east = 2048.0 / 111_195, 2048.0 / 111_195 / math.cos(math.radians(origin.lat))  # degrees of a sphere
        for lat, lon in product((origin.lat, origin.lat + north), (origin.lon, origin.lon + east)):
            assert country_at(lat, lon) == style.country


def test_the_towns_of_a_place_that_is_used_again_are_at_different_spots():
    # Georgia has fewer than 100 places above 5,000 people: within 100 turns of its seeds one comes twice.
    seeds = [seed for seed in range(100 * len(STYLES)) if style_of_seed(seed).country == "GE"]
    assert len({origin_of(seed, style_of_seed(seed)) for seed in seeds}) == len(seeds) == 100


def test_a_negative_seed_is_an_error():
    with pytest.raises(InputError, match="Wanted a seed from 0 on; found -1"):
        style_of_seed(-1)
