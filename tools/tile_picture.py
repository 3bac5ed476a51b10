"""Several pictures on one sheet, each with its rank: what a model, or a person, chooses among."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from geosleuth.indexes.pixels import Pixels

_TILE_PX = (320, 240)  # six of them are 960 x 500: a sheet that a model sees in about 600 tokens
_GAP_PX = 6
_COLUMNS = 3
_LABEL_PX = 28
_PAPER, _INK = (255, 255, 255), (20, 20, 20)


def draw_tiles(pictures: Sequence[tuple[str, Pixels]]) -> Image.Image:
    """Lay pictures out in rows of three, whole and undistorted, each under its label.

    Args:
        pictures: Labels, short and in Latin letters, and pictures (h, w, 3) uint8 RGB; at least one.
    """
    columns = min(_COLUMNS, len(pictures))
    wide, high = _TILE_PX[0] + _GAP_PX, _TILE_PX[1] + _LABEL_PX + _GAP_PX
    sheet = Image.new("RGB", (columns * wide - _GAP_PX, math.ceil(len(pictures) / columns) * high - _GAP_PX), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_LABEL_PX - 8)
    for i, (label, pixels) in enumerate(pictures):
        left, top = i % columns * wide, i // columns * high
        draw.text((left + 4, top + 2), label, fill=_INK, font=font)
        tile = Image.fromarray(pixels)
        tile.thumbnail(_TILE_PX, Image.Resampling.LANCZOS)
        sheet.paste(tile, (left, top + _LABEL_PX))
    return sheet
