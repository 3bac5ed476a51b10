"""A photo turned and cropped before it is asked about."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import Photo
from geosleuth.indexes.pixels import Pixels

SMALLEST_PX = 32  # a side; below it no tool reads anything, and every model would enlarge a smear

Fraction = Annotated[float, Field(ge=0, le=1)]
Crop = tuple[Fraction, Fraction, Fraction, Fraction]
Size = tuple[int, int]


class Edit(BaseModel):
    """What to do to a picture: first turn, then crop."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rotate_deg: Literal[0, 90, 180, 270] = 0  # clockwise
    detected: bool = False  # by which the photo seemed to stand upright: no person said so
    crop: Crop | None = None  # left, top, right, bottom: fractions of the turned picture

    @model_validator(mode="after")
    def _makes_sense(self) -> Edit:
        if self.crop is not None and not (self.crop[0] < self.crop[2] and self.crop[1] < self.crop[3]):
            raise ValueError("a crop is (left, top, right, bottom), with left below right and top below bottom")
        if self.detected and not self.rotate_deg:
            raise ValueError("only a turn can have been detected")
        return self

    @property
    def changes(self) -> bool:
        """Whether anything is done at all."""
        return self.rotate_deg != 0 or self.crop not in (None, (0.0, 0.0, 1.0, 1.0))

    @property
    def turn_words(self) -> str | None:
        """Tell people of a turn that nobody asked for, and why; None where there is none."""
        lay = "stand on its head" if self.rotate_deg == 180 else "lie on its side"
        return f"rotated by {self.rotate_deg} degrees, for it seemed to {lay}" if self.detected else None

    def words(self, size: Size) -> tuple[str, ...]:
        """Tell people what is done to a picture of (width, height)."""
        told = [f"rotated by {self.rotate_deg} degrees"] if self.rotate_deg else []
        left, top, right, bottom = _box(self, size)
        width, height = _turned(size, self.rotate_deg)
        if (left, top, right, bottom) != (0, 0, width, height):
            across = f"{100 * left / width:.0f}-{100 * right / width:.0f} %"
            down = f"{100 * top / height:.0f}-{100 * bottom / height:.0f} %"
            # The pixels too: two crops that differ have different words, and what was found in one is not the other's.
            told.append(f"cropped to {across} x {down} ({right - left} x {bottom - top} pixels at {left}, {top})")
        return tuple(told)


@dataclass(frozen=True, eq=False)
class _EditedPhoto(Photo):
    """A photo whose pixels are those of another, turned and cropped; decoded on first use, as that one's."""

    _source: Photo = field(kw_only=True, repr=False)
    _edit: Edit = field(kw_only=True, repr=False)

    @cached_property
    def pixels(self) -> Pixels:
        pixels = _apply(self._source.pixels, self._edit)
        pixels.flags.writeable = False
        return pixels

    def pixels_at(self, side_px: int) -> Pixels:
        if self.format != "JPEG":  # the source would decode all of it again, and keep that
            return self.pixels
        left, top, right, bottom = self._edit.crop or (0.0, 0.0, 1.0, 1.0)
        whole = math.ceil(side_px / min(right - left, bottom - top))  # so that the part is not below `side_px`
        return _apply(self._source.pixels_at(whole), self._edit)


def edited(photo: Photo, edit: Edit) -> Photo:
    """Turn and crop a photo; its name, hash and metadata stay those of the untouched file.

    Raises:
        InputError: Fewer than 32 pixels would be left of a side.
    """
    if not edit.changes:
        return photo
    left, top, right, bottom = _box(edit, photo.size)
    size = (right - left, bottom - top)
    if min(size) < SMALLEST_PX:
        wanted = f"a crop of at least {SMALLEST_PX} x {SMALLEST_PX} pixels"
        raise InputError(wanted, f"{size[0]} x {size[1]} pixels of {photo.name}", "Choose a larger part of the photo.")
    told = edit.words(photo.size)
    known = {one.name: getattr(photo, one.name) for one in fields(Photo)}
    notes = (edit.turn_words, *told[1:]) if edit.turn_words else told
    known |= {"size": size, "notes": photo.notes + notes, "edits": photo.edits + told, "_content": b""}
    known["original_size"] = _turned(photo.original_size, edit.rotate_deg)
    return _EditedPhoto(**known, _source=photo, _edit=edit)


def _turned(size: Size, rotate_deg: int) -> Size:
    return (size[1], size[0]) if rotate_deg in (90, 270) else size


def _box(edit: Edit, size: Size) -> tuple[int, int, int, int]:
    """The crop in pixels of the turned picture: left, top, right, bottom; right and bottom are outside."""
    width, height = _turned(size, edit.rotate_deg)
    left, top, right, bottom = edit.crop or (0.0, 0.0, 1.0, 1.0)
    return round(left * width), round(top * height), round(right * width), round(bottom * height)


def _apply(pixels: Pixels, edit: Edit) -> Pixels:
    """A new array, so that the source may go."""
    left, top, right, bottom = _box(edit, (pixels.shape[1], pixels.shape[0]))
    turned = np.rot90(pixels, k=-edit.rotate_deg // 90)
    return np.array(turned[top:bottom, left:right], order="C")
