"""How the towns of one country look. The country codes are real, the looks are INVENTED: no town here is a likeness.

What a model learns from these towns about countries is therefore wrong about Earth; it is meant for methods, not maps.
Only the side of the road is a fact (country-coder's, by way of `indexes.countries`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from geosleuth.indexes.countries import country_name, driving_side
from geosleuth.training.towns.town import Colour

StreetPlan = Literal["grid", "organic", "radial"]
SIDEWALK_M = 3.0
CARS: tuple[Colour, ...] = ((225, 225, 225), (40, 40, 44), (140, 143, 148), (150, 30, 32), (38, 62, 120))


@dataclass(frozen=True, slots=True)
class Style:
    """One country's invented look."""

    country: str  # ISO 3166-1 alpha-2
    language: str  # of its signs, BCP 47
    plan: StreetPlan  # how its streets run
    block_m: tuple[float, float]  # between centre lines, along and across
    street_m: tuple[float, float]  # kerb to kerb: side street, main street
    walls: tuple[Colour, ...]
    roofs: tuple[Colour, ...]  # as many: a roof goes with the wall of the same place
    pitched: float  # share of buildings whose roof has a ridge
    closed: float  # share of blocks built up along their edge, wall to wall
    storeys: tuple[int, int]  # of common houses
    towers: float  # share of building blocks with high-rises
    green: float  # 0 bare to 1 leafy
    tree: Colour
    grass: Colour
    soil: Colour  # of yards and bare ground
    paving: Colour  # of sidewalks and squares
    asphalt: Colour = (92, 92, 95)
    centre_line: Colour = (228, 228, 222)
    lamp: Literal["mast", "lantern"] = "mast"
    wires: bool = False  # poles along the side streets
    palms: float = 0.0  # share of trees
    flag: tuple[Colour, ...] = ((200, 40, 40), (240, 240, 240))  # of flags and buses: chosen freely, no fact
    window_share: float = 0.45  # of a bay's width

    def __post_init__(self) -> None:
        if len(self.walls) != len(self.roofs):
            raise ValueError(f"{self.country} has {len(self.walls)} wall colours and {len(self.roofs)} roof colours")

    @property
    def drive_side(self) -> Literal["left", "right"]:
        """The side of the road that traffic keeps to: a fact."""
        return driving_side(self.country)

    @property
    def note(self) -> str:
        """What must stand wherever a picture of such a town is shown."""
        return f"An invented town in an invented style; only its country code is {country_name(self.country)}'s."
