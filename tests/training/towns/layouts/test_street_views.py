"""The layout of street views: split, manifest, reasons. Everything in it is synthetic."""

import csv
import json

import numpy as np
import pytest

from geosleuth.indexes.geodesy import distance_km
from geosleuth.training.georeasoner.reasoned import read_reasoned
from geosleuth.training.georeasoner.street_views import read_street_views
from geosleuth.training.towns.language.of_view import features_of
from geosleuth.training.towns.language.phrases import named_features, sentence
from geosleuth.training.towns.layouts import street_views as layout
from geosleuth.training.towns.layouts.street_views import KINDS, SPLITS, city_of, split_of
from geosleuth.training.towns.making.position import style_of_seed
from geosleuth.training.towns.places import Place
from geosleuth.training.towns.town import NOTHING
from geosleuth.training.towns.world import World
from geosleuth.training.towns.write import write_towns


@pytest.fixture
def root(towns_for_words):
    return towns_for_words / "street_views"


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_our_reader_reads_every_view_with_country_city_and_heading(root):
    read = read_street_views(root)
    rows = rows_of(root / "street_views.csv")
    assert not read.skipped
    assert not read.notes  # no country was filled in or set aside: those written are those at the coordinates
    assert [view.path.relative_to(root).as_posix() for view in read.views] == [row["file"] for row in rows]
    assert all(view.country and view.city for view in read.views)
    assert all(0 <= view.heading_deg < 360 for view in read.views)


def test_the_tables_of_the_splits_are_the_whole_and_share_no_country_or_town(root):
    rows = rows_of(root / "street_views.csv")
    parts = {split: rows_of(root / f"{split}.csv") for split in SPLITS}
    assert sorted(row["file"] for part in parts.values() for row in part) == sorted(row["file"] for row in rows)
    assert parts["train"]
    assert parts["held_out_country"]
    seen = {row["country"] for row in parts["train"]}
    assert not seen & {row["country"] for row in parts["held_out_country"]}
    assert all(row["split"] == split for split, part in parts.items() for row in part)


def test_held_out_towns_have_a_country_that_is_trained_on_and_are_not_trained_on():
    world = World(layouts=("street_views",), towns=64, places=1)
    splits = [split_of(index, world) for index in range(64)]
    countries = [style_of_seed(world.town_seed(index)).country for index in range(64)]
    by = {split: {c for c, s in zip(countries, splits, strict=True) if s == split} for split in SPLITS}
    assert by["held_out_town"] <= by["train"]
    assert not by["held_out_country"] & by["train"]
    # 32 // 6 countries of two towns each; a sixth of the 54 other towns
    assert [splits.count(split) for split in SPLITS] == [45, 9, 10]


def test_a_world_of_one_town_is_for_training_and_a_missing_split_is_told_of(tmp_path):
    report = write_towns(
        tmp_path / "one", layouts=["street_views"], towns=1, places=1, side_m=150.0, street_px=(16, 16), processes=1
    )
    assert report.gaps == tuple(
        f"wanted 1 towns of 1 places for street_views, found no query for its split {split}" for split in SPLITS[1:]
    )


def test_reasons_are_sentences_of_what_the_view_shows(root):
    lines = [json.loads(line) for line in (root / "reasoned.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) >= 5
    for line in lines:
        shown = features_of(root / line["image"])
        said = [named_features(reason) for reason in line["reasons"]]
        assert all(len(one) == 1 for one in said)
        # JPEG moves colours a little, so that what is right at a bound may fall on its other side
        assert sum(one <= shown for one in said) >= len(said) - 1
        assert len(said) <= layout.MOST_REASONS
    train = {row["file"] for row in rows_of(root / "train.csv")}
    assert {line["image"] for line in lines} <= train
    assert not read_reasoned(root / "reasoned.jsonl").skipped


def test_the_side_of_the_road_and_the_line_are_those_of_the_country(root):
    from geosleuth.indexes.countries import driving_side

    for path in root.glob("reasoned*.jsonl"):
        for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            other = "left" if driving_side(line["country"]) == "right" else "right"
            assert sentence(f"traffic_{other}") not in line["reasons"]


def test_the_kinds_of_photos_are_all_there_and_their_shares_are_one(towns_for_words):
    assert sum(kind.share for kind in KINDS) == pytest.approx(1.0)
    rows = rows_of(towns_for_words / "street_views" / "street_views.csv")
    assert {row["kind"] for row in rows} <= {kind.name for kind in KINDS}
    assert len({row["kind"] for row in rows}) >= 4


def test_a_close_photo_faces_the_nearest_wall_from_a_step_away(one_house):
    town = one_house()  # its house is at x, y from 15 to 25 m
    moved = layout._before_nearest(town, Place(20.0, 5.0))
    assert abs((moved.heading_deg + 180.0) % 360.0 - 180.0) < 3.0
    assert moved.y_m == pytest.approx(15.0 - 1.5, abs=0.5)
    empty = one_house(owner=np.full(town.owner.shape, NOTHING, np.int32))
    assert layout._before_nearest(empty, Place(20.0, 5.0)) == Place(20.0, 5.0)


def test_the_city_is_the_nearest_of_the_country(one_house):
    from geosleuth.indexes.gazetteer import load_gazetteer

    town = one_house()  # at 50 N, 8 E, in Germany
    gazetteer = load_gazetteer()
    name = city_of(town)
    at = town.position(20.0, 20.0)
    found = [match.place for match in gazetteer.lookup(name) if match.place.country == "DE"]
    away_km = min(float(distance_km(at.lat, at.lon, one.lat, one.lon)) for one in found)
    here = np.flatnonzero((gazetteer.country == gazetteer.country_codes.index("DE")) & (gazetteer.population >= 5000))
    every = distance_km(at.lat, at.lon, np.asarray(gazetteer.lat[here]), np.asarray(gazetteer.lon[here]))
    assert away_km == pytest.approx(float(np.min(every)), abs=0.05)


def test_the_readme_says_that_all_is_invented(root):
    text = (root / "README.txt").read_text(encoding="utf-8")
    assert text.startswith("Synthetic: invented towns")
    assert "no picture shows that city" in text
