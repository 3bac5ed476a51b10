"""What a shadow in a picture tells of the sun, and what it does not."""

from __future__ import annotations

import math
from dataclasses import dataclass

from geosleuth.indexes.errors import InputError

_SIDEWAYS_DEG = 25.0  # from a right angle between object and shadow; the cosine is 0.9: a tenth of the length is lost
_LEAST_PX = 10.0  # an end put wrongly by one pixel then costs 6 degrees at most

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SunReading:
    """The sun as a shadow across the picture shows it."""

    elevation_deg: float
    """Not below the truth, if the object is upright and the ground level: a shadow looks shorter than it is."""
    azimuth_deg: float | None
    """Clockwise from north; None where it is not known which way the camera looked."""
    caveat: str


def elevation_from_shadow(height: float, length: float) -> float:
    """Return the sun's elevation in degrees from an upright object's height and its shadow's length on level ground.

    Any unit, the same for both: metres of a known object, or shares of each other.

    Raises:
        InputError: One of them is not above 0.
    """
    if not (0 < height < math.inf and 0 < length < math.inf):
        remedy = "Give both in one unit, such as metres: a person of 1.7 with a shadow of 2.4."
        raise InputError("a height and a shadow's length above 0", f"{height:g} and {length:g}", remedy)
    return math.degrees(math.atan2(height, length))


def sun_from_shadow(foot: Point, top: Point, tip: Point, heading_deg: float | None = None) -> SunReading:
    """Read the sun from an upright object and its shadow, drawn on the photo: pixels (x, y), y downwards.

    One picture shows lengths in its own plane only. So the shadow must fall sideways, across the picture: then its
    length compares with the object's, and the sun stands at a right angle to the camera's view. A shadow that runs
    towards the camera or away from it is foreshortened by an amount that the picture does not tell.

    Args:
        foot: Where the object meets the ground.
        top: The object's top.
        tip: The end of the shadow of the top.
        heading_deg: Which way the camera looked, clockwise from true north.

    Raises:
        InputError: The lines are too short, or the shadow does not fall sideways.
    """
    up, along = (top[0] - foot[0], top[1] - foot[1]), (tip[0] - foot[0], tip[1] - foot[1])
    height, length = math.hypot(*up), math.hypot(*along)
    if min(height, length) < _LEAST_PX:
        found = f"lines of {height:.0f} and {length:.0f} pixels"
        raise InputError("an object and its shadow", found, f"Choose an object with {_LEAST_PX:.0f} pixels of each.")
    cosine = (up[0] * along[0] + up[1] * along[1]) / (height * length)
    angle = math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
    if abs(angle - 90.0) > _SIDEWAYS_DEG:
        remedy = "Choose one that falls to the side, or give the object's height and its shadow's length in metres."
        raise InputError("a shadow across the picture", f"one at {angle:.0f} degrees to its object", remedy)
    azimuth = None
    if heading_deg is not None:  # a shadow to the right has the sun on the left
        azimuth = (heading_deg + (-90.0 if along[0] > 0 else 90.0)) % 360.0
    caveat = "Holds for an upright object on level ground, its shadow across the picture; else the sun was lower."
    return SunReading(elevation_from_shadow(height, length), azimuth, caveat)
