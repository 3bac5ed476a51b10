import csv

import pytest

from geosleuth.indexes.geodesy import LatLon
from geosleuth.training.datasets.open import open_set
from geosleuth.training.towns.layouts import cvusa as layout_cvusa
from geosleuth.training.towns.layouts.centred import held_out
from geosleuth.training.towns.layouts.cvact import utm
from geosleuth.training.towns.layouts.manifest import LAYOUTS
from geosleuth.training.towns.layouts.university import plan as university
from geosleuth.training.towns.making.build import build_town
from geosleuth.training.towns.places import cells
from geosleuth.training.towns.world import World


def world(towns: int, **settings) -> World:
    return World(layouts=("map",), towns=towns, places=5, side_m=180.0, **settings)


def test_the_last_fifth_of_the_towns_is_for_tests():
    assert [held_out(index, 0, world(10)) for index in range(10)] == [False] * 8 + [True] * 2
    assert [held_out(index, 0, world(2)) for index in range(2)] == [False, True]
    assert [held_out(0, number, world(1)) for number in range(10)] == ([False] * 4 + [True]) * 2


def test_utm_is_that_of_the_place_s_own_zone():
    # On the central meridian of zone 31 the easting is 500 km; 1 degree of the ellipse there is 110.576 km x 0.9996.
    assert utm(LatLon(0.0, 3.0)) == pytest.approx((500_000.0, 0.0, 31), abs=0.01)
    assert utm(LatLon(1.0, 3.0))[1] == pytest.approx(110_530, abs=5)
    assert utm(LatLon(-35.28, 149.13))[2] == -55  # Canberra


def test_cvusa_s_positions_stand_in_the_line_of_their_number(tmp_path):
    layout_cvusa.LAYOUT.finish(tmp_path, {"locations": ["0 1.5,2.5,1.5,2.5", "3 4.5,5.5,4.5,5.5"]})
    lines = (tmp_path / "split_locations" / "all.csv").read_text().splitlines()
    assert lines == ["1.5,2.5,1.5,2.5", ",,,", ",,,", "4.5,5.5,4.5,5.5"]
    (tmp_path / "splits").mkdir()
    for folder in ("bingmap/19", "streetview/panos"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "0000004.jpg").touch()
    (tmp_path / "splits" / "val-19zl.csv").write_text("bingmap/19/0000004.jpg,streetview/panos/0000004.jpg,none.png\n")
    assert open_set("cvusa", tmp_path, "val").queries.positions.tolist() == [[4.5, 5.5]]


def test_every_fourth_building_of_the_tests_has_no_query():
    town = build_town(1, side_m=300.0)
    shots = list(university(town, 1, world(2, drone_views=3, street_views=1)).shots)
    satellites = {shot.about.place: shot.about for shot in shots if shot.view == "satellite"}
    assert list(satellites) == ["0005", "0006", "0007", "0008", "0009"]  # 5 places a town: town 1 begins at 5
    assert [bool(about.copies) for about in satellites.values()] == [True, True, True, False, True]
    assert satellites["0005"].file == "test/gallery_satellite/0005/0005.jpg"
    assert satellites["0005"].copies == ("test/query_satellite/0005/0005.jpg",)
    drones = [shot.about.file for shot in shots if shot.view == "drone" and shot.about.place == "0005"]
    assert drones == [f"test/gallery_drone/0005/image-{view:02d}.jpeg" for view in (1, 2, 3)]
    trained = next(iter(university(build_town(0, side_m=300.0), 0, world(2)).shots))
    assert trained.about.file == "train/satellite/0000/0000.jpg"


def test_half_of_the_distractors_and_half_of_the_others_are_drawn_with_text():
    town = build_town(1, side_m=300.0)
    settings = World(layouts=("map",), towns=2, places=16, side_m=300.0, drone_views=1, street_views=1)
    street = [shot for shot in university(town, 1, settings).shots if shot.view == "ground"]
    assert len(street) == 16
    for distractor in (True, False):
        own = [shot.with_text for shot in street if (shot.about.split == "distractor") == distractor]
        assert sum(own) == len(own) / 2


@pytest.mark.parametrize(("name", "view"), [("setvl", "ground"), ("night", "ground"), ("infrared", "drone")])
def test_queries_of_a_cell_lie_on_it(name, view):
    town = build_town(3, side_m=180.0)
    layout = next(one for one in LAYOUTS if one.name == name)
    planned = layout.plan(town, 0, world(1))
    shots = list(planned.shots)
    by_id = {f"0-19-{cell.tile.x}-{cell.tile.y}": cell for cell in cells(town, 19)}
    queries = [shot for shot in shots if shot.role == "query"]
    assert queries
    assert {shot.view for shot in queries} == {view}
    for shot in shots:
        cell = by_id[shot.about.place]
        assert abs(shot.x_m - cell.x_m) <= cell.side_m / 2
        assert abs(shot.y_m - cell.y_m) <= cell.side_m / 2
    for row in csv.DictReader([layout.headers["manifest.csv"], *planned.lists["manifest.csv"]]):
        ids = [shot.about.file for shot in queries if shot.about.place == row["cell_id"]]
        assert [f"query/{one}.jpg" for one in row["query_ids"].split(" ")] == ids
        assert float(row["lat"]) == pytest.approx(by_id[row["cell_id"]].tile.middle.lat, abs=1e-6)
