"""The labelled data sets by the names that the command line uses, each with a line for its help."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.data_sets.any_csv import any_csv
from geosleuth.training.evaluate.data_sets.gws15k import gws15k
from geosleuth.training.evaluate.data_sets.im2gps import im2gps
from geosleuth.training.evaluate.data_sets.im2gps3k import im2gps3k
from geosleuth.training.evaluate.data_sets.labelled_set import LabelledSet
from geosleuth.training.evaluate.data_sets.listed import Listed, assembled
from geosleuth.training.evaluate.data_sets.osv5m import osv5m
from geosleuth.training.evaluate.data_sets.street_dev import street_dev
from geosleuth.training.evaluate.data_sets.yfcc4k import yfcc4k

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set that can be opened by name."""

    read: Callable[[Path, Path | None], Listed]  # root, and a list named apart
    about: str  # one line: what it is, and what its root holds


DATA_SETS = {
    "im2gps": DataSet(im2gps, "IM2GPS, 237 tourists' photos: im2gps_places365.csv, or the pictures' own comments"),
    "im2gps3k": DataSet(im2gps3k, "IM2GPS3k, 2,997 photos from Flickr: im2gps3k_places365.csv and images/"),
    "yfcc4k": DataSet(yfcc4k, "YFCC4k, 4,536 photos from Flickr: yfcc4k_places365.csv (or info.txt) and images/"),
    "gws15k": DataSet(gws15k, "GWS15k, 15,000 street views, never released: your manifest gws15k.csv and images/"),
    "osv5m": DataSet(osv5m, "OpenStreetView-5M, 210,122 street views to test on: test.csv and images/test/NN/"),
    "street-dev": DataSet(street_dev, "street-dev: labels.csv, in the folder of stills or named by --labels"),
    "csv": DataSet(any_csv, "any photos with a table of file, lat, lon and, if known, country and city"),
}
HELP = "\n".join(f"{name}: {one.about}" for name, one in DATA_SETS.items())


def open_labelled(
    name: str, root: Path, *, labels: Path | None = None, limit: int | None = None, seed: int = 0
) -> LabelledSet:
    """Read a labelled data set; of a picture no more than the first bytes, unless it holds its own position.

    Rows that cannot be used are in `skipped` with their reason: no such file, a broken file, a path out of the root, a
    position that is none. A country in words becomes ISO 3166-1; where the set names none it is the one at the
    position, and "" at sea.

    Args:
        name: A key of `DATA_SETS`.
        root: The folder that the set's module describes.
        labels: The set's list, where it does not lie in the root under its usual name.
        limit: How many photos to draw, in the countries' proportions; None takes all. A longer draw holds every shorter
            one, and broken files are drawn for again.
        seed: Of the draw.

    Raises:
        InputError: No such set, a root that does not hold it, or not one usable photo; says what was looked for.
    """
    if name not in DATA_SETS:
        raise InputError("a data set", f'"{name}"', f"Use one of: {', '.join(DATA_SETS)}.")
    read = assembled(DATA_SETS[name].read(root.expanduser(), labels), limit, seed)
    logger.info("%s", read.said())
    return read
