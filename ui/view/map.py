"""The answer on a map that zooms and asks no other host: countries, regions, point, candidates, hints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from geosleuth.agent.figures import VERDICT_WORDS, area
from geosleuth.ui.view.colours import Palette, palette, rgba
from geosleuth.ui.view.land import land
from geosleuth.ui.view.map_view import view_of
from geosleuth.ui.view.map_words import described, legend, map_in_words
from geosleuth.ui.view.words import plain

if TYPE_CHECKING:
    import pydeck

    from geosleuth.agent.localization import Localization
    from geosleuth.tools.evidence import NearPlace

HEIGHT_PX = 460
_RING_PX, _POINT_PX = 11, 7  # radii; a finger hits what is 22 px wide only just, so that tooltips reach further
_CLEAR, _FAINT = [0, 0, 0, 0], 70
_MOST_NEAR = 60  # places that hints and signs name: all 34 Springfields, and not each Saint-Martin


def answer_map(answer: Localization, *, key: str, near: Sequence[NearPlace] = (), height_px: int = HEIGHT_PX) -> None:
    """Draw the map, its legend in words, and "The map in words" below it: the same as tables.

    Args:
        answer: Its regions, point and candidates.
        key: Of the widget; one per map on the page.
        near: Places that hints or signs name (of `Step.evidence`); not drawn under a precision cap.
        height_px: Of the map.
    """
    import streamlit as st

    shown = [] if answer.precision_cap_km is not None else list(near)[:_MOST_NEAR]
    chart = deck(answer, palette(), near=shown, height_px=height_px)
    st.pydeck_chart(_compact(chart), height=height_px, width="stretch", key=key, alt=plain(described(answer)))
    legend(answer, palette(), near=bool(shown))
    with st.expander("The map in words"):
        map_in_words(answer, shown)


def deck(
    answer: Localization, colours: Palette, *, near: Sequence[NearPlace] = (), height_px: int = HEIGHT_PX
) -> pydeck.Deck:
    """Make the map. Its style is inline and empty: with any other, Streamlit asks a tile server for one."""
    import pydeck

    view = view_of(answer, height_px)
    drawn = land(view.bounds)
    layers = [
        _areas("countries", drawn.world, colours.land, colours.border),
        _areas("sea", drawn.sea, colours.sea, None),
        _areas("divisions", drawn.detail, colours.land, colours.border),
        _areas("waters", drawn.waters, None, colours.border, line_alpha=_FAINT),
        *_regions(answer, colours),
        *_points(answer, colours, near),
    ]
    return pydeck.Deck(
        layers=layers,
        views=[pydeck.View(type="MapView", controller=True, repeat=True)],  # beyond the date line the world goes on
        initial_view_state=pydeck.ViewState(
            latitude=round(view.lat, 5), longitude=round(view.lon, 5), zoom=round(view.zoom, 2), min_zoom=0
        ),
        map_provider="carto",
        map_style=style(colours),
        tooltip={"text": "{name}"},  # as text: Streamlit writes "html" into the page as it is
    )


def _compact(chart: pydeck.Deck) -> pydeck.Deck:
    """Make the chart write itself without indentation: a fifth of the bytes that the browser is sent."""
    from pydeck.bindings.json_tools import default_serialize

    text = json.dumps(chart, default=default_serialize, sort_keys=True, separators=(",", ":"))
    chart.to_json = lambda: text
    return chart


def style(colours: Palette) -> str:
    """Return a map style of one colour as a data: URI."""
    background = {"id": "sea", "type": "background", "paint": {"background-color": colours.sea}}
    empty = {"version": 8, "sources": {}, "layers": [background]}
    return f"data:application/json,{quote(json.dumps(empty))}"


def _areas(
    name: str, features: list[dict[str, Any]], fill: str | None, line: str | None, line_alpha: int = 255
) -> pydeck.Layer:
    import pydeck

    return pydeck.Layer(
        "GeoJsonLayer",
        id=name,
        data={"type": "FeatureCollection", "features": features},
        stroked=line is not None,
        get_fill_color=rgba(fill) if fill else _CLEAR,  # unseen, and found by the pointer
        get_line_color=rgba(line, line_alpha) if line else _CLEAR,
        line_width_min_pixels=0.6,
        line_width_max_pixels=1,
        pickable=line is not None,
    )


def _regions(answer: Localization, colours: Palette) -> list[pydeck.Layer]:
    """Return the credible regions, the widest below; no region where nothing was found out."""
    import pydeck

    if answer.status == "not_locatable":
        return []
    layers = []
    for feature in sorted(answer.regions.features, key=lambda one: -one.properties.share):
        inner = feature.properties.share <= 0.5
        colour = colours.region_50 if inner else colours.region_90
        name = f"{feature.properties.share:.0%} region, {area(feature.properties.area_km2)}"
        layers.append(
            pydeck.Layer(
                "GeoJsonLayer",
                id=f"region-{feature.properties.share}",
                data={"type": "Feature", "geometry": feature.geometry.model_dump(), "properties": {"name": name}},
                get_fill_color=rgba(colour, 110 if inner else 70),
                get_line_color=rgba(colour),
                line_width_min_pixels=2.5 if inner else 1.5,  # wider inside: not by colour alone
                line_width_max_pixels=2.5 if inner else 1.5,
                pickable=True,
            )
        )
    return layers


def _points(answer: Localization, colours: Palette, near: Sequence[NearPlace]) -> list[pydeck.Layer]:
    named = [
        {"at": [place.lon, place.lat], "name": plain(f"Named by a clue: {place.name or 'a place'}"), "label": "×"}
        for place in near
    ]
    layers = [_labels("near", named, rgba(colours.near), 22)] if named else []
    rings = []
    for one in reversed(answer.candidates):  # the best on top
        verdict = one.verification.verdict if one.verification else None
        colour = colours.verdicts.get(verdict, colours.muted)
        name = f"Candidate {one.number}: {VERDICT_WORDS[verdict]}"
        rings.append({"at": [one.lon, one.lat], "name": name, "label": str(one.number), "colour": rgba(colour)})
    if rings:
        layers += [_rings("candidates", rings, rgba(colours.ground, 230), _RING_PX, "colour", 2.5)]
        layers += [_labels("ranks", rings, rgba(colours.text), 13)]
    if answer.point is not None and answer.status != "not_locatable":
        at = [{"at": [answer.point.lon, answer.point.lat], "name": "The point: the belief's peak"}]
        layers.append(_rings("point", at, rgba(colours.point), _POINT_PX, rgba(colours.ground), 2))
    return layers


def _rings(name: str, data: list[dict[str, Any]], fill: list[int], radius_px: int, line: Any, width: float) -> Any:
    import pydeck

    return pydeck.Layer(
        "ScatterplotLayer",
        id=name,
        data=data,
        get_position="at",
        get_fill_color=fill,
        get_line_color=line,
        stroked=True,
        get_radius=1,
        radius_min_pixels=radius_px,
        radius_max_pixels=radius_px,
        line_width_min_pixels=width,
        line_width_max_pixels=width,
        pickable=True,
    )


def _labels(name: str, data: list[dict[str, Any]], colour: list[int], size_px: int) -> Any:
    import pydeck

    return pydeck.Layer(
        "TextLayer",
        id=name,
        data=data,
        get_position="at",
        get_text="label",
        get_color=colour,
        get_size=size_px,
        character_set='"×0123456789"',  # quoted: else pydeck sends an expression
        font_weight=700,
        pickable=True,
    )
