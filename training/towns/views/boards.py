"""Boards as one sees them: with writing on them, or with strokes that are no writing, at the size of the view."""

from __future__ import annotations

import cv2
import numpy as np

from geosleuth.training.towns.making.lettering import sign_picture, unreadable_picture
from geosleuth.training.towns.town import TownObject
from geosleuth.training.towns.views.scene import Floats

_DRAWN_PX = 48  # height of the board in memory; views show it smaller, or soft
_LEAST_PX = 2.0  # a board lower than this is its colour


def board_colours(sign: TownObject, u: Floats, v: Floats, high_px: float, *, readable: bool) -> Floats:
    """Return the colour (n, 3) at points of a board.

    Args:
        sign: A sign with text.
        u: (n,) -1 left to 1 right.
        v: (n,) 0 foot to 1 top.
        high_px: How high the board is in the view; smaller ones are averaged first, or letters would alias.
        readable: Whether the text can be read, at any size.
    """
    if high_px < _LEAST_PX:
        return np.broadcast_to(np.array(sign.colour, dtype=np.float32), (len(u), 3))
    draw = sign_picture if readable else unreadable_picture
    picture = draw(sign.text or "", sign.language or "en", sign.colour, sign.text_colour, _DRAWN_PX)
    shrink = min(1.0, high_px / picture.shape[0])
    if shrink < 1:
        wide = max(1, round(picture.shape[1] * shrink))
        high = max(1, round(picture.shape[0] * shrink))
        picture = np.asarray(cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    rows = np.clip(((1 - v) * picture.shape[0]).astype(np.int64), 0, picture.shape[0] - 1)
    columns = np.clip(((u + 1) / 2 * picture.shape[1]).astype(np.int64), 0, picture.shape[1] - 1)
    return np.asarray(picture[rows, columns], dtype=np.float32)
