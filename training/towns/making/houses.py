"""Houses on footprints: heights, facades, and roofs as seen from above."""

from __future__ import annotations

import numpy as np

from geosleuth.training.towns.making.canvas import Canvas
from geosleuth.training.towns.making.colours import around, shade, wall_and_roof
from geosleuth.training.towns.making.shapes import Points, lot, sides_m, within
from geosleuth.training.towns.making.style import Style
from geosleuth.training.towns.town import Colour, Facade, Structure

SKYSCRAPER_M = 45.0  # ADE20K's annotators call a tall office or block of flats so; about 14 storeys


def put_house(
    canvas: Canvas, quad: Points, style: Style, storeys: int, difficulty: float, rng: np.random.Generator, *,
    kind: str = "building", shop: bool = False, blind: bool = False,
) -> int:  # fmt: skip
    """Put one house on a footprint whose first edge faces the street, and return its index."""
    wall, roof = wall_and_roof(style, difficulty, rng)
    storey_m = float(rng.uniform(2.8, 3.5)) + (0.6 if blind else 0.0)
    height = storeys * storey_m + float(rng.uniform(0.3, 1.4))
    ground_floor = around((104, 96, 92), 34.0, rng) if shop else shade(wall, float(rng.uniform(0.78, 1.0)))
    window = around((66, 78, 94), 10.0, rng)
    share = 0.12 if blind else min(max(style.window_share + float(rng.normal(0.0, 0.1)), 0.15), 0.85)
    facade = Facade(wall, window, share, storey_m, float(rng.uniform(2.2, 4.2)), ground_floor)
    if height >= SKYSCRAPER_M:
        kind = "skyscraper"
    index = canvas.build(quad, Structure(kind, round(height, 2), roof, facade))
    pitched = storeys <= 6 and not blind and rng.random() < style.pitched
    (_ridge if pitched else _flat)(canvas, quad, roof, rng)
    return index


def _ridge(canvas: Canvas, quad: Points, roof: Colour, rng: np.random.Generator) -> None:
    """A gable or a hip roof: slopes towards the light are brighter."""
    along, across = sides_m(quad)
    if along < across:
        quad = np.roll(quad, -1, axis=0)
        along, across = across, along
    hip = min(across / 2 / along, 0.5) * float(rng.uniform(0.6, 1.0)) if rng.random() < 0.45 else 0.0
    ridge = within(quad, np.array([hip, 1.0 - hip]), np.array([0.5, 0.5]))
    light = np.array([0.35, -0.9])  # slopes to the south catch it in both halves of the year's pictures
    faces = [np.stack([quad[0], quad[1], ridge[1], ridge[0]]), np.stack([quad[2], quad[3], ridge[0], ridge[1]])]
    if hip:
        faces += [np.stack([quad[1], quad[2], ridge[1]]), np.stack([quad[3], quad[0], ridge[0]])]
    centre = quad.mean(0)
    for face in faces:
        out = face[:2].mean(0) - centre
        bright = 1.0 + 0.17 * float(out @ light) / max(float(np.hypot(*out)), 1e-6)
        canvas.paint(face, shade(roof, bright))
    if rng.random() < 0.5:  # a chimney
        u, v = rng.uniform(0.25, 0.7), rng.uniform(0.36, 0.6)
        canvas.paint(lot(quad, u, u + 0.9 / along, v, v + 0.9 / across), shade(roof, 0.5))


def _flat(canvas: Canvas, quad: Points, roof: Colour, rng: np.random.Generator) -> None:
    """A parapet, and what stands on flat roofs: stairheads, tanks, panels."""
    long, deep = sides_m(quad)
    edge_u, edge_v = min(0.5 / long, 0.3), min(0.5 / deep, 0.3)
    canvas.paint(lot(quad, edge_u, 1.0 - edge_u, edge_v, 1.0 - edge_v), shade(roof, float(rng.uniform(0.84, 0.95))))
    for _ in range(int(rng.integers(0, 4))):
        wide, tall = rng.uniform(1.2, 4.5) / long, rng.uniform(1.2, 3.5) / deep
        if wide < 0.5 and tall < 0.5:
            u, v = rng.uniform(0.08, 0.9 - wide), rng.uniform(0.08, 0.9 - tall)
            canvas.paint(lot(quad, u, u + wide, v, v + tall), shade(roof, float(rng.choice((0.6, 0.72, 1.2)))))
