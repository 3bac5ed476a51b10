"""What a gallery holds, of all its references: a name of the content, places and extents, countries."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geosleuth.indexes.gallery.local import LocalGallery
from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.regions import countries_at

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.gallery import Gallery


@dataclass(frozen=True, eq=False)
class Spots:
    """Where references stand."""

    lats: Floats
    lons: Floats
    half_extents_m: Floats  # of tiles: the circle inside; 0 of photos


def content_sha256(gallery: Gallery) -> str:
    """Name the references: another picture, another place or another vector gives another name.

    A Milvus collection keeps no checksums; there it is the positions and the sources, which a picture that was
    exchanged at its place does not change.
    """
    digest = hashlib.sha256()
    if isinstance(gallery, LocalGallery):
        files = gallery.manifest.files
        for stem in ("references", "vectors"):  # the references' file holds the SHA-256 of each picture
            name = gallery.manifest.file(stem)
            digest.update(f"\0{stem}\0{files[name].sha256 if name else ''}".encode())
    else:
        lats, lons = gallery.positions()
        digest.update(f"{gallery.location}\0{len(gallery)}".encode() + lats.tobytes() + lons.tobytes())
    return digest.hexdigest()


def spots(gallery: Gallery) -> Spots:
    """All references of a folder; of a Milvus collection at most a million, whose tiles count as points."""
    if isinstance(gallery, LocalGallery):
        table = gallery.columns("lat", "lon", "extent_m")
        lats, lons, extents = (
            np.asarray(table.column(name).to_numpy(), dtype=np.float64) for name in ("lat", "lon", "extent_m")
        )
        return Spots(lats, lons, np.nan_to_num(extents) / 2.0)
    lats, lons = gallery.positions()
    return Spots(lats, lons, np.zeros(len(lats)))


def references_by_country(gallery: Gallery) -> dict[str, int]:
    """Count all references of each country, by code; those at sea are left out."""
    if isinstance(gallery, LocalGallery):
        codes = gallery.columns("country").column("country").to_pylist()
    else:
        codes = list(countries_at(*gallery.positions()))
    return dict(sorted(Counter(str(code) for code in codes if code).items()))
