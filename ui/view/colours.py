"""One palette for light and dark: regions as in exported maps, verdicts in Okabe and Ito's colours.

No colour carries a meaning alone: a word, a number or a shape says the same.
"""

from __future__ import annotations

from dataclasses import dataclass

# Of agent/export.py: amber inside blue is told apart in every kind of colour blindness.
REGION_50, REGION_90 = "#d97706", "#2563eb"


@dataclass(frozen=True)
class Palette:
    """Colours as "#rrggbb"; texts have a contrast of at least 4.5 : 1 to `ground` (WCAG 2.2, 1.4.3), marks 3 : 1."""

    ground: str  # of the page, the same as in .streamlit/config.toml
    text: str
    muted: str  # text of second rank
    sea: str
    land: str
    border: str
    region_50: str
    region_90: str
    bar: str
    point: str
    verdicts: dict[str | None, str]  # of candidates; texts and rings
    near: str


LIGHT = Palette(
    ground="#ffffff",
    text="#0f1115",
    muted="#5a6069",
    sea="#dfe9f1",
    land="#f7f5ef",
    border="#9aa3ad",
    region_50=REGION_50,
    region_90=REGION_90,
    bar="#2563eb",
    point="#0f1115",
    # Okabe and Ito (2008): bluish green, vermillion; darkened to be readable as text on white.
    verdicts={"match": "#00714f", "no_match": "#b34700", "not_applicable": "#5a6069", "unreadable": "#5a6069"},
    near="#8f3f73",
)
DARK = Palette(
    ground="#14171c",
    text="#eceef1",
    muted="#a8b0ba",
    sea="#1b2531",
    land="#2f363f",
    border="#6f7985",
    region_50="#f0a33c",  # the light theme's, lightened to 3 : 1 and more on dark land
    region_90="#6ea0ff",
    bar="#6ea0ff",
    point="#ffffff",
    verdicts={"match": "#2fc496", "no_match": "#ff8a4c", "not_applicable": "#a8b0ba", "unreadable": "#a8b0ba"},
    near="#e39ac6",
)


def palette() -> Palette:
    """Return the palette of the theme that the reader sees now; light where Streamlit does not know yet."""
    import streamlit as st

    return DARK if st.context.theme.type == "dark" else LIGHT


def rgba(colour: str, alpha: int = 255) -> list[int]:
    """Return "#rrggbb" as four numbers of 0 to 255, as deck.gl takes colours."""
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)] + [alpha]
