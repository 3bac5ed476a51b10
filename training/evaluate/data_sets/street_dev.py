"""street-dev: street views with positions, on which answers of vision-language models were recorded.

Layout: a folder of stills, and ``labels.csv`` in it or named apart, since the stills are another download::

    source_file, lat, lon, country, iso2, city, heading

source_file is a still's name, iso2 its country by ISO 3166-1, country the same in words, heading not read. Rows without
a position are controls, and skipped.
"""

from __future__ import annotations

from pathlib import Path

from geosleuth.training.datasets.listing import Listing
from geosleuth.training.evaluate.data_sets.label_table import find_list, read_table
from geosleuth.training.evaluate.data_sets.listed import Listed

NAME = "street-dev"
FOLDERS = ("", "stills", "images", "photos")
LISTS = ("labels.csv",)


def street_dev(root: Path, labels: Path | None) -> Listed:
    """Read the labels.

    Raises:
        InputError: No folder, no labels, or ones that cannot be read.
    """
    listing = Listing(root)
    rows, skipped = read_table(find_list(listing, NAME, LISTS, labels))
    return Listed(NAME, listing, rows, FOLDERS, skipped=skipped)
