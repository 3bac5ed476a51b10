"""Towns of a world that was written by hand: which of them the agent is asked about, and what it searches."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.agent.references import open_gallery
from geosleuth.indexes.errors import InputError
from geosleuth.training.adapter_claims import agent_material as module
from geosleuth.training.adapter_claims.agent_material import AgentMaterial, agent_material, gallery_index, tile_town
from geosleuth.training.adapter_claims.world import PLACES
from geosleuth.training.gleam_x.record import PairRecord

SPLITS = ("train", "train", "train", "held_out_town", "held_out_town", "held_out_country", "train")
PLACES_DRAWN = 2  # of each town


def write_world(root: Path) -> None:
    """Seven towns, each with two street views and two places; those of an even number are University-1652's train."""
    street, places, gallery = [], [], []
    pictures = np.random.default_rng(0)
    for town, split in enumerate(SPLITS):
        country, lat = ("JP" if split == "held_out_country" else "FR"), 44.0 + town
        for n in range(PLACES_DRAWN):
            name, lon = f"images/town{town:06d}-{n:04d}.jpg", 2.0 + n / 100
            save(root / "street_views" / name, pictures)
            street.append((name, lat, lon, country, "Lyon", split))
            place = f"{town * PLACES + n:04d}"
            folder, copies = ("train/", []) if town % 2 == 0 else ("test/gallery_", ["test/query_"])
            tile = f"{folder}satellite/{place}/{place}.png"
            save(root / "university1652" / tile, pictures)
            gallery.append((tile, lat, lon, "satellite", 128.0))
            for where in [folder, *copies]:
                drone = f"{where}drone/{place}/image-01.png"
                save(root / "university1652" / drone, pictures)
                places.append((drone, "drone", lat, lon, country))
            places.append((f"{folder}street/{place}/1.png", "ground", lat, lon, country))
    table(root / "street_views/street_views.csv", ("file", "lat", "lon", "country", "city", "split"), street)
    table(root / "university1652/places.csv", ("file", "view", "lat", "lon", "country"), places)
    table(root / "university1652/gallery.csv", ("file", "lat", "lon", "view", "extent_m"), gallery)


def save(path: Path, pictures: np.random.Generator) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = pictures.integers(0, 255, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((56, 56)).save(path)


def table(path: Path, columns: tuple[str, ...], rows: list[tuple]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def pair(query: int, tile: int) -> PairRecord:
    """A taught pair of the first places of two towns."""
    one, other = (f"{town * PLACES:04d}" for town in (query, tile))
    return PairRecord(
        pair_id=f"{query}-{tile}",
        query_path=f"train/drone/{one}/image-01.png",
        query_view="drone",
        query_modality="drone",
        satellite_path=f"train/satellite/{other}/{other}.png",
        label="match" if query == tile else "no_match",
        source_dataset="University-1652",
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("world")
    write_world(root)
    return root


@pytest.fixture(scope="module")
def material(world: Path) -> AgentMaterial:
    """Taught were pictures of town 0, and of the held-out town 4 a tile."""
    return agent_material(world, [pair(0, 0), pair(0, 4)])


def test_only_towns_that_neither_adapter_was_taught_are_asked_about(material: AgentMaterial):
    assert material.gallery == {3, 4}  # both are held out of the street views
    for kind in ("street", "drone"):
        assert {photo.town for photo in material.asked[kind]} == {3}  # of town 4 the verifier was taught a tile
        assert {photo.country for photo in material.asked[kind]} == {"FR"}
    assert [photo.file for photo in material.asked["street"]] == [
        "street_views/images/town000003-0000.jpg",
        "street_views/images/town000003-0001.jpg",
    ]
    # Each drone picture once, though the gallery's are copied as queries.
    assert [photo.file for photo in material.asked["drone"]] == [
        f"university1652/test/gallery_drone/{3 * PLACES + n:04d}/image-01.png" for n in range(2)
    ]
    assert all(photo.path.is_file() for photos in material.asked.values() for photo in photos)
    assert material.asked["drone"][1].position == (47.0, 2.01)


def test_the_calibration_has_as_many_other_towns_that_were_not_taught(material: AgentMaterial):
    assert len(material.fitted_gallery) == 2
    assert material.fitted_gallery < {1, 2, 6}  # not 0, which was taught, and no country that was held out
    for kind in ("street", "drone"):
        assert {photo.town for photo in material.fitted[kind]} == material.fitted_gallery


def test_at_most_so_many_photos_always_the_same(world: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PHOTOS", 1)
    first, again = (agent_material(world, []) for _ in range(2))
    assert first == again
    assert [len(first.asked[kind]) for kind in ("street", "drone")] == [1, 1]


def test_a_tile_s_town_is_in_its_place_s_number():
    assert tile_town(f"test/gallery_satellite/{5 * PLACES + 3:04d}/x.png") == 5


def test_the_index_holds_the_tiles_of_its_towns_and_is_built_once(material: AgentMaterial, tmp_path: Path):
    out = gallery_index(material, material.gallery, tmp_path / "agent/index")
    gallery = open_gallery(str(out))
    assert len(gallery) == 4
    assert gallery.views() == {"satellite": 4}
    assert sorted(gallery.positions()[0].tolist()) == pytest.approx([47.0, 47.0, 48.0, 48.0])
    manifest = (out / "manifest.json").stat().st_mtime_ns
    assert gallery_index(material, material.gallery, out) == out
    assert (out / "manifest.json").stat().st_mtime_ns == manifest


def test_a_world_whose_towns_were_all_taught_is_said(world: Path):
    with pytest.raises(InputError, match="0 held out"):
        agent_material(world, [pair(3, 4)])


def test_a_world_without_university_1652_s_form_is_said(tmp_path: Path):
    write_world(tmp_path)
    (tmp_path / "university1652/places.csv").unlink()
    with pytest.raises(InputError, match="layout university1652"):
        agent_material(tmp_path, [])
