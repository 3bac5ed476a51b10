"""Pictures of invented towns, recognised by what was sent: their bytes, their pixels, or the pixels after JPEG."""

from __future__ import annotations

import csv
import hashlib
import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_x.record_file import picture_path
from geosleuth.training.towns.language.of_view import features_shown, judged_in
from geosleuth.training.towns.language.shown import shown_on_disk

_SMALL = 12  # rows and columns of the miniature by which a picture is recognised that was encoded anew
# Levels, on average: JPEG at quality 90 and capping change the miniature by less than 1; two views of one place differ
# by 5 and more. The nearest must also be twice as near as the next.
_SAME, _NEXT = 2.5, 2.0
_REMEDY = "Name what `geosleuth towns` wrote, or one of its layouts."


class UnknownPictureError(Exception):
    """What was sent is no picture of the folder."""


class Known:
    """The pictures of a folder that `geosleuth towns` wrote, of one layout or of several.

    Raises:
        InputError: The folder holds none, or one that cannot be read or lies elsewhere.
    """

    def __init__(self, folder: Path) -> None:
        tables = sorted([*folder.glob("places.csv"), *folder.glob("*/places.csv")])
        self._files = [(table.parent, file) for table in tables for file in _files(table)]
        if not self._files:
            raise InputError(f"a data set of invented towns in {folder}", "no places.csv with pictures", _REMEDY)
        self._by_bytes: dict[str, int] = {}
        self._by_pixels: dict[str, int] = {}
        small = []
        for number, (root, file) in enumerate(self._files):
            content, pixels = _read(picture_path(root, file))
            self._by_bytes[hashlib.sha256(content).hexdigest()] = number
            self._by_pixels[_digest(pixels)] = number
            small.append(_miniature(pixels))
        self._small = np.stack(small)

    def __len__(self) -> int:
        return len(self._files)

    def recognise(self, content: bytes) -> int:
        """Return the number of a picture.

        Raises:
            UnknownPictureError: It is none of ours.
        """
        number = self._by_bytes.get(hashlib.sha256(content).hexdigest())
        if number is None:
            try:
                pixels = _decoded(content)
            except (OSError, UnidentifiedImageError, ValueError) as error:
                raise UnknownPictureError("a picture that cannot be decoded") from error
            number = self._by_pixels.get(_digest(pixels), self._nearest(pixels))
        return number

    def _nearest(self, pixels: NDArray[np.uint8]) -> int:
        away = np.abs(self._small - _miniature(pixels)).mean(axis=(1, 2, 3))
        best = int(np.argmin(away))
        others = away[away > away[best]]  # copies of one picture are as near
        if away[best] > _SAME or (len(others) and float(others.min()) < _NEXT * float(away[best])):
            raise UnknownPictureError("a picture that is not in the data set")
        return best

    @lru_cache(maxsize=4096)  # noqa: B019 - lives as long as the server
    def features(self, number: int) -> tuple[frozenset[str], frozenset[str]]:
        """Return ids of what a picture shows, and of what it would show if it were there."""
        root, file = self._files[number]
        shown = shown_on_disk(root / file, root)
        return features_shown(shown), judged_in(shown)


def _files(table: Path) -> list[str]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            return [row["file"] or "" for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        found = "no column of that name" if isinstance(error, KeyError) else _said(error)
        raise InputError(f"a table of pictures with a column file, {table}", found, _REMEDY) from error


def _read(path: Path) -> tuple[bytes, NDArray[np.uint8]]:
    try:
        content = path.read_bytes()
        return content, _decoded(content)
    except (OSError, ValueError) as error:
        found = "a file that is no picture" if isinstance(error, UnidentifiedImageError) else _said(error)
        raise InputError(f"a picture of invented towns, {path}", found, _REMEDY) from error


def _said(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _decoded(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def _digest(pixels: NDArray[np.uint8]) -> str:
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def _miniature(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    small = Image.fromarray(pixels).resize((_SMALL, _SMALL), Image.Resampling.BOX)
    return np.asarray(small, np.float32)
