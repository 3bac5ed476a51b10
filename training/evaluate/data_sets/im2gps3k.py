"""IM2GPS3k: 2,997 photos from Flickr, drawn at random, so that many show no place.

Source: Vo, Jacobs, Hays, "Revisiting IM2GPS in the Deep Learning Era", ICCV 2017; im2gps3ktest.zip of
github.com/lugiavn/revisiting-im2gps. It holds 3,000 pictures; the list that everybody measures with has 2,997 of them.
Licence: each photographer's own, Creative Commons for most.

Layout: the list ``im2gps3k_places365.csv`` (`places365.py`; ``im2gps3k.csv`` is the name in GeoRanker's code), or
``info.json`` (`picture_comments.py`), at the root; the pictures ``<id>_<secret>_<number>_<owner>.jpg`` beside it or in
one of `FOLDERS`. The pictures are as they were uploaded: some hold their position in EXIF or comments, so that what
reads metadata is to be left out of an evaluation.
"""

from __future__ import annotations

from pathlib import Path

from geosleuth.training.datasets.listing import Listing
from geosleuth.training.evaluate.data_sets.im2gps import by_list
from geosleuth.training.evaluate.data_sets.listed import Listed

NAME = "IM2GPS3k"
PUBLISHED = 2_997
FOLDERS = ("", "images", "img", "im2gps3ktest", "images/im2gps3ktest", "im2gps3k")
LISTS = ("im2gps3k_places365.csv", "im2gps3k.csv", "info.json")


def im2gps3k(root: Path, labels: Path | None) -> Listed:
    """Read the list.

    Raises:
        InputError: No folder, no list, or one that cannot be read.
    """
    return by_list(Listing(root), NAME, LISTS, labels, FOLDERS, PUBLISHED)
