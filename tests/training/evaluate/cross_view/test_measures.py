import json
import logging

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import NO_PLACE, CrossViewSet, Modality, Pictures
from geosleuth.training.evaluate.cross_view.chance import chance_curve, interval_over_places
from geosleuth.training.evaluate.cross_view.evaluate import evaluate_vectors, some_queries
from geosleuth.training.evaluate.cross_view.measures import Measures

PANORAMA, DRONE, TILE = Modality("panorama", "panorama"), Modality("drone", "drone"), Modality("tile", "satellite")


def pictures(modalities, modality, places):
    return Pictures(
        paths=[f"{modalities[m].name}/{i}.jpg" for i, m in enumerate(modality)],
        modalities=modalities,
        modality=np.array(modality, dtype=np.int16),
        places=np.array(places, dtype=np.int64),
        positions=np.full((len(places), 2), np.nan),
    )


def split(query_places, reference_places, modality=None, semi=None):
    modality = [0] * len(query_places) if modality is None else modality
    queries = pictures((PANORAMA, DRONE), modality, query_places)
    references = pictures((TILE,), [0] * len(reference_places), reference_places)
    return CrossViewSet("invented", "test", queries, references, None if semi is None else np.array(semi))


def unit(degrees):
    angles = np.radians(np.array(degrees, dtype=np.float64))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


# Tiles at 0, 20, ... 180 degrees, of places 0 to 9; the nearer the angle, the more similar.
TILES = unit(range(0, 200, 20))


def test_recall_of_a_known_ranking():
    # 0 sees its tile first; 1 too; 2 stands at 21 degrees: 20, 40 degrees; 9 at 1 degree is last of ten.
    data = split([0, 1, 2, 9], range(10))
    found = evaluate_vectors(data, unit([1, 22, 21, 1]), TILES)
    all_ = found.overall
    assert all_.recall == {1: 0.5, 3: 0.75, 5: 0.75, 10: 1.0}
    assert all_.curve[:10] == (0.5, *[0.75] * 8, 1.0)
    assert len(all_.curve) == len(all_.chance_curve) == 100
    assert all_.curve[10:] == (1.0,) * 90
    assert all_.chance == {1: pytest.approx(0.1), 3: pytest.approx(0.3), 5: pytest.approx(0.5), 10: pytest.approx(1.0)}
    assert (all_.recall_1_percent, all_.one_percent) == (0.5, 1)
    # Ranks 0, 0, 1, 9: AP 1, 1, 1/4, 1/20.
    assert all_.average_precision == pytest.approx((1 + 1 + 1 / 4 + 1 / 20) / 4)
    assert all_.hit_rate is None
    assert found.references == 10
    assert (found.junk, found.unreadable_references) == (0, 0)
    assert [one.modality for one in found.modalities] == ["panorama"]
    assert found.modalities[0].recall == all_.recall


def test_one_percent_is_a_hundredth_rounded_down():
    angles = np.linspace(0, 180, 299)
    query = unit([angles[1] * 0.6])  # tile 1 first, tile 0 second
    found = evaluate_vectors(split([0], range(299)), query, unit(angles)).overall
    assert (found.recall[1], found.one_percent, found.recall_1_percent) == (0.0, 2, 1.0)


def test_each_modality_has_its_figures():
    data = split([0, 1, 2, 3], range(10), modality=[0, 1, 1, 0], semi=[[1, -1], [0, 2], [-1, -1], [4, -1]])
    found = evaluate_vectors(data, unit([1, 22, 61, 79]), TILES)
    by_name = {one.modality: one for one in (found.overall, *found.modalities)}
    assert {name: one.recall[1] for name, one in by_name.items()} == {"all": 0.5, "panorama": 0.5, "drone": 0.5}
    assert {name: one.recall[3] for name, one in by_name.items()} == {"all": 1.0, "panorama": 1.0, "drone": 1.0}
    assert {name: one.hit_rate for name, one in by_name.items()} == {"all": 0.75, "panorama": 1.0, "drone": 0.5}
    assert Measures.model_validate_json(found.to_json()) == found
    assert json.loads(found.to_json())["overall"]["recall"]["10"] == 1.0


def test_what_cannot_be_read_is_counted_and_not_found():
    # Query 1 cannot be read; tile 2, the only one of its place, neither; its vector is not even looked at.
    tiles = TILES.copy()
    tiles[2] = np.nan
    valid = np.arange(10) != 2
    queries = np.concatenate([unit([1, 20, 40]), np.zeros((1, 2), np.float32)])
    found = evaluate_vectors(
        split([0, 1, 2, 3], [*range(8), NO_PLACE, NO_PLACE]), queries, tiles, np.array([True, True, True, False]), valid
    )
    assert found.overall.recall[10] == 0.5
    assert (found.overall.unreadable, found.overall.without_reference) == (1, 1)
    assert (found.references, found.junk, found.unreadable_references) == (7, 2, 1)
    # The query whose tile is gone cannot be right by chance either, nor that without a picture.
    assert found.overall.chance[1] == pytest.approx(2 / 7 / 4)


def test_one_vector_for_everything_is_told(caplog):
    with caplog.at_level(logging.WARNING):
        found = evaluate_vectors(split([0, 1], range(10)), unit([5, 5]), unit([5] * 10)).overall
    assert (found.recall[1], found.tied, found.recall_1_ties_wrong) == (1.0, 2, 0.0)
    assert "2 of 2 queries tie at the first place" in caplog.text
    assert "recall@1 is 100.0 %, and 0.0 % if ties count as errors" in caplog.text


def test_errors_name_what_is_wrong():
    with pytest.raises(InputError, match="queries in invented test; found none"):
        evaluate_vectors(split([], range(10)), np.empty((0, 2), np.float32), TILES)
    with pytest.raises(InputError, match=r"query embeddings of length 1; found 1 of 2 of another length, 3 in row 1"):
        evaluate_vectors(split([0, 1], range(10)), unit([0, 0]) * [[1], [3]], TILES)
    with pytest.raises(InputError, match="NaN or infinity in 1 of 1 query"):
        evaluate_vectors(split([0], range(10)), np.full((1, 2), np.nan, np.float32), TILES)


def test_chance_is_drawing_without_putting_back():
    # 1 true of 4: k / 4. 2 true of 4: k = 1: 1/2; k = 2: 1 - 1/6; then certain. None: never.
    assert chance_curve(np.array([1]), 4, 6) == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1])
    assert chance_curve(np.array([2]), 4, 6) == pytest.approx([0.5, 5 / 6, 1, 1, 1, 1])
    assert chance_curve(np.array([0]), 4, 6) == pytest.approx([0] * 6)
    assert chance_curve(np.array([0, 1, 2, 2]), 4, 3) == pytest.approx([1.25 / 4, (0.5 + 5 / 3) / 4, 2.75 / 4])
    assert chance_curve(np.array([54]), 37_854, 1) == pytest.approx(
        [54 / 37_854]
    )  # University-1652, satellite to drone


def test_pictures_of_one_place_are_one_witness():
    # 100 places, half of them right. Alone: a normal interval of 1.96 * sqrt(.25 / 100) = 0.098 to either side.
    values = np.arange(100) % 2
    low, high = interval_over_places(values, np.arange(100))
    assert (low, high) == pytest.approx((0.402, 0.598), abs=0.02)
    # Fifty pictures of each place, all alike, say no more; taken as 5,000 witnesses they would give 0.014.
    many = interval_over_places(np.repeat(values, 50), np.repeat(np.arange(100), 50))
    assert many == pytest.approx((low, high), abs=0.02)
    alone = interval_over_places(np.repeat(values, 50), np.arange(5000))
    assert alone == pytest.approx((0.486, 0.514), abs=0.004)
    assert interval_over_places([1.0, 1.0], [1, 2]) == (1.0, 1.0)
    assert np.isnan(interval_over_places([], [])).all()


def test_a_draw_of_queries_keeps_the_gallery():
    data = split(list(range(10)), range(10), modality=[0, 1] * 5, semi=[[i, -1] for i in range(10)])
    some = some_queries(data, 4)
    assert len(some.queries) == 4
    assert some.references is data.references
    assert some.queries.places.tolist() == some.semi_positives[:, 0].tolist()
    assert [some.queries.paths[i] for i in range(4)] == [data.queries.paths[p] for p in some.queries.places]
    assert some_queries(data, 4).queries.paths == some.queries.paths  # the same draw
    assert some_queries(data, 10) is data
