"""A map tile of a town in a plain style: roads with casings, footprints, water, green, names of streets."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.lettering import text_mask
from geosleuth.training.towns.making.shapes import Points, clip_to_square
from geosleuth.training.towns.town import NOTHING, Colour, Rendered, Seen, Street, Town
from geosleuth.training.towns.views.from_above import Window, nearest_cells, rendered, seen_from_above, window

# In the manner of common web maps: pale ground, white and yellow roads, blue water.
_BACKGROUND: Colour = (240, 236, 228)
_FILLS: dict[str, Colour] = {
    "grass": (212, 230, 196), "field": (186, 222, 188), "river": (170, 206, 226), "lake": (170, 206, 226),
    "swimming pool": (170, 206, 226), "fountain": (170, 206, 226), "path": (244, 240, 230),
    "bridge": (206, 200, 190), "road": (255, 255, 255),
}  # fmt: skip
_BUILDING: Colour = (216, 206, 196)
_OUTLINE: Colour = (182, 168, 156)
_CASING: Colour = (200, 194, 186)
_STREET: Colour = (255, 255, 255)
_MAIN: Colour = (250, 224, 150)
_INK: Colour = (84, 80, 76)
_BUILT = ("building", "house", "skyscraper", "tower")
_LETTERS_PX = 13  # height of a name with its margin: letters of 8 px, the least that is read
_FINER = 2  # pixels are drawn this much finer, and averaged


def map_tile(town: Town, x_m: float, y_m: float, *, side_m: float, px: int, readable: bool = True) -> Rendered:
    """Draw the square of `side_m` around a point, px by px, north up.

    Labels and things are those of the satellite view: what is there, whether or not a map shows it. Names of streets
    are seen, too, as roads with a text, if `readable`; else none is written.

    Raises:
        ValueError: The square is not within the town.
    """
    cut = window(town, x_m, y_m, side_m)
    above = seen_from_above(town)
    picture = _areas(town, cut, px * _FINER)
    shown = [(line, street.width_m, street.name) for street in town.streets
             if (line := _line(town, cut, px, street)) is not None]  # fmt: skip
    _draw_streets(
        picture, town, [(line * _FINER, width * px * _FINER / side_m) for line, width, _ in shown], side_m, px
    )
    _footprints(picture, town, cut, px * _FINER)
    tile = np.asarray(cv2.resize(picture, (px, px), interpolation=cv2.INTER_AREA), np.uint8)
    view = rendered(town, above, cut, tile)
    if not readable:
        return view
    names = _write_names(tile, town, [(line, width * px / side_m, name) for line, width, name in shown])
    return Rendered(tile, view.labels, tuple(sorted((*view.seen, *names), key=lambda one: -one.share)))


def _areas(town: Town, cut: Window, px: int) -> NDArray[np.uint8]:
    palette = np.empty((256, 3), np.uint8)
    palette[:] = _BACKGROUND
    for kind, colour in _FILLS.items():
        palette[class_number(kind)] = colour
    return palette[town.surface[nearest_cells(cut, px)]]


def _line(town: Town, cut: Window, px: int, street: Street) -> Points | None:
    """Return the part of a street in the tile, in pixels (x, y); None where it has less than 3 pixels."""
    cells = np.array([street.start, street.end]) / town.cell_m
    cells[:, 1] = town.surface.shape[0] - cells[:, 1]
    return clip_to_square((cells - (cut.left, cut.top)) * px / cut.size, 0.0, float(px))


def _draw_streets(
    picture: NDArray[np.uint8], town: Town, lines: list[tuple[Points, float]], side_m: float, px: int
) -> None:
    """Draw (ends, width) in fine pixels: all casings, then side streets, then main streets on top."""
    main = 0.5 * sum(town.style.street_m) * px * _FINER / side_m
    ends = [(np.rint(line * 16).astype(np.int32), width) for line, width in lines]
    for line, width in ends:
        cv2.line(picture, line[0], line[1], _CASING, max(round(width) + 2 * _FINER, 1), cv2.LINE_8, 4)
    for line, width in sorted(ends, key=lambda item: item[1]):
        cv2.line(picture, line[0], line[1], _MAIN if width > main else _STREET, max(round(width), 1), cv2.LINE_8, 4)


def _footprints(picture: NDArray[np.uint8], town: Town, cut: Window, px: int) -> None:
    built = np.array([s.kind in _BUILT for s in town.structures] + [False])
    owner = town.owner[nearest_cells(cut, px)]
    owner = np.where(built[owner], owner, NOTHING)
    edge = np.zeros(owner.shape, np.bool_)
    edge[1:] |= owner[1:] != owner[:-1]
    edge[:, 1:] |= owner[:, 1:] != owner[:, :-1]
    picture[owner != NOTHING] = _BUILDING
    picture[edge] = _OUTLINE


def _write_names(tile: NDArray[np.uint8], town: Town, lines: list[tuple[Points, float, str]]) -> list[Seen]:
    """Write each street's name once, on its longest piece, where it fits; return the names."""
    done: dict[str, Seen] = {}
    for line, width, name in sorted(lines, key=lambda item: -float(np.hypot(*(item[0][1] - item[0][0])))):
        ink = text_mask(name, town.style.language)
        long = ink.shape[1] * _LETTERS_PX / ink.shape[0]
        along = line[1] - line[0]
        if name in done or width < 0.7 * _LETTERS_PX or long > float(np.hypot(*along)) - 2.0 * width:
            continue
        along = along / np.hypot(*along) * (1.0 if along[0] > 0.0 else -1.0)  # read from the left
        _write(tile, ink, line.mean(0), along, long / ink.shape[1])
        done[name] = _name_seen(name, town, line.mean(0), along, long, tile.shape[0])
    return list(done.values())


def _name_seen(name: str, town: Town, middle: Points, along: Points, long: float, px: int) -> Seen:
    """Say where a name of `long` pixels stands."""
    half = (np.abs(along) * long + np.abs(along[::-1]) * _LETTERS_PX) / 2
    left, top, right, bottom = (np.concatenate([middle - half, middle + half]) / px).clip(0.0, 1.0).tolist()
    return Seen("road", long * _LETTERS_PX / px**2, (left, top, right, bottom), name, town.style.language)


def _write(tile: NDArray[np.uint8], ink: NDArray[np.uint8], middle: Points, along: Points, scale: float) -> None:
    down = np.array([-along[1], along[0]])
    matrix = np.stack([along, down], axis=1) * scale
    half = np.array([ink.shape[1] / 2, ink.shape[0] / 2])
    reach = np.abs(matrix) @ half + 1.0
    left, top = np.maximum(np.floor(middle - reach), 0).astype(int)
    right, bottom = np.minimum(np.ceil(middle + reach), (tile.shape[1], tile.shape[0])).astype(int)
    if right <= left or bottom <= top:
        return
    place = tile[top:bottom, left:right]
    shift = middle - (left, top) - matrix @ half
    smooth = cv2.GaussianBlur(ink, (0, 0), max(0.35 / scale, 0.3))  # the letters are made some five times smaller
    size = (place.shape[1], place.shape[0])
    alpha = cv2.warpAffine(smooth, np.column_stack([matrix, shift]), size, flags=cv2.INTER_LINEAR) / np.float32(255)
    place[:] = np.rint(place * (1.0 - alpha[..., None]) + np.array(_INK, np.float32) * alpha[..., None]).astype(
        np.uint8
    )
