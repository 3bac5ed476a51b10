"""Build a town from a seed: plan, ground, blocks, trees, and what stands along the streets."""

from __future__ import annotations

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.training.towns.making.blocks import choose_use, draw_block
from geosleuth.training.towns.making.canvas import Canvas
from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.colours import around
from geosleuth.training.towns.making.greenery import put_tree
from geosleuth.training.towns.making.ground import (
    clear_corridors,
    lay_bridges,
    lay_water,
    mark_corridors,
    paint_road,
    weather,
)
from geosleuth.training.towns.making.plan import Plan, lay_out
from geosleuth.training.towns.making.position import origin_of, style_of_seed
from geosleuth.training.towns.making.shapes import area_m2, inset, rounded
from geosleuth.training.towns.making.sign_words import street_names
from geosleuth.training.towns.making.signs import hang_signs, name_streets
from geosleuth.training.towns.making.site import Front, Site
from geosleuth.training.towns.making.style import SIDEWALK_M, Style
from geosleuth.training.towns.making.traffic import furnish
from geosleuth.training.towns.town import SIDES_M, Street, Town

CELLS_M = (0.1, 1.0)  # finer takes more memory than a town is worth; coarser loses cars
_CORNER_M = 4.0  # radius of kerbs at crossings: what a car turns around
_LINES = 80  # names of streets to draw from: more than the lattice has lines


def build_town(seed: int, *, side_m: float = 512.0, difficulty: float = 0.5, cell_m: float = 0.25) -> Town:
    """Build the town of a seed: the same bytes on every run.

    Args:
        seed: From 0 on; it draws the country and the position too.
        side_m: Of the square town.
        difficulty: 0, every house has its colours and landmarks are many, to 1, a narrow palette, more that passes.
        cell_m: Of the layers.

    Raises:
        InputError: A value is out of range.
    """
    if not SIDES_M[0] <= side_m <= SIDES_M[1]:
        raise InputError(
            f"a town of {SIDES_M[0]:.0f} to {SIDES_M[1]:.0f} m", f"{side_m} m", "Build several towns instead."
        )
    if not 0.0 <= difficulty <= 1.0:
        raise InputError("a difficulty from 0 to 1", str(difficulty), "0 is easy, 1 is hard.")
    if not CELLS_M[0] <= cell_m <= CELLS_M[1]:
        raise InputError(f"cells from {CELLS_M[0]} to {CELLS_M[1]} m", f"{cell_m} m", "0.25 m shows markings and cars.")
    style = style_of_seed(seed)
    rng = np.random.default_rng((seed, 2))
    plan = lay_out(style, side_m, street_names(style.language, _LINES, rng), rng)
    asphalt = around(style.asphalt, 3.0, rng)
    canvas = Canvas(side_m, cell_m, "road", asphalt)
    lay_water(canvas, plan, rng)
    lay_bridges(canvas, plan, style)
    mark_corridors(canvas, plan)
    fronts = _fill_blocks(canvas, plan, style, difficulty, rng)
    clear_corridors(canvas, asphalt)
    paint_road(canvas, plan, style, rng)
    for street in plan.streets:
        _street_trees(canvas, street, style, difficulty, rng)
        furnish(canvas, street, style, difficulty, rng)
    hang_signs(canvas, fronts, style, rng)
    name_streets(canvas, plan.streets, style, rng)
    weather(canvas, rng)
    return _finish(seed, style, plan, canvas)


def _fill_blocks(canvas: Canvas, plan: Plan, style: Style, difficulty: float, rng: np.random.Generator) -> list[Front]:
    fronts: list[Front] = []
    centre = canvas.side_m * rng.uniform(0.35, 0.65, 2)
    for block in plan.blocks:
        kerb = inset(block.corners, block.half_m)
        if kerb is None:
            continue
        canvas.ground(rounded(kerb, _CORNER_M), "sidewalk", around(style.paving, 4.0, rng))
        sidewalk = np.where(block.half_m > 0.0, SIDEWALK_M, 0.0)
        inner = inset(block.corners, block.half_m + sidewalk)
        if inner is None or area_m2(inner) < 40.0:
            continue
        away = float(np.hypot(*(inner.mean(0) - centre))) / (0.6 * canvas.side_m)
        site = Site(canvas, style, difficulty, max(0.0, 1.0 - away), rng, fronts)
        draw_block(site, inner, choose_use(style, site.central, difficulty, rng) if len(inner) == 4 else "round")
    return fronts


def _street_trees(canvas: Canvas, street: Street, style: Style, difficulty: float, rng: np.random.Generator) -> None:
    start, end = np.array(street.start), np.array(street.end)
    length = float(np.hypot(*(end - start)))
    along = (end - start) / length
    left = np.array([-along[1], along[0]])
    if rng.random() > (0.1 + 0.75 * style.green) * (0.8 + 0.4 * difficulty):  # trees hide fronts
        return
    half, gap = street.width_m / 2, float(rng.uniform(9.0, 18.0))
    sidewalk = class_number("sidewalk")
    for side in (-1.0, 1.0):
        for at in np.arange(half + 7.0, length - half - 6.0, gap):
            spot = start + along * (at + rng.normal(0.0, 0.4)) + left * side * (half + 1.0)
            if rng.random() < 0.85 and canvas.kind_at(float(spot[0]), float(spot[1])) == sidewalk:
                put_tree(canvas, float(spot[0]), float(spot[1]), style, rng, most_m=3.2)


def _finish(seed: int, style: Style, plan: Plan, canvas: Canvas) -> Town:
    heights = np.array([structure.height_m for structure in canvas.structures] + [0.0], np.float32)
    owner = canvas.owner  # NOTHING is -1: the last of `heights` is open ground's
    return Town(
        seed, style, origin_of(seed, style), canvas.cell_m, canvas.surface, heights[owner], canvas.colour, owner,
        tuple(canvas.structures), tuple(canvas.objects), plan.streets,
    )  # fmt: skip
