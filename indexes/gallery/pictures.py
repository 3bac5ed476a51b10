"""The image of a reference, read again from where the index was built from: an index holds vectors, no pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.manifest import SourceFacts
from geosleuth.indexes.gallery.reference import Reference

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.sources.source import Source
    from geosleuth.indexes.photo import Photo


def reference_picture(reference: Reference, sources: Sequence[SourceFacts]) -> Photo:
    """Load a reference's image; only its header is read at once.

    Raises:
        InputError: The source is no longer where it was, its image is another one now, or the reference points
            outside of it.
    """
    if not 0 <= reference.source < len(sources):
        found = f"source {reference.source} of {len(sources)}"
        raise InputError("a reference of this index", found, "Ask the index that it came from.")
    if _leaves_root(reference.uri):
        remedy = "The index may have been tampered with; build it again."
        raise InputError("an image inside its source", repr(reference.uri), remedy)
    source = sources[reference.source]
    if not reference.sha256:  # else an index from a stranger could name any picture of this machine
        found = f"none for {reference.uri!r}"
        raise InputError("the checksum of the image that was indexed", found, "Build the index again.")
    if not (Path(source.root).is_absolute() and Path(source.root).exists()):  # relative: to wherever one happens to be
        remedy = "Bring or mount the images there, or build the index again from where they are now."
        raise InputError("the images of this index", f"nothing at {source.root}", remedy)
    photo = _opened(source).read(reference.uri)
    # Cameras use names again: another photo would be matched, and this one's position believed.
    if reference.sha256 != photo.sha256:
        found = f"another image by that name: {reference.uri}"
        raise InputError("the image that was indexed", found, "Bring it back, or build the index again.")
    return photo


def _opened(facts: SourceFacts) -> Source:
    if facts.kind in ("folder", "table"):  # a table is not needed any more: its root is the folder of the files
        from geosleuth.indexes.gallery.sources.folder import FolderSource

        return FolderSource(facts.root, "ground")
    from geosleuth.indexes.gallery.sources.open import open_source

    return open_source(facts.root, kind=facts.kind)  # type: ignore[arg-type]  # open_source says which kinds there are


def _leaves_root(uri: str) -> bool:
    """Tell whether a URI leads out of its root, on any system."""
    windows = PureWindowsPath(uri)  # reads both kinds of slashes
    return PurePosixPath(uri).is_absolute() or bool(windows.drive or windows.root) or ".." in windows.parts
