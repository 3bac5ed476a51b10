"""A reference: one geotagged image of a gallery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

View = Literal["ground", "drone", "satellite", "map", "panorama"]  # a panorama: equirectangular, all around
MOST_LICENCE = 1024  # letters: some lines. It may stand in every row, and all rows may be in memory
VIEWS: tuple[View, ...] = get_args(View)


@dataclass(frozen=True, slots=True)
class Reference:
    """One row of references.parquet."""

    id: str  # 16 hex digits of SHA-256 over the image's bytes and its position: the same in every build
    uri: str  # inside its source: a path relative to the source's root, or z/x/y of a tile
    source: int  # index into the manifest's sources
    lat: float  # WGS 84 degrees; of a tile, its middle
    lon: float
    view: View
    country: str | None = None  # ISO 3166-1 alpha-2; None at sea
    heading_deg: float | None = None  # clockwise from north
    extent_m: float | None = None  # side of a tile on the ground
    captured_at: str | None = None  # ISO 8601
    licence: str | None = None
    sha256: str = ""  # of the image's bytes
