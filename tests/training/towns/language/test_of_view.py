"""Features by rule, on views made by hand and on towns: all of them invented."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.training.towns.language.colours import colour_names, pixel_shares, weighted_shares
from geosleuth.training.towns.language.of_view import features_of, features_shown, judged_in
from geosleuth.training.towns.language.scene_facts import junctions, scene_facts
from geosleuth.training.towns.language.shown import Shown
from geosleuth.training.towns.language.vocabulary import BY_ID
from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.styles import BRICK, CREAM, GREY, MINT, OCHRE, SLATE, TILE, WHITE, YELLOW
from geosleuth.training.towns.town import Rendered, Seen, Street, TownObject

BOX = (0.2, 0.4, 0.4, 0.6)
FACTS = {"roofs": {}, "walls": {}, "traffic": None, "car_park": False, "junction": False, "wide_road": False}


def view(view="ground", *seen, country="US", road=0.5, paint=None, built=None, scene=FACTS, modality=None):
    """A picture of 40 x 40: sky above, road below; paint down its middle, a building of one colour in the sky."""
    labels = np.full((40, 40), class_number("sky"), np.uint8)
    pixels = np.full((40, 40, 3), (150, 190, 230), np.uint8)
    rows = slice(40 - round(40 * road), 40)
    labels[rows], pixels[rows] = class_number("road"), (92, 92, 95)
    if paint:
        pixels[rows, 19:21] = paint
    if built:
        labels[:10], pixels[:10] = class_number("building"), built
    return Shown(view, modality or view, country, None, tuple(seen), labels, pixels, scene)


def test_an_empty_street_shows_nothing():
    assert features_shown(view()) == frozenset()


@pytest.mark.parametrize(
    ("kind", "feature"),
    [("palm", "palms"), ("tower", "tower"), ("skyscraper", "high_rise"), ("sculpture", "monument"),
     ("pole", "utility_poles"), ("streetlight", "street_lamps"),
     ("traffic light", "traffic_lights"), ("signboard", "signs")],
)  # fmt: skip
def test_things_are_named_when_they_are_large_enough(kind, feature):
    assert features_shown(view("ground", Seen(kind, 0.05, BOX))) == {feature}
    assert features_shown(view("ground", Seen(kind, 0.0005, BOX))) == frozenset()


def test_paint_is_named_by_its_colour_and_yellow_by_the_style():
    assert features_shown(view(paint=YELLOW)) == {"yellow_line"}
    assert features_shown(view(paint=YELLOW, country="DE")) == frozenset()  # whose lines are white: what is it?
    assert features_shown(view(paint=(222, 222, 216))) == {"white_markings"}
    assert features_shown(view(paint=YELLOW, modality="night ground")) == frozenset()


def test_the_edge_of_the_road_and_the_sun_on_it_are_no_paint():
    shown = view()
    shown.pixels[20] = (170, 170, 170)  # blended with the pavement
    assert features_shown(shown) == frozenset()
    shown.pixels[21:36] = (46, 46, 48)  # in the shade, so that the rest is brighter by half
    assert features_shown(shown) == frozenset()


def test_walls_need_the_structures_and_the_pixels():
    red = {**FACTS, "walls": {"red": 0.9}}
    assert features_shown(view(built=BRICK, scene=red)) == {"walls_red"}
    assert features_shown(view(built=(40, 50, 90), scene=red)) == frozenset()  # of the red house a blue shop front
    assert features_shown(view(built=BRICK, scene={})) == {"walls_red"}  # a world of before
    assert features_shown(view("drone", built=BRICK, scene={})) == frozenset()  # roofs and walls are not told apart


def test_roofs_are_seen_from_above_only():
    scene = {**FACTS, "roofs": {"red": 0.6, "grey": 0.4}, "walls": {"pale": 1.0}}
    shown = view("satellite", built=TILE, scene=scene)
    assert features_shown(shown) == {"roofs_red"}
    assert "walls_pale" not in judged_in(shown)
    assert "roofs_red" not in judged_in(view())


def test_scripts_are_those_of_the_readable_text():
    thai = Seen("signboard", 0.01, BOX, "ร้านอาหาร", "th")
    assert features_shown(view("ground", thai)) == {"signs", "script_thai"}
    assert "script_latin" in features_shown(view("ground", Seen("signboard", 0.01, BOX, "Café", "fr")))


def test_facts_need_the_road_to_be_seen():
    scene = {**FACTS, "junction": True, "wide_road": True, "car_park": True, "traffic": "left"}
    assert features_shown(view(scene=scene)) == {"junction", "wide_road", "car_park", "traffic_left"}
    assert features_shown(view(scene=scene, road=0.02)) == {"traffic_left"}


def test_trees_stand_at_a_street_seen_from_above():
    near = [Seen("tree", 0.01, (0.1 * n, 0.45, 0.1 * n + 0.1, 0.55)) for n in range(3)]
    far = [Seen("tree", 0.01, (0.1 * n, 0.0, 0.1 * n + 0.1, 0.1)) for n in range(3)]
    assert "trees" in features_shown(view("satellite", *near))
    assert "trees" not in features_shown(view("satellite", *far))


def test_colours_have_the_names_that_the_styles_give_them():
    colours = {"red": (BRICK, TILE), "sand": (OCHRE, CREAM), "grey": (GREY, SLATE), "pale": (WHITE,), "green": (MINT,)}
    for name, some in colours.items():
        assert list(colour_names(np.array(some, np.uint8))) == [name] * len(some)
    assert weighted_shares([(BRICK, 3.0), (WHITE, 1.0)]) == {"red": 0.75, "pale": 0.25}
    assert weighted_shares([]) == {}
    pixels = np.array([[BRICK, (20, 10, 5)]], np.uint8)  # the second is too dark to have a colour
    assert pixel_shares(pixels, np.ones((1, 2), bool)) == {"red": 1.0}


def star(width_m=8.0):
    """Three streets from the middle, and one apart."""
    ends = ((20.0, 39.0), (1.0, 20.0), (39.0, 20.0))
    return (*(Street((20.0, 20.0), end, width_m, "a") for end in ends), Street((1.0, 1.0), (5.0, 1.0), 14.0, "b"))


def no_view():
    return Rendered(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8), ())


def test_a_junction_is_where_three_streets_meet_in_view_and_in_sight(one_house):
    facts = {"view": "ground", "x_m": 20.0, "y_m": 5.0, "extent_m": None}
    empty = one_house(streets=star(), owner=np.full((80, 80), -1, np.int32))
    assert junctions(empty) == ((20.0, 20.0),)
    assert scene_facts(empty, no_view(), heading_deg=0.0, **facts)["junction"]
    assert not scene_facts(empty, no_view(), heading_deg=180.0, **facts)["junction"]
    behind = one_house(streets=star())  # the house stands on it
    assert not scene_facts(behind, no_view(), heading_deg=0.0, **facts)["junction"]
    above = {"view": "satellite", "x_m": 20.0, "heading_deg": None, "extent_m": 10.0}
    assert scene_facts(behind, no_view(), y_m=17.0, **above)["junction"]
    assert not scene_facts(behind, no_view(), y_m=5.0, **above)["junction"]


def test_a_wide_road_is_that_of_the_camera_or_crosses_the_tile(one_house):
    town = one_house(streets=star(14.0))
    on = {"view": "ground", "heading_deg": 0.0, "extent_m": None}
    assert scene_facts(town, no_view(), x_m=24.0, y_m=30.0, **on)["wide_road"]
    assert not scene_facts(town, no_view(), x_m=30.0, y_m=30.0, **on)["wide_road"]
    tile = {"view": "satellite", "heading_deg": None, "extent_m": 16.0}
    assert scene_facts(town, no_view(), x_m=20.0, y_m=30.0, **tile)["wide_road"]
    assert not scene_facts(town, no_view(), x_m=20.0, y_m=9.0, **tile)["wide_road"]


def cars(count, passing=False, y_m=30.0):
    return tuple(
        TownObject("car", 5.0 + 2.6 * n, y_m, 0.0, 1.8, 1.5, 0.0, (9, 9, 9), passing=passing) for n in range(count)
    )


def of_all(objects, share=0.01):
    return Rendered(
        no_view().pixels, no_view().labels, tuple(Seen("car", share, BOX, object=n) for n in range(len(objects)))
    )


def test_a_car_park_is_a_group_of_parked_cars_beside_the_streets(one_house):
    where = {"view": "drone", "x_m": 20.0, "y_m": 20.0, "heading_deg": 0.0, "extent_m": None}

    def found(objects, streets=()):
        return scene_facts(one_house(objects=objects, streets=streets), of_all(objects), **where)["car_park"]

    assert found(cars(7))
    assert not found(cars(5))
    assert not found(cars(7, passing=True))
    assert not found(cars(7), (Street((0.0, 30.0), (40.0, 30.0), 8.0, "a"),))  # at its kerb


def test_the_side_of_traffic_is_told_by_what_moves_and_is_large(one_house):
    where = {"view": "ground", "x_m": 20.0, "y_m": 5.0, "heading_deg": 0.0, "extent_m": None}
    moving, parked = cars(1, passing=True), cars(1)
    assert scene_facts(one_house(objects=moving), of_all(moving), **where)["traffic"] == "right"  # Germany
    assert scene_facts(one_house(objects=moving), of_all(moving, 0.001), **where)["traffic"] is None
    assert scene_facts(one_house(objects=parked), of_all(parked), **where)["traffic"] is None


def test_pictures_on_disk_are_read_with_and_without_their_root(towns_for_words):
    root = towns_for_words / "cvusa"
    pictures = [
        root / json.loads(p.read_text(encoding="utf-8"))["file"] for p in sorted(root.glob("objects/**/*.json"))
    ]
    found = [features_of(picture) for picture in pictures]
    assert [features_of(picture, root) for picture in pictures] == found
    assert all(one <= set(BY_ID) for one in found)
    assert sum(bool(one) for one in found) > len(found) / 2


def test_a_world_of_before_the_facts_still_reads(towns_for_words, tmp_path):
    root = towns_for_words / "cvusa"
    listing = sorted(root.glob("objects/bingmap/**/*.json"))[0]
    said = json.loads(listing.read_text(encoding="utf-8"))
    file = said["file"]
    del said["scene"]
    old = tmp_path / "objects" / listing.relative_to(root / "objects")
    old.parent.mkdir(parents=True)
    old.write_text(json.dumps(said), encoding="utf-8")
    for path in (root / file, (root / "labels" / file).with_suffix(".png")):
        to = tmp_path / path.relative_to(root)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)
    facts = {"junction", "wide_road", "car_park", "traffic_left", "traffic_right"}
    assert features_of(tmp_path / file) - _colours() == features_of(root / file) - facts - _colours()


def _colours():
    return {one for one in BY_ID if one.startswith("roofs_")}


def test_other_pictures_are_refused(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="a picture of towns with its mask") as error:
        features_of(tmp_path / "a.png")
    assert "--no-labels" in str(error.value)
