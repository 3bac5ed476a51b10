"""CVUSA: its lists without header, and the optional positions by line."""

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cvusa import cvusa


@pytest.fixture
def root(tmp_path):
    """Pairs 1 and 3 train, pair 2 validates."""
    (tmp_path / "splits").mkdir()
    for number in (1, 2, 3):
        for folder in ("bingmap/19", "streetview/panos"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / f"{number:07d}.jpg").touch()
    (tmp_path / "splits/train-19zl.csv").write_text("".join(row(number) for number in (1, 3)))
    (tmp_path / "splits/val-19zl.csv").write_text(row(2))
    return tmp_path


def row(number):
    name = f"{number:07d}"
    return f"bingmap/19/{name}.jpg,streetview/panos/{name}.jpg,streetview/annotations/{name}.png\n"


def relative(root, pictures):
    return [path.removeprefix(f"{root}/") for path in pictures.paths]


def test_each_row_is_a_pair(root):
    found = cvusa(root, "train")
    assert relative(root, found.queries) == ["streetview/panos/0000001.jpg", "streetview/panos/0000003.jpg"]
    assert relative(root, found.references) == ["bingmap/19/0000001.jpg", "bingmap/19/0000003.jpg"]
    assert found.queries.places.tolist() == found.references.places.tolist() == [0, 1]
    assert found.queries.modalities[0].view == "panorama"
    assert np.isnan(found.queries.positions).all()
    assert np.isnan(found.references.positions).all()
    assert relative(root, cvusa(root, "val").references) == ["bingmap/19/0000002.jpg"]


def test_positions_are_of_the_line_that_a_pair_is_numbered_by(root):
    (root / "split_locations").mkdir()
    (root / "split_locations/all.csv").write_text("10,20,10.5,20.5,0\n11,21,11.5,21.5,0\n12,22,12.5,x,0\n")
    found = cvusa(root, "train")
    assert found.references.positions.tolist() == [[10, 20], [12, 22]]
    assert found.queries.positions[0].tolist() == [10.5, 20.5]
    assert np.isnan(found.queries.positions[1]).all()  # "x" is no longitude
    (root / "split_locations/all.csv").write_text("10,20,10.5,20.5,0\n")
    assert np.isnan(cvusa(root, "train").references.positions[1]).all()  # no line 3


def test_rows_that_cannot_be_used_are_counted_with_their_reason(root):
    with (root / "splits/train-19zl.csv").open("a") as file:
        file.write("\nbingmap/19/0000001.jpg\n" + row(4))
    (root / "bingmap/19/0000001.jpg").unlink()
    (root / "bingmap/19/0000004.jpg").touch()
    found = cvusa(root, "train")
    assert relative(root, found.queries) == ["streetview/panos/0000003.jpg"]
    assert [(one.path, one.reason) for one in found.skipped] == [
        ("bingmap/19/0000001.jpg", "no such file"),
        ("streetview/panos/0000001.jpg", "its satellite tile is missing"),
        ("splits/train-19zl.csv:3", "a blank line"),
        ("splits/train-19zl.csv:4", "no pair of paths"),
        ("streetview/panos/0000004.jpg", "no such file"),
    ]


def test_a_tile_of_two_panoramas_is_one_reference(root):
    (root / "splits/train-19zl.csv").write_text(
        "bingmap/19/0000001.jpg,streetview/panos/0000001.jpg\nbingmap/19/0000001.jpg,streetview/panos/0000003.jpg\n"
    )
    found = cvusa(root, "train")
    assert found.queries.places.tolist() == [0, 0]
    assert len(found.references) == 1


@pytest.mark.parametrize("path", ["../outside.jpg", "/etc/passwd", "bingmap/../../x.jpg", "C:/x.jpg", "..\\x.jpg"])
def test_a_path_that_leaves_the_root_is_refused(root, path):
    (root / "splits/val-19zl.csv").write_text(f"{path},streetview/panos/0000002.jpg\n")
    with pytest.raises(InputError) as caught:
        cvusa(root, "val")
    assert caught.value.wanted == f"a path inside {root} in splits/val-19zl.csv, line 1"
    assert path in caught.value.found


def test_a_wrong_root_is_told_what_was_looked_for(tmp_path):
    with pytest.raises(InputError, match=r"CVUSA in .*: splits/val-19zl.csv; found no splits/val-19zl.csv; it holds"):
        cvusa(tmp_path, "val")
    with pytest.raises(InputError, match="train, val"):
        cvusa(tmp_path, "test")
