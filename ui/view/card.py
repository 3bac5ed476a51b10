"""The answer as a card: where, how sure, in words; what to copy; what holds it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from geosleuth.agent import figures
from geosleuth.agent.export import CAVEAT, place_name
from geosleuth.ui.view.words import escape_markdown, plain

if TYPE_CHECKING:
    from geosleuth.agent.localization import Localization, Status

# Of Streamlit; the words say it too.
_COLOURS: dict[Status, Literal["green", "orange", "gray"]] = {
    "localized": "green",
    "coarse": "orange",
    "not_locatable": "gray",
}
_ICONS = {
    "localized": ":material/check_circle:",
    "coarse": ":material/explore:",
    "not_locatable": ":material/location_off:",
}


def answer_card(answer: Localization) -> None:
    """Draw place, country with its probability, radius, status, coordinates to copy, reason, cap, caveat.

    An answer that is not locatable says so, and shows no coordinates. The place is a heading of level 2.
    """
    import streamlit as st

    with st.container(border=True):
        st.badge(figures.STATUS_WORDS[answer.status], icon=_ICONS[answer.status], color=_COLOURS[answer.status])
        st.header(escape_markdown(headline(answer)), anchor=False)
        for line in facts(answer):
            st.text(plain(line))
        if answer.status != "not_locatable" and answer.point is not None:
            st.caption("Coordinates, latitude and longitude (WGS 84)")
            st.code(figures.coordinates(answer.point, answer.radius_km), language=None)
        st.text(plain(answer.reason))
        if count := len(answer.contradictions):
            words = "1 contradiction" if count == 1 else f"{count} contradictions"
            st.warning(f"{words} between findings: see Evidence.")
        if answer.precision_cap_km is not None:
            cap = figures.km(answer.precision_cap_km)
            st.info(f"Coarsened on purpose to {cap} (precision cap). Finer positions are in no part of this page.")
        for note in answer.notes:
            st.caption(escape_markdown(note))
        st.caption(CAVEAT)


def headline(answer: Localization) -> str:
    """Return the place in words, as the exports name it."""
    if answer.status == "not_locatable" or answer.country is None:
        return "No place can be told from this photo"
    return place_name(answer)


def facts(answer: Localization) -> list[str]:
    """Return country, radius and regions, one line each; nothing where there is no place."""
    if answer.status == "not_locatable" or answer.country is None:
        return []
    lines = [f"{answer.country.name}: {figures.percent(answer.country.probability)} of the belief"]
    if answer.radius_km is not None:
        lines.append(f"Half of the belief lies within {figures.km(answer.radius_km)} of the point")
    sizes = [f"{f.properties.share:.0%} region {figures.area(f.properties.area_km2)}" for f in answer.regions.features]
    return lines + (["; ".join(sizes)] if sizes else [])
