"""OpenStreetView-5M, its test split: 210,122 street views of Mapillary, none within 1 km of a training picture.

Source: Astruc, Dufour, Siglidis et al., "OpenStreetView-5M: The Many Roads to Global Visual Geolocation", CVPR 2024;
github.com/gastruc/osv5m (DATASET.md, data/data.py), the Hub's osv5m/osv5m. Licence: CC BY-SA 4.0.

Layout, as downloaded and unpacked::

    test.csv                     id, latitude, longitude, country, region, sub-region, city, and twenty more
    images/test/<NN>/<id>.jpg    NN 00 to 04; also without NN

Countries are ISO 3166-1, but Namibia's is NMB where the authors mended what pandas had read as nothing
(scripts/preprocessing/fix_namimbia.py). A part of the five archives will do: what is not unpacked is counted.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from geosleuth.training.datasets.layout import check_layout
from geosleuth.training.datasets.listing import Listing
from geosleuth.training.evaluate.data_sets.label_table import find_list, read_table
from geosleuth.training.evaluate.data_sets.listed import Listed

NAME = "OSV-5M"
PUBLISHED = 210_122
LISTS = ("test.csv",)
PICTURES = "images/test"
_NAMIBIA = "NMB"


def osv5m(root: Path, labels: Path | None) -> Listed:
    """Read the list of the test split.

    Raises:
        InputError: No folder, no list, one that cannot be read, or no pictures.
    """
    listing = Listing(root)
    table = find_list(listing, NAME, LISTS, labels)
    check_layout(listing, NAME, [PICTURES], "Unpack images/test/00.zip, or more of them, where they lie.")
    rows, skipped = read_table(table)
    rows = [replace(one, country="Namibia") if one.country == _NAMIBIA else one for one in rows]
    folders = (PICTURES, *(f"{PICTURES}/{one}" for one in listing.folders(PICTURES)))
    return Listed(NAME, listing, rows, folders, PUBLISHED, skipped=skipped)
