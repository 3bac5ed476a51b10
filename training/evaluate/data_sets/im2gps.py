"""IM2GPS: 237 tourists' photos from Flickr, the first test set of photo geolocation.

Source: Hays, Efros, "IM2GPS: estimating geographic information from a single image", CVPR 2008; gps_query_imgs.zip of
graphics.cs.cmu.edu/projects/im2gps. Licence: each photographer's own, Creative Commons for most.

Layout: pictures in the root or in one of `FOLDERS`, and their positions in the first of these that is there:

- ``im2gps_places365.csv`` (`places365.py`). Its IMG_ID lack the prefix that some of the zip's names have
  (``Rome_00024_231521295_...``), so a picture is found by the last four parts of its name, too: Flickr's id and secret,
  the downloader's number, the owner.
- ``info.json``, and else the pictures themselves (`picture_comments.py`).

The files hold their positions, some names their place: what reads metadata is to be left out of an evaluation.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.datasets.listing import PICTURE_SUFFIXES, Listing
from geosleuth.training.evaluate.data_sets.label_table import Label, check_root, find_list
from geosleuth.training.evaluate.data_sets.listed import Listed
from geosleuth.training.evaluate.data_sets.picture_comments import read_info, read_picture
from geosleuth.training.evaluate.data_sets.places365 import read_places365

NAME = "IM2GPS"
PUBLISHED = 237
FOLDERS = ("", "images", "img", "gps_query_imgs", "im2gps", "images/gps_query_imgs")
LISTS = ("im2gps_places365.csv", "im2gps.csv", "info.json")
NO_COMMENT = "no position in its comments or EXIF"
_PARTS = 4  # of a name, from its end, that tell a picture: id, secret, number, owner


def im2gps(root: Path, labels: Path | None) -> Listed:
    """Read the list, or the positions in the pictures where there is none.

    Raises:
        InputError: No folder, no list that can be read, or neither list nor pictures.
    """
    listing = Listing(root)
    check_root(listing, NAME, f"{LISTS[0]}, or the pictures of gps_query_imgs.zip")
    if labels is None and not any(listing.has(one) for one in LISTS):
        pictures = next(filter(None, (sorted(_pictures(listing, folder)) for folder in FOLDERS)), [])
        if pictures:
            return _by_pictures(listing, pictures)
    return by_list(listing, NAME, LISTS, labels, FOLDERS, PUBLISHED)


def by_list(
    listing: Listing, name: str, lists: tuple[str, ...], labels: Path | None, folders: tuple[str, ...], published: int
) -> Listed:
    """Read a list whose names may lack the prefix that the pictures' have.

    Raises:
        InputError: No list, or one that cannot be read.
    """
    table = find_list(listing, name, lists, labels)
    if table.suffix.lower() == ".json":
        rows, skipped, notes = read_info(table), list[Skipped](), dict[str, int]()
    else:
        rows, skipped, notes = read_places365(table)
    paths = [path for folder in folders for path in _pictures(listing, folder)]
    names, by_end = set(map(_name, paths)), {_end(path): path for path in reversed(paths)}
    rows = [one if one.file in names or "/" in one.file else _renamed(one, by_end) for one in rows]
    return Listed(name, listing, rows, folders, published, True, skipped, notes)


def _by_pictures(listing: Listing, pictures: list[str]) -> Listed:
    rows: list[Label] = []
    skipped: list[Skipped] = []
    notes: Counter[str] = Counter()
    for file in pictures:
        try:
            read = read_picture(Path(listing.path(file)), file)
        except InputError as error:
            skipped.append(Skipped(file, f"it cannot be opened: {error.found.partition(':')[0]}"))
            continue
        if read is None:
            skipped.append(Skipped(file, NO_COMMENT))
        else:
            rows.append(read[0])
            notes[read[1]] += 1
    return Listed(NAME, listing, rows, published=PUBLISHED, originals=True, skipped=skipped, notes=notes)


def _pictures(listing: Listing, folder: str) -> list[str]:
    names = (name for name in listing.files(folder) if name.lower().endswith(PICTURE_SUFFIXES))
    return [f"{folder}/{name}" if folder else name for name in names]


def _renamed(label: Label, by_end: dict[str, str]) -> Label:
    return replace(label, file=by_end.get(_end(label.file), label.file))


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _end(path: str) -> str:
    return "_".join(_name(path).split("_")[-_PARTS:])
