"""Signboards on the fronts of houses, with text in the country's language."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from geosleuth.training.towns.making.canvas import Canvas
from geosleuth.training.towns.making.colours import around
from geosleuth.training.towns.making.shapes import bearing_deg
from geosleuth.training.towns.making.sign_words import shop_text
from geosleuth.training.towns.making.site import Front
from geosleuth.training.towns.making.style import Style
from geosleuth.training.towns.town import Colour, Street, TownObject

_BOARDS: tuple[tuple[Colour, Colour], ...] = (
    ((236, 234, 226), (30, 32, 40)), ((170, 34, 36), (244, 240, 230)), ((28, 64, 120), (240, 240, 240)),
    ((34, 96, 58), (240, 236, 220)), ((226, 180, 44), (36, 30, 26)), ((40, 40, 44), (236, 226, 196)),
)  # fmt: skip
_PLATES = _BOARDS[1:4]  # red, blue, green: one kind in a town
_PLATE_BASE_M = 2.3  # above heads, below shop signs
_OFF_WALL_M = 0.2  # so that the board is in front of the wall's cells


def name_streets(canvas: Canvas, streets: Iterable[Street], style: Style, rng: np.random.Generator) -> None:
    """Put plates with names at the beginnings of streets, on the sidewalk, facing the road."""
    board, letters = _PLATES[int(rng.integers(len(_PLATES)))]
    for street in streets:
        along = np.subtract(street.end, street.start)
        length = float(np.hypot(*along))
        side = np.array([-along[1], along[0]]) / length
        half = street.width_m / 2
        if length < 4.0 * half or rng.random() < 0.4:
            continue
        x, y = (np.array(street.start) + along / length * (half + 1.8) + side * (half + 0.7)).tolist()
        if canvas.is_free(x, y):
            canvas.objects.append(TownObject(
                "signboard", x, y, _PLATE_BASE_M, 1.3, 0.3, bearing_deg(*(-side).tolist()), board,
                street.name, style.language, letters,
            ))  # fmt: skip


def hang_signs(canvas: Canvas, fronts: list[Front], style: Style, rng: np.random.Generator) -> None:
    """Hang a board over each shop, and a flag here and there; those whose front was built over get none."""
    for front in fronts:
        start, end = np.array(front.start), np.array(front.end)
        along = end - start
        length = float(np.hypot(*along))
        along = along / length
        out = np.array([along[1], -along[0]])  # the house is to the left
        facing = bearing_deg(float(out[0]), float(out[1]))
        if front.shop and front.height_m > 4.2:
            boards, text_colour = _BOARDS[int(rng.integers(len(_BOARDS)))]
            width = min(float(rng.uniform(2.4, 6.0)), 0.85 * length)
            spot = start + along * length * rng.uniform(0.45, 0.55) + out * (_OFF_WALL_M + canvas.cell_m)
            if canvas.is_free(float(spot[0]), float(spot[1])):
                canvas.objects.append(TownObject(
                    "signboard", float(spot[0]), float(spot[1]), 2.9, width, round(float(rng.uniform(0.6, 0.95)), 2),
                    facing, around(boards, 10.0, rng), shop_text(style.language, rng), style.language, text_colour,
                ))  # fmt: skip
        elif rng.random() < 0.02:
            spot = start + along * length * 0.2 + out * 0.6
            if canvas.is_free(float(spot[0]), float(spot[1])):
                canvas.objects.append(
                    TownObject(
                        "flag", float(spot[0]), float(spot[1]), 3.2, 1.4, 0.9, (facing + 90.0) % 360.0, style.flag[0]
                    )
                )
