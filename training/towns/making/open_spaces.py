"""Blocks and parts of blocks without houses: parks, squares, car parks, playing fields."""

from __future__ import annotations

import numpy as np

from geosleuth.training.towns.making.canvas import circle
from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.colours import around, shade
from geosleuth.training.towns.making.greenery import put_tree, scatter
from geosleuth.training.towns.making.shapes import Points, bearing_deg, lot, sides_m, within
from geosleuth.training.towns.making.site import Site
from geosleuth.training.towns.making.traffic import parked, person, stand
from geosleuth.training.towns.town import Colour, Facade, Structure, TownObject

WATER: Colour = (68, 92, 104)
_WHITE: Colour = (226, 226, 222)


def draw_green(site: Site, quad: Points) -> None:
    """Lawn and trees: a corner that nobody built on."""
    site.canvas.ground(quad, "grass", around(site.style.grass, 5.0, site.rng))
    scatter(site.canvas, quad, 60.0 * site.style.green, site.style, site.rng)


def draw_park(site: Site, quad: Points) -> None:
    """Lawn, paths, trees, and a pond or a monument."""
    canvas, style, rng = site.canvas, site.style, site.rng
    canvas.ground(quad, "grass", around(style.grass, 6.0, rng))
    path = around(shade(style.soil, 1.12), 5.0, rng)
    for turn in range(int(rng.integers(1, 4))):
        side = np.roll(quad, -turn, axis=0)
        ends = within(side, np.array([rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9)]), np.array([0.0, 1.0]))
        canvas.line(ends, 2.4, "path", path)
        _along_path(site, ends)
    middle = within(quad, np.asarray(rng.uniform(0.35, 0.65)), np.asarray(rng.uniform(0.35, 0.65)))
    if rng.random() < 0.55:
        _pond(site, middle, 0.26 * min(sides_m(quad)))
    elif rng.random() < 0.6:
        canvas.disc(float(middle[0]), float(middle[1]), 7.0, "path", path)
        _monument(site, middle)
    scatter(canvas, quad, 40.0 + 70.0 * style.green, style, rng, most_m=5.5)


def draw_round(site: Site, polygon: Points) -> None:
    """The place in the middle of a radial town."""
    canvas, style, rng = site.canvas, site.style, site.rng
    middle = polygon.mean(0)
    canvas.ground(
        polygon, "grass" if rng.random() < style.green else "sidewalk", around(shade(style.paving, 1.05), 8.0, rng)
    )
    if canvas.kind_at(float(middle[0]), float(middle[1])) == class_number("grass"):
        canvas.paint(polygon, around(style.grass, 6.0, rng))
    canvas.ground(middle + 0.45 * (polygon - middle), "sidewalk", around(style.paving, 6.0, rng))
    _monument(site, middle)
    for share in np.arange(0.0, 1.0, 0.125 if style.green > 0.4 else 0.25):
        angle = 2.0 * np.pi * share
        spot = middle + 0.36 * min(np.hypot(*(polygon - middle).T)) * 1.8 * np.array([np.cos(angle), np.sin(angle)])
        put_tree(canvas, float(spot[0]), float(spot[1]), style, rng, most_m=2.8)


def _along_path(site: Site, ends: Points) -> None:
    """Benches beside a path, lamps, and people on it."""
    canvas, rng = site.canvas, site.rng
    length = float(np.hypot(*(ends[1] - ends[0])))
    along = (ends[1] - ends[0]) / max(length, 1e-6)
    side = np.array([-along[1], along[0]])
    for at in np.arange(6.0, length - 4.0, 13.0):
        x, y = (ends[0] + along * at + side * 1.7).tolist()
        facing = bearing_deg(*(-side).tolist())
        if rng.random() < 0.6:
            stand(canvas, TownObject("bench", x, y, 0.0, 1.7, 0.85, facing, (122, 92, 62)))
        else:
            stand(canvas, TownObject("streetlight", x, y, 0.0, 0.5, 3.8, facing, (70, 74, 72)))
    for _ in range(int(rng.poisson(length / 30.0))):
        stand(canvas, person(ends[0] + along * rng.uniform(0.0, length) + side * rng.uniform(-1.0, 1.0), rng))


def _pond(site: Site, middle: Points, radius_m: float) -> None:
    shape = circle(0.0, 0.0, 1.0, 28)
    angles = np.arctan2(shape[:, 1], shape[:, 0])
    wave = (
        1.0 + 0.16 * np.sin(2 * angles + site.rng.uniform(0, 6.3)) + 0.1 * np.sin(3 * angles + site.rng.uniform(0, 6.3))
    )
    shore = middle + shape * wave[:, None] * radius_m * site.rng.uniform(0.7, 1.0, 2)
    site.canvas.ground(shore, "lake", WATER)


def _monument(site: Site, middle: Points) -> None:
    x, y = float(middle[0]), float(middle[1])
    if site.rng.random() < 0.5:
        site.canvas.disc(x, y, 5.0, "fountain", (190, 188, 182))
        site.canvas.disc(x, y, 4.2, "fountain", WATER)
    stone = around((150, 140, 128), 20.0, site.rng)
    site.canvas.build(circle(x, y, 1.2, 8), Structure("sculpture", round(float(site.rng.uniform(3.0, 9.0)), 2), stone))


def draw_square(site: Site, quad: Points) -> None:
    """Paving, trees along two sides, a monument or a landmark."""
    canvas, style, rng = site.canvas, site.style, site.rng
    base = around(shade(style.paving, 1.06), 8.0, rng)
    canvas.ground(quad, "sidewalk", base)
    step = float(rng.uniform(0.06, 0.14))
    for k in np.arange(step, 1.0, step) if rng.random() < 0.7 else ():  # bands of another stone
        canvas.paint(lot(quad, float(k), float(k) + 0.25 * step, 0.0, 1.0), shade(base, 0.88))
    middle = within(quad, np.asarray(0.5), np.asarray(0.5))
    if rng.random() < 0.4 and min(sides_m(quad)) > 30.0:
        _landmark(site, quad)
    else:
        _monument(site, middle)
    for _ in range(int(rng.poisson(8))):
        stand(canvas, person(within(quad, np.asarray(rng.uniform(0.1, 0.9)), np.asarray(rng.uniform(0.1, 0.9))), rng))
    for u in np.linspace(0.08, 0.92, int(rng.integers(3, 7))):
        for v in (0.08, 0.92):
            if rng.random() < 0.3 + style.green:
                spot = within(quad, np.asarray(u), np.asarray(v))
                scatter(
                    canvas,
                    np.stack([spot] * 4) + np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]),
                    10_000.0,
                    style,
                    rng,
                    most_m=2.5,
                )


def _landmark(site: Site, quad: Points) -> None:
    """A hall of worship or of the town: a high nave and a tower."""
    nave = lot(quad, 0.32, 0.68, 0.3, 0.7)
    site.house(nave, 4, blind=True)
    wall = around((190, 176, 150), 22.0, site.rng)
    tower = lot(quad, 0.27, 0.33, 0.45, 0.55)
    height = round(float(site.rng.uniform(22.0, 44.0)), 2)
    roof = around((96, 120, 112), 26.0, site.rng)
    site.canvas.build(tower, Structure("tower", height, roof, Facade(wall, (70, 66, 62), 0.2, 6.0, 3.0, wall)))


def draw_car_park(site: Site, quad: Points) -> None:
    """Bays along aisles, half of them taken."""
    canvas, style = site.canvas, site.style
    canvas.ground(quad, "road", shade(style.asphalt, 1.08))
    if sides_m(quad)[0] < sides_m(quad)[1]:
        quad = np.roll(quad, -1, axis=0)
    long, short = sides_m(quad)
    rows = max(1, int(short / 17.0))  # two bays of 5.2 m and an aisle
    for row in range(rows):
        for near in (row / rows, (row + 1) / rows - 5.2 / short):
            count = int(0.94 * long / 2.6)
            for k in range(count + 1):
                u = 0.03 + k * 2.6 / long
                canvas.paint(lot(quad, u, u + 0.14 / long, near, near + 5.0 / short), _WHITE)
                if k < count and site.rng.random() < 0.55:
                    spot = within(quad, np.asarray(u + 1.3 / long), np.asarray(near + 2.6 / short))
                    across = quad[3] - quad[0]
                    stand(canvas, parked(spot, across, style, site.rng))
    scatter(canvas, quad, 12.0 * style.green, style, site.rng, most_m=2.5)


def draw_pitch(site: Site, quad: Points) -> None:
    """A playing field with its lines."""
    canvas, style, rng = site.canvas, site.style, site.rng
    canvas.ground(quad, "grass", around(style.grass, 6.0, rng))
    if sides_m(quad)[0] < sides_m(quad)[1]:
        quad = np.roll(quad, -1, axis=0)
    field = lot(quad, 0.1, 0.9, 0.14, 0.86)
    green = rng.random() < 0.5 + 0.5 * style.green
    canvas.ground(field, "field", shade(style.grass, 0.86) if green else around((178, 104, 74), 10.0, rng))
    long, short = sides_m(field)
    for left, right, near, far in (
        (0, 1, 0, 0.3 / short), (0, 1, 1 - 0.3 / short, 1), (0, 0.3 / long, 0, 1), (1 - 0.3 / long, 1, 0, 1),
        (0.5, 0.5 + 0.3 / long, 0, 1), (0.14, 0.14 + 0.3 / long, 0.2, 0.8), (0.86, 0.86 + 0.3 / long, 0.2, 0.8),
    ):  # fmt: skip
        canvas.paint(lot(field, left, right, near, far), _WHITE)
    centre = within(field, np.asarray(0.5), np.asarray(0.5))
    ring = circle(float(centre[0]), float(centre[1]), 0.13 * short, 24)
    for start, end in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        canvas.line(np.stack([start, end]), 0.3, None, _WHITE)
    scatter(canvas, quad, 14.0 * style.green, style, rng)
