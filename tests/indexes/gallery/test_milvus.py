"""Against the embedded engine, which speaks Milvus' protocol from a file; no cluster was at hand."""

import hashlib
import socket
from dataclasses import replace

import numpy as np
import pytest
import shapely

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery import milvus, milvus_area, milvus_collection, milvus_filter, milvus_upload
from geosleuth.indexes.gallery.manifest import EncoderFacts, SourceFacts
from geosleuth.indexes.gallery.milvus import open_milvus, upload_index
from geosleuth.indexes.gallery.milvus_collection import facts_name
from geosleuth.indexes.gallery.milvus_connection import connect, parse_location
from geosleuth.indexes.gallery.reference import Reference
from geosleuth.indexes.gallery.store import Staged, open_index, write_index
from geosleuth.indexes.regions import countries_at
from geosleuth.tools.submap import select_submap

pytest.importorskip("pymilvus")
pytest.importorskip("milvus_lite")

ENCODER = EncoderFacts(spec="embedded", weights_sha256="ab" * 32, dimension=32)
COUNT = 4000


class Box:
    """A rectangle as an area; with countries it holds all of these as well."""

    def __init__(self, west, south, east, north, countries=()):
        self.geometry = shapely.box(west, south, east, north)
        self.countries = countries
        self.asked = 0

    def contains(self, lats, lons):
        self.asked += len(lats)
        return shapely.intersects_xy(self.geometry, lons, lats)


def unit_rows(count, seed=1, dimension=32):
    rows = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def scattered(count=COUNT, seed=2):
    """References around Europe, every third a satellite tile; some at sea, some on the date line."""
    random = np.random.default_rng(seed)
    lats, lons = random.uniform(35, 62, count), random.uniform(-10, 30, count)
    lats[:50], lons[:50] = random.uniform(-18, -16, 50), np.where(random.random(50) < 0.5, 179.9, -179.9)
    codes = countries_at(lats, lons)
    return [
        Reference(
            id=f"{random.integers(2**63):016x}",
            uri=f"{i}.jpg",
            source=0,
            lat=float(lats[i]),
            lon=float(lons[i]),
            view="satellite" if i % 3 == 0 else "ground",
            country=codes[i],
            heading_deg=None if i % 2 else 12.5,
            licence='CC BY "4.0"\nÜ' if i == 7 else None,
        )
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def rows():
    return scattered(), unit_rows(COUNT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("images")


@pytest.fixture(scope="module")
def location(tmp_path_factory, rows, folder):
    spec = f"milvus:streets@{tmp_path_factory.mktemp('milvus') / 'gallery.db'}"
    sources = [SourceFacts(kind="folder", root=str(folder))]
    assert upload_index([rows], spec, encoder=ENCODER, sources=sources) == COUNT
    return spec


@pytest.fixture(scope="module")
def gallery(location):
    opened = open_milvus(location)
    yield opened
    opened.close()


def exact(rows, query, k, chosen):
    """Ids of the k most similar of the chosen rows, by numpy."""
    references, vectors = rows
    scores = np.where(chosen, vectors @ query, -2.0)
    order = np.argsort(-scores, kind="stable")[: min(k, int(chosen.sum()))]
    return [references[i].id for i in order], scores[order]


def inside(rows, area, views=None):
    references = rows[0]
    held = area.contains(np.array([r.lat for r in references]), np.array([r.lon for r in references]))
    by_country = np.array([r.country in area.countries for r in references])
    return (held | by_country) & np.array([views is None or r.view in views for r in references])


def test_what_the_collection_is(gallery, location):
    assert (gallery.encoder_spec, gallery.weights_sha256, gallery.dimension) == ("embedded", "ab" * 32, 32)
    assert (gallery.location, len(gallery)) == (location, COUNT)
    assert gallery.views() == {"ground": 2666, "satellite": 1334}  # of 4000, every third from the first


def test_a_reference_comes_back_whole(gallery, rows):
    (hits,) = gallery.search(rows[1][7], 1)
    assert hits.hits[0].reference == rows[0][7]
    assert hits.hits[0].similarity == pytest.approx(1.0, abs=1e-6)
    assert (hits.searched, hits.exact) == (COUNT, True)


def test_search_of_everything_equals_the_exact_one(gallery, rows):
    queries = unit_rows(20, seed=9)
    everything = np.ones(COUNT, dtype=bool)
    for query, hits in zip(queries, gallery.search(queries, 25), strict=True):
        ids, scores = exact(rows, query, 25, everything)
        assert [hit.reference.id for hit in hits.hits] == ids
        assert [hit.similarity for hit in hits.hits] == pytest.approx(scores.tolist(), abs=1e-5)


@pytest.mark.parametrize("views", [None, ["satellite"], ["ground", "drone"]])
def test_search_in_buffered_countries_equals_the_exact_one(gallery, rows, views):
    area = select_submap({"DE": 0.6, "DK": 0.4}, share=1.0, buffer_km=50.0)
    chosen = inside(rows, area, views)
    assert 100 < chosen.sum() < COUNT / 2
    assert gallery.count(area, views) == chosen.sum()
    queries = unit_rows(30, seed=4)
    for query, hits in zip(queries, gallery.search(queries, 10, area=area, views=views), strict=True):
        assert [hit.reference.id for hit in hits.hits] == exact(rows, query, 10, chosen)[0]
        assert (hits.searched, hits.exact) == (chosen.sum(), True)


def test_an_area_across_the_date_line(gallery, rows):
    area = select_submap({"FJ": 1.0}, buffer_km=20.0)
    chosen = inside(rows, area)
    lons = [rows[0][i].lon for i in np.flatnonzero(chosen)]
    assert min(lons) < 0 < max(lons)
    assert gallery.count(area) == chosen.sum()


def test_countries_hold_their_references_wherever_these_lie(gallery, rows):
    area = Box(100, 0, 101, 1, countries=("PL",))  # its outline is elsewhere
    chosen = np.array([r.country == "PL" for r in rows[0]])
    assert gallery.count(area) == chosen.sum() > 0
    (hits,) = gallery.search(unit_rows(1, seed=6), 5, area=area)
    assert [hit.reference.country for hit in hits.hits] == ["PL"] * 5


def test_fewer_than_k_in_the_area(gallery, rows):
    area = Box(9, 49, 12, 52)
    chosen = inside(rows, area)
    assert 0 < chosen.sum() < 100
    (hits,) = gallery.search(unit_rows(1, seed=6), 500, area=area)
    assert len(hits.hits) == hits.searched == chosen.sum()


def test_an_area_without_references(gallery):
    area = Box(-150, -40, -149, -39)
    assert gallery.count(area) == 0
    assert gallery.search(unit_rows(2), 5, area=area)[1].hits == ()
    assert gallery.search(unit_rows(2), 5, views=["drone"])[0].hits == ()
    assert gallery.search(unit_rows(2), 5, views=[])[0].hits == ()


def test_the_whole_world_is_no_filter(gallery, rows):
    area = Box(-180, -90, 180, 90)
    assert gallery.count(area) == COUNT
    (hits,) = gallery.search(unit_rows(1, seed=6), 5, area=area)
    assert [hit.reference.id for hit in hits.hits] == exact(rows, unit_rows(1, seed=6)[0], 5, np.ones(COUNT, bool))[0]
    assert area.asked == 0


def test_more_than_milvus_returns_at_once_just_outside_of_the_area(location, rows, monkeypatch):
    # A box inside one fine cell's reach: all candidates come from its edge, and the most similar lie outside of it.
    monkeypatch.setattr(milvus, "MOST_ROWS", 40)
    monkeypatch.setattr(milvus, "_IDS_AT_ONCE", 7)
    area = Box(5.3, 45.1, 14.2, 53.3)
    monkeypatch.setattr(milvus_filter, "MOST_VALUES", 0)  # coarse cells only: the loosest filter there is
    gallery = open_milvus(location)
    chosen = inside(rows, area)
    references, vectors = rows
    outside = np.flatnonzero(~chosen & np.array([2 < r.lon < 17 and 43 < r.lat < 56 for r in references]))
    query = vectors[outside].sum(axis=0)  # towards those just outside
    query /= np.linalg.norm(query)
    by_id = gallery._nearest_by_id
    asked = []
    monkeypatch.setattr(gallery, "_nearest_by_id", lambda *args: asked.append(1) or by_id(*args))
    (hits,) = gallery.search(query, 20, area=area)
    assert asked == [1]
    assert [hit.reference.id for hit in hits.hits] == exact(rows, query, 20, chosen)[0]
    assert (hits.searched, hits.exact) == (chosen.sum(), True)
    gallery.close()


def test_an_edge_that_is_too_long_to_fetch_is_estimated_and_said_so(location, rows, monkeypatch):
    monkeypatch.setattr(milvus_area, "_MOST_EDGE_ROWS", 100)
    monkeypatch.setattr(milvus, "MOST_ROWS", 20)
    monkeypatch.setattr(milvus_filter, "MOST_VALUES", 0)
    gallery = open_milvus(location)
    area = Box(5.3, 45.1, 14.2, 53.3)
    held = int(inside(rows, area).sum())
    assert abs(gallery.count(area) - held) < held / 2  # from 100 of some 800
    (hits,) = gallery.search(unit_rows(1, seed=6), 20, area=area)
    assert not hits.exact
    gallery.close()


def test_positions(gallery, rows, monkeypatch):
    lats, lons = gallery.positions(["satellite"])
    expected = sorted((r.lat, r.lon) for r in rows[0] if r.view == "satellite")
    assert sorted(zip(lats.tolist(), lons.tolist(), strict=True)) == expected
    monkeypatch.setattr(milvus, "_MOST_POSITIONS", 500)
    lats, _ = gallery.positions()
    first = sorted(rows[0], key=lambda r: r.id)[:500]
    assert sorted(lats.tolist()) == sorted(r.lat for r in first)


def test_a_picture_comes_from_its_source(gallery, rows, folder):
    from PIL import Image

    Image.new("RGB", (20, 10), (9, 9, 9)).save(folder / "5.jpg")
    sha256 = hashlib.sha256((folder / "5.jpg").read_bytes()).hexdigest()
    assert gallery.picture(replace(rows[0][5], sha256=sha256)).size == (20, 10)
    with pytest.raises(InputError, match="a reference of this index; found source 3 of 1"):
        gallery.picture(replace(rows[0][5], source=3))


def test_a_query_of_another_encoder(gallery):
    with pytest.raises(InputError, match=r"vectors of length 32; found an array of shape \(1, 64\).*with embedded"):
        gallery.search(unit_rows(1, dimension=64), 5)


@pytest.mark.parametrize(
    ("query", "k"), [(np.zeros((1, 32), np.float32), 5), (unit_rows(1), 0), (unit_rows(1), 20_000)]
)
def test_queries_that_cannot_be_answered(gallery, query, k):
    with pytest.raises(InputError):
        gallery.search(query, k)


def small(count=30, start=0):
    return scattered(60)[start : start + count], unit_rows(60, seed=3)[start : start + count]


SOURCES = [SourceFacts(kind="folder", root="/photos")]


def test_an_interrupted_upload_goes_on(tmp_path, monkeypatch):
    spec = f"milvus:streets@{tmp_path / 'g.db'}"
    references, vectors = small(60)
    sent = []

    def batches(until):
        for start in range(0, until, 10):
            yield references[start : start + 10], vectors[start : start + 10]
        if until < 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upload_index(batches(40), spec, encoder=ENCODER, sources=SOURCES)
    with pytest.raises(InputError, match="a whole gallery; found an upload into streets that was interrupted"):
        open_milvus(spec)
    real = milvus_upload.rows_of
    monkeypatch.setattr(milvus_upload, "rows_of", lambda some, rest: sent.append(len(some)) or real(some, rest))
    assert upload_index(batches(60), spec, encoder=ENCODER, sources=SOURCES) == 60
    assert sent == [10, 10]  # the four batches that had arrived are not sent again
    gallery = open_milvus(spec)
    for number in (0, 39, 59):
        assert gallery.search(vectors[number], 1)[0].hits[0].reference == references[number]
    gallery.close()


def test_adding_keeps_what_is_there_and_doubles_nothing(tmp_path):
    spec = f"milvus:streets@{tmp_path / 'g.db'}"
    assert upload_index([small(30)], spec, encoder=ENCODER, sources=SOURCES) == 30
    more = [*SOURCES, SourceFacts(kind="folder", root="/others")]
    assert upload_index([small(30, start=20)], spec, encoder=ENCODER, sources=more) == 50
    gallery = open_milvus(spec)
    assert (len(gallery), [source.root for source in gallery.facts.sources]) == (50, ["/photos", "/others"])
    gallery.close()


def test_another_process_finds_and_adds_to_what_one_has_left(tmp_path):
    from milvus_lite.server_manager import server_manager_instance

    spec = f"milvus:streets@{tmp_path / 'g.db'}"
    upload_index([small(30)], spec, encoder=ENCODER, sources=SOURCES)
    server_manager_instance.release_server(str(tmp_path / "g.db"))  # as the end of the process does
    gallery = open_milvus(spec)
    assert gallery.search(small()[1][3], 1)[0].hits[0].reference == small()[0][3]
    gallery.close()
    server_manager_instance.release_server(str(tmp_path / "g.db"))
    assert upload_index([small(30, start=20)], spec, encoder=ENCODER, sources=SOURCES) == 50


def test_what_does_not_fit_a_collection(tmp_path):
    spec = f"milvus:streets@{tmp_path / 'g.db'}"
    upload_index([small()], spec, encoder=ENCODER, sources=SOURCES)
    other = ENCODER.model_copy(update={"weights_sha256": "cd" * 32})
    with pytest.raises(
        InputError, match=r"vectors of embedded \(abababababab.*found vectors of embedded \(cdcdcdcdcdcd"
    ):
        upload_index([small()], spec, encoder=other, sources=SOURCES)
    with pytest.raises(InputError, match="the sources of streets and further ones; found others than the 1"):
        upload_index([small()], spec, encoder=ENCODER, sources=[SourceFacts(kind="folder", root="/elsewhere")])
    with pytest.raises(InputError, match=r"float32 vectors of shape \(30, 32\)"):
        upload_index([(small()[0], unit_rows(30, dimension=8))], spec, encoder=ENCODER, sources=SOURCES)
    with pytest.raises(InputError, match="unit vectors"):
        upload_index([(small()[0], small()[1] * 2)], spec, encoder=ENCODER, sources=SOURCES)


def test_a_folder_and_its_copy_answer_alike(tmp_path, rows):
    index = tmp_path / "index"
    images = SourceFacts(kind="folder", root=str(tmp_path))
    write_index(index, [Staged(*rows)], encoder=ENCODER, sources=[images])
    spec = f"milvus:streets@{tmp_path / 'g.db'}"
    assert upload_index(index, spec) == COUNT
    local, copy = open_index(index), open_milvus(spec)
    assert (copy.encoder_spec, copy.weights_sha256, copy.dimension) == ("embedded", "ab" * 32, 32)
    assert (len(copy), copy.views(), copy.facts.sources) == (len(local), local.views(), (images,))
    queries = unit_rows(20, seed=11)
    near_poland = select_submap({"PL": 1.0}, buffer_km=100.0)
    for area in (None, near_poland, Box(-5, 40, 5, 50), Box(-5, 40, 5, 50, countries=("FI", "GR"))):
        assert copy.count(area, ["ground"]) == local.count(area, ["ground"])
        pairs = zip(copy.search(queries, 10, area=area), local.search(queries, 10, area=area), strict=True)
        for ours, theirs in pairs:
            assert [hit.reference for hit in ours.hits] == [hit.reference for hit in theirs.hits]
            assert (ours.searched, ours.exact) == (theirs.searched, theirs.exact)
    copy.close()


def test_large_collections_get_a_graph_and_say_that_it_is_not_exact(tmp_path, monkeypatch):
    spec = f"milvus:streets@{tmp_path / 'g.db'}"
    upload_index([small(30)], spec, encoder=ENCODER, sources=SOURCES)
    monkeypatch.setattr(milvus_collection, "FLAT_ROWS", 40)
    upload_index([small(60)], spec, encoder=ENCODER, sources=SOURCES)
    gallery = open_milvus(spec)
    references, vectors = small(60)
    for reference, hits in zip(references, gallery.search(vectors, 1), strict=True):
        assert hits.hits[0].reference == reference
        assert not hits.exact
    gallery.close()


def test_progress_is_told(tmp_path):
    told = []
    spec = f"milvus:streets@{tmp_path / 'g.db'}"
    upload_index([small(30), small(30, 30)], spec, encoder=ENCODER, sources=SOURCES, on_progress=told.append)
    assert told[-1].done == 60


def test_a_collection_that_is_missing_names_those_that_are_there(location):
    with pytest.raises(InputError, match=r"the collection fields at .*; found galleries streets\."):
        open_milvus(location.replace("streets@", "fields@"))


def test_a_collection_of_others_is_left_alone(tmp_path):
    from pymilvus import MilvusClient

    client = MilvusClient(str(tmp_path / "g.db"))
    client.create_collection("theirs", dimension=4)
    client.insert("theirs", [{"id": 1, "vector": [1.0, 0.0, 0.0, 0.0]}])
    spec = f"milvus:theirs@{tmp_path / 'g.db'}"
    with pytest.raises(InputError, match="found one that geosleuth did not make"):
        open_milvus(spec)
    with pytest.raises(InputError, match="a new collection, or one of geosleuth's; found theirs, of others"):
        upload_index([small()], spec, encoder=ENCODER, sources=SOURCES)
    assert client.get_collection_stats("theirs")["row_count"] == 1
    client.close()


def test_facts_that_are_not_ours(tmp_path):
    spec = f"milvus:streets@{tmp_path / 'g.db'}"
    upload_index([small()], spec, encoder=ENCODER, sources=SOURCES)
    client = connect(parse_location(spec))
    client.upsert(facts_name("streets"), [{"key": "facts", "value": "{}", "vector": [1.0, 0.0]}])
    client.close()
    with pytest.raises(InputError, match="a collection that geosleuth made; found other facts"):
        open_milvus(spec)


def test_a_file_that_is_missing_is_not_made(tmp_path):
    with pytest.raises(InputError, match="a file of the embedded Milvus; found none at"):
        open_milvus(f"milvus:streets@{tmp_path / 'none.db'}")
    assert not (tmp_path / "none.db").exists()


def test_a_folder_that_is_missing(tmp_path):
    with pytest.raises(InputError, match="found no folder"):
        upload_index([small()], f"milvus:streets@{tmp_path / 'none' / 'g.db'}", encoder=ENCODER, sources=SOURCES)


def test_a_server_that_is_not_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match=rf"a Milvus server that answers; found none at http://127.0.0.1:{port}"):
        open_milvus(f"milvus:streets@http://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ("streets", "milvus:COLLECTION@URI"),
        ("milvus:streets", "milvus:COLLECTION@URI"),
        ("milvus:streets@", "milvus:COLLECTION@URI"),
        ("milvus:1-2@http://localhost:19530", "the name of a collection"),
        ("milvus:streets@localhost:19530", "an address http"),
        ("milvus:streets@https://root:secret@example.org:19530", "an address without credentials"),
    ],
)
def test_specs_that_are_none(spec, wanted):
    with pytest.raises(InputError) as caught:
        parse_location(spec)
    assert wanted in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_spec_is_written_as_it_was_read():
    assert str(parse_location("milvus:streets@https://example.org:19530/maps")) == (
        "milvus:streets@https://example.org:19530/maps"
    )


def test_pymilvus_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pymilvus", None)
    with pytest.raises(InputError, match=r"pip install 'geosleuth\[scale\]'"):
        open_milvus("milvus:streets@http://localhost:19530")
