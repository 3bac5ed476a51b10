"""What a block is used for, and how the built uses are drawn."""

from __future__ import annotations

import numpy as np

from geosleuth.training.towns.making import lots
from geosleuth.training.towns.making.colours import around, shade
from geosleuth.training.towns.making.greenery import put_hedge, scatter
from geosleuth.training.towns.making.houses import put_house
from geosleuth.training.towns.making.open_spaces import (
    draw_car_park,
    draw_green,
    draw_park,
    draw_pitch,
    draw_round,
    draw_square,
)
from geosleuth.training.towns.making.shapes import Points, area_m2, lot, sides_m, within
from geosleuth.training.towns.making.site import Site
from geosleuth.training.towns.making.style import Style

_SHARING = ("square", "car_park", "hall", "high_rises", "pitch")  # uses that need no whole block
_LARGE_M2 = 5500.0  # above it such a use takes a part, and houses the rest
_SMALL_M2 = 500.0  # within the sidewalks; less holds no house with its yard: lawn and trees


def choose_use(style: Style, central: float, difficulty: float, rng: np.random.Generator) -> str:
    """Draw a block's use. Squares, parks and halls are landmarks: half as common at difficulty 1."""
    rare = 1.25 - 0.75 * difficulty
    built = 1.0 - style.towers
    weights = {
        "park": (0.03 + 0.1 * style.green) * rare,
        "square": (0.02 + 0.04 * central) * rare,
        "car_park": 0.035 * rare,
        "pitch": 0.03 * rare,
        "hall": 0.06 * rare,
        "high_rises": 0.6 * style.towers,
        "slabs": 0.5 * style.towers,
        "closed": built * style.closed * (0.6 + 0.8 * central),
        "detached": built * (1.0 - style.closed) * (1.3 - 0.6 * central),
    }
    values = np.array(list(weights.values()))
    return str(rng.choice(list(weights), p=values / values.sum()))


def draw_block(site: Site, quad: Points, use: str) -> None:
    """Draw a block within its sidewalks."""
    if area_m2(quad) < _SMALL_M2:
        use = "green"
    elif use in _SHARING and area_m2(quad) > _LARGE_M2:
        if sides_m(quad)[0] < sides_m(quad)[1]:
            quad = np.roll(quad, -1, axis=0)
        cut = float(site.rng.uniform(0.35, 0.65))
        rest = "closed" if site.rng.random() < site.style.closed else "detached"
        _USES[rest](site, lot(quad, cut, 1.0, 0.0, 1.0))
        quad = lot(quad, 0.0, cut, 0.0, 1.0)
    _USES[use](site, quad)


def _hall(site: Site, quad: Points) -> None:
    site.canvas.ground(quad, "road", shade(site.style.asphalt, 1.12))
    if site.rng.random() < 0.6:
        draw_car_park(site, lot(quad, 0.0, 1.0, 0.0, min(18.0 / sides_m(quad)[1], 0.3)))
    for footprint in lots.hall(quad, site.rng):
        site.house(footprint, int(site.rng.integers(2, 4)), shop=True, blind=True)
    scatter(site.canvas, quad, 20.0 * site.style.green, site.style, site.rng, most_m=3.0)


def _slabs(site: Site, quad: Points) -> None:
    site.canvas.ground(quad, "grass", around(site.style.grass, 6.0, site.rng))
    storeys = int(site.rng.integers(4, 11))
    for footprint in lots.slabs(quad, site.rng):
        site.house(footprint, storeys)
    scatter(site.canvas, quad, 30.0 + 40.0 * site.style.green, site.style, site.rng)


def _high_rises(site: Site, quad: Points) -> None:
    style, rng = site.style, site.rng
    paved = rng.random() < 0.25
    site.canvas.ground(quad, "sidewalk" if paved else "grass", around(style.paving if paved else style.grass, 6.0, rng))
    if rng.random() < 0.7:
        draw_car_park(site, lot(quad, 0.02, 0.98, 0.02, min(22.0 / sides_m(quad)[1], 0.4)))
    for footprint in lots.high_rises(quad, rng):
        site.house(footprint, int(rng.integers(8, 13 + int(12 * site.central))), shop=bool(rng.random() < 0.5))
    scatter(site.canvas, quad, 10.0 + 40.0 * style.green, style, rng, most_m=3.5)


def _closed(site: Site, quad: Points) -> None:
    style, rng = site.style, site.rng
    kind, colour = ("grass", style.grass) if rng.random() < style.green else ("earth", style.soil)
    site.canvas.ground(quad, kind, around(colour, 8.0, rng))
    storeys = site.storeys()
    busy = 0.25 + 0.5 * site.central
    for footprint in lots.wall_to_wall(quad, rng):
        own = int(np.clip(storeys + rng.integers(-1, 2), 1, None))
        if rng.random() < 0.06 * (1.0 - site.difficulty):  # a house that is seen above the others
            own += int(rng.integers(3, 9))
        site.house(footprint, own, shop=bool(rng.random() < busy))
    long, short = sides_m(quad)
    if short > 44.0:  # a yard with room for sheds and a way through
        for _ in range(int(rng.integers(0, 5))):
            u, v = rng.uniform(0.3, 0.6), rng.uniform(0.36, 0.56)
            shed = lot(quad, u, u + rng.uniform(4.0, 11.0) / long, v, v + rng.uniform(3.5, 6.0) / short)
            put_house(site.canvas, shed, style, 1, site.difficulty, rng, blind=True)
        if rng.random() < 0.5:
            at = float(rng.uniform(0.4, 0.6))
            way = within(quad, np.array([0.22, 0.78]), np.array([at, at]))
            site.canvas.line(way, 2.0, "path", around(shade(style.soil, 1.1), 5.0, rng))
    scatter(site.canvas, quad, 10.0 + 70.0 * style.green, style, rng, most_m=3.5)


def _detached(site: Site, quad: Points) -> None:
    canvas, style, rng = site.canvas, site.style, site.rng
    canvas.ground(quad, "grass", around(style.grass, 6.0, rng))
    for plot, house in lots.detached(quad, rng):
        kind, colour = ("grass", style.grass) if rng.random() < 0.25 + 0.75 * style.green else ("earth", style.soil)
        canvas.ground(plot, kind, around(colour, 7.0, rng))
        drive = lot(plot, 0.04, 0.04 + min(2.6 / sides_m(plot)[0], 0.3), 0.0, 0.45)
        if rng.random() < 0.6:
            canvas.ground(drive, "path", around(style.paving, 8.0, rng))
        site.house(house, min(site.storeys(), 3), kind="house")
        if rng.random() < 0.1 * style.green + 0.03:
            pool = lot(plot, 0.35, 0.35 + min(7.0 / sides_m(plot)[0], 0.5), 0.84, 0.96)
            canvas.ground(pool, "swimming pool", (104, 186, 204))
        if rng.random() < 0.25 + 0.3 * style.green:
            edge = 0.7 / sides_m(plot)[0]
            put_hedge(canvas, lot(plot, 1.0 - edge, 1.0, 0.1, 1.0), style, rng)
        scatter(canvas, lot(plot, 0.05, 0.95, 0.55, 1.0), 20.0 + 80.0 * style.green, style, rng, most_m=4.0)


_USES = {
    "round": draw_round, "green": draw_green, "park": draw_park, "square": draw_square, "car_park": draw_car_park,
    "pitch": draw_pitch, "hall": _hall, "slabs": _slabs, "high_rises": _high_rises, "closed": _closed,
    "detached": _detached,
}  # fmt: skip
