import numpy as np
import pytest

from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.town import Street
from geosleuth.training.towns.views.map_tile import map_tile
from geosleuth.training.towns.views.satellite import satellite

LAWN, HOUSE, ROAD = (212, 230, 196), (216, 206, 196), (255, 255, 255)
LANE = Street((1.0, 5.0), (39.0, 5.0), 6.0, "Long lane")


def test_areas_have_the_maps_colours(one_house):
    tile = map_tile(one_house(), 20, 20, side_m=40, px=160).pixels
    assert tile[10, 10].tolist() == list(LAWN)
    assert tile[80, 80].tolist() == list(HOUSE)
    assert tile[60, 80].sum() < sum(HOUSE)  # the outline, at the house's edge


def test_a_street_is_drawn_at_its_width_with_a_casing(one_house):
    tile = map_tile(one_house(streets=(LANE,)), 20, 20, side_m=40, px=160).pixels  # 4 px a metre
    column = tile[:, 20].astype(int)
    white = np.flatnonzero((column == ROAD).all(-1))
    assert white.mean() == pytest.approx(140, abs=1)  # 5 m from the south edge
    assert len(white) == pytest.approx(24, abs=2)  # 6 m
    assert column[white[0] - 3 : white[0]].sum(1).min() < sum(LAWN) - 10


def test_a_wide_street_is_a_main_street(one_house):
    wide = Street((1.0, 5.0), (39.0, 5.0), 12.0, "")
    tile = map_tile(one_house(streets=(wide,)), 20, 20, side_m=40, px=160).pixels
    assert tile[140, 20].tolist() == [250, 224, 150]


def test_the_name_is_written_where_it_fits(one_house):
    named, bare = (map_tile(one_house(streets=(lane,)), 20, 20, side_m=40, px=160).pixels.astype(int)
                   for lane in (LANE, Street(LANE.start, LANE.end, LANE.width_m, "I")))  # fmt: skip
    assert named[130:150].min() < 140  # ink on white
    changed = np.abs(named - bare).max(-1) > 40
    assert np.flatnonzero(changed.any(1)).min() > 125
    assert np.ptp(np.flatnonzero(changed.any(0))) > 30  # px: nine letters
    short = map_tile(
        one_house(streets=(Street((1.0, 5.0), (14.0, 5.0), 6.0, "A much longer name"),)), 20, 20, side_m=40, px=160
    )
    assert short.pixels[130:150, 8:50].min() > 180  # nothing was written


def test_names_are_seen_where_they_stand_and_left_out_if_so_wanted(one_house):
    tiles = [
        map_tile(one_house(streets=(LANE,)), 20, 20, side_m=40, px=160, readable=readable) for readable in (True, False)
    ]
    (name,) = (one for one in tiles[0].seen if one.text)
    assert (name.kind, name.text, name.language) == ("road", LANE.name, "de")
    changed = np.argwhere((tiles[0].pixels != tiles[1].pixels).any(-1))  # where there is ink
    left, top, right, bottom = (edge * 160 for edge in name.box)
    assert (top <= changed[:, 0].min()) & (changed[:, 0].max() < bottom)
    assert (left <= changed[:, 1].min()) & (changed[:, 1].max() < right)
    assert bottom - top == pytest.approx(13)  # px
    assert name.share == pytest.approx((right - left) * 13 / 160**2)
    assert not any(one.text for one in tiles[1].seen)


def test_labels_and_things_are_those_of_the_satellite(one_house):
    town = one_house(streets=(LANE,))
    tile, view = (draw(town, 22, 18, side_m=30, px=60) for draw in (map_tile, satellite))
    assert np.array_equal(tile.labels, view.labels)
    assert [one for one in tile.seen if not one.text] == list(view.seen)
    assert class_number("building") in tile.labels


def test_a_square_beyond_the_town_is_an_error(one_house):
    with pytest.raises(ValueError, match="leaves the town"):
        map_tile(one_house(), 5, 20, side_m=20, px=16)
