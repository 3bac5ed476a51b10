"""Draw the pictures of docs/towns.md: the same places from everywhere, countries, conditions, labels, text.

    python docs/make_towns_pictures.py

Everything that they show is invented.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from geosleuth.indexes.countries import country_name
from geosleuth.training.towns.making.build import build_town
from geosleuth.training.towns.making.classes import class_of
from geosleuth.training.towns.places import Place, street_places
from geosleuth.training.towns.sign_ahead import towards_sign
from geosleuth.training.towns.town import Rendered, Town
from geosleuth.training.towns.views.conditions import CONDITIONS, Condition
from geosleuth.training.towns.views.drone import drone
from geosleuth.training.towns.views.map_tile import map_tile
from geosleuth.training.towns.views.panorama import panorama
from geosleuth.training.towns.views.satellite import satellite
from geosleuth.training.towns.views.street_photo import street_photo

FOLDER = Path(__file__).parent / "towns"
QUALITY = 82  # all pictures together stay below 1.5 MB
SIDE_PX, GAP_PX, LINE_PX = 192, 6, 18
TILE_M = 72.0
LEGEND = 14  # classes that a legend names
TEXTS = 3  # towns beside each other


def main() -> None:
    """Draw and write all pictures.

    Raises:
        ValueError: There are not enough towns whose signs can be read.
    """
    FOLDER.mkdir(exist_ok=True)
    towns = [build_town(seed, side_m=360.0) for seed in range(8)]
    places = [_place(town) for town in towns]
    _save("views", [_views(town, place) for town, place in zip(towns[:4], places[:4], strict=True)])
    _save("countries", _countries(towns, places))
    _save("conditions", _conditions(towns[1], places[1]))
    _save("labels", _labels(towns[0], places[0]))
    _save("text", _text(towns))
    _save("difficulty", _difficulty())


Cell = tuple[NDArray[np.uint8], str]


def _views(town: Town, place: Place) -> list[Cell]:
    x, y, name = place.x_m, place.y_m, country_name(town.style.country)
    return [
        (satellite(town, x, y, side_m=TILE_M, px=SIDE_PX).pixels, f"satellite, invented {name}"),
        (map_tile(town, x, y, side_m=TILE_M, px=SIDE_PX).pixels, "map"),
        (_drone(town, place).pixels, "drone"),
        (_panorama(town, place).pixels, "panorama, north in the middle"),
        (_street(town, place).pixels, "street photo"),
    ]


def _countries(towns: Sequence[Town], places: Sequence[Place]) -> list[list[Cell]]:
    cells = [
        (_street(town, place).pixels, f"invented {country_name(town.style.country)}")
        for town, place in zip(towns, places, strict=True)
    ]
    return [cells[:4], cells[4:]]


def _conditions(town: Town, place: Place) -> list[list[Cell]]:
    return [
        [
            (_street(town, place, condition=condition).pixels, f"street photo, {condition}"),
            (_drone(town, place, condition=condition).pixels, f"drone, {condition}"),
            (_panorama(town, place, condition=condition).pixels, f"panorama, {condition}"),
        ]
        for condition in CONDITIONS
    ]


def _labels(town: Town, place: Place) -> list[list[Cell]]:
    x, y = place.x_m, place.y_m
    views = {
        "street photo": _street(town, place),
        "panorama": _panorama(town, place),
        "satellite": satellite(town, x, y, side_m=TILE_M, px=SIDE_PX),
    }
    pictures = [(view.pixels, name) for name, view in views.items()]
    counts = np.bincount(np.concatenate([view.labels.ravel() for view in views.values()]), minlength=151)
    common = [int(label) for label in np.argsort(-counts)[:LEGEND] if counts[label] and label]
    masks = [(_coloured(view.labels, common), "its labels") for view in views.values()]
    return [[*pictures], [*masks, (_legend(common), "ADE20K's classes")]]


def _text(towns: Sequence[Town]) -> list[list[Cell]]:
    """Show towns of different languages whose signs can be read."""
    found: dict[str, tuple[Town, Place]] = {}
    for town in towns:
        stands = street_places(town, 24, np.random.default_rng(0), margin_m=60.0)
        looks = [towards_sign(town, stand) for stand in stands]
        text = {look: _text_share(town, look) for look, stand in zip(looks, stands, strict=True) if look != stand}
        if text and max(text.values()):
            found.setdefault(town.style.language, (town, max(text, key=text.__getitem__)))
        if len(found) == TEXTS:
            break
    if len(found) < TEXTS:
        raise ValueError(f"signs can be read in {len(found)} of the towns, and {TEXTS} are to be shown: draw more")

    def row(readable: bool, words: str) -> list[Cell]:
        return [
            (_street(town, place, readable=readable, scale=2).pixels, f"{town.style.language}, {words}")
            for town, place in found.values()
        ]

    return [row(True, "with text"), row(False, "without")]


def _difficulty() -> list[list[Cell]]:
    cells = []
    for difficulty in (0.0, 0.5, 1.0):
        town = build_town(11, side_m=360.0, difficulty=difficulty)
        view = satellite(town, 180.0, 180.0, side_m=200.0, px=SIDE_PX)
        cells.append((view.pixels, f"difficulty {difficulty:g}"))
    return [cells]


def _place(town: Town) -> Place:
    """Choose a place and a heading where the signs that can be read are large, if there are any."""
    stands = street_places(town, 24, np.random.default_rng(0), margin_m=100.0)
    looks = [Place(one.x_m, one.y_m, one.heading_deg + turn) for one in stands for turn in (-40.0, 40.0)]
    return max(looks, key=lambda look: sum(one.share for one in _street(town, look).seen if one.text))


def _text_share(town: Town, place: Place) -> float:
    return sum(one.share for one in _street(town, place, scale=2).seen if one.text)


def _drone(town: Town, place: Place, condition: Condition = "day") -> Rendered:
    return drone(
        town, place.x_m, place.y_m, azimuth_deg=200.0, elevation_deg=50.0, distance_m=90.0, px=SIDE_PX,
        condition=condition,
    )  # fmt: skip


def _panorama(town: Town, place: Place, condition: Condition = "day") -> Rendered:
    return panorama(town, place.x_m, place.y_m, height_px=SIDE_PX, width_px=2 * SIDE_PX, condition=condition)


def _street(
    town: Town, place: Place, *, condition: Condition = "day", readable: bool = True, scale: int = 1
) -> Rendered:
    return street_photo(
        town, place.x_m, place.y_m, heading_deg=place.heading_deg, pitch_deg=6.0, fov_deg=75.0,
        height_px=SIDE_PX * scale, width_px=SIDE_PX * 4 // 3 * scale, readable=readable, condition=condition,
    )  # fmt: skip


def _colour(rank: int) -> tuple[int, int, int]:
    """Colour a class by how common it is: hues all around in order, every other one dark."""
    red, green, blue = colorsys.hsv_to_rgb(rank / LEGEND, 0.75, 0.55 if rank % 2 else 0.95)
    return round(red * 255), round(green * 255), round(blue * 255)


def _coloured(labels: NDArray[np.uint8], common: Sequence[int]) -> NDArray[np.uint8]:
    """Colour the classes of the legend; the rest is grey, what has no label black."""
    table = np.full((256, 3), 128, np.uint8)
    table[0] = 0
    for rank, label in enumerate(common):
        table[label] = _colour(rank)
    return table[labels]


def _legend(labels: Sequence[int]) -> NDArray[np.uint8]:
    picture = Image.new("RGB", (SIDE_PX, SIDE_PX), "white")
    draw = ImageDraw.Draw(picture)
    step = SIDE_PX / LEGEND
    for number, label in enumerate(labels):
        top = number * step
        draw.rectangle((2, top + 1, 20, top + step - 1), fill=_colour(number))
        draw.text((26, top), class_of(label), fill="black", font=ImageFont.load_default(11))
    return np.asarray(picture)


def _save(name: str, rows: Sequence[Sequence[Cell]]) -> None:
    """Lay pictures out in rows, each with its words below it."""
    widths = [sum(cell.shape[1] + GAP_PX for cell, _ in row) for row in rows]
    heights = [max(cell.shape[0] for cell, _ in row) + LINE_PX for row in rows]
    sheet = Image.new("RGB", (max(widths), sum(heights)), "white")
    draw = ImageDraw.Draw(sheet)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for cell, words in row:
            sheet.paste(Image.fromarray(cell), (left, top))
            draw.text((left, top + cell.shape[0] + 2), words, fill="black", font=ImageFont.load_default(11))
            left += cell.shape[1] + GAP_PX
        top += height
    sheet.save(FOLDER / f"{name}.jpg", quality=QUALITY)


if __name__ == "__main__":
    main()
