"""The same image twice: left out where it stands at the same place, kept and told where it stands elsewhere."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.gallery.manifest import Problem, ProblemKind
from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.geodesy import EARTH_RADIUS_KM, Floats, distance_km, unit_vectors

if TYPE_CHECKING:
    import pyarrow

# Positions of the same photo differ by rounding alone: 1e-5 degrees are 1.1 m at most. Two photos a metre apart that
# have equal bytes are one photo.
SAME_PLACE_M = 1.0
_POSITION_DIGITS = 5
# Twins lie in neighbouring cells of this grid through the Earth: above SAME_PLACE_M, and above the 1.6 m that two
# positions of equal rounding, hence of equal id, may be apart.
_GRID_M = 2.0
_NEIGHBOURS = np.array(list(product((-1, 0, 1), repeat=3)), dtype=np.int64)
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: Fibonacci hashing (Knuth, volume 3, 6.4)
COLUMNS = ("id", "uri", "source", "lat", "lon", "sha256")  # of references, as `Rows` needs them

Keys = NDArray[np.uint64]


def reference_id(sha256: str, lat: float, lon: float, view: View) -> str:
    """Make the id of a reference from its image, place and view: the same in every build."""
    lat, lon = round(lat, _POSITION_DIGITS) + 0.0, round(lon, _POSITION_DIGITS) + 0.0  # + 0.0: no negative zero
    text = f"{sha256} {lat:.{_POSITION_DIGITS}f} {lon:.{_POSITION_DIGITS}f} {view}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Rows:
    """What tells references apart, of many of them."""

    ids: pyarrow.Array
    uris: pyarrow.Array
    sha256: pyarrow.Array
    sources: NDArray[np.int64]
    lats: Floats
    lons: Floats

    @classmethod
    def of(cls, table: pyarrow.Table) -> Rows:
        """Take the columns `COLUMNS` of a table of references."""
        table = table.select(COLUMNS).combine_chunks()
        ids, uris, sources, lats, lons, sha256 = (column.combine_chunks() for column in table.columns)
        return cls(ids, uris, sha256, np.asarray(sources, dtype=np.int64), np.asarray(lats), np.asarray(lons))

    def is_twin(self, row: int, sha256: str, lat: float, lon: float, reference: str) -> bool:
        """Whether an image is the reference of a row: the same bytes at the same place."""
        if self.sha256[row].as_py() != sha256:
            return False
        metres = float(distance_km(lat, lon, self.lats[row], self.lons[row])) * 1000.0
        return metres <= SAME_PLACE_M or self.ids[row].as_py() == reference


class Known:
    """The references of an index, looked up by image and place; 16 bytes each beside the rows."""

    def __init__(self, rows: Rows) -> None:
        keys = _mixed(_image_keys(rows.sha256), _cells(rows.lats, rows.lons))
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        self._rows = rows

    def find(self, sha256: str, lat: float, lon: float, reference: str) -> tuple[str, int] | None:
        """URI and source of the reference that an image is; None where it is new."""
        image = np.full(len(_NEIGHBOURS), int(sha256[:16], 16), dtype=np.uint64)
        keys = _mixed(image, _cells(lat, lon) + _NEIGHBOURS)
        starts, stops = (np.searchsorted(self._keys, keys, side) for side in ("left", "right"))
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            for row in self._order[start:stop].tolist():
                if self._rows.is_twin(row, sha256, lat, lon, reference):
                    return self._rows.uris[row].as_py(), int(self._rows.sources[row])
        return None


def find_duplicates(rows: Rows, settled: int = 0) -> tuple[NDArray[np.bool_], list[Problem]]:
    """Tell which rows to keep, and what to report, in the order of the rows.

    Args:
        rows: Those of the index as it is, then the new ones in the order of the listing.
        settled: Number of the former; all of them are kept.

    Returns:
        A mask over all rows, and the problems of the new ones.
    """
    keep = np.ones(len(rows.lats), dtype=np.bool_)
    problems: list[Problem] = []
    _, groups, counts = np.unique(_image_keys(rows.sha256), return_inverse=True, return_counts=True)
    suspects = np.flatnonzero(counts[groups] > 1)
    cells = _cells(rows.lats[suspects], rows.lons[suspects])
    placed: dict[tuple[str, int, int, int], list[int]] = {}  # kept rows by image and cell
    first: dict[str, int] = {}
    for row, cell in zip(suspects.tolist(), cells, strict=True):
        sha256 = rows.sha256[row].as_py()
        lat, lon, reference = float(rows.lats[row]), float(rows.lons[row]), rows.ids[row].as_py()
        near = [other for x, y, z in (cell + _NEIGHBOURS).tolist() for other in placed.get((sha256, x, y, z), ())]
        twin = next((other for other in near if rows.is_twin(other, sha256, lat, lon, reference)), None)
        if row >= settled and twin is not None:
            keep[row] = False
            problems.append(_problem(rows, row, "duplicate", f"the same image and place as {rows.uris[twin]}"))
            continue
        placed.setdefault((sha256, *cell.tolist()), []).append(row)
        other = first.setdefault(sha256, row)
        if row >= settled and other != row:
            metres = float(distance_km(lat, lon, rows.lats[other], rows.lons[other])) * 1000.0
            away = f"{metres:.0f} m" if metres < 1000.0 else f"{metres / 1000.0:.1f} km"
            problems.append(_problem(rows, row, "repeated", f"the same image as {rows.uris[other]}, {away} away"))
    return keep, problems


def _problem(rows: Rows, row: int, kind: ProblemKind, reason: str) -> Problem:
    return Problem(kind=kind, uri=rows.uris[row].as_py(), reason=reason, source=int(rows.sources[row]))


def _image_keys(sha256: pyarrow.Array) -> Keys:
    """The first 64 bits of hexadecimal hashes; whoever finds two equal compares the whole ones."""
    heads = "".join(text[:16] for text in sha256.to_pylist())
    return np.frombuffer(bytes.fromhex(heads), dtype=">u8").astype(np.uint64)


def _cells(lats: Floats | float, lons: Floats | float) -> NDArray[np.int64]:
    """Cells of the grid, shape (n, 3): free of date line and poles."""
    vectors = np.atleast_2d(unit_vectors(lats, lons))
    return np.floor(vectors * (EARTH_RADIUS_KM * 1000.0 / _GRID_M)).astype(np.int64)


def _mixed(images: Keys, cells: NDArray[np.int64]) -> Keys:
    """One key of an image and a cell."""
    keys = images.copy()
    for axis in range(3):
        keys = (keys ^ cells[:, axis].astype(np.uint64)) * _MIX
        keys ^= keys >> np.uint64(29)
    return keys
