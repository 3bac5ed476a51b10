"""Neighbours on the sphere and among embeddings."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_c import neighbours
from geosleuth.training.gleam_c.neighbours import embedding_neighbours, gps_neighbours


def haversine_km(a, b):
    lat_a, lon_a, lat_b, lon_b = np.radians([*a, *b])
    half = np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    return 2 * 6371.0 * np.arcsin(np.sqrt(half))


def test_at_sixty_north_a_degree_of_longitude_is_half_as_long():
    # 1.5 degrees east is 0.75 degrees of arc; 1 degree north is 1. On degrees taken as a plane, and by haversine of
    # degrees that were not turned into radians (0.42 against 0.23), the north would be nearer.
    positions = np.array([[60.0, 0.0], [61.0, 0.0], [60.0, 1.5]])
    assert gps_neighbours(positions, 2)[0].tolist() == [2, 1]
    degrees = [np.sin((p[0] - 60) / 2) ** 2 + np.cos(60) * np.cos(p[0]) * np.sin(p[1] / 2) ** 2 for p in positions[1:]]
    assert degrees[0] < degrees[1]  # what the forgotten conversion gives


def test_the_date_line_and_the_pole_are_no_borders():
    line = np.array([[0.0, 179.9], [0.0, 179.4], [0.0, -179.8]])  # 0.5 and 0.3 degrees away
    assert gps_neighbours(line, 2)[0].tolist() == [2, 1]
    pole = np.array([[89.9, 0.0], [89.5, 0.0], [89.9, 180.0]])  # 0.4 degrees along the meridian, 0.2 over the pole
    assert gps_neighbours(pole, 2)[0].tolist() == [2, 1]


def test_metres_apart_are_told_apart():
    near = np.array([[48.0, 2.0], [48.000009, 2.0], [48.0000045, 2.0], [48.000027, 2.0]])  # 1, 0.5 and 3 m north
    assert gps_neighbours(near, 3)[0].tolist() == [2, 1, 3]


def test_places_at_one_position_are_neighbours_and_none_is_its_own():
    positions = np.array([[10.0, 20.0]] * 6 + [[11.0, 20.0]])
    found = gps_neighbours(positions, 3)
    for place in range(6):
        others = found[place].tolist()
        assert place not in others
        assert len(set(others)) == 3
        assert set(others) <= set(range(6))


def test_places_without_position_have_none_and_are_nobodys():
    nan = np.nan
    positions = np.array([[nan, nan], [1.0, 1.0], [nan, 3.0], [1.0, 1.2]])
    assert gps_neighbours(positions, 3).tolist() == [[-1] * 3, [3, -1, -1], [-1] * 3, [1, -1, -1]]
    assert gps_neighbours(positions, 3).dtype == np.int32
    assert gps_neighbours(positions[:2], 2).tolist() == [[-1, -1], [-1, -1]]
    assert gps_neighbours(positions[:0], 2).shape == (0, 2)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 12), places=st.integers(2, 10))
def test_they_are_the_nearest_by_haversine(seed, count, places):
    rng = np.random.default_rng(seed)
    positions = np.column_stack((rng.uniform(-90, 90, places), rng.uniform(-180, 180, places)))
    for own, row in enumerate(gps_neighbours(positions, count)):
        distances = {other: haversine_km(positions[own], positions[other]) for other in range(places) if other != own}
        expected = sorted(distances, key=distances.__getitem__)[:count]
        assert row.tolist() == expected + [-1] * (count - len(expected))


def test_many_are_searched_in_parts(monkeypatch):
    positions = np.random.default_rng(1).uniform(-60, 60, (50, 2))
    whole = gps_neighbours(positions, 5)
    monkeypatch.setattr(neighbours, "_POSITIONS", 7)
    assert np.array_equal(gps_neighbours(positions, 5), whole)


def test_a_missing_scipy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.spatial", None)
    with pytest.raises(InputError, match=r"package scipy.*geosleuth\[train\]"):
        gps_neighbours(np.array([[0.0, 0.0], [1.0, 1.0]]), 1)


def unit(rng, rows, width):
    x = rng.standard_normal((rows, width)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.fixture(params=["faiss", "torch"])
def search(request, monkeypatch):
    if request.param == "faiss":
        pytest.importorskip("faiss")
    monkeypatch.setattr(neighbours, "has_faiss", lambda: request.param == "faiss")


@pytest.mark.parametrize("chunk", [1, 7, 1000])
@pytest.mark.usefixtures("search")
def test_the_most_similar_references_but_the_own(chunk):
    rng = np.random.default_rng(2)
    references = unit(rng, 30, 8)
    own = rng.integers(0, 30, 40)
    queries = references[own] + 0.3 * unit(rng, 40, 8)  # most look most like their own
    found = embedding_neighbours(queries, references, own, 6, chunk=chunk)
    similar = queries @ references.T
    similar[np.arange(40), own] = -np.inf
    assert found.dtype == np.int32
    assert np.array_equal(found, np.argsort(-similar, axis=1)[:, :6])


@pytest.mark.usefixtures("search")
def test_an_own_reference_far_down_the_list_is_not_missed():
    references = np.eye(4, dtype=np.float32)
    queries = np.array([[0.1, 0.4, 0.3, 0.2]], np.float32)
    assert embedding_neighbours(queries, references, np.array([0]), 2).tolist() == [[1, 2]]
    assert embedding_neighbours(queries, references, np.array([2]), 2).tolist() == [[1, 3]]


@pytest.mark.usefixtures("search")
def test_fewer_references_than_neighbours_are_filled_up():
    references = np.eye(3, dtype=np.float32)
    queries = np.array([[0.1, 0.5, 0.4]], np.float32)
    assert embedding_neighbours(queries, references, np.array([1]), 4).tolist() == [[2, 0, -1, -1]]
    assert embedding_neighbours(queries, references[:1], np.array([0]), 2).tolist() == [[-1, -1]]


@pytest.mark.usefixtures("search")
def test_memory_maps_will_do(tmp_path):
    rng = np.random.default_rng(3)
    references, queries = unit(rng, 20, 8), unit(rng, 25, 8)
    own = np.arange(25) % 20
    paths = []
    for name, rows in (("q", queries), ("r", references)):
        np.save(tmp_path / f"{name}.npy", rows)
        paths.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    found = embedding_neighbours(*paths, own, 5, chunk=4)
    assert np.array_equal(found, embedding_neighbours(queries, references, own, 5))


@pytest.mark.usefixtures("search")
def test_references_that_are_not_valid_are_nobodys_neighbours():
    references = np.eye(4, dtype=np.float32)
    queries = np.array([[0.1, 0.4, 0.3, 0.2], [0.9, 0.2, 0.3, 0.1]], np.float32)
    valid = np.array([True, False, True, True])
    found = embedding_neighbours(queries, references, np.array([0, 2]), 3, valid=valid)
    assert found.tolist() == [[2, 3, -1], [0, 3, -1]]  # 1 would be the first, and the second but the own
    of_black = embedding_neighbours(queries[:1], references, np.array([1]), 2, valid=valid)  # its own is not valid
    assert of_black.tolist() == [[2, 3]]
    none = embedding_neighbours(queries, references, np.array([0, 2]), 3, valid=np.zeros(4, bool))
    assert (none == -1).all()
