"""CVACT: panoramas of Canberra, each with the satellite tile around it.

Source: Liu, Li, "Lending Orientation to Neural Networks for Cross-view Geo-localization", CVPR 2019. Licence: not
stated; pictures by Google, on request.

Layout, at the root or (as it is unpacked for Sample4Geo) in its folder ``ANU_data_small``::

    ACT_data.mat                                   always at the root; panoIds; utm, (n, 2) metres; trainSet.trainInd
                                                   and valSet.valInd, which count panoIds from 1
    streetview/<id>_grdView.jpg
    satview_polish/<id>_satView_polish.jpg

Invented towns have one variable more, utmZone (n,): the zone, 1 to 60, negative in the south. Without it the zone is
Canberra's.

Splits: train, val, of 35,532 and 8,884 pairs. The test set (ANU_data_test, 92,802 pairs) is left out: there every tile
within 25 m answers, which one place per query cannot say.

A table cut short is refused. One with altered bytes may crash scipy's reader, and Python with it (seen in trials with
random bytes): take it from its authors.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.columns import columns, not_empty
from geosleuth.training.datasets.cross_view import CrossViewSet, Modality, Skipped
from geosleuth.training.datasets.layout import check_layout, check_split, leads_out
from geosleuth.training.datasets.listing import NO_FILE, NO_TILE, Listing

NAME = "CVACT"
SPLITS = ("train", "val")
_TABLE = "ACT_data.mat"
_CANBERRA = -55  # its zone, 144 to 150 degrees east, south of the equator
_NORTH, _SOUTH = 32600, 32700  # EPSG codes of UTM, to which the zone is added
_EASTINGS, _NORTHINGS = (100_000, 900_000), (0, 10_000_000)  # what a zone holds, in metres


def cvact(root: Path, split: str) -> CrossViewSet:
    """Read a split of CVACT.

    Raises:
        InputError: No such split, a root that does not hold it, a damaged table, no usable pair, or no scipy.
    """
    check_split(NAME, split, SPLITS)
    listing = Listing(root)
    inner = "ANU_data_small/" if (listing.root / "ANU_data_small").is_dir() else ""
    parts = [_TABLE, f"{inner}streetview", f"{inner}satview_polish"]
    check_layout(listing, NAME, parts, f"Name the folder that directly holds {_TABLE}.")
    ids, positions = _read_table(listing.root / _TABLE, split)
    skipped: list[Skipped] = []
    kept: list[int] = []
    pairs: list[tuple[str, str]] = []
    for number, one in enumerate(ids):
        panorama, tile = f"{inner}streetview/{one}_grdView.jpg", f"{inner}satview_polish/{one}_satView_polish.jpg"
        missing = [path for path in (panorama, tile) if not listing.has(path)]
        if missing:
            skipped += [Skipped(path, NO_FILE) for path in missing]
            skipped += [Skipped(panorama, NO_TILE)] if missing == [tile] else []
        else:
            kept.append(number)
            pairs.append((listing.path(panorama), listing.path(tile)))
    where = [(float(lat), float(lon)) for lat, lon in positions[kept]]
    views = (Modality("panorama", "panorama"), Modality("satellite", "satellite"))
    queries, references = (
        columns([pair[i] for pair in pairs], range(len(pairs)), (views[i],), positions=where) for i in (0, 1)
    )
    return not_empty(CrossViewSet(NAME, split, queries, references, skipped=tuple(skipped)), listing.root)


def _read_table(path: Path, split: str) -> tuple[list[str], NDArray[np.float64]]:
    """Return the ids of a split, and (n, 2) lat, lon in degrees."""
    try:
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError
    except ImportError as error:
        found = f"none that can be imported ({error})"
        raise InputError("the package scipy", found, "Run `pip install 'geosleuth[train]'`.") from error
    try:
        table = loadmat(path)
        ids = [_text(one) for one in np.ravel(table["panoIds"])]
        utm = np.asarray(table["utm"], np.float64)
        # Northings near Canberra are six million, eastings below one: so the order of the two need not be trusted.
        utm = utm if "utmZone" in table else np.sort(utm, axis=1)
        zones = np.ravel(table.get("utmZone", np.full(len(ids), _CANBERRA))).astype(np.int64)
        chosen = np.ravel(table[f"{split}Set"][f"{split}Ind"].item()).astype(np.int64) - 1
        if utm.shape != (len(ids), 2) or zones.shape != (len(ids),) or chosen.min() < 0 or chosen.max() >= len(ids):
            raise ValueError(f"{len(ids)} ids, utm {utm.shape}, indices up to {chosen.max() + 1}")
        if any(leads_out(one) or "/" in one for one in ids):
            raise ValueError("an id that is no file name")
    # What damaged files make of scipy's reader, and of tables with other variables in them.
    except (MatReadError, OSError, ValueError, TypeError, KeyError, IndexError, NotImplementedError) as error:
        wanted = f"panoIds, utm, {split}Set.{split}Ind in {path}"
        raise InputError(
            wanted, f"a file that cannot be read ({error!r})", "Copy the data set's table again."
        ) from error
    return [ids[i] for i in chosen.tolist()], _degrees(utm[chosen], zones[chosen])


def _text(value: Any) -> str:
    """Return an id from MATLAB's char matrix, or from a cell of a cell array."""
    return str(value.item() if isinstance(value, np.ndarray) else value).strip()


def _degrees(utm: NDArray[np.float64], zones: NDArray[np.int64]) -> NDArray[np.float64]:
    """Convert (n, 2) eastings and northings in metres to lat, lon; NaN where they are no place in their zone."""
    import pyproj

    positions = np.full(utm.shape, np.nan)
    east, north = utm.T
    inside = (east >= _EASTINGS[0]) & (east <= _EASTINGS[1]) & (north >= _NORTHINGS[0]) & (north <= _NORTHINGS[1])
    for zone in np.unique(zones[inside & (zones != 0) & (np.abs(zones) <= 60)]).tolist():
        rows = inside & (zones == zone)
        epsg = _NORTH + zone if zone > 0 else _SOUTH - zone
        lon, lat = pyproj.Transformer.from_crs(epsg, 4326, always_xy=True).transform(east[rows], north[rows])
        positions[rows] = np.column_stack([lat, lon])
    return positions
