"""How upright things look from the ground: each kind colours points of its own outline.

A painter gets points of its kind, `u` from -1 at the left to 1 at the right and `v` from 0 at the foot to 1 at the top,
and says which of them are the thing and what colour they have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.views.scene import Floats

Bools = NDArray[np.bool_]
_DARK = np.array([34, 36, 40], dtype=np.float32)
_GLASS = np.array([70, 84, 98], dtype=np.float32)
_BARK = np.array([88, 70, 54], dtype=np.float32)
_SKIN = np.array([196, 154, 128], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Points:
    """Points of things of one kind."""

    u: Floats  # (n,) -1 left to 1 right
    v: Floats  # (n,) 0 foot to 1 top
    across_m: Floats  # (n,) width of the thing as it is seen
    tall_m: Floats  # (n,)
    colour: Floats  # (n, 3)
    side: Bools  # (n,) seen from its side, not from its front or back
    noise: Floats  # (n,) -1 to 1, fixed to the thing


@dataclass(frozen=True, eq=False)
class Painted:
    """What the points show."""

    colour: Floats  # (n, 3)
    there: Bools  # (n,) the thing covers this point
    light: Floats | None = None  # (n,) 0 to 1: shines at night


def paint(kind: str, points: Points) -> Painted:
    """Colour the points of a kind; one that has no painter is a post as wide as itself."""
    return _PAINTERS.get(kind, _post)(points)


def _shaded(points: Points, by: Floats | float = 0.22) -> Floats:
    """Light from the left on something round."""
    return np.asarray(points.colour * (0.92 - by * points.u)[:, None], dtype=np.float32)


def _post(points: Points) -> Painted:
    return Painted(_shaded(points), np.ones(points.u.shape, dtype=bool))


def _tree(points: Points) -> Painted:
    middle, half = 0.64, 0.38  # of the height: the crown spans 0.26 to 1.02
    rise = (points.v - middle) / half
    crown = points.u**2 + rise**2 < 0.82 + 0.3 * points.noise  # ragged edge
    trunk = (np.abs(points.u) * points.across_m < np.maximum(0.05 * points.tall_m, 0.12)) & (points.v < middle)
    light = 0.84 + 0.2 * rise - 0.14 * points.u + 0.3 * points.noise
    colour = np.where(crown[:, None], points.colour * light[:, None], _BARK * (0.95 - 0.25 * points.u)[:, None])
    return Painted(colour.astype(np.float32), crown | trunk)


def _palm(points: Points) -> Painted:
    crown_at = 0.84
    rise = (points.v - crown_at) * points.tall_m * 2 / np.maximum(points.across_m, 0.1)
    angle, radius = np.arctan2(rise, points.u), np.hypot(points.u, rise)
    fronds = radius < 0.12 + 0.85 * np.abs(np.cos(4.5 * angle)) ** 0.7
    trunk = (np.abs(points.u) * points.across_m < 0.3) & (points.v < crown_at)
    light = 0.8 + 0.3 * points.noise + 0.2 * rise
    colour = np.where(fronds[:, None], points.colour * light[:, None], _BARK * 1.25)
    return Painted(colour.astype(np.float32), fronds | trunk)


def _car(points: Points) -> Painted:
    u, v, side = np.abs(points.u), points.v, points.side
    body = (v > 0.16) & (v < 0.62) & (u < 1 - 0.08 * (v > 0.5))
    below = (v <= 0.16) & (u < 0.9)  # its shadow
    slope = np.where(side, 0.6 - 0.55 * (v - 0.6), 0.86 - 0.45 * (v - 0.6))
    cabin = (v >= 0.6) & (u < slope)
    glass = (v > 0.66) & (v < 0.94) & (u < slope - 0.07) & ~(side & (u < 0.03))
    wheel_u, wheel = np.where(side, 0.62, 0.8), np.where(side, 0.2, 0.16)
    tyres = np.where(side, np.hypot((u - wheel_u) * points.across_m / 2, (v - 0.22) * points.tall_m) < 0.33, False)
    tyres |= ~side & (v < 0.24) & (np.abs(u - wheel_u) < wheel)
    lamps = ~side & (np.abs(v - 0.45) < 0.06) & (np.abs(u - 0.76) < 0.16)
    colour = points.colour * (0.78 + 0.3 * v)[:, None]
    colour[glass], colour[tyres | below], colour[lamps] = _GLASS, _DARK, (236, 232, 214)
    return Painted(colour.astype(np.float32), body | cabin | tyres | below, lamps.astype(np.float32))


def _bus(points: Points) -> Painted:
    u, v, side = np.abs(points.u), points.v, points.side
    body = v > 0.1
    panes = np.where(side, (points.u * points.across_m / 2 % 1.4) > 0.15, u < 0.88)
    glass = (v > 0.48) & (v < 0.84) & panes & (u < 0.97)
    wheel_at = np.abs(u - 0.62) * points.across_m / 2
    tyres = np.where(side, np.hypot(wheel_at, (v - 0.14) * points.tall_m) < 0.45, (v < 0.14) & (u > 0.6) & (u < 0.95))
    lamps = ~side & (np.abs(v - 0.24) < 0.05) & (np.abs(u - 0.75) < 0.14)
    colour = points.colour * (0.85 + 0.2 * v)[:, None]
    colour[glass], colour[tyres], colour[lamps] = _GLASS, _DARK, (236, 232, 214)
    light = np.maximum(0.5 * glass, lamps)
    return Painted(colour.astype(np.float32), body | tyres, light.astype(np.float32))


def _person(points: Points) -> Painted:
    u, v = np.abs(points.u), points.v
    head = np.hypot(points.u * points.across_m / 2, (v - 0.93) * points.tall_m) < 0.12
    torso = (v > 0.45) & (v < 0.85) & (u < 0.95 - 0.3 * (v < 0.6))
    legs = (v <= 0.48) & (u < 0.62) & (u > 0.1)
    colour = np.where(torso[:, None], points.colour, points.colour * 0.45)
    colour[head] = _SKIN
    return Painted(colour.astype(np.float32), head | torso | legs)


def _streetlight(points: Points) -> Painted:
    mast = (np.abs(points.u) * points.across_m < 0.2) | (np.abs(points.u) * points.tall_m < 0.12)
    head = points.v > 0.95
    colour = _shaded(points)
    colour[head] = (222, 220, 206)
    return Painted(colour, mast | head, head.astype(np.float32))


def _traffic_light(points: Points) -> Painted:
    mast = (np.abs(points.u) * points.across_m < 0.14) & (points.v < 0.75)
    box = points.v >= 0.72
    place = (points.v - 0.72) / 0.28 * 3
    lens = box & (np.hypot(points.u, (place % 1 - 0.5) * 2) < 0.7)
    colour = np.where(box[:, None], _DARK, _shaded(points))
    for lamp, shines in ((0, (40, 200, 110)), (1, (84, 66, 24)), (2, (84, 24, 22))):
        colour[lens & (np.floor(place) == lamp)] = shines
    return Painted(colour.astype(np.float32), mast | box, (lens & (place < 1)).astype(np.float32))


def _bench(points: Points) -> Painted:
    v = points.v
    slats = ((v > 0.42) & (v < 0.54)) | ((v > 0.66) & (v < 0.8)) | (v > 0.88)
    legs = (np.abs(np.abs(points.u) - 0.8) < 0.07) & (v < 0.9)
    return Painted(np.where(slats[:, None], points.colour, _DARK).astype(np.float32), slats | legs)


def _two_wheels(points: Points) -> Painted:
    away = np.hypot((np.abs(points.u) - 0.62) * points.across_m / 2, (points.v - 0.34) * points.tall_m)
    tyres = (away < 0.34) & (away > 0.22)
    frame = (np.abs(points.v - 0.55) < 0.09) & (np.abs(points.u) < 0.6)
    bar = (np.abs(np.abs(points.u) - 0.5) < 0.08) & (points.v > 0.3)
    return Painted(np.where(tyres[:, None], _DARK, points.colour).astype(np.float32), tyres | frame | bar)


def _board(points: Points) -> Painted:
    edge = (np.abs(points.u) > 0.96) | (np.abs(points.v - 0.5) > 0.45)
    light = np.full(points.u.shape, 0.6, dtype=np.float32)  # signs are lit, less than lamps
    whole = np.ones(points.u.shape, dtype=bool)
    return Painted((points.colour * np.where(edge, 0.8, 1.0)[:, None]).astype(np.float32), whole, light)


_PAINTERS: dict[str, Callable[[Points], Painted]] = {
    "tree": _tree,
    "palm": _palm,
    "car": _car,
    "van": _bus,
    "bus": _bus,
    "truck": _bus,
    "person": _person,
    "streetlight": _streetlight,
    "traffic light": _traffic_light,
    "bench": _bench,
    "bicycle": _two_wheels,
    "minibike": _two_wheels,
    "signboard": _board,
}
