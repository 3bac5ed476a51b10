"""VIGOR in both forms of its folders; every expectation is read off the lists below by hand."""

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.vigor import CITIES, vigor

# Latitudes tell the cities apart; tile k of a city is at longitude -k.
LATS = {"Chicago": 41, "NewYork": 40, "SanFrancisco": 37, "Seattle": 47}


def tile(city, k):
    return f"satellite_{LATS[city]}.5_-{k}.25.png"


def pano(city, k):
    return f"a,b{k},{LATS[city]}.125,-{k}.5,.jpg"  # an id with a comma in it


def line(city, k, own, *semi):
    return " ".join([pano(city, k), *(f"{tile(city, t)} 1.5 -2.5" for t in (own, *semi))])


def write(root, form):
    """Each city: tiles 1 to 5; panorama 1 on tile 2 and 2 on tile 3 (train), 3 on tile 2 (test)."""
    ground, satellite = {
        "own": ("{}/panorama", "{}/satellite"),
        "sample4geo": ("ground/{}", "satellite/{}"),
    }[form]
    for city in CITIES:
        splits = root / "splits" / city
        splits.mkdir(parents=True)
        (splits / "satellite_list.txt").write_text("".join(f"{tile(city, k)}\n" for k in range(1, 6)))
        train = [line(city, 1, 2, 1, 3, 4), line(city, 2, 3, 2, 4, 5)]
        test = [line(city, 3, 2, 1, 3, 5)]
        (splits / "same_area_balanced_train.txt").write_text("\n".join(train) + "\n")
        (splits / "same_area_balanced_test.txt").write_text("\n".join(test) + "\n")
        (splits / "pano_label_balanced.txt").write_text("\n".join(train + test) + "\n")
        for folder, names in (
            (ground, [pano(city, k) for k in (1, 2, 3)]),
            (satellite, [tile(city, k) for k in range(1, 6)]),
        ):
            (root / folder.format(city)).mkdir(parents=True)
            for name in names:
                (root / folder.format(city) / name).touch()
    return root


def names(paths):
    return [path.rsplit("/", 1)[1] for path in paths]


def test_the_gallery_of_a_test_is_all_tiles_and_semi_positives_point_into_it(tmp_path):
    found = vigor(write(tmp_path, "own"), "same-test")
    assert repr(found) == "VIGOR same-test: 4 queries, 20 references, 0 skipped"
    assert names(found.queries.paths) == [pano(city, 3) for city in CITIES]
    assert names(found.references.paths) == [tile(city, k) for city in CITIES for k in range(1, 6)]
    assert found.references.places.tolist() == list(range(20))
    assert found.queries.places.tolist() == [1, 6, 11, 16]  # tile 2 of each city
    assert found.semi_positives.tolist() == [[0, 2, 4], [5, 7, 9], [10, 12, 14], [15, 17, 19]]
    assert found.queries.positions[1].tolist() == [40.125, -3.5]
    assert found.references.positions[6].tolist() == [40.5, -2.25]
    assert (found.queries.modalities[0].name, found.queries.modalities[0].view) == ("panorama", "panorama")
    assert found.references.modalities[0].view == "satellite"


def test_training_references_are_the_tiles_of_panoramas_alone(tmp_path):
    found = vigor(write(tmp_path, "own"), "same-train")
    assert names(found.references.paths) == [tile(city, k) for city in CITIES for k in (2, 3)]
    assert found.references.places.tolist() == [1, 2, 6, 7, 11, 12, 16, 17]
    assert found.queries.places.tolist() == [1, 2, 6, 7, 11, 12, 16, 17]
    # Panorama 1: of tiles 1, 3, 4 only 3 is a reference, the second of its city; panorama 2: of 2, 4, 5 only 2.
    assert found.semi_positives[:4].tolist() == [[-1, 1, -1], [0, -1, -1], [-1, 3, -1], [2, -1, -1]]


@pytest.mark.parametrize("split", ["same-train", "same-test", "cross-train", "cross-test"])
def test_both_forms_of_the_folders_give_the_same_set(tmp_path, split):
    one, other = (vigor(write(tmp_path / form, form), split) for form in ("own", "sample4geo"))
    for mine, theirs in ((one.queries, other.queries), (one.references, other.references)):
        assert names(mine.paths) == names(theirs.paths)
        assert mine.places.tolist() == theirs.places.tolist()
        assert np.array_equal(mine.positions, theirs.positions)
    assert np.array_equal(one.semi_positives, other.semi_positives)
    assert all((tmp_path / "sample4geo") in type(tmp_path)(path).parents for path in other.queries.paths)


def test_cross_area_trains_on_two_cities_and_tests_on_the_others(tmp_path):
    write(tmp_path, "own")
    train, test = vigor(tmp_path, "cross-train"), vigor(tmp_path, "cross-test")
    assert set(train.references.positions[:, 0]) == {40.5, 47.5}  # New York, Seattle
    assert set(test.references.positions[:, 0]) == {41.5, 37.5}
    assert (len(train.queries), len(train.references)) == (6, 4)  # tile 2 has two panoramas
    assert (len(test.queries), len(test.references)) == (6, 10)


def test_rows_that_cannot_be_used_are_counted_with_their_reason(tmp_path):
    write(tmp_path, "own")
    labels = tmp_path / "splits/Chicago/same_area_balanced_test.txt"
    with labels.open("a") as file:
        file.write("\n")
        file.write("only three columns\n")
        file.write(line("Chicago", 1, 9, 1, 2, 3) + "\n")  # tile 9 is in no list
        file.write(line("Chicago", 2, 5, 9, 2, 3) + "\n")  # its semi-positive is in no list
        file.write(line("Chicago", 8, 1, 2, 3, 4) + "\n")  # panorama 8 was never written
    with (tmp_path / "splits/Chicago/satellite_list.txt").open("a") as file:
        file.write(f"{tile('Chicago', 1)}\n\n")
    (tmp_path / "Chicago/satellite" / tile("Chicago", 2)).unlink()  # the tile of panorama 3
    found = vigor(tmp_path, "same-test")
    assert [(one.path, one.reason) for one in found.skipped] == [
        (f"Chicago/satellite/{tile('Chicago', 2)}", "no such file"),
        ("splits/Chicago/satellite_list.txt:6", "a tile listed twice"),
        ("splits/Chicago/satellite_list.txt:7", "a blank line"),
        (f"Chicago/panorama/{pano('Chicago', 3)}", "its satellite tile is missing"),
        ("splits/Chicago/same_area_balanced_test.txt:2", "a blank line"),
        ("splits/Chicago/same_area_balanced_test.txt:3", "3 columns, not 13"),
        (f"Chicago/panorama/{pano('Chicago', 1)}", "its tile is not in satellite_list.txt"),
        (f"Chicago/panorama/{pano('Chicago', 8)}", "no such file"),
    ]
    # Tiles 1, 3, 4, 5 are left of Chicago. Panorama 2 is on tile 5; tile 9 and tile 2 are not there.
    assert len(found.references) == 19
    assert found.queries.places.tolist()[0] == 3
    assert found.semi_positives.tolist()[0] == [-1, -1, 1]


def test_a_name_without_a_position_has_none(tmp_path):
    write(tmp_path, "own")
    for old, new in ((tile("Chicago", 1), "north.png"), (tile("Chicago", 2), "satellite_95.0_10.0.png")):
        (tmp_path / "Chicago/satellite" / old).rename(tmp_path / "Chicago/satellite" / new)
        table = tmp_path / "splits/Chicago/satellite_list.txt"
        table.write_text(table.read_text().replace(old, new))
    found = vigor(tmp_path, "cross-test")
    assert np.isnan(found.references.positions[:2]).all()
    assert np.isfinite(found.references.positions[2:]).all()


def test_names_in_a_list_cannot_leave_the_folder(tmp_path):
    write(tmp_path, "own")
    (tmp_path / "secret.png").touch()
    with (tmp_path / "splits/Chicago/satellite_list.txt").open("a") as file:
        file.write("../../secret.png\n")
    found = vigor(tmp_path, "cross-test")
    assert ("Chicago/satellite/../../secret.png", "no such file") in [(s.path, s.reason) for s in found.skipped]
    assert not any("secret" in path for path in found.references.paths)


def test_a_wrong_root_is_told_what_was_looked_for_and_what_it_holds(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(InputError) as caught:
        vigor(tmp_path, "cross-train")
    assert f"VIGOR in {tmp_path}" in caught.value.wanted
    assert "splits/NewYork/satellite_list.txt" in caught.value.wanted
    assert caught.value.wanted.endswith("splits/Seattle/pano_label_balanced.txt and 4 more")  # 2 lists, 2 folders each
    assert caught.value.found == "none of them; it holds photos/"
    assert caught.value.remedy.startswith("Name the folder that directly holds splits/")
    with pytest.raises(InputError, match="found no such folder"):
        vigor(tmp_path / "nowhere", "cross-train")


def test_half_of_a_form_is_named_by_what_lacks(tmp_path):
    write(tmp_path, "sample4geo")
    for one in (tmp_path / "satellite/Seattle").iterdir():
        one.unlink()
    (tmp_path / "satellite/Seattle").rmdir()
    with pytest.raises(InputError, match="found no satellite/Seattle; it holds ground/, satellite/, splits/"):
        vigor(tmp_path, "same-test")


def test_no_picture_at_all_is_an_error_that_says_why(tmp_path):
    write(tmp_path, "own")
    for city in CITIES:
        for one in (tmp_path / city / "panorama").iterdir():
            one.unlink()
    with pytest.raises(InputError, match=r"0 queries and 20 references \(skipped: 4 x no such file\)"):
        vigor(tmp_path, "same-test")


def test_an_unknown_split_lists_the_known_ones(tmp_path):
    with pytest.raises(InputError, match=r'"test".*same-train, same-test, cross-train, cross-test'):
        vigor(tmp_path, "test")


def test_a_list_that_is_no_text_is_an_error(tmp_path):
    write(tmp_path, "own")
    table = tmp_path / "splits/Chicago/satellite_list.txt"
    table.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"one that cannot be read.*Copy the data set's lists again"):
        vigor(tmp_path, "same-test")
