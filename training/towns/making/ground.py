"""The ground between the blocks: asphalt, water, bridges, sidewalks and the paint on the road."""

from __future__ import annotations

import cv2
import numpy as np

from geosleuth.training.towns.making.canvas import Canvas, circle, strip
from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.colours import around, shade
from geosleuth.training.towns.making.open_spaces import WATER
from geosleuth.training.towns.making.plan import Plan
from geosleuth.training.towns.making.shapes import Points
from geosleuth.training.towns.making.style import Style
from geosleuth.training.towns.town import NOTHING, Colour, Street

_CORRIDOR_M = 2.4  # kept free along centre lines: the width of one who walks, and an arm to each side
_PAINT: Colour = (222, 222, 216)
_DASH_M, _GAP_M = 3.0, 4.5  # of centre lines in towns; national rules lie around 1:1 to 1:3


def lay_water(canvas: Canvas, plan: Plan, rng: np.random.Generator) -> None:
    """Fill the river; its pieces overlap at the bends."""
    colour = around(WATER, 5.0, rng)
    for ends, width_m in plan.river:
        canvas.line(ends, width_m, "river", colour)
        for x, y in ends:
            canvas.disc(float(x), float(y), width_m / 2, "river", colour)


def lay_bridges(canvas: Canvas, plan: Plan, style: Style) -> None:
    """Take the streets over the water, with a light rail on both sides."""
    water = (canvas.surface == class_number("river")).astype(np.uint8)
    if not water.any():
        return
    deck, rail = np.zeros_like(water), np.zeros_like(water)
    for street in plan.streets:
        ends = np.array([street.start, street.end])
        cv2.fillPoly(rail, [canvas.cells(strip(ends, street.width_m + 3.0))], 1, cv2.LINE_8, 4)
        cv2.fillPoly(deck, [canvas.cells(strip(ends, street.width_m))], 1, cv2.LINE_8, 4)
        for x, y in ends:  # where a bridge bends
            cv2.fillPoly(deck, [canvas.cells(circle(float(x), float(y), street.width_m / 2))], 1, cv2.LINE_8, 4)
    canvas.colour[(rail & water) > 0] = shade(style.paving, 1.05)
    canvas.surface[(rail & water) > 0] = class_number("bridge")
    canvas.colour[(deck & water) > 0] = shade(style.asphalt, 1.06)
    canvas.surface[(deck & water) > 0] = class_number("road")


def mark_corridors(canvas: Canvas, plan: Plan) -> None:
    """Note where nothing may stand."""
    for street in plan.streets:
        cells = canvas.cells(strip(np.array([street.start, street.end]), _CORRIDOR_M))
        cv2.fillPoly(canvas.closed, [cells], 1, cv2.LINE_8, 4)
        for x, y in (street.start, street.end):
            cv2.fillPoly(canvas.closed, [canvas.cells(circle(x, y, _CORRIDOR_M / 2))], 1, cv2.LINE_8, 4)


def clear_corridors(canvas: Canvas, asphalt: Colour) -> None:
    """Give back to the road what a block took of it: one at a bend, or at a crossing where streets are missing."""
    taken = (canvas.closed > 0) & (canvas.surface != class_number("road"))
    canvas.surface[taken] = class_number("road")
    canvas.colour[taken] = asphalt
    canvas.owner[canvas.closed > 0] = NOTHING


def paint_road(canvas: Canvas, plan: Plan, style: Style, rng: np.random.Generator) -> None:
    """Paint centre lines, edge lines, zebra crossings and stop lines where there is asphalt."""
    white = np.zeros(canvas.surface.shape, np.uint8)
    middle = np.zeros_like(white)

    def fill(mask: np.ndarray, ends: Points, width_m: float) -> None:
        cv2.fillPoly(mask, [canvas.cells(strip(ends, width_m))], 1, cv2.LINE_8, 4)

    for street in plan.streets:
        start, end = np.array(street.start), np.array(street.end)
        length = float(np.hypot(*(end - start)))
        along = (end - start) / length
        left, half = np.array([-along[1], along[0]]), street.width_m / 2
        free = half + 6.0  # crossings need the room
        if length < 2.0 * free + 4.0:
            continue
        if _is_main(street, style):
            for offset in (-0.18, 0.18):  # a double line
                fill(middle, np.stack([start + along * free, end - along * free]) + left * offset, 0.14)
        elif street.width_m > 6.5:
            for at in np.arange(free, length - free - _DASH_M, _DASH_M + _GAP_M):
                fill(middle, np.stack([start + along * at, start + along * (at + _DASH_M)]), 0.16)
        for corner, inwards in ((start, along), (end, -along)):
            if rng.random() < (0.8 if _is_main(street, style) else 0.3):
                for offset in np.arange(-half + 0.5, half - 0.3, 1.0):
                    fill(
                        white,
                        np.stack([corner + inwards * (half + 2.2), corner + inwards * (half + 5.2)]) + left * offset,
                        0.5,
                    )
    road = canvas.surface == class_number("road")
    canvas.colour[(middle > 0) & road] = style.centre_line
    canvas.colour[(white > 0) & road] = _PAINT


def _is_main(street: Street, style: Style) -> bool:
    return street.width_m > 0.5 * sum(style.street_m)


def weather(canvas: Canvas, rng: np.random.Generator) -> None:
    """Give flat colours the unevenness of real ground: grass and earth most, water and asphalt least."""
    strength = np.full(151, 0.03, np.float32)
    for kind, value in (
        ("grass", 0.09),
        ("earth", 0.1),
        ("field", 0.05),
        ("sidewalk", 0.04),
        ("path", 0.06),
        ("river", 0.02),
    ):
        strength[class_number(kind)] = value
    size = canvas.size
    noise = np.zeros((size, size), np.float32)
    for cells, weight in ((1, 0.6), (8, 0.6), (64, 0.6)):  # grain, patches and stretches: 0.25, 2 and 16 m
        coarse = rng.standard_normal((size // cells + 2, size // cells + 2), np.float32)
        noise += weight * (
            coarse[:size, :size] if cells == 1 else cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR)
        )
    noise *= strength[canvas.surface]
    noise += 1.0
    canvas.colour = np.asarray(cv2.multiply(canvas.colour, cv2.merge([noise] * 3), dtype=cv2.CV_8U), np.uint8)
