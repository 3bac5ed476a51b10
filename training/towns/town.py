"""What a town is made of: layers on a grid, and things that stand on it.

Metres from the town's south-west corner, x to the east, y to the north. Row 0 of a layer is its NORTH edge: the cell
of (x, y) is row `height - 1 - floor(y / cell_m)`, column `floor(x / cell_m)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.geodesy import LatLon

if TYPE_CHECKING:
    from geosleuth.training.towns.making.style import Style

Colour = tuple[int, int, int]  # sRGB, 0 to 255
NOTHING = -1  # `owner` where no structure stands
SIDES_M = (128.0, 2048.0)  # of a town: less has no crossing; more takes over a gigabyte at cells of 0.25 m


@dataclass(frozen=True, slots=True)
class Facade:
    """How the walls of a structure look: a regular pattern, so that any point of a wall can be coloured at once."""

    wall: Colour
    window: Colour
    window_share: float  # of a bay's width, 0 (blind) to 0.9 (glass)
    storey_m: float
    bay_m: float  # from window to window
    ground_floor: Colour  # shop front, plinth, or the wall's colour


@dataclass(frozen=True, slots=True)
class Structure:
    """What fills cells of the grid up to a height: a building, a tree, a hedge, a wall."""

    kind: str  # a class of ADE20K-150: "building", "house", "skyscraper", "tree", "plant", "wall", "fence", "tower"
    height_m: float
    colour: Colour  # from above
    facade: Facade | None = None  # None: walls have `colour`, darker


@dataclass(frozen=True, slots=True)
class TownObject:
    """What is too thin for the grid: upright in views from the ground, and marked in those from above if large."""

    kind: str  # a class of ADE20K-150: "car", "bus", "van", "person", "streetlight", "signboard", "pole", "bench", ...
    x_m: float
    y_m: float
    base_m: float  # of its lower edge above the ground
    width_m: float
    height_m: float
    facing_deg: float | None  # of its front, clockwise from north; None turns to whoever looks
    colour: Colour
    text: str | None = None  # of a sign
    language: str | None = None  # of the text, BCP 47
    text_colour: Colour = (0, 0, 0)
    passing: bool = False  # cars and people: gone or elsewhere when another view is taken


@dataclass(frozen=True, slots=True)
class Street:
    """A straight piece of a centre line that one can walk."""

    start: tuple[float, float]  # x, y
    end: tuple[float, float]
    width_m: float
    name: str


@dataclass(frozen=True, eq=False)
class Town:
    """One invented town. Real ISO country, invented style."""

    seed: int
    style: Style
    origin: LatLon  # of (0, 0)
    cell_m: float
    surface: NDArray[np.uint8]  # (h, w) ADE20K-150 class of the ground, 1 to 150 in the data set's order
    height_m: NDArray[np.float32]  # (h, w) top of what stands there; 0 on open ground
    colour: NDArray[np.uint8]  # (h, w, 3) from above by day, no shadows: roofs, crowns, asphalt, markings, water
    owner: NDArray[np.int32]  # (h, w) index into `structures`, NOTHING on open ground
    structures: tuple[Structure, ...]
    objects: tuple[TownObject, ...]
    streets: tuple[Street, ...]

    @property
    def side_m(self) -> float:
        """Length of an edge of the square."""
        return float(self.surface.shape[0] * self.cell_m)

    def position(self, x_m: float, y_m: float) -> LatLon:
        """Return where on Earth (x, y) is, on a sphere; exact enough within a few kilometres."""
        lat = self.origin.lat + np.degrees(y_m / EARTH_RADIUS_M)
        lon = self.origin.lon + np.degrees(x_m / (EARTH_RADIUS_M * np.cos(np.radians(self.origin.lat))))
        return LatLon(float(lat), float(lon))


EARTH_RADIUS_M = 6_371_008.8  # mean radius (IUGG)


@dataclass(frozen=True, slots=True)
class Seen:
    """A thing that a view shows."""

    kind: str  # class of ADE20K-150
    share: float  # of the view's pixels
    box: tuple[float, float, float, float]  # left, top, right, bottom as shares of the view
    text: str | None = None  # of a sign; None where it has none or it was drawn unreadable
    language: str | None = None
    structure: int | None = None  # index into the town's structures
    object: int | None = None  # index into the town's objects


@dataclass(frozen=True, eq=False)
class Rendered:
    """A view of a town."""

    pixels: NDArray[np.uint8]  # (h, w, 3) RGB
    labels: NDArray[np.uint8]  # (h, w) ADE20K-150, 1 to 150; 0 unlabelled
    seen: tuple[Seen, ...]
