"""What a source is: a listing of geotagged images, and a way to read one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.photo import Photo


@dataclass(frozen=True, slots=True)
class Item:
    """One image of a source, listed and not yet read."""

    uri: str  # inside the source
    lat: float
    lon: float
    view: View = "ground"
    heading_deg: float | None = None
    extent_m: float | None = None
    captured_at: str | None = None
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """An image that cannot be a reference, and why."""

    uri: str
    reason: str


def reason_of(error: InputError, uri: str) -> str:
    """Say in short why an image is skipped: what was found, and what was wanted; its name stands beside it anyway."""
    found, name = error.found, uri.rpartition("/")[2]
    if name and found.endswith(name):  # of the file: its name alone, or the path that leads to it
        found = found.removesuffix(name).rpartition(": ")[0] or found
    return f"{found} instead of {error.wanted}"


class Source(Protocol):
    """Geotagged images; the listing has the same order whenever nothing changed."""

    @property
    def kind(self) -> str:
        """folder, table, geotiff, mbtiles or xyz."""

    @property
    def root(self) -> str:
        """Absolute path that URIs are relative to."""

    def items(self) -> Iterator[Item | Skipped]:
        """List the images; those without a usable position are `Skipped`."""

    def read(self, uri: str) -> Photo:
        """Open one image; only its header need be read.

        Raises:
            InputError: It is gone, or damaged, or outside the root.
        """
