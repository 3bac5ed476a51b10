"""The plain shapes and words that a map is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from geosleuth.agent.report.map_window import Floats

LETTER = 0.58  # mean width of a letter over its size, in the sans-serif fonts of browsers and reports


@dataclass(frozen=True)
class Palette:
    """Colours of one theme; amber and blue as in KML, told apart by the colour-blind too."""

    sea: str = "#dbe7f0"
    land: str = "#f7f5f0"
    border: str = "#9aa5b1"
    words: str = "#1f2937"
    paper: str = "#ffffff"
    half: str = "#d97706"
    most: str = "#2563eb"


LIGHT = Palette()
DARK = Palette("#111a24", "#2a333f", "#66758a", "#e5e7eb", "#0b1016", "#f59e0b", "#60a5fa")


@dataclass(frozen=True)
class Shape:
    """Rings in pixels, filled by the even-odd rule; a line where `open`."""

    rings: tuple[Floats, ...]
    fill: str | None = None
    fill_opacity: float = 1.0
    stroke: str | None = None
    line_px: float = 1.0
    dashes: tuple[float, ...] = ()
    open: bool = False


@dataclass(frozen=True)
class Words:
    """One line of text; x and y are of its baseline's start, middle or end."""

    x: float
    y: float
    text: str
    size: float = 11.0
    anchor: Literal["start", "middle", "end"] = "start"
    bold: bool = False


@dataclass
class Drawing:
    """Shapes from the bottom up, then words over them."""

    width: int
    height: int
    palette: Palette
    title: str
    shapes: list[Shape] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)  # boxes that hold words or marks

    def say(self, words: Words) -> bool:
        """Set words where no others are; returns whether they found room."""
        long, back = len(words.text) * words.size * LETTER, {"start": 0.0, "middle": 0.5, "end": 1.0}[words.anchor]
        left = words.x - long * back
        box = (left - 2, words.y - words.size, left + long + 2, words.y + words.size * 0.3)
        inside = box[0] >= 0 and box[2] <= self.width and box[1] >= 0 and box[3] <= self.height
        if not inside or any(_overlap(box, other) for other in self.taken):
            return False
        self.taken.append(box)
        self.words.append(words)
        return True


def rings_of(shape: Any) -> tuple[Floats, ...]:
    """The rings of a polygon or several, shapely's, as corners in pixels."""
    import shapely

    polygons = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    rings = [ring for polygon in polygons for ring in shapely.get_rings(polygon)]
    return tuple(shapely.get_coordinates(ring) for ring in rings)


def box(x: float, y: float, wide: float, high: float) -> Floats:
    """The ring of a rectangle."""
    return np.array([[x, y], [x + wide, y], [x + wide, y + high], [x, y + high], [x, y]], dtype=np.float64)


def disc(x: float, y: float, radius: float) -> Floats:
    """The ring of a disc: twenty corners are round at a few pixels."""
    turns = np.linspace(0.0, 2 * math.pi, 21)
    return np.stack([x + radius * np.cos(turns), y + radius * np.sin(turns)], axis=1)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
