"""The pictures of verified matches, written beside the answer: photo and reference, with lines between what agrees."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.agent.localization import Localization
    from geosleuth.agent.references import References
    from geosleuth.indexes.photo import Photo

_QUALITY = 90  # of JPEG; lines and numbers stay sharp
_TOLD_APART = 8  # hex digits of a photo's SHA-256 in file names: photos of one name are told apart


def make_folder(folder: Path) -> None:
    """Make the folder of the pictures, before the work whose result goes there.

    Raises:
        InputError: It cannot be made, or not be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _unwritable(folder, "it may not be written")


def write_pictures(
    answer: Localization, photos: Sequence[Photo], references: References, folder: Path
) -> Iterator[Path]:
    """Draw each reference of an answer that verification accepted, the best first; yield each file when it is there.

    Earlier pictures of this very photo are removed: a match that no longer holds must not lie beside those that do.
    An answer that was coarsened lists no references, so that nothing is drawn.

    Raises:
        InputError: The folder cannot be written, a reference has gone since, or a photo is another than the answer's.
    """
    from geosleuth.agent.report.content import check_photos
    from geosleuth.tools.match_picture import draw_matches

    check_photos(answer, photos)
    begins = [f"{_file_stem(photo.name)}-{photo.sha256[:_TOLD_APART]}-match-" for photo in answer.photos]
    for begin in begins:
        _remove(folder, begin)
    matched = [(one, one.verification) for one in answer.candidates if one.verification]
    matched = [(one, found) for one, found in matched if found.verdict == "match"]
    for number, (one, found) in enumerate(matched, start=1):
        photo = photos[one.photo]
        pixels = references.gallery.picture(one.reference).pixels
        picture = draw_matches(photo.pixels, pixels, found, query_name=photo.name, reference_name=one.uri)
        path = folder / f"{begins[one.photo]}{number}-{_file_stem(one.uri)}.jpg"
        try:
            picture.save(path, quality=_QUALITY)
        except OSError as error:
            raise _unwritable(folder, error.strerror or str(error)) from error
        yield path


def _remove(folder: Path, begin: str) -> None:
    try:
        for path in folder.glob(f"{begin}*.jpg"):  # a file stem holds no character that glob would expand
            path.unlink()
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from error


def _unwritable(folder: Path, why: str) -> InputError:
    return InputError("a folder for pictures", f"{folder}: {why}", "Name another with --pictures.")


def _file_stem(name: str) -> str:
    """A file name that any system takes: names inside tables and tiles may hold anything."""
    return re.sub(r"[^\w.-]+", "_", Path(name).stem).strip("._")[:80] or "photo"
