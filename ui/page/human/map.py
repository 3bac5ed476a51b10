"""A map to click on, which asks no other host. A click picks a cell, the map goes nearer, and the next is finer.

Streamlit tells which drawn object was clicked, and not where: so the map is covered with cells that nobody sees.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from geosleuth.indexes.countries import country_name
from geosleuth.indexes.geodesy import wrap_lon
from geosleuth.indexes.regions import countries_at
from geosleuth.ui.view.colours import DARK, LIGHT, palette, rgba
from geosleuth.ui.view.land import land
from geosleuth.ui.view.map import style

if TYPE_CHECKING:
    import pydeck

_HEIGHT_PX, _WIDTH_PX, _TILE_PX = 330, 400, 512  # of the map, of a narrow column, of deck.gl's world at zoom 0
_MOST_LAT = 80.0  # nobody takes street photos beyond
_CLEAR = [0, 0, 0, 0]  # unseen, and found by the pointer
# Half of the window's height and the cells' side, in degrees: 5 degrees are 550 km, 0.2 are 22, 0.02 are 2.2. A window
# is at least as large as the cell that led to it, and holds at most 2,600 cells: 300 kB for the browser.
_WORLD_STEP = 5.0
_NEARER = ((5.0, 0.2), (0.5, 0.02))


class Click(NamedTuple):
    """Where a person clicked."""

    point: tuple[float, float]  # (lat, lon): the middle of the cell
    level: int  # of the window to show next


def picked(n: int) -> Click | None:
    """Return the click on photo `n`'s map."""
    import streamlit as st

    click: Click | None = st.session_state.get(f"click-{n}")
    return click


def forget_click(n: int) -> None:
    """Take the click back: words were typed since, or the world is to be seen again."""
    import streamlit as st

    st.session_state.pop(f"click-{n}", None)


def click_map(n: int, point: tuple[float, float] | None) -> None:
    """Draw the map of photo `n` with a point, around it if there is one."""
    import streamlit as st

    click = picked(n)
    level = click.level if click else 0 if point is None else 1
    # The centre is in the key: another window is another map, which looks where it is told to and has no click yet.
    key = f"map-{n}-{level}-{point}"
    st.pydeck_chart(
        _deck(point, level, dark=palette() is DARK),
        height=_HEIGHT_PX,
        width="stretch",
        key=key,
        on_select=lambda: _take(n, key, level),
        selection_mode="single-object",
        alt="A map of the world to click on; a place can be typed above instead",
    )
    if click:
        st.button("See the whole world", key=f"world-{n}", on_click=forget_click, args=(n,))
    else:
        st.caption("Click on the map, and again to be more exact; or type a place.")


def _take(n: int, key: str, level: int) -> None:
    """Remember a click; words that were typed before count no longer."""
    import streamlit as st

    cells = st.session_state[key].selection.objects.get("cells") or []
    if cells:
        lat, lon = cells[0]["at"]
        st.session_state[f"click-{n}"] = Click((float(lat), float(lon)), min(level + 1, len(_NEARER)))
        st.session_state[f"words-{n}"] = ""


def cells(point: tuple[float, float] | None, level: int) -> tuple[dict[str, Any], ...]:
    """Return the cells of a window: corners as (lon, lat), the middle as (lat, lon), and the country there.

    Args:
        point: The window's middle; of the world it is (0, 0).
        level: 0 is the world.
    """
    west, south, east, north, step = window(point, level)
    rows, columns = round((north - south) / step), round((east - west) / step)
    lat, lon = np.meshgrid(
        south + step * (np.arange(rows) + 0.5), west + step * (np.arange(columns) + 0.5), indexing="ij"
    )
    lats, lons, inside = lat.ravel(), lon.ravel(), wrap_lon(lon.ravel())
    half = step / 2
    corners = ((-half, -half), (half, -half), (half, half), (-half, half))
    return tuple(
        {
            "polygon": [[_short(x + dx), _short(y + dy)] for dx, dy in corners],
            "at": [_short(y), _short(wrapped)],
            "name": country_name(code) if code else "Sea",
        }
        for y, x, wrapped, code in zip(
            lats.tolist(), lons.tolist(), inside.tolist(), countries_at(lats, inside), strict=True
        )
    )


def window(point: tuple[float, float] | None, level: int) -> tuple[float, float, float, float, float]:
    """Return west, south, east, north and the cells' side in degrees; whole cells fill it."""
    if point is None or level == 0:
        return -180.0, -60.0, 180.0, _MOST_LAT, _WORLD_STEP
    half, step = _NEARER[level - 1]
    lat = min(max(point[0], half - _MOST_LAT), _MOST_LAT - half)
    return point[1] - half, lat - half, point[1] + half, lat + half, step


@lru_cache(maxsize=8)  # at each click on the page the same map is drawn again, and a megabyte takes 0.3 s to write
def _deck(point: tuple[float, float] | None, level: int, *, dark: bool) -> pydeck.Deck:
    """Make a map that is written already, without indentation."""
    import pydeck
    from pydeck.bindings.json_tools import default_serialize

    colours = DARK if dark else LIGHT
    west, south, east, north, _ = window(point, level)
    drawn = land((west, south, east, north))
    layers = [
        _shapes("countries", drawn.world, colours.land, colours.border),
        _shapes("sea", drawn.sea, colours.sea, None),
        _shapes("divisions", drawn.detail, colours.land, colours.border),
        _shapes("waters", drawn.waters, None, colours.border),
        *_point(point, colours.region_50, colours.ground),
        _cells(point, level),  # on top: what is clicked
    ]
    chart = pydeck.Deck(
        layers=layers,
        views=[pydeck.View(type="MapView", controller=True, repeat=True)],
        initial_view_state=pydeck.ViewState(
            latitude=(south + north) / 2 if level else 25.0,
            longitude=(west + east) / 2,
            zoom=max(math.log2(_WIDTH_PX * 360.0 / (_TILE_PX * (east - west))), 0.0),
            min_zoom=0,
        ),
        map_provider="carto",
        map_style=style(colours),  # inline and empty: with any other, Streamlit asks a tile server for one
        tooltip={"text": "{name}"},
    )
    text = json.dumps(chart, default=default_serialize, sort_keys=True, separators=(",", ":"))
    chart.to_json = lambda: text
    return chart


def _shapes(name: str, features: list[dict[str, Any]], fill: str | None, line: str | None) -> pydeck.Layer:
    import pydeck

    return pydeck.Layer(
        "GeoJsonLayer",
        id=name,
        data={"type": "FeatureCollection", "features": features},
        stroked=line is not None,
        get_fill_color=rgba(fill) if fill else _CLEAR,
        get_line_color=rgba(line) if line else _CLEAR,
        line_width_min_pixels=0.6,
        line_width_max_pixels=1,
        pickable=False,
    )


def _cells(point: tuple[float, float] | None, level: int) -> pydeck.Layer:
    import pydeck

    return pydeck.Layer(
        "PolygonLayer",
        id="cells",
        data=list(cells(point, level)),
        get_polygon="polygon",
        get_fill_color=_CLEAR,
        stroked=False,
        pickable=True,
    )


def _point(point: tuple[float, float] | None, fill: str, line: str) -> list[pydeck.Layer]:
    import pydeck

    if point is None:
        return []
    return [
        pydeck.Layer(
            "ScatterplotLayer",
            id="point",
            data=[{"at": [point[1], point[0]]}],
            get_position="at",
            get_fill_color=rgba(fill),
            get_line_color=rgba(line),
            stroked=True,
            get_radius=1,
            radius_min_pixels=8,
            radius_max_pixels=8,
            line_width_min_pixels=2,
            line_width_max_pixels=2,
            pickable=False,
        )
    ]


def _short(degrees: float) -> float:
    """Round to 10 m: the shortest decimals are a quarter of the bytes."""
    return round(degrees, 4)
