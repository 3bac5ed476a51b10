"""Street views of a set that was written by hand: who is taught, who is asked, and what each threshold leaves."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.training.adapter_claims import geo_material as module
from geosleuth.training.adapter_claims.geo_material import PAPERS, THRESHOLDS, GeoMaterial, geo_material, some
from geosleuth.training.adapter_claims.geo_tables import SEEDS, ablation, thresholds

ROAD = 7  # in a mask; its weight is 1, so that a view's score is its share of road
HEADER = "file,lat,lon,country,city,heading_deg,kind,town_seed,split"
PLACES = {
    "train": ("FR", "Lyon", 45.76, 4.84),
    "other": ("FR", "Nantes", 47.22, -1.55),
    "unseen": ("JP", "Nara", 34.7, 135.8),
}


def write(root: Path, name: str, road: int, place: str, split: str) -> tuple[str, dict[str, object]]:
    country, city, lat, lon = PLACES[place]
    Image.new("RGB", (10, 10)).save(root / f"images/{name}.jpg")
    mask = np.zeros((10, 10), dtype=np.uint8)
    mask[:road] = ROAD
    Image.fromarray(mask).save(root / f"labels/images/{name}.png")
    said = {"image": f"images/{name}.jpg", "country": country, "city": city, "reasons": [f"It is view {name}."]}
    return f"images/{name}.jpg,{lat},{lon},{country},{city},0.0,along,0,{split}", said


@pytest.fixture
def towns(tmp_path: Path) -> Path:
    """Twenty views to learn from, 0 to 90 % of them road, two of another town, one of another country."""
    root = tmp_path / "towns/street_views"
    (root / "images").mkdir(parents=True)
    (root / "labels/images").mkdir(parents=True)
    lines = [write(root, f"t{i}", i % 10, "train", "train") for i in range(20)]
    lines += [write(root, f"o{i}", 5, "other", "held_out_town") for i in range(2)]
    lines += [write(root, "u", 9, "unseen", "held_out_country")]
    (root / "street_views.csv").write_text("\n".join([HEADER, *(row for row, _ in lines)]) + "\n")
    # Of every view there are reasons here: those of views that are asked about must not be taught.
    (root / "reasoned.jsonl").write_text("".join(json.dumps(said) + "\n" for _, said in lines))
    return tmp_path / "towns"


@pytest.fixture
def material(towns: Path, tmp_path: Path) -> GeoMaterial:
    return geo_material(towns, tmp_path / "work")


def names(views) -> list[str]:
    return [view.path.stem for view in views]


def test_one_view_of_five_is_kept_back_and_no_other_town_is_taught(material: GeoMaterial):
    assert len(material.taught) == 16
    assert len(material.same_towns) == 4
    assert sorted(names(material.taught + material.same_towns)) == sorted(f"t{i}" for i in range(20))
    assert names(material.held_out_towns) == ["o0", "o1"]
    assert names(material.held_out_countries) == ["u"]
    assert material.seen_countries == {"FR"}


def test_views_are_scored_by_their_masks_and_a_threshold_itself_does_not_pass(material: GeoMaterial):
    for view in material.taught + material.same_towns:
        assert view.locatability == pytest.approx(int(view.path.stem[1:]) % 10 / 10, abs=1e-6)
    for threshold in THRESHOLDS:
        wanted = [name for name in names(material.taught) if int(name[1:]) % 10 > 10 * threshold]
        assert names(material.kept(threshold)) == wanted
    assert material.held_out_countries[0].locatability == 0.9


def test_scores_are_kept(material: GeoMaterial, towns: Path, tmp_path: Path):
    for mask in (towns / "street_views/labels/images").iterdir():
        mask.unlink()
    assert geo_material(towns, tmp_path / "work") == material


def test_reasons_are_of_taught_views_that_show_enough(material: GeoMaterial, monkeypatch: pytest.MonkeyPatch):
    assert set(names(material.reasoned.views)) == set(names(material.taught))
    kept = names(material.reasoned_kept().views)
    assert set(kept) == set(names(material.kept(PAPERS)))
    monkeypatch.setattr(module, "REASONED", 3)
    assert names(material.reasoned_kept().views) == kept[:3]
    # Drawn by chance: a table stands town by town, and its first rows would be of one.
    order = names(material.taught)
    assert kept != sorted(kept, key=order.index)


def test_every_arm_is_taught_lessons_that_there_are(material: GeoMaterial):
    opened = material.lessons()
    for arm in (*ablation(material), *thresholds(material)):
        for run in arm.run.below if arm.run else ():
            found = opened[run.data]()
            counts = [len(one) for one in found] if isinstance(found, list) else [len(found)]
            assert sum(counts) > 0
            if run.data.startswith("located"):
                assert counts == [arm.views]
            elif run.data == "both":
                assert counts == [len(material.reasoned_kept()), arm.views]
    answer = opened["located above 0.4"]()[0].turns[-1].parts[0]
    assert json.loads(answer) == {"country": "France", "city": "Lyon"}


def test_arms_of_a_seed_are_taught_as_long_and_the_floor_is_not(material: GeoMaterial):
    arms = ablation(material)
    assert [arm.name for arm in arms if arm.run is None] == ["no adapter (floor)"]
    assert arms[0].lessons == 0
    lessons = {arm.name: arm.lessons for arm in arms}
    assert lessons["reasoning, then location"] == lessons["both in one stage"]
    assert lessons["reasoning, then location"] == lessons["reasoning only"] + lessons["location only"]
    assert len(arms) == 1 + 4 * len(SEEDS)
    assert len({arm.run.key() for arm in arms if arm.run}) == 4 * len(SEEDS)
    assert len({arm.lessons for arm in thresholds(material)}) == 1


def test_some_are_always_the_same_in_their_order(material: GeoMaterial):
    drawn = some(material.taught, 5)
    assert drawn == some(material.taught, 5)
    assert len(drawn) == 5
    assert sorted(drawn, key=material.taught.index) == list(drawn)
    assert drawn != material.taught[:5]
    assert some(material.taught, 99) == material.taught


def test_a_world_without_street_views_is_said(tmp_path: Path):
    with pytest.raises(InputError):
        geo_material(tmp_path / "nowhere", tmp_path / "work")
