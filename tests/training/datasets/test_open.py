"""Data sets by name, the listing beneath them, and pictures that cannot be decoded."""

import os

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.broken import broken_pictures
from geosleuth.training.datasets.columns import columns, skip_reasons
from geosleuth.training.datasets.cross_view import Modality, Skipped
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


def test_pictures_that_cannot_be_decoded_are_named_in_their_order(tmp_path):
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "good.jpg")
    whole = (tmp_path / "good.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "page.jpg").write_bytes(b"<html>403</html>")
    (tmp_path / "empty.jpg").touch()
    names = ["half.jpg", "good.jpg", "page.jpg", "good.jpg", "empty.jpg", "gone.jpg"]
    pictures = columns([str(tmp_path / name) for name in names], range(6), (Modality("satellite", "satellite"),))
    found = list(broken_pictures(pictures))
    assert [one.path.rsplit("/", 1)[1] for one in found] == ["half.jpg", "page.jpg", "empty.jpg", "gone.jpg"]
    assert "cannot be decoded" in found[0].reason
    assert "a web page" in found[1].reason
    assert "an empty file" in found[2].reason
    assert "no such file" in found[3].reason
