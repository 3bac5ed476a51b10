"""Any photos with a table of where they were taken.

Layout: ``labels.csv``, ``manifest.csv``, ``metadata.csv`` or ``photos.csv`` at the root, or a table named apart (UTF-8,
commas, a header); paths in it are relative to the root:

======== ===============================================================================================================
file     of the picture, with slashes; also: source_file, path, image, filename, id, and others of `label_table.NAMES`
lat, lon WGS 84 degrees; also: latitude; longitude, lng, long. Empty for a control, which is skipped
country  optional, ISO 3166-1 or a name in any language; also: iso2, country_code. Empty: that at the position
city     optional; also: city_name, town
======== ===============================================================================================================
"""

from __future__ import annotations

from pathlib import Path

from geosleuth.training.datasets.listing import Listing
from geosleuth.training.evaluate.data_sets.label_table import find_list, read_table
from geosleuth.training.evaluate.data_sets.listed import Listed

LISTS = ("labels.csv", "manifest.csv", "metadata.csv", "photos.csv")


def any_csv(root: Path, labels: Path | None) -> Listed:
    """Read the table; the set has the name of its folder.

    Raises:
        InputError: No folder, no table, or one that cannot be read.
    """
    listing = Listing(root)
    rows, skipped = read_table(find_list(listing, "labelled photos", LISTS, labels))
    return Listed(listing.root.name or "csv", listing, rows, originals=True, skipped=skipped)
