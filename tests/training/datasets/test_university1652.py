"""University-1652 in its true layout, from empty files."""

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import NO_PLACE
from geosleuth.training.datasets.university1652 import university1652


def fill(root, *files):
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return root


def relative(root, pictures):
    return [path.removeprefix(f"{root}/") for path in pictures.paths]


@pytest.fixture
def root(tmp_path):
    return fill(
        tmp_path,
        "train/satellite/0839/0839.jpg",
        "train/satellite/0842/0842.jpg",
        "train/drone/0839/image-02.jpeg",
        "train/drone/0839/image-01.jpeg",
        "train/drone/0842/image-01.jpeg",
        "train/street/0842/1.JPG",
        "train/google/0839/7.png",
        "test/query_drone/0001/image-01.jpeg",
        "test/query_drone/0001/image-02.jpeg",
        "test/query_drone/0003/image-01.jpeg",
        "test/gallery_satellite/0001/0001.jpg",
        "test/gallery_satellite/0002/0002.jpg",
        "test/gallery_satellite/0003/0003.jpg",
        "test/query_satellite/0001/0001.jpg",
        "test/gallery_drone/0001/image-01.jpeg",
        "test/gallery_drone/0001/image-02.jpeg",
        "test/gallery_drone/0002/image-01.jpeg",
        "test/query_street/0003/a.jpg",
        "test/gallery_street/0001/a.jpg",
    )


def test_training_queries_are_drone_and_street_pictures(root):
    found = university1652(root, "train")
    assert relative(root, found.queries) == [
        "train/drone/0839/image-01.jpeg",
        "train/drone/0839/image-02.jpeg",
        "train/drone/0842/image-01.jpeg",
        "train/street/0842/1.JPG",
    ]
    assert found.queries.places.tolist() == [839, 839, 842, 842]
    assert [(one.name, one.view) for one in found.queries.modalities] == [("drone", "drone"), ("street", "ground")]
    assert found.queries.modality.tolist() == [0, 0, 0, 1]
    assert relative(root, found.references) == ["train/satellite/0839/0839.jpg", "train/satellite/0842/0842.jpg"]
    assert found.references.places.tolist() == [839, 842]
    assert found.skipped == ()
    assert found.semi_positives is None


def test_gallery_buildings_without_a_query_are_junk(root):
    found = university1652(root, "drone-to-satellite")
    assert found.queries.places.tolist() == [1, 1, 3]
    assert found.references.places.tolist() == [1, NO_PLACE, 3]


def test_by_the_rule_of_the_authors_they_are_distractors(root):
    found = university1652(root, "drone-to-satellite-all")
    assert found.references.places.tolist() == [1, 2, 3]
    assert found.queries.places.tolist() == [1, 1, 3]
    assert found.split == "drone-to-satellite-all"
    assert university1652(root, "satellite-to-drone-all").references.places.tolist() == [1, 1, 2]


def test_a_satellite_query_has_many_answers(root):
    found = university1652(root, "satellite-to-drone")
    assert found.queries.modalities[0].view == "satellite"
    assert found.references.modalities[0].view == "drone"
    assert found.references.places.tolist() == [1, 1, NO_PLACE]


def test_street_splits_have_the_view_of_the_ground(root):
    asked = university1652(root, "street-to-satellite")
    assert (asked.queries.modalities[0].view, asked.queries.places.tolist()) == ("ground", [3])
    given = university1652(root, "satellite-to-street")
    assert relative(root, given.references) == ["test/gallery_street/0001/a.jpg"]


def test_what_has_no_partner_or_is_no_picture_is_counted(root):
    fill(
        root,
        "train/drone/0900/image-01.jpeg",  # no satellite picture
        "train/satellite/0901/0901.jpg",  # no query
        "train/drone/0839/notes.txt",
        "train/drone/0839/.hidden.jpg",  # passed over, as the file managers' own files are
        "train/drone/somewhere/1.jpg",
        "test/query_drone/0009/image-01.jpeg",  # no gallery picture
    )
    (root / "train/drone/0902").mkdir()
    train = university1652(root, "train")
    assert sorted((one.path, one.reason) for one in train.skipped) == [
        ("train/drone/0839/notes.txt", "not the ending of a picture"),
        ("train/drone/0900/image-01.jpeg", "no satellite picture of its building"),
        ("train/drone/0902", "an empty folder"),
        ("train/drone/somewhere", "a folder whose name is no number"),
        ("train/satellite/0901/0901.jpg", "no query of its building"),
    ]
    assert (len(train.queries), len(train.references)) == (4, 2)
    test = university1652(root, "drone-to-satellite")
    assert [(one.path, one.reason) for one in test.skipped] == [
        ("test/query_drone/0009/image-01.jpeg", "no gallery picture of its building")
    ]
    assert test.queries.places.tolist() == [1, 1, 3]


def test_a_wrong_root_is_told_what_was_looked_for(root):
    with pytest.raises(InputError) as caught:
        university1652(root / "train", "train")
    assert caught.value.wanted == f"University-1652 in {root}/train: train/drone, train/satellite"
    assert caught.value.found == "none of them; it holds drone/, google/, satellite/, street/"
    with pytest.raises(InputError, match="found a file"):
        university1652(root / "train/satellite/0839/0839.jpg", "train")


def test_an_unknown_split_lists_the_known_ones(root):
    with pytest.raises(InputError, match=r"train, drone-to-satellite, .*, drone-to-satellite-all, "):
        university1652(root, "val")
