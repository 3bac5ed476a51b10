"""The map for those who do not see it, or not its colours: a legend, and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from geosleuth.agent.export import place_name
from geosleuth.agent.figures import VERDICT_WORDS, area, coordinates, km
from geosleuth.agent.report.map_window import beyond_the_map
from geosleuth.ui.view.colours import Palette
from geosleuth.ui.view.words import escape_markdown, plain

if TYPE_CHECKING:
    from geosleuth.agent.localization import Localization
    from geosleuth.tools.evidence import NearPlace

_SOURCES = "Countries: Natural Earth and OpenStreetMap country-coder (ISC). Places: GeoNames (CC BY 4.0)."


def described(answer: Localization) -> str:
    """Return the map in a sentence."""
    if answer.status == "not_locatable" or answer.point is None:
        return "Map of the world, with nothing marked: no place can be told"
    sizes = ", ".join(f"{f.properties.share:.0%} region {area(f.properties.area_km2)}" for f in answer.regions.features)
    return f"Map: {place_name(answer)} at {coordinates(answer.point, answer.radius_km)}; {sizes}"


def legend(answer: Localization, colours: Palette, *, near: bool) -> None:
    """Draw what each mark on the map means, each with its shape in words; then the sources of the borders."""
    import streamlit as st

    st.markdown(" · ".join(marks(answer, colours, near=near)) or "Nothing is marked on this map.")
    if beyond := beyond_the_map(answer):
        st.caption(f"{beyond} Zoom out to see them.")
    st.caption(_SOURCES)


def marks(answer: Localization, colours: Palette, *, near: bool) -> list[str]:
    """Return one piece of Markdown per kind of mark that is on the map; colours stand beside words."""
    if answer.status == "not_locatable":
        parts = []
    else:
        parts = ["● point"] if answer.point is not None else []
        for feature in answer.regions.features:
            inner = feature.properties.share <= 0.5
            colour, line = (colours.region_50, "thick") if inner else (colours.region_90, "thin")
            parts.append(f"{_swatch('■', colour)} {feature.properties.share:.0%} region ({line} line)")
    verdicts = dict.fromkeys(one.verification.verdict if one.verification else None for one in answer.candidates)
    for verdict in verdicts:
        colour = colours.verdicts.get(verdict, colours.muted)
        parts.append(f"{_swatch('○', colour)} candidate by number: {VERDICT_WORDS[verdict]}")
    return parts + ([f"{_swatch('×', colours.near)} place that a clue names"] if near else [])


def map_in_words(answer: Localization, near: Sequence[NearPlace]) -> None:
    """Draw the map's content as tables."""
    import streamlit as st

    if answer.status == "not_locatable":
        st.text("No region is marked: the belief says little more than where photos are taken.")
    else:
        rows = [
            {"Region": f"{f.properties.share:.0%} of the belief", "Area": area(f.properties.area_km2)}
            for f in answer.regions.features
        ]
        if answer.point is not None:
            at = coordinates(answer.point, answer.radius_km)
            around = f"half of the belief within {km(answer.radius_km)}" if answer.radius_km is not None else ""
            rows.insert(0, {"Region": f"Point {escape_markdown(at)}", "Area": around})
        if rows:
            st.table(rows, hide_index=True)
    if answer.candidates:
        st.table(candidate_rows(answer), hide_index=True)
    if near:
        named = sorted({place.name for place in near if place.name})
        st.text(plain(f"Places that clues name: {', '.join(named) or 'without a name'}"))


def candidate_rows(answer: Localization) -> list[dict[str, str]]:
    """Return one row per candidate."""
    return [
        {
            "Candidate": str(one.number),
            "Verdict": VERDICT_WORDS[one.verification.verdict if one.verification else None],
            "Position": escape_markdown(f"{one.lat:.5f}, {one.lon:.5f}"),
            "From the point": "" if one.distance_km is None else km(one.distance_km),
        }
        for one in answer.candidates
    ]


def _swatch(sign: str, colour: str) -> str:
    return f':color[{sign}]{{foreground="{colour}"}}'
