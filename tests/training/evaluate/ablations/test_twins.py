"""The manifest of look-alikes, and what counts as at a place."""

from __future__ import annotations

from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon
from geosleuth.tools.candidate import Candidate
from geosleuth.training.evaluate.ablations.query import Query, is_right, right_ids, without
from geosleuth.training.evaluate.ablations.twins import read_twins, unmatched_note, with_twins
from geosleuth.training.evaluate.labelled import LabelledPhoto

PARIS = LatLon(48.8584, 2.2945)
METRE = 1 / 111_195  # degrees of latitude


def manifest(folder: Path, text: str) -> Path:
    path = folder / "twins.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_photos_of_the_manifest_get_their_twins(tmp_path: Path) -> None:
    twins = read_twins(manifest(tmp_path, "file,twin_lat,twin_lon,note\na/tower.jpg,36.1125,-115.1725,a replica\n"))
    photos = [LabelledPhoto(tmp_path / name, PARIS, "FR", None, name) for name in ("a/tower.jpg", "b.jpg")]
    (query,) = with_twins([Query.of(photo) for photo in photos], twins)
    assert query.twin == LatLon(36.1125, -115.1725)
    assert (query.name, query.place) == ("a/tower.jpg", "48.9,2.3")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,lat\nx,1\n", "without twin_lat, twin_lon"),
        ("file,twin_lat,twin_lon\nx,91,0\n", "'91', '0' in line 2"),
        ("file,twin_lat,twin_lon\nx,,\n", "'', '' in line 2"),
        ("file,twin_lat,twin_lon\nx,1,1\nx,2,2\n", "'x' twice, in line 3"),
        pytest.param(f"file,twin_lat,twin_lon\n{'x' * 200_000},1,1\n", "no CSV: field larger than", id="long"),
    ],
)
def test_a_manifest_says_what_is_wrong_with_it(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        read_twins(manifest(tmp_path, text))
    assert said in error.value.found


def test_rows_that_match_no_photo_are_counted() -> None:
    query = Query(Path("a"), "a", PARIS, None, "p")
    assert "name no photo of the data set: 2." in unmatched_note([query], {"a": PARIS, "b": PARIS, "c": PARIS})
    assert unmatched_note([query], {"a": PARIS}) == ""


def test_a_manifest_that_is_missing_or_of_other_photos(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_twins(tmp_path / "none.csv")
    assert "--twins" in error.value.remedy
    with pytest.raises(InputError) as error:
        with_twins([Query(tmp_path / "a", "a", PARIS, None, "p")], {"b": PARIS})
    assert error.value.found == "none of 1"


def candidate(name: str, metres_north: float, extent_m: float | None = None) -> Candidate:
    return Candidate(
        rank=1,
        reference_id=name,
        uri=name,
        lat=PARIS.lat + metres_north * METRE,
        lon=PARIS.lon,
        view="satellite" if extent_m else "ground",
        extent_m=extent_m,
        similarity=0.5,
        score=0.5,
    )


def test_a_reference_is_right_within_the_radius_and_a_tile_within_its_circle() -> None:
    assert is_right(candidate("a", 24.0), PARIS, 25.0)
    assert not is_right(candidate("a", 26.0), PARIS, 25.0)
    assert is_right(candidate("tile", 60.0, extent_m=128.0), PARIS, 25.0)
    assert not is_right(candidate("tile", 66.0, extent_m=128.0), PARIS, 25.0)


def test_what_is_taken_out_leaves_ranks_without_gaps() -> None:
    some = [candidate("far", 500.0), candidate("near", 10.0), candidate("farther", 900.0)]
    assert right_ids(some, PARIS, 25.0) == {"near"}
    assert [(one.reference_id, one.rank) for one in without(some, PARIS, 100.0)] == [("far", 1), ("farther", 2)]
