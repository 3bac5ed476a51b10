"""Data sets by name, the listing beneath them, and what is said of them."""

import os

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.columns import columns, said, skip_reasons
from geosleuth.training.datasets.cross_view import CrossViewSet, Modality, Skipped
from geosleuth.training.datasets.layout import check_layout
from geosleuth.training.datasets.listing import Listing
from geosleuth.training.datasets.open import SETS, open_set


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(
        InputError, match=r'a data set; found "vigour"\. Use one of: vigor, university1652, cvusa, cvact'
    ):
        open_set("vigour", tmp_path, "train")


@pytest.mark.parametrize("name", SETS)
def test_every_set_tells_where_it_looked(tmp_path, name):
    splits = {"vigor": "same-train"}
    with pytest.raises(InputError) as caught:
        open_set(name, tmp_path / "nowhere", splits.get(name, "train"))
    assert str(tmp_path / "nowhere") in caught.value.wanted
    assert caught.value.found == "no such folder"


def test_a_relative_root_is_read_and_its_paths_are_absolute(tmp_path, monkeypatch):
    (tmp_path / "set/test/query_street/0001").mkdir(parents=True)
    (tmp_path / "set/test/gallery_satellite/0001").mkdir(parents=True)
    (tmp_path / "set/test/query_street/0001/a.jpg").touch()
    (tmp_path / "set/test/gallery_satellite/0001/b.jpg").touch()
    monkeypatch.chdir(tmp_path)
    from pathlib import Path

    found = open_set("university1652", Path("other/../set"), "street-to-satellite")
    assert found.queries.paths == [str(tmp_path / "set/test/query_street/0001/a.jpg")]


def test_links_are_followed_and_those_to_nothing_are_not_there(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/a.jpg").touch()
    (tmp_path / "root").mkdir()
    (tmp_path / "root/linked").symlink_to(tmp_path / "disk")
    (tmp_path / "root/gone.jpg").symlink_to(tmp_path / "disk/b.jpg")
    listing = Listing(tmp_path / "root")
    assert listing.has("linked/a.jpg")
    assert not listing.has("gone.jpg")
    assert not listing.has("linked")  # a folder is no file
    assert not listing.has("linked/a.jpg/b.jpg")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_an_error(tmp_path):
    (tmp_path / "locked").mkdir(mode=0)
    with pytest.raises(InputError, match="Change its permissions"):
        Listing(tmp_path).has("locked/a.jpg")


def test_a_folder_with_a_name_that_cannot_be_is_an_error(tmp_path):
    with pytest.raises(InputError, match="found one that cannot be read"):
        Listing(tmp_path).has("a\0b/c.jpg")


def test_skipped_rows_are_counted_by_reason():
    rows = [Skipped("a", "no such file"), Skipped("b", "a blank line"), Skipped("c", "no such file")]
    assert skip_reasons(rows) == {"no such file": 2, "a blank line": 1}


def some(skipped=()):
    pictures = columns(["a", "b"], [0, 1], (Modality("satellite", "satellite"),))
    return CrossViewSet("VIGOR", "same-train", pictures, pictures, skipped=skipped)


def test_what_was_read_is_said_in_a_line():
    assert said(some()) == "VIGOR same-train: 2 queries, 2 references; none skipped"
    gone = tuple(Skipped(f"{n}.jpg", "no such file") for n in range(1, 5))
    assert said(some((Skipped("list:3", "a blank line"), *gone))) == (
        "VIGOR same-train: 2 queries, 2 references; 5 skipped: "
        "4 no such file (first: 1.jpg), 1 a blank line (first: list:3)"
    )
    many = tuple(Skipped(str(n), f"reason {n}") for n in range(5))
    assert said(some(many)).endswith("1 reason 2 (first: 2), 2 for other reasons")


def test_long_lists_in_errors_are_cut(tmp_path):
    for number in range(10):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(InputError) as caught:
        check_layout(Listing(tmp_path), "SET", ["0.txt", *"abcdef"], "Look.")
    assert caught.value.wanted == f"SET in {tmp_path}: 0.txt, a, b, c and 3 more"
    assert caught.value.found == (
        "no a, b, c, d and 2 more; it holds 0.txt, 1.txt, 2.txt, 3.txt, 4.txt, 5.txt, 6.txt, 7.txt and 2 more"
    )
