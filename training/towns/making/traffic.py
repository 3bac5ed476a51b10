"""What stands and moves along the streets: vehicles, people, lamps, lights, poles."""

from __future__ import annotations

import numpy as np

from geosleuth.training.towns.making.canvas import Canvas
from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.colours import around
from geosleuth.training.towns.making.shapes import Points, bearing_deg
from geosleuth.training.towns.making.style import CARS, SIDEWALK_M, Style
from geosleuth.training.towns.town import Colour, Street, TownObject

# Length, width and height in metres of common models; `TownObject.width_m` is that of the front.
VEHICLES: dict[str, tuple[float, float, float]] = {
    "car": (4.4, 1.8, 1.5),
    "van": (5.6, 2.0, 2.4),
    "truck": (7.5, 2.4, 3.2),
    "bus": (11.8, 2.55, 3.1),
    "minibike": (1.9, 0.7, 1.2),
    "bicycle": (1.8, 0.6, 1.1),
}
_CLOTHES: tuple[Colour, ...] = (
    (40, 44, 60),
    (150, 48, 44),
    (206, 200, 190),
    (60, 92, 64),
    (190, 160, 60),
    (90, 70, 110),
)
_LANE = 0.3  # of half a street's width, from the centre line to the middle of a lane beside parked cars
_STEEL: Colour = (84, 88, 90)


def parked(spot: Points, heading: Points, style: Style, rng: np.random.Generator) -> TownObject:
    """A car that stands for the day, its front along `heading` or against it."""
    return _vehicle("van" if rng.random() < 0.08 else "car", spot, heading * rng.choice((-1.0, 1.0)), style, rng)


def _vehicle(
    kind: str, spot: Points, heading: Points, style: Style, rng: np.random.Generator, *, passing: bool = False
) -> TownObject:
    _, width, height = VEHICLES[kind]
    colour = around(CARS[int(rng.integers(len(CARS)))], 10.0, rng)
    if kind == "bus":
        colour = around(style.flag[0], 8.0, rng)
    facing = bearing_deg(float(heading[0]), float(heading[1]))
    return TownObject(kind, float(spot[0]), float(spot[1]), 0.0, width, height, facing, colour, passing=passing)


def furnish(canvas: Canvas, street: Street, style: Style, difficulty: float, rng: np.random.Generator) -> None:
    """Put lamps, poles, parked and passing vehicles and people along one piece of street."""
    start, end = np.array(street.start), np.array(street.end)
    length = float(np.hypot(*(end - start)))
    along = (end - start) / length
    left = np.array([-along[1], along[0]])
    half = street.width_m / 2
    main = street.width_m > 0.5 * sum(style.street_m)
    keep = 1.0 if style.drive_side == "left" else -1.0
    _lamps(canvas, start, along, left, length, half, main, style, rng)
    if length < 2.0 * half + 12.0:
        return
    for side in (-1.0, 1.0):
        _kerb(canvas, start, along, side * left, length, half, side * keep > 0.0, style, rng)
        _lane(
            canvas,
            start,
            along,
            side * left,
            length,
            half,
            side * keep > 0.0,
            style,
            rng,
            (0.6 + difficulty) * (2.0 if main else 0.8),
        )
        for _ in range(int(rng.poisson(length / 40.0 * (0.4 + difficulty)))):
            spot = (
                start
                + along * rng.uniform(half, length - half)
                + side * left * (half + rng.uniform(0.5, max(SIDEWALK_M - 0.4, 0.7)))
            )
            stand(canvas, person(spot, rng))


def person(spot: Points, rng: np.random.Generator) -> TownObject:
    """Someone on foot."""
    colour = around(_CLOTHES[int(rng.integers(len(_CLOTHES)))], 14.0, rng)
    height = round(float(rng.uniform(1.5, 1.9)), 2)
    return TownObject("person", float(spot[0]), float(spot[1]), 0.0, 0.55, height, None, colour, passing=True)


def stand(canvas: Canvas, thing: TownObject) -> None:
    """Keep a thing where it stands on open ground in the town."""
    water = (class_number("river"), class_number("lake"))
    if canvas.is_free(thing.x_m, thing.y_m) and canvas.kind_at(thing.x_m, thing.y_m) not in water:
        canvas.objects.append(thing)


def _lamps(
    canvas: Canvas, start: Points, along: Points, left: Points, length: float, half: float, main: bool, style: Style,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    tall = style.lamp == "mast"
    height, gap = (8.5 if main else 6.0, 28.0) if tall else (4.2, 20.0)
    side = 1.0
    for at in np.arange(half + 5.0, length - half - 3.0, gap):
        spot = start + along * at + left * side * (half + 0.5)
        facing = bearing_deg(*(-side * left).tolist())
        stand(
            canvas,
            TownObject(
                "streetlight", float(spot[0]), float(spot[1]), 0.0, 1.6 if tall else 0.5, height, facing, _STEEL
            ),
        )
        side = -side if main else side
    if style.wires and not main:
        for at in np.arange(half + 2.0, length - half, 34.0):
            spot = start + along * at - left * (half + 0.7)
            stand(canvas, TownObject("pole", float(spot[0]), float(spot[1]), 0.0, 0.3, 9.0, None, (112, 96, 80)))
    if main and length > 30.0:
        for at, side in ((half + 1.0, -1.0), (length - half - 1.0, 1.0)):
            spot = start + along * at + left * side * (half + 0.5)
            facing = bearing_deg(*(along * (1.0 if side > 0 else -1.0)).tolist())
            if rng.random() < 0.6:
                stand(
                    canvas,
                    TownObject("traffic light", float(spot[0]), float(spot[1]), 0.0, 0.35, 3.4, facing, (50, 54, 52)),
                )


def _kerb(
    canvas: Canvas, start: Points, along: Points, side: Points, length: float, half: float, with_traffic: bool,
    style: Style, rng: np.random.Generator,
) -> None:  # fmt: skip
    """Vehicles parked at one side of the street."""
    if half < 3.4 or rng.random() < 0.35:
        return
    heading = along if with_traffic else -along
    at, taken = half + 9.0, float(rng.uniform(0.15, 0.7))
    while at < length - half - 9.0:
        if rng.random() < taken:
            kind = str(rng.choice(["car", "van", "truck", "minibike"], p=[0.82, 0.09, 0.02, 0.07]))
            stand(canvas, _vehicle(kind, start + along * at + side * (half - 0.98), heading, style, rng))
        at += 6.2


def _lane(
    canvas: Canvas, start: Points, along: Points, side: Points, length: float, half: float, with_traffic: bool,
    style: Style, rng: np.random.Generator, busy: float,
) -> None:  # fmt: skip
    """Vehicles that pass in the lane of their side."""
    if not with_traffic:
        along, start, side = -along, start + along * length, side
    # Whoever drives here has the kerb on the side that the country keeps to.
    for _ in range(int(rng.poisson(busy * length / 120.0))):
        kind = str(
            rng.choice(["car", "van", "truck", "bus", "minibike", "bicycle"], p=[0.66, 0.09, 0.06, 0.05, 0.08, 0.06])
        )
        spot = start + along * rng.uniform(half + 3.0, max(length - half - 3.0, half + 4.0)) + side * half * _LANE
        stand(canvas, _vehicle(kind, spot, along, style, rng, passing=True))
