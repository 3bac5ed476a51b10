"""What an agent compares photos with: a gallery, the encoder of its vectors, and a matcher. Opened once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.paths import absolute

if TYPE_CHECKING:
    from geosleuth.agent.settings import Settings
    from geosleuth.indexes.encoders.encoder import Encoder
    from geosleuth.indexes.gallery.gallery import Gallery
    from geosleuth.tools.submap_cells import GalleryCells

MILVUS = "milvus:"
_SERVED = re.compile(r"milvus:[^@]*@[a-z]+://")  # without a scheme it is a file of this machine
_WITHHELD_SERVER = "a Milvus server, withheld"


@dataclass(frozen=True)
class References:
    """The gallery and what is needed to search it."""

    gallery: Gallery
    encoder: Encoder
    matcher: str  # spec; the model behind it loads on first use

    @cached_property
    def cells(self) -> GalleryCells:
        """K-means cells of the gallery's positions; fitted when they are first asked for."""
        from geosleuth.tools.submap_cells import fit_cells

        return fit_cells(*self.gallery.positions())

    def __str__(self) -> str:
        """Return what was searched, for the answer's record."""
        gallery = self.gallery
        return f"{gallery.location}; {len(gallery):,} references; {gallery.encoder_spec} {gallery.weights_sha256[:12]}"


def is_served(index: str) -> bool:
    """Whether the vectors of photos go to a server: of an index as it is set, or as an answer's `backends` names it."""
    return _SERVED.match(index) is not None or index == _WITHHELD_SERVER


def withheld_index(index: str) -> str:
    """Leave of an index only what kind it is: its path is often the name of its town."""
    if is_served(index):
        return _WITHHELD_SERVER
    return "a Milvus file, withheld" if index.startswith(MILVUS) else "a folder, withheld"


def check_index(index: str) -> None:
    """See whether there is an index at all, without opening it: a wrong path is heard of before any photo is read.

    Raises:
        InputError: There is none.
    """
    if index.startswith(MILVUS):
        from geosleuth.indexes.gallery.milvus_connection import parse_location

        file = parse_location(index).file
        if file is not None and not file.exists():  # connecting would make an empty one
            remedy = f"Copy an index there with `geosleuth index upload INDEX {index}`."
            raise InputError("a gallery", f"no such file: {file}", remedy)
        return
    from geosleuth.indexes.gallery.manifest import read_manifest

    with _readable(index):
        read_manifest(absolute(index, "an index"))


@contextmanager
def _readable(index: str) -> Iterator[None]:
    """Turn what the system refuses into words."""
    try:
        yield
    except OSError as error:
        found = f"{error.filename or index}: {error.strerror or error}"
        raise InputError("an index that can be read", found, "Correct its permissions, or name another.") from error


def open_gallery(index: str) -> Gallery:
    """Open a gallery wherever it lives.

    Raises:
        InputError: There is none, or a file of it is damaged.
    """
    check_index(index)
    if index.startswith(MILVUS):
        from geosleuth.indexes.gallery.milvus import open_milvus

        return open_milvus(index)
    from geosleuth.indexes.gallery.store import open_index

    with _readable(index):
        return open_index(absolute(index, "an index"))


def open_references(settings: Settings) -> References | None:
    """Open the gallery and load its encoder; None where no index is configured.

    Raises:
        InputError: The index or the encoder cannot be opened, or the encoder did not make the gallery's vectors.
    """
    if settings.index is None:
        return None
    from geosleuth.indexes.encoders.load import load_encoder
    from geosleuth.tools.retrieval import check_encoder

    gallery = open_gallery(settings.index)
    named = settings.backends.retrieval
    # An index may come from a stranger: what it names is fetched only where the user names it as well.
    encoder = load_encoder(named or gallery.encoder_spec, local_only=named is None)
    check_encoder(gallery, encoder)
    return References(gallery, encoder, settings.backends.matching)
