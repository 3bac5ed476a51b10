"""Lists with IMG_ID, LAT and LON, as GeoEstimation and those after it keep the Flickr test sets.

Source: Muller-Budack, Pustu-Iren, Ewerth, "Geolocation Estimation of Photos using a Hierarchical Model and Scene
Classification", ECCV 2018; github.com/TIBHannover/GeoEstimation, meta/im2gps_places365.csv (237 rows) and
meta/im2gps3k_places365.csv (2,997 rows)::

    IMG_ID,AUTHOR,LAT,LON,S3_Label,S16_Label,S365_Label,Prob_indoor,Prob_natural,Prob_urban

Until its commit 5e091c0 of 2020-02-17 ("latitude and longitude were confused") the header had LON before LAT over the
same numbers, and copies of that version are still about: such a list is recognised by latitudes beyond 90 degrees.
The repository's files were withdrawn since; mirrors have them.
"""

from __future__ import annotations

from pathlib import Path

from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.evaluate.data_sets.label_table import Label, read_table, turned

TURNED = "rows whose LAT and LON stood under each other's name, as in lists before 2020-02-17: exchanged"


def read_places365(table: Path) -> tuple[list[Label], list[Skipped], dict[str, int]]:
    """Read such a list, and mend an exchanged one; returns rows, what was skipped, and notes.

    Raises:
        InputError: It cannot be read, or lacks a column.
    """
    labels, skipped = read_table(table)
    mended = turned(labels)
    return (labels, skipped, {}) if mended is None else (mended, skipped, {TURNED: len(mended)})
