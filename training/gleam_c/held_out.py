"""Photos of towns as an investigator gets them: a file without a telling name, a position or a time. And the truth."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geosleuth.indexes.geodesy import LatLon

# What a camera writes into an equirectangular picture (Google's Photo Sphere XMP): retrieval asks for it.
_SPHERE = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" GPano:ProjectionType="equirectangular"/>
</rdf:RDF></x:xmpmeta>"""
_XMP = b"http://ns.adobe.com/xap/1.0/\0"  # of JPEG's segment APP1, XMP specification part 3


@dataclass(frozen=True, slots=True)
class HeldOutPhoto:
    """A photo, and where it was taken."""

    path: Path
    at: LatLon
    tile: str  # file of the satellite tile that it lies on, relative to the data set's root: its uri in an index
    has_text: bool  # signs that can be read


def held_out_photos(root: Path, out: Path, count: int) -> list[HeldOutPhoto]:
    """Copy photos of a data set of towns to `out`, under numbers; the same ones at every call.

    Args:
        root: Of the data set: its places.csv tells what every picture shows.
        out: Panoramas get there what cameras write into such files.
        count: How many at most, drawn by chance from all of them.
    """
    with (root / "places.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    tiles = {row["place_id"]: row["file"] for row in rows if row["view"] == "satellite"}
    taken = [row for row in rows if row["view"] in ("ground", "panorama")]
    chosen = np.sort(np.random.default_rng(0).permutation(len(taken))[:count]).tolist()
    out.mkdir(parents=True, exist_ok=True)
    return [_copied(root, out / f"{number:04d}.jpg", taken[number], tiles) for number in chosen]


def spread(photos: Sequence[HeldOutPhoto], count: int) -> list[HeldOutPhoto]:
    """Take so many, as far apart in the list as can be: it goes town by town."""
    if count >= len(photos):
        return list(photos)
    return [photos[i] for i in np.linspace(0, len(photos) - 1, count).round().astype(int).tolist()]


def _copied(root: Path, path: Path, row: dict[str, str], tiles: dict[str, str]) -> HeldOutPhoto:
    content = (root / row["file"]).read_bytes()
    path.write_bytes(_with_sphere(content) if row["view"] == "panorama" else content)
    at = LatLon(float(row["lat"]), float(row["lon"]))
    return HeldOutPhoto(path, at, tiles[row["place_id"]], row["readable_text"] == "True")


def _with_sphere(content: bytes) -> bytes:
    """Put the XMP of a panorama into a JPEG, behind the segment APP0 with which a JFIF file begins."""
    start = 4 + int.from_bytes(content[4:6], "big") if content[2:4] == b"\xff\xe0" else 2
    segment = _XMP + _SPHERE
    return content[:start] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + content[start:]
