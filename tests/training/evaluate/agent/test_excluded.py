"""A real gallery without the photos of a test set, against one that never had them. All references are invented."""

import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from shapely.geometry import box

from geosleuth.agent.references import References
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.manifest import EncoderFacts, SourceFacts
from geosleuth.indexes.gallery.reference import Reference
from geosleuth.indexes.gallery.store import Staged, open_index, write_index
from geosleuth.training.evaluate.agent.excluded import WITHIN_M, without_photos
from geosleuth.training.evaluate.agent.scored import Truth

D = 8
LAT, LON = 60.0, 20.0  # half as many metres in a degree of longitude as in one of latitude
M = 1 / 111_195.0  # degrees of latitude in a metre, on the sphere of geodesy.py


def sha(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def reference(name: str, lat: float, lon: float, view: str = "ground", country: str | None = "FI") -> Reference:
    return Reference(sha(name + "id")[:16], f"{name}.jpg", 0, lat, lon, view, country, sha256=sha(name))


PHOTO = Truth(file="a.jpg", sha256=sha("the photo"), lat=LAT, lon=LON, country="FI")
UNREADABLE = Truth(file="b.jpg", sha256="", lat=-40.0, lon=0.0, country=None)
OUT = [
    reference("the photo", 10.0, 10.0, country=None),  # by its hash, wherever it stands
    reference("near", LAT + 24.9 * M, LON),
    reference("beside", LAT, LON - 2 * 24.9 * M),
    reference("all around", LAT, LON, "panorama"),
]
LEFT = [
    reference("not so near", LAT + 25.1 * M, LON),
    reference("not beside", LAT, LON + 2 * 25.1 * M),
    reference("from above", LAT, LON, "satellite"),
    reference("elsewhere", 10.0, 10.1, country=None),
    reference("far", -33.0, 151.0, country="AU"),
]


def opened(folder: Path, references: list[Reference]) -> References:
    vectors = np.array([np.random.default_rng(int(one.id[:8], 16)).standard_normal(D) for one in references])
    staged = Staged(references, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32))
    encoder = EncoderFacts(spec="embedded", weights_sha256="ab" * 32, dimension=D)
    write_index(folder, [staged], encoder=encoder, sources=[SourceFacts(kind="folder", root="/photos")])
    return References(open_index(folder), SimpleNamespace(), "embedded")  # what is left out needs no encoder


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[References, References]:
    folder = tmp_path_factory.mktemp("galleries")
    reduced = without_photos(opened(folder / "all", OUT + LEFT), [PHOTO, UNREADABLE])
    return reduced, opened(folder / "left", LEFT)


# Finland is taken by its country, the sea beside Senegal by its outline alone.
AREA = SimpleNamespace(
    countries=("FI",),
    geometry=box(9.0, 9.0, 10.05, 11.0),
    contains=lambda lats, lons: (np.abs(np.asarray(lats) - 10) < 1) & (np.asarray(lons) < 10.05),
)


def test_photos_are_known_by_their_hash_and_by_25_metres(both: tuple[References, References]) -> None:
    reduced, plain = both
    assert WITHIN_M == 25.0
    assert reduced.left_out == len(OUT)
    assert len(reduced.gallery) == len(plain.gallery) == len(LEFT)
    assert repr(reduced.gallery).endswith("5 of 9 references)")
    assert "5 references" in str(reduced)


@pytest.mark.parametrize("views", [None, ["ground"], ["satellite", "panorama"]])
@pytest.mark.parametrize("area", [None, AREA])
@pytest.mark.parametrize("k", [1, 3, 50])
def test_searches_are_those_of_a_gallery_that_never_had_them(both, views, area, k: int) -> None:
    queries = np.random.default_rng(1).standard_normal((3, D)).astype(np.float32)
    reduced, plain = (one.gallery.search(queries, k, area=area, views=views) for one in both)
    for ours, theirs in zip(reduced, plain, strict=True):
        assert [hit.reference.id for hit in ours.hits] == [hit.reference.id for hit in theirs.hits]
        assert [hit.similarity for hit in ours.hits] == [hit.similarity for hit in theirs.hits]
        assert (ours.searched, ours.exact) == (theirs.searched, theirs.exact)
    assert both[0].gallery.count(area, views) == both[1].gallery.count(area, views)


def test_what_the_gallery_tells_of_itself_is_of_what_is_left(both: tuple[References, References]) -> None:
    reduced, plain = (one.gallery for one in both)
    assert reduced.views() == plain.views() == {"ground": 4, "satellite": 1}
    assert [sorted(axis.tolist()) for axis in reduced.positions()] == [sorted(a.tolist()) for a in plain.positions()]
    facts = [(one.encoder_spec, one.weights_sha256, one.dimension) for one in (reduced, plain)]
    assert facts[0] == facts[1]
    assert reduced.location.endswith("all")
    assert [axis.tolist() for axis in reduced.positions(["satellite"])] == [[LAT], [LON]]
    assert [len(axis) for axis in reduced.positions(["drone"])] == [0, 0]
    with pytest.raises(InputError, match="nothing at /photos"):
        reduced.picture(LEFT[-1])


def test_the_distance_can_be_set_and_a_file_that_cannot_be_read_is_no_hash(tmp_path: Path) -> None:
    unhashed = Reference("0" * 16, "x.jpg", 0, 10.0, 10.0, "ground", None, sha256="")
    gallery = opened(tmp_path, [unhashed, *OUT[1:2], *LEFT[:1]])
    assert without_photos(gallery, [UNREADABLE]).left_out == 0
    assert without_photos(gallery, []).left_out == 0
    assert without_photos(gallery, [PHOTO], within_m=26.0).left_out == 2


def test_the_date_line_does_not_part_neighbours(tmp_path: Path) -> None:
    gallery = opened(tmp_path, [reference("east", 0.0, 180.0 - 10 * M), reference("west", 0.0, -180.0 + 20 * M)])
    photo = Truth(file="a.jpg", sha256="", lat=0.0, lon=-180.0, country=None)
    assert without_photos(gallery, [photo]).left_out == 2


def test_a_gallery_that_cannot_be_listed_is_refused(both: tuple[References, References]) -> None:
    served = SimpleNamespace(location="milvus:photos@http://localhost:1")
    references = References(served, SimpleNamespace(), "embedded")
    with pytest.raises(InputError, match="Name the folder that the collection was uploaded from"):
        without_photos(references, [PHOTO])
