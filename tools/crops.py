"""The signs of a photo as pictures of their own: a model reads a large upright crop where it misreads a small line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.pixels import Pixels
from geosleuth.tools.textline import TextLine

# Judgements, looked at on drawn signs; nothing but the model's view of them depends on these.
_MARGIN = 0.5  # of the line's height, on each side: letters that the detector cut off, and the sign's edge
_ALIKE_DEG = 15.0  # lines of one sign run alike; others would stand askew in one crop
_FULLEST = 2.5  # a merged crop may be so many times its lines' own area: beyond, it is mostly wall
_LEAST_HEIGHT_PX = 64  # two patches of 28 pixels, what models see in one piece, and some
_MOST_ENLARGED = 4.0  # more adds pixels and no letters


@dataclass(frozen=True, eq=False)
class SignCrop:
    """A piece of the photo with the lines that stand in it."""

    pixels: Pixels  # uint8 RGB of shape (h, w, 3), turned so that the lines run level
    lines: tuple[TextLine, ...]  # the most telling first


@dataclass(frozen=True, eq=False)
class _Area:
    """A rectangle that is turned by `angle`; low and high are its corners in turned coordinates."""

    angle: float  # radians
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    own: float  # px2 of the lines themselves, with their margins
    lines: tuple[TextLine, ...]

    @property
    def size(self) -> float:
        return float(np.prod(self.high - self.low))


def crop_signs(pixels: Pixels, lines: Sequence[TextLine], most: int = 6) -> list[SignCrop]:
    """Cut out the signs of a photo, the most telling first; lines of one sign come in one crop.

    Lines that were noticed and not read are cut out too: the model may read what the recogniser cannot.

    Args:
        pixels: The upright photo that the lines' boxes refer to, (h, w, 3) uint8 RGB.
        lines: In any order; a line without area is passed over.
        most: How many crops at most.
    """
    areas = [area for line in sorted(lines, key=telling, reverse=True) if (area := _area(line)) is not None]
    areas = _merged(areas)
    areas.sort(key=lambda area: sum(map(telling, area.lines)), reverse=True)
    return [SignCrop(_cut(pixels, area), area.lines) for area in areas[:most]]


def telling(line: TextLine) -> float:
    """How much a look at a line may tell: its area in px2, by how sure it is that it is writing at all."""
    return _box_area(line) * (line.score if line.readable else line.script_confidence)


def _box_area(line: TextLine) -> float:
    x, y = np.asarray(line.box).T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2  # the shoelace formula


def _area(line: TextLine) -> _Area | None:
    corners = np.asarray(line.box, dtype=float)
    top = corners[1] - corners[0]
    if _box_area(line) < 1.0:
        return None
    angle = math.atan2(top[1], top[0])
    turned = corners @ _turn(angle)
    low, high = turned.min(axis=0), turned.max(axis=0)
    margin = _MARGIN * float((high - low).min())  # the height, or the width of a line that runs down
    low, high = low - margin, high + margin
    return _Area(angle, low, high, float(np.prod(high - low)), (line,))


def _turn(angle: float) -> NDArray[np.float64]:
    """The matrix that, applied from the right, turns points (x, y) back by an angle."""
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def _merged(areas: list[_Area]) -> list[_Area]:
    """Merge what overlaps until nothing does; the first of two keeps its angle."""
    kept = list(areas)
    i = 0
    while i < len(kept):
        for j in range(i + 1, len(kept)):
            if (both := _together(kept[i], kept[j])) is not None:
                kept[i] = both
                del kept[j]
                i = -1  # the larger one may now overlap with others that stand before it
                break
        i += 1
    return kept


def _together(first: _Area, second: _Area) -> _Area | None:
    """The smallest crop around both, or None where they are no one sign."""
    apart = abs((second.angle - first.angle + math.pi) % (2 * math.pi) - math.pi)
    if math.degrees(apart) > _ALIKE_DEG:
        return None
    x0, y0, x1, y1 = (*second.low, *second.high)
    corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) @ _turn(-second.angle) @ _turn(first.angle)
    low, high = corners.min(axis=0), corners.max(axis=0)
    if (low >= first.high).any() or (high <= first.low).any():
        return None
    lines = sorted((*first.lines, *second.lines), key=telling, reverse=True)
    both = _Area(
        first.angle, np.minimum(low, first.low), np.maximum(high, first.high), first.own + second.own, tuple(lines)
    )
    return both if both.size <= _FULLEST * both.own else None


def _cut(pixels: Pixels, area: _Area) -> Pixels:
    """Turn and enlarge in one step, so that letters are resampled once."""
    import cv2

    width, height = np.maximum(area.high - area.low, 1.0)
    scale = min(max(1.0, _LEAST_HEIGHT_PX / min(width, height)), _MOST_ENLARGED)
    # Nothing is larger than the photo itself, whatever a box claims.
    most = 2 * max(pixels.shape[:2])
    size = min(math.ceil(width * scale), most), min(math.ceil(height * scale), most)
    turn = _turn(area.angle).T * scale
    matrix = np.column_stack([turn, -area.low * scale])
    way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    crop = cv2.warpAffine(pixels, matrix, size, flags=way, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(crop, np.uint8)
