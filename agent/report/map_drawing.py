"""The map of an answer as plain shapes: what the SVG and the PDF draw alike.

Regions are told apart by colour, by their line (broken, whole) and by the legend; so are references by their form.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from geosleuth.agent.localization import ComparedReference, Localization
from geosleuth.agent.printable import printable
from geosleuth.agent.report.map_labels import add_inset, add_legend, add_scale_bar, name_cities, name_countries
from geosleuth.agent.report.map_land import countries_of, waters_of
from geosleuth.agent.report.map_shapes import DARK, LIGHT, Drawing, Shape, Words, box, disc, rings_of
from geosleuth.agent.report.map_window import Floats, Window, window_around

_WIDE_LABELS = 15.0  # degrees of longitude: on wider maps countries are named, on closer ones cities as well


def draw_map(answer: Localization, *, width: int, height: int, dark: bool = False) -> Drawing:
    """Draw countries, regions, references and the point of an answer, with legend, scale and a map of the world."""
    window = window_around(answer, width, height)
    palette = DARK if dark else LIGHT
    drawing = Drawing(width, height, palette, _title(answer))
    drawing.shapes.append(Shape((box(0, 0, width, height),), fill=palette.sea))
    land = countries_of(window)
    for shape in land.values():
        drawing.shapes.append(Shape(rings_of(shape), fill=palette.land, stroke=palette.border, line_px=0.7))
    waters = waters_of(window)
    for shape in waters.values():
        drawing.shapes.append(Shape(rings_of(shape), stroke=palette.border, line_px=0.7, dashes=(2.0, 3.0)))
    legend = list(_regions(drawing, answer, window)) + list(_references(drawing, answer, window))
    legend += _point(drawing, answer, window)
    add_legend(drawing, legend)
    add_scale_bar(drawing, window)
    add_inset(drawing, window)
    if window.east - window.west <= _WIDE_LABELS:
        name_cities(drawing, window)
    name_countries(drawing, {**land, **waters})
    return drawing


def _title(answer: Localization) -> str:
    from geosleuth.agent.export import place_name

    regions = ", ".join(f"{one.properties.share:.0%} region" for one in answer.regions.features)
    return printable(f"Map: {place_name(answer)}" + (f"; {regions}" if regions else ""))


def _regions(drawing: Drawing, answer: Localization, window: Window) -> Iterator[tuple[Shape, str]]:
    if answer.status == "not_locatable":
        return
    for feature in sorted(answer.regions.features, key=lambda one: -one.properties.share):
        share = feature.properties.share
        colour = drawing.palette.half if share <= 0.5 else drawing.palette.most
        look: dict[str, Any] = {"fill": colour, "fill_opacity": 0.25, "stroke": colour, "line_px": 1.8}
        look["dashes"] = (5.0, 3.0) if share <= 0.5 else ()
        geometry = feature.geometry
        rings = _region_rings(
            geometry.coordinates if geometry.type == "MultiPolygon" else [geometry.coordinates], window
        )
        if rings:
            drawing.shapes.append(Shape(rings, **look))
        yield Shape((box(0, 0, 18, 9),), **look), f"{share:.0%} of the belief"


def _region_rings(polygons: list[Any], window: Window) -> tuple[Floats, ...]:
    """Put together what was cut at the date line, and cut it at the window's edge."""
    import shapely

    parts = []
    for polygon in polygons:
        rings = [np.asarray(ring, dtype=np.float64)[:, :2] for ring in polygon]
        for turn in (-360.0, 0.0, 360.0):
            moved = [window.pixels(ring + np.array([turn, 0.0])) for ring in rings]
            parts.append(shapely.Polygon(moved[0], moved[1:]))
    whole = shapely.union_all(shapely.make_valid(np.asarray(parts)))
    # The line of a region lies outside of the picture where the region goes on there.
    return rings_of(shapely.simplify(shapely.clip_by_rect(whole, -6, -6, window.width + 6, window.height + 6), 0.4))


def _references(drawing: Drawing, answer: Localization, window: Window) -> Iterator[tuple[Shape, str]]:
    """Squares, filled where verification accepted the reference."""
    outside, kinds = 0, set()
    for one in reversed(answer.candidates):
        spot = window.place(one.lon, one.lat)
        if spot is None:
            outside += 1
            continue
        accepted = _accepted(one)
        kinds.add(accepted)
        drawing.shapes.append(_square(drawing, *spot, accepted))
        drawing.say(Words(spot[0] + 7, spot[1] + 4, str(one.number), 10, bold=accepted))
    for accepted in sorted(kinds, reverse=True):
        name = "reference that verification accepted" if accepted else "other compared reference"
        yield _square(drawing, 9, 5, accepted), name
    if outside:
        yield Shape(()), f"{outside} compared {'reference lies' if outside == 1 else 'references lie'} outside"


def _accepted(one: ComparedReference) -> bool:
    return one.verification is not None and one.verification.verdict == "match"


def _square(drawing: Drawing, x: float, y: float, filled: bool) -> Shape:
    fill = drawing.palette.words if filled else drawing.palette.paper
    return Shape((box(x - 4, y - 4, 8, 8),), fill=fill, stroke=drawing.palette.words, line_px=1.4)


def _point(drawing: Drawing, answer: Localization, window: Window) -> list[tuple[Shape, str]]:
    if answer.point is None or (spot := window.place(answer.point.lon, answer.point.lat)) is None:
        return []
    x, y = spot
    look: dict[str, Any] = {"fill": drawing.palette.half, "stroke": drawing.palette.words, "line_px": 1.6}
    drawing.shapes.append(Shape((disc(x, y, 6),), **look))
    drawing.shapes.append(Shape((disc(x, y, 1.6),), fill=drawing.palette.words))
    drawing.taken.append((x - 7, y - 7, x + 7, y + 7))
    if answer.precision_cap_km is not None:
        return [(Shape((disc(9, 5, 5),), **look), f"the answer, coarsened to {answer.precision_cap_km:g} km")]
    return [(Shape((disc(9, 5, 5),), **look), "the answer's point")]
