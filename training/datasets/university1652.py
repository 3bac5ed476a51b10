"""University-1652: buildings of 72 universities, each from a synthetic drone, a satellite and the street.

Source: Zheng, Wei, Yang, "University-1652: A Multi-view Multi-source Benchmark for Drone-based Geo-localization",
ACM Multimedia 2020. Licence: on request, for research only, not to be passed on (the authors' form of request); the
drone and satellite pictures are Google Earth's. No positions lie beside the pictures.

Layout, a folder per building, named by a number of four digits::

    train/{drone,street,satellite,google}/<id>/*.jpg
    test/{query_drone,query_street,query_satellite,gallery_drone,gallery_street,gallery_satellite}/<id>/*.jpg

Splits: train (queries are drone and, where there are any, street pictures; references are the satellite tiles),
drone-to-satellite, satellite-to-drone, street-to-satellite, satellite-to-street, and these four with -all behind. The
pictures of train/google are not read: the authors found them by an image search, and many show something else.

The test galleries hold 250 buildings more than the queries have. In the splits ending in -all they are wrong answers,
as in the authors' evaluation: a label of -1 would be junk, but their labels are folder names, never -1. Sample4Geo
relabels them -1, so that they are removed as junk, and its published figures are of the smaller gallery. To be compared
with those they are junk (`NO_PLACE`) in the splits without -all; recall with -all can only be lower.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from geosleuth.indexes.gallery.reference import View
from geosleuth.training.datasets.columns import columns, not_empty
from geosleuth.training.datasets.cross_view import NO_PLACE, CrossViewSet, Modality, Skipped
from geosleuth.training.datasets.layout import check_layout, check_split
from geosleuth.training.datasets.listing import PICTURE_SUFFIXES, Listing

NAME = "University-1652"
_VIEWS: dict[str, View] = {"drone": "drone", "street": "ground", "satellite": "satellite"}
_TESTS = {
    f"{one}-to-{other}": (one, other)
    for one, other in (("drone", "satellite"), ("satellite", "drone"), ("street", "satellite"), ("satellite", "street"))
}
_ALL = "-all"  # ends a split in which buildings without a query are wrong answers, not junk
SPLITS = ("train", *_TESTS, *(f"{one}{_ALL}" for one in _TESTS))
_REMEDY = "Name the folder that directly holds train/ and test/."


def university1652(root: Path, split: str) -> CrossViewSet:
    """Read a split of University-1652.

    Raises:
        InputError: No such split, a root that does not hold it, or not one usable picture.
    """
    check_split(NAME, split, SPLITS)
    listing = Listing(root)
    if split == "train":
        has_street = (listing.root / "train/street").is_dir()
        whole = _train(listing, ["drone", "street"] if has_street else ["drone"])
    else:
        whole = _test(listing, split)
    return not_empty(whole, listing.root)


def _train(listing: Listing, kinds: list[str]) -> CrossViewSet:
    folders = {kind: f"train/{kind}" for kind in [*kinds, "satellite"]}
    check_layout(listing, NAME, list(folders.values()), _REMEDY)
    skipped: list[Skipped] = []
    tiles = list(_pictures(listing, folders["satellite"], skipped))
    rows = [
        (path, place, number)
        for number, kind in enumerate(kinds)
        for path, place in _pictures(listing, folders[kind], skipped)
    ]
    with_tile = {place for _, place in tiles}
    with_query = {place for _, place, _ in rows}
    skipped += [Skipped(path, "no satellite picture of its building") for path, p, _ in rows if p not in with_tile]
    skipped += [Skipped(path, "no query of its building") for path, place in tiles if place not in with_query]
    rows = [row for row in rows if row[1] in with_tile]
    tiles = [tile for tile in tiles if tile[1] in with_query]
    queries = columns(
        [listing.path(row[0]) for row in rows],
        [row[1] for row in rows],
        tuple(Modality(kind, _VIEWS[kind]) for kind in kinds),
        modality=[row[2] for row in rows],
    )
    references = columns([listing.path(p) for p, _ in tiles], [place for _, place in tiles], (_modality("satellite"),))
    return CrossViewSet(NAME, "train", queries, references, skipped=tuple(skipped))


def _test(listing: Listing, split: str) -> CrossViewSet:
    asked, given = _TESTS[split.removesuffix(_ALL)]
    query_folder, gallery_folder = f"test/query_{asked}", f"test/gallery_{given}"
    check_layout(listing, NAME, [query_folder, gallery_folder], _REMEDY)
    skipped: list[Skipped] = []
    rows = list(_pictures(listing, query_folder, skipped))
    gallery = list(_pictures(listing, gallery_folder, skipped))
    answers = {place for _, place in gallery}
    skipped += [Skipped(path, "no gallery picture of its building") for path, place in rows if place not in answers]
    rows = [row for row in rows if row[1] in answers]
    asked_for = {place for _, place in rows}
    places = [place if split.endswith(_ALL) or place in asked_for else NO_PLACE for _, place in gallery]
    return CrossViewSet(
        NAME,
        split,
        columns([listing.path(path) for path, _ in rows], [place for _, place in rows], (_modality(asked),)),
        columns([listing.path(path) for path, _ in gallery], places, (_modality(given),)),
        skipped=tuple(skipped),
    )


def _pictures(listing: Listing, folder: str, skipped: list[Skipped]) -> Iterator[tuple[str, int]]:
    """Yield path from the root and building of every picture, in the order of their names."""
    for building in listing.folders(folder):
        inside = f"{folder}/{building}"
        names = sorted(name for name in listing.files(inside) if not name.startswith("."))
        if not (building.isascii() and building.isdecimal()):
            skipped.append(Skipped(inside, "a folder whose name is no number"))
        elif not names:
            skipped.append(Skipped(inside, "an empty folder"))
        else:
            for name in names:
                if Path(name).suffix.lower() in PICTURE_SUFFIXES:
                    yield f"{inside}/{name}", int(building)
                else:
                    skipped.append(Skipped(f"{inside}/{name}", "not the ending of a picture"))


def _modality(kind: str) -> Modality:
    return Modality(kind, _VIEWS[kind])
