"""The pictures of verified matches, written beside the answer: photo and reference, with lines between what agrees."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.agent.localization import Localization
    from geosleuth.agent.references import References

_QUALITY = 90  # of JPEG; lines and numbers stay sharp


def write_pictures(answer: Localization, photo_path: str, references: References, folder: Path) -> list[Path]:
    """Draw each reference of an answer that verification accepted; the best first.

    An answer that was coarsened lists no references, so that nothing is drawn.

    Raises:
        InputError: The folder cannot be written, or the photo or a reference has gone since.
    """
    from geosleuth.indexes.photo import load_photo
    from geosleuth.tools.match_picture import draw_matches

    photo = load_photo(photo_path)
    written: list[Path] = []
    for one in answer.candidates:
        found = one.verification
        if found is None or found.verdict != "match":
            continue
        pixels = references.gallery.picture(one.reference).pixels
        picture = draw_matches(photo.pixels, pixels, found, query_name=photo.name, reference_name=one.uri)
        name = f"{_file_stem(answer.photo.name)}-match-{len(written) + 1}-{_file_stem(one.uri)}.jpg"
        path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            picture.save(path, quality=_QUALITY)
        except OSError as error:
            where = f"{folder}: {error.strerror or error}"
            raise InputError("a folder for pictures", where, "Name another with --pictures.") from error
        written.append(path)
    return written


def _file_stem(name: str) -> str:
    """A file name that any system takes: names inside tables and tiles may hold anything."""
    return re.sub(r"[^\w.-]+", "_", Path(name).stem).strip("._")[:80] or "photo"
