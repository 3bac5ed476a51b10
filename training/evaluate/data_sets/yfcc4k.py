"""YFCC4k: 4,536 photos of Flickr's YFCC100M.

Source: Vo, Jacobs, Hays, "Revisiting IM2GPS in the Deep Learning Era", ICCV 2017; yfcc4k.zip of
github.com/lugiavn/revisiting-im2gps. Licence: Creative Commons, each photographer's choice.

Layout: the first of these lists that is at the root, and the pictures ``<photo id>.jpg`` beside it or in one of
`FOLDERS`:

- ``yfcc4k_places365.csv`` or ``yfcc4k.csv``, with IMG_ID, LAT and LON (G3's and GeoRanker's code; the second has
  OwnerNSID and YFCC100M's other fields beside them).
- ``info.txt``, tabs and no header: YFCC100M's fields behind a line number, photo id in the second column, longitude and
  latitude in the thirteenth and fourteenth (github.com/gastruc/osv5m, data/data.py).
- ``0aaaa.r.imagedata.txt``, the authors' own: path, latitude and longitude, separated by blanks. It is read as one
  public script reads it, and has not been seen here; exchanged columns would be noticed (`label_table.turned`).
"""

from __future__ import annotations

from pathlib import Path

from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.datasets.listing import BLANK_LINE, Listing, read_lines
from geosleuth.training.evaluate.data_sets.label_table import Label, find_list, turned
from geosleuth.training.evaluate.data_sets.listed import Listed
from geosleuth.training.evaluate.data_sets.places365 import TURNED, read_places365

NAME = "YFCC4k"
PUBLISHED = 4_536
FOLDERS = ("", "images", "img", "yfcc4k", "images/yfcc4k")
IMAGE_DATA = "0aaaa.r.imagedata.txt"
LISTS = ("yfcc4k_places365.csv", "yfcc4k.csv", "info.txt", IMAGE_DATA)
_PHOTO_ID, _LON, _LAT = 1, 12, 13  # columns of info.txt


def yfcc4k(root: Path, labels: Path | None) -> Listed:
    """Read the list.

    Raises:
        InputError: No folder, no list, or one that cannot be read.
    """
    listing = Listing(root)
    table = find_list(listing, NAME, LISTS, labels)
    rows, skipped, notes = _read_lines(table) if table.suffix.lower() == ".txt" else read_places365(table)
    return Listed(NAME, listing, rows, FOLDERS, PUBLISHED, True, skipped, notes)


def _read_lines(table: Path) -> tuple[list[Label], list[Skipped], dict[str, int]]:
    rows, skipped = [], []
    for number, line in enumerate(read_lines(Listing(table.parent), table.name), start=1):
        cells = line.split("\t")
        blanks = line.split()
        if len(cells) > _LAT:
            rows.append(Label(cells[_PHOTO_ID].strip(), cells[_LAT].strip(), cells[_LON].strip()))
        elif len(blanks) >= 3:
            rows.append(Label(blanks[0].replace("\\", "/").rpartition("/")[2], blanks[1], blanks[2]))
        else:
            reason = f"{len(blanks)} columns, not three or more" if blanks else BLANK_LINE
            skipped.append(Skipped(f"{table.name}:{number}", reason))
    mended = turned(rows)
    return (rows, skipped, {}) if mended is None else (mended, skipped, {TURNED: len(mended)})
