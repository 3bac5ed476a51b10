"""What a shadow in a picture tells of the sun, and what it does not."""

from __future__ import annotations

import math
from dataclasses import dataclass

from geosleuth.indexes.errors import InputError

# From a right angle between object and shadow, in the picture. It keeps out what is plainly foreshortened, and bounds
# nothing: seen from eye height, a shadow that runs far away from the camera is nearly level in the picture.
_SIDEWAYS_DEG = 25.0
_LENS_EDGE_DEG = 40.0  # from a picture's middle to its corner, for a lens of 26 mm: a telephone's
_LEAST_PX = 10.0  # an end put wrongly by one pixel then costs 6 degrees at most

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SunReading:
    """The sun as a shadow across the picture shows it."""

    elevation_deg: float
    """As drawn; the sun was lower, by as much as the shadow is foreshortened. See `highest_sun`."""
    azimuth_deg: float | None
    """Clockwise from north; always None, for the picture does not tell which way the shadow points on the ground."""
    caveat: str
    at_most: bool = True
    """`elevation_deg` is an upper bound: to be passed on to `sun_evidence`."""


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


def highest_sun(drawn_deg: float) -> float:
    """Return the highest elevation in degrees that a shadow can have had which was drawn with `drawn_deg`.

    The picture shows the tip where its line of sight meets the upright plane through the object's foot. In the
    triangle of foot, tip and that point, the law of sines makes the shown length at most the true one over the cosine
    of the angle between the line of sight and the camera's axis; so for a level camera on level ground this bounds the
    truth, whichever way the shadow points and however high the camera is.
    """
    return math.degrees(math.atan2(math.tan(math.radians(drawn_deg)), math.cos(math.radians(_LENS_EDGE_DEG))))


def sun_from_shadow(foot: Point, top: Point, tip: Point, heading_deg: float | None = None) -> SunReading:
    """Read how high the sun was at most, from an upright object and its shadow drawn on the photo.

    One picture shows lengths in its own plane alone. A shadow that runs towards the camera or away from it is
    foreshortened by an amount that three marks do not tell: the sun was then lower than drawn, and in no direction
    that could be read. That would take the horizon and the lens.

    Args:
        foot: Where the object meets the ground, in pixels (x, y), y downwards.
        top: The object's top.
        tip: The end of the shadow of the top.
        heading_deg: Which way the camera looked; the caveat says that it does not help.

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
    caveat = "Holds for an upright object on level ground; the sun was lower if the shadow does not fall sideways."
    if heading_deg is not None:
        caveat += " Its direction cannot be told: the picture does not show which way the shadow points on the ground."
    return SunReading(elevation_from_shadow(height, length), None, caveat)
