from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery import approximate, local
from geosleuth.indexes.gallery.exact import nearest
from geosleuth.indexes.gallery.gallery import Gallery
from geosleuth.indexes.gallery.index_type import Limits, choose_type, list_count, product_parts
from geosleuth.indexes.gallery.local import LocalGallery
from geosleuth.indexes.gallery.manifest import EncoderFacts, SourceFacts
from geosleuth.indexes.gallery.reference import Reference, View
from geosleuth.indexes.gallery.selection import Places, Selector, count_of, rows_in, rows_of, runs_of
from geosleuth.indexes.gallery.store import Staged, open_index, write_index

D = 32
BYTE_CODES = Limits(exact_rows=500)
PRODUCT_CODES = Limits(exact_rows=500, memory_bytes=0)


class Box:
    """An area of a box and some countries; counts how many points it was asked for."""

    def __init__(self, west: float, south: float, east: float, north: float, *countries: str) -> None:
        self.countries = countries
        self.geometry = shapely.box(west, south, east, north)
        self.asked = 0

    def contains(self, lats: ArrayLike, lons: ArrayLike) -> NDArray[np.bool_]:
        lats, lons = np.atleast_1d(lats), np.atleast_1d(lons)
        self.asked += len(lats)
        return np.asarray(shapely.intersects_xy(self.geometry, lons, lats))


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), dtype=np.float32)


def crowd(n: int, seed: int = 0) -> NDArray[np.float32]:
    """Ten vectors around each of n / 10 centres, 0.5 apart."""
    rng = np.random.default_rng(seed)
    return unit(np.repeat(rng.standard_normal((n // 10, D)), 10, axis=0) + 0.35 * rng.standard_normal((n, D)))


def make(folder: Path, n: int = 3000, limits: Limits | None = None) -> LocalGallery:
    """A gallery along the equator: reference i at longitude 0.01 i, countries DE and FR by turns of a hundred."""
    views: tuple[View, View] = ("ground", "satellite")
    rows = [
        Reference(f"{i:016x}", f"{i}.jpg", 0, 0.0, 0.01 * i, views[i % 2], ("DE", "FR", None)[i // 100 % 3])
        for i in range(n)
    ]
    write_index(
        folder,
        [Staged(rows, crowd(n))],
        encoder=EncoderFacts(spec="embedded", weights_sha256="00", dimension=D),
        sources=[SourceFacts(kind="folder", root=str(folder.parent / "photos"))],
        limits=limits,
    )
    return open_index(folder, limits)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> LocalGallery:
    return make(tmp_path_factory.mktemp("flat") / "index")


@pytest.fixture(scope="module", params=[BYTE_CODES, PRODUCT_CODES], ids=["bytes", "codes"])
def large(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LocalGallery:
    return make(tmp_path_factory.mktemp("large") / "index", limits=request.param)


def numbers(gallery: LocalGallery) -> NDArray[np.int64]:
    """Number of the reference in each row."""
    return np.array([int(one, 16) for one in gallery.columns("id").column("id").to_pylist()])


# --- exact search over runs


@pytest.mark.parametrize(
    "runs",
    [[[0, 40_000]], [[5, 6], [9, 11], [100, 30_000], [30_001, 30_040]], [[i, i + 1] for i in range(0, 40_000, 3)]],
    ids=["all", "mixed", "scattered"],
)
@pytest.mark.parametrize("queries", [1, 3, 300])
def test_exact_search_is_a_sort_of_all_similarities(runs: list[list[int]], queries: int) -> None:
    rng = np.random.default_rng(1)
    vectors, asked = unit(rng.standard_normal((40_000, 8))), unit(rng.standard_normal((queries, 8)))
    inside = np.zeros(len(vectors), dtype=bool)
    for start, stop in runs:
        inside[start:stop] = True
    similarities = vectors.astype(np.float64) @ asked.astype(np.float64).T
    similarities[~inside] = -2.0
    found = nearest(vectors, asked, 10, np.array(runs))
    assert len(found) == queries
    for (rows, scores), column in zip(found, similarities.T, strict=True):
        assert rows.tolist() == np.argsort(-column)[:10].tolist()
        np.testing.assert_allclose(scores, np.sort(column)[::-1][:10], rtol=0, atol=1e-6)


def test_equal_vectors_come_in_the_order_of_the_rows() -> None:
    vectors = unit(np.random.default_rng(2).standard_normal((30_000, 8)))
    vectors[[3, 7, 11, 20_001, 29_998, 29_999]] = vectors[3]
    runs = np.array([[7, 8], [10, 29_999]])  # without 3 and 29,999, and 7 alone
    (rows, scores), *_ = nearest(vectors, vectors[3:4], 5, runs)
    assert rows[:4].tolist() == [7, 11, 20_001, 29_998]
    assert len(set(scores[:4].tolist())) == 1
    assert scores[4] < scores[3]


def test_fewer_rows_than_wanted_are_all_returned(gallery: LocalGallery) -> None:
    area = Box(-0.001, -1, 0.021, 1)  # references 0, 1 and 2
    found = gallery.search(gallery.vectors[:1], 10, area=area)[0]
    assert sorted(int(hit.reference.id, 16) for hit in found.hits) == [0, 1, 2]
    assert found.searched == 3


def test_one_query_and_many_find_the_same(gallery: LocalGallery) -> None:
    asked = crowd(100, seed=5)
    together = gallery.search(asked, 10)
    assert together == [gallery.search(one[None], 10)[0] for one in asked]
    assert all(len(found.hits) == 10 for found in together)


# --- what an area and views leave


def test_runs_of_a_mask() -> None:
    runs = runs_of(np.array([1, 1, 0, 1, 0, 0, 1], dtype=bool))
    assert runs.tolist() == [[0, 2], [3, 4], [6, 7]]
    assert rows_of(runs).tolist() == [0, 1, 3, 6]
    nothing = runs_of(np.zeros(3, dtype=bool))
    assert nothing.tolist() == rows_of(nothing).tolist() == []


def test_countries_need_no_geometry_and_most_rows_no_point(gallery: LocalGallery) -> None:
    # outline: longitudes 5 to 25 of 0 to 30; France as a whole: turns 1, 4, ... 28 of a hundred references each
    area = Box(5, -1, 25.001, 1, "FR")
    inside = {i for i in range(3000) if i // 100 % 3 == 1 or 500 <= i <= 2500}
    assert gallery.count(area) == len(inside)
    found = gallery.search(gallery.vectors[:1], 3000, area=area)[0]
    assert {int(hit.reference.id, 16) for hit in found.hits} == inside
    assert found.searched == len(inside)
    before = area.asked
    gallery.search(gallery.vectors[:1], 3, area=area, views=["ground"])
    assert area.asked == before  # remembered


def test_only_blocks_across_the_outline_are_asked() -> None:
    lon = np.linspace(0, 30, 100_000)
    places = Places(np.zeros(len(lon)), lon, np.zeros(len(lon), np.int16), (None,), {"ground": len(lon)})
    area = Box(5, -1, 25, 1)
    assert rows_in(area, places).sum() == ((lon >= 5) & (lon <= 25)).sum()
    assert area.asked == 2 * 256


def test_views_are_kept_apart(gallery: LocalGallery) -> None:
    asked = gallery.vectors[:1]
    assert gallery.views() == {"ground": 1500, "satellite": 1500}
    assert gallery.count(views=["satellite"]) == gallery.count(views=["satellite", "drone"]) == 1500
    assert gallery.count(views=["drone"]) == gallery.count(views=[]) == 0
    assert gallery.count(views=["ground", "satellite"]) == gallery.count() == 3000
    assert {hit.reference.view for hit in gallery.search(asked, 50, views=["satellite"])[0].hits} == {"satellite"}
    assert gallery.search(asked, 5, views=["drone"])[0].hits == ()
    area = Box(9.995, -1, 20.005, 1)  # references 1000 to 2000: 501 even ones are of the ground
    assert gallery.count(area) == 1001
    assert gallery.count(area, ["ground"]) == 501
    assert gallery.count(area, ["satellite", "ground"]) == 1001


def test_blocks_across_the_date_line_are_asked_point_by_point() -> None:
    lon = np.array([179.0, 179.9, -179.9, -179.0])
    places = Places(np.zeros(4), lon, np.zeros(4, np.int16), (None,), {"ground": 4})
    area = Box(179.5, -1, 180, 1)
    assert rows_in(area, places).tolist() == [False, True, False, False]
    west = Box(-180, -1, -179.5, 1)
    assert rows_in(west, places).tolist() == [False, False, True, False]


def test_only_the_last_areas_are_kept() -> None:
    places = Places(np.zeros(4), np.arange(4.0), np.zeros(4, np.int16), (None,), {"ground": 4})
    selector = Selector(places)
    first, others = Box(0.5, -1, 9, 1), [Box(0.5, -1, 9, 1) for _ in range(8)]
    kept = selector.runs(first, None)
    assert selector.runs(first, None) is kept
    assert count_of(kept) == 3
    for other in others:
        selector.runs(other, None)
    assert selector.runs(first, None) is not kept


def test_positions_of_a_view_and_a_fair_sample(gallery: LocalGallery, monkeypatch: pytest.MonkeyPatch) -> None:
    lats, lons = gallery.positions(["satellite"])
    np.testing.assert_allclose(np.sort(lons), 0.01 * np.arange(1, 3000, 2))
    assert not lats.any()
    monkeypatch.setattr(local, "_MOST_POSITIONS", 100)
    _, some = gallery.positions()
    assert len(some) == 100
    # both views have a half: a sample of the rows' beginning would have one
    assert np.isin(np.round(some * 100).astype(int) % 2, [1]).mean() == pytest.approx(0.5, abs=0.02)


# --- approximate search


def test_the_type_follows_the_size() -> None:
    limits = Limits()
    assert choose_type(200_000, 512, limits, faiss=True)[0] == "flat"
    assert choose_type(200_001, 512, limits, faiss=True)[0] == "ivf-sq8"
    assert choose_type(7_812_500, 512, limits, faiss=True)[0] == "ivf-sq8"  # 4.0 GB
    kind, reason = choose_type(7_812_501, 512, limits, faiss=True)
    assert kind == "ivf-pq"
    assert "product codes take 0.5 GB" in reason  # 128 parts of half a byte
    kind, reason = choose_type(10**6, 512, limits, faiss=False)
    assert kind == "flat"
    assert "pip install" in reason


def test_cells_and_parts() -> None:
    assert [list_count(n) for n in (200_001, 300_000, 10**6, 10**7)] == [1024, 1024, 2048, 4096]
    assert [product_parts(d) for d in (512, 1280, 2, 6, 7)] == [128, 320, 1, 1, 1]


def test_an_approximate_search_finds_nearly_all_and_scores_exactly(large: LocalGallery) -> None:
    asked = unit(large.vectors[::30] + 0.1 * crowd(100, seed=9))
    truth = nearest(large.vectors, asked, 10, np.array([[0, 3000]]))
    found = large.search(asked, 10)
    of_row = numbers(large)
    shared = 0
    for hits, (rows, scores) in zip(found, truth, strict=True):
        assert not hits.exact
        assert hits.searched == 3000
        exact = dict(zip(of_row[rows].tolist(), scores.tolist(), strict=True))
        mine = {int(hit.reference.id, 16): hit.similarity for hit in hits.hits}
        assert list(mine.values()) == sorted(mine.values(), reverse=True)
        both = exact.keys() & mine.keys()
        assert [mine[i] for i in both] == pytest.approx([exact[i] for i in both], abs=2e-7)
        shared += len(both)
    assert shared >= 0.97 * 1000
    facts = large.manifest.approximate
    assert facts is not None
    assert facts.recall_at_10 >= 0.97
    assert f"recall@10 {facts.recall_at_10:.3f} of exact on 256 of its own vectors" in large.manifest.index_reason


def test_a_filtered_approximate_search_stays_inside(large: LocalGallery) -> None:
    area = Box(4.995, -1, 15.005, 1)  # references 500 to 1500: more than 500, so not exact
    rows = np.flatnonzero((numbers(large) >= 500) & (numbers(large) <= 1500))
    asked = large.vectors[rows[::50]]
    found = large.search(asked, 10, area=area)
    assert {(one.searched, one.exact) for one in found} == {(1001, False)}
    assert {500 <= int(hit.reference.id, 16) <= 1500 for one in found for hit in one.hits} == {True}
    assert {len(one.hits) for one in found} == {10}
    truth = nearest(large.vectors, asked, 10, np.stack([rows, rows + 1], axis=1))
    wanted = [set(numbers(large)[rows].tolist()) for rows, _ in truth]
    mine = [{int(hit.reference.id, 16) for hit in one.hits} for one in found]
    assert sum(len(a & b) for a, b in zip(wanted, mine, strict=True)) >= 0.95 * 10 * len(asked)


def test_a_small_selection_is_searched_exactly(large: LocalGallery) -> None:
    found = large.search(large.vectors[:1], 10, area=Box(4.995, -1, 9.985, 1))[0]
    assert (found.searched, found.exact) == (499, True)


def test_a_missing_faiss_is_named(large: LocalGallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(InputError, match=r"geosleuth\[index\]"):
        open_index(large.folder)


def test_without_faiss_a_large_gallery_is_flat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geosleuth.indexes.gallery.store.has_faiss", lambda: False)
    gallery = make(tmp_path / "index", 600, BYTE_CODES)
    assert gallery.manifest.index_type == "flat"
    assert "pip install" in gallery.manifest.index_reason
    assert gallery.search(gallery.vectors[:1], 1)[0].exact


@pytest.mark.gpu
def test_byte_codes_are_searched_on_the_gpu(tmp_path: Path) -> None:
    faiss = pytest.importorskip("faiss")
    if not faiss.get_num_gpus():
        pytest.skip("faiss sees no GPU")
    gallery = make(tmp_path / "index", limits=BYTE_CODES)
    assert gallery.on_gpu
    asked = gallery.vectors[::30]
    assert [int(one.hits[0].reference.id, 16) for one in gallery.search(asked, 5)] == numbers(gallery)[::30].tolist()


# --- one gallery


def test_it_is_a_gallery(gallery: LocalGallery) -> None:
    as_protocol: Gallery = gallery
    assert as_protocol.location == str(gallery.folder)
    assert "3,000 references, flat" in repr(gallery)


def test_queries_that_cannot_be_searched(gallery: LocalGallery) -> None:
    with pytest.raises(InputError, match="Encode the photo with embedded"):
        gallery.search(np.ones((1, 31), np.float32), 5)
    for bad in (0.0, np.nan):
        with pytest.raises(InputError, match="direction"):
            gallery.search(np.full((1, D), bad, np.float32), 5)
    with pytest.raises(InputError, match="from 1 up"):
        gallery.search(np.ones((1, D), np.float32), 0)


def test_a_query_may_have_any_length(gallery: LocalGallery) -> None:
    asked = gallery.vectors[:1]
    assert gallery.search(1000 * asked, 5)[0].hits[0].similarity == pytest.approx(1.0, abs=1e-6)


def test_pictures_come_from_the_source(gallery: LocalGallery) -> None:
    photos = gallery.folder.parent / "photos"
    one = gallery.search(gallery.vectors[:1], 1)[0].hits[0].reference
    with pytest.raises(InputError, match="nothing at"):
        gallery.picture(replace(one, sha256="00"))
    photos.mkdir()
    Image.new("RGB", (8, 6), (255, 0, 0)).save(photos / one.uri)
    one = replace(one, sha256=hashlib.sha256((photos / one.uri).read_bytes()).hexdigest())
    assert gallery.picture(one).size == (8, 6)


@pytest.mark.parametrize(
    "uri", ["../a.jpg", "a/../../b.jpg", "/etc/passwd", "..\\a.jpg", "C:\\a.jpg", "C:a.jpg", "\\a"]
)
def test_a_reference_that_points_outside_its_source_is_refused(gallery: LocalGallery, uri: str) -> None:
    with pytest.raises(InputError, match="inside its source"):
        gallery.picture(Reference("00", uri, 0, 0, 0, "ground"))


def test_a_reference_of_no_source_is_refused(gallery: LocalGallery) -> None:
    with pytest.raises(InputError, match="source 1 of 1"):
        gallery.picture(Reference("00", "a.jpg", 1, 0, 0, "ground"))


def test_more_candidates_for_more_hits() -> None:
    from geosleuth.indexes.gallery.manifest import ApproximateFacts

    facts = ApproximateFacts(lists=4, probe=2, overfetch=30, trained_on=9, recall_at_10=1, recall_queries=9)
    assert [approximate.candidates(facts, k) for k in (1, 10)] == [100, 300]
