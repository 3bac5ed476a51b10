"""GWS15k, "Google World Streets": 15,000 street views spread over the land's surface, by a manifest.

Source: Clark et al., "Where We Are and What We're Looking At: Query Based Worldwide Image Geo-localization Using
Hierarchies and Scenes", CVPR 2023. It was never released ("It's private :( You have to make it yourself", in
github.com/VicenteVivan/geo-clip, issue 8): whoever has it, or draws one by its recipe (a country by its share of the
land, a town in it, a street view within 5 km: github.com/wp4032/gws15k), writes the manifest. Figures of a set drawn
anew are not the papers' figures.

Layout: ``gws15k.csv``, ``manifest.csv`` or ``metadata.csv`` at the root (UTF-8, commas, a header)::

    image_id (or file), lat, lon, country, city

Country (a name or ISO 3166-1) and city may be empty or left out, further columns as headings are not read. The pictures
are at the root or in one of `FOLDERS`, and named by image_id, whose ending may be left out. Licence: Google's terms.
"""

from __future__ import annotations

from pathlib import Path

from geosleuth.training.datasets.listing import Listing
from geosleuth.training.evaluate.data_sets.label_table import find_list, read_table
from geosleuth.training.evaluate.data_sets.listed import Listed

NAME = "GWS15k"
PUBLISHED = 15_000
FOLDERS = ("", "images", "img", "gws15k")
LISTS = ("gws15k.csv", "manifest.csv", "metadata.csv")


def gws15k(root: Path, labels: Path | None) -> Listed:
    """Read the manifest.

    Raises:
        InputError: No folder, no manifest, or one that cannot be read.
    """
    listing = Listing(root)
    rows, skipped = read_table(find_list(listing, NAME, LISTS, labels))
    return Listed(NAME, listing, rows, FOLDERS, PUBLISHED, skipped=skipped)
