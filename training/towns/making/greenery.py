"""Trees, palms and hedges."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.making.canvas import Canvas
from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.colours import around, shade
from geosleuth.training.towns.making.shapes import Points, area_m2, within
from geosleuth.training.towns.making.style import Style
from geosleuth.training.towns.town import Structure


def put_tree(
    canvas: Canvas, x_m: float, y_m: float, style: Style, rng: np.random.Generator, *, most_m: float = 4.5
) -> None:
    """Plant one tree where no structure stands yet; `most_m` is its crown's largest radius."""
    if canvas.kind_at(x_m, y_m) in (class_number("lake"), class_number("river"), class_number("fountain")):
        return
    palm = rng.random() < style.palms
    radius = float(rng.uniform(1.3, 2.2)) if palm else float(rng.uniform(0.4, 1.0) * most_m)
    height = float(rng.uniform(5.0, 10.0)) if palm else 2.0 + radius * float(rng.uniform(1.4, 2.4))
    colour = around(style.tree, 9.0, rng)
    crown, light = _crown(round(radius / canvas.cell_m), int(rng.integers(6)), palm)
    colours = np.clip(np.array(colour, np.float32) * light[..., None], 0, 255).astype(np.uint8)
    tree = Structure("palm" if palm else "tree", round(height, 2), colour)
    canvas.plant(x_m, y_m, crown, colours, tree)


@lru_cache(maxsize=512)
def _crown(radius: int, variant: int, palm: bool) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Return a mask (2 r + 1, 2 r + 1) with an uneven edge, and its light: leaves to the south are brighter."""
    rng = np.random.default_rng((radius, variant, palm))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
    angle, away = np.arctan2(y, x), np.hypot(x, y) / max(radius, 1)
    lobes = (7, 7) if palm else (3, 5)
    depth = 0.3 if palm else 0.1
    edge = 1.0 - depth * (1.0 + sum(np.sin(n * angle + rng.uniform(0.0, 6.3)) for n in lobes) / 2)
    light = 1.0 + 0.28 * (y * 0.9 - x * 0.3) / max(radius, 1) - 0.12 * away + rng.normal(0.0, 0.1, x.shape)
    return away <= edge, np.asarray(light, np.float32)


def scatter(
    canvas: Canvas, quad: Points, per_hectare: float, style: Style, rng: np.random.Generator, *, most_m: float = 4.5
) -> None:
    """Plant trees at random in a quad."""
    for _ in range(int(rng.poisson(max(abs(area_m2(quad)) / 10_000.0 * per_hectare, 0.0)))):
        spot = within(quad, np.asarray(rng.uniform(0.04, 0.96)), np.asarray(rng.uniform(0.04, 0.96)))
        put_tree(canvas, float(spot[0]), float(spot[1]), style, rng, most_m=most_m)


def put_hedge(canvas: Canvas, polygon: Points, style: Style, rng: np.random.Generator) -> None:
    """A clipped hedge."""
    canvas.build(
        polygon, Structure("plant", round(float(rng.uniform(0.9, 1.6)), 2), shade(around(style.tree, 8.0, rng), 1.1))
    )
