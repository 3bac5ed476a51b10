"""What a world is drawn with: the settings of `write_towns`, which its folder keeps."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.training.towns.town import SIDES_M

Side = Annotated[int, Field(ge=16, le=2048)]
SEEDS_PER_WORLD = 100_000  # towns of a world have seeds next to each other, and no two worlds share one


class World(BaseModel):
    """Invented towns, how many, and the size of their pictures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layouts: Annotated[tuple[str, ...], Field(min_length=1)]
    towns: Annotated[int, Field(ge=1, le=SEEDS_PER_WORLD)]
    places: Annotated[int, Field(ge=1)]  # of each town and layout, at most: a small town has no room for more
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0
    difficulty: Annotated[float, Field(ge=0, le=1)] = 0.5  # how alike places are, and how much changes between views
    side_m: Annotated[float, Field(ge=150, le=SIDES_M[1])] = 512.0  # of a town; 150: what the widest tile needs
    satellite_px: Side = 128  # maps too
    panorama_px: tuple[Side, Side] = (64, 256)  # height, width of the whole sphere
    drone_px: Side = 128
    street_px: tuple[Side, Side] = (96, 128)  # height, width
    drone_views: Annotated[int, Field(ge=1, le=54)] = 6  # of a building; University-1652 has 54
    street_views: Annotated[int, Field(ge=1, le=54)] = 2  # of a building
    queries: Annotated[int, Field(ge=1, le=100)] = 4  # of a cell of setvl, night and infrared; SetVL-480K has some 40
    tile_format: Literal["png", "jpg"] = "png"  # of VIGOR's tiles: png as in the real set, jpg is written faster
    labels: bool = True  # with masks and lists of objects

    def town_seed(self, index: int) -> int:
        """Return the seed that `build_town` draws the town of this number with."""
        return self.seed * SEEDS_PER_WORLD + index


def checked_world(**settings: Any) -> World:
    """Make a world of settings that a user gave.

    Raises:
        InputError: One is out of range.
    """
    try:
        return World(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        found = f"{where} = {first['input']!r} ({first['msg']})"
        raise InputError("settings of a world of towns", found, "Give a value in the range that is named.") from error
