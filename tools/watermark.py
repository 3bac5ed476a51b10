"""Writing that the imagery's maker put into the picture: it stands on no sign and says nothing of the place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from geosleuth.tools.textline import TextLine

# Who stamps street-level and aerial imagery, folded to lower case. Dash cameras stamp speed and time.
VENDORS = ("google", "mapillary", "kartaview", "openstreetcam", "bing", "microsoft", "baidu", "yandex", "maxar")
ALIKE = 0.6  # of SequenceMatcher: "gooal", "geogle", "guugle" are 0.6 to 0.85 like "google"; "garage" is 0.33
SMALL = 0.07  # line height over the photo's: stamps are small
STAMP = re.compile(
    r"\d{4}[-/.:]\d{2}[-/.:]\d{2}|\d{2}[-/.:]\d{2}[-/.:]\d{4}|\d{1,2}:\d{2}:\d{2}|\b\d+\s?(km/h|mph)\b|"
    r"\b[ns]\s?:?\d{1,2}[.°]\d+|shot on|dual camera|triple camera|quad camera|ai camera",
    re.IGNORECASE,
)  # phone and dash cameras
_DIGITS = str.maketrans({"0": "o", "1": "l", "6": "g", "8": "g", "9": "g", "$": "s", "5": "s"})
_YEAR = re.compile(r"^\W*[©@oO0cCgG]?\W*[2z]\W?[0-9oO]\W?[0-9zZlI]\W?[0-9zZlIoOsS]")  # 2024, ©2O23, 02023, 2624


def is_watermark(line: TextLine, photo_size: tuple[int, int]) -> bool:
    """Tell whether a line is a maker's mark: a vendor's name after a year or ©, or a camera's stamp."""
    text = line.text.strip()
    year = _YEAR.match(text)
    rest = text[year.end() :] if year else text.lstrip("©@ ")
    letters = "".join(c for c in rest.casefold().translate(_DIGITS) if c.isalpha())
    small = _height(line) < SMALL * photo_size[1]
    if small and STAMP.search(text):
        return True
    if not letters:
        return False
    likeness = max(SequenceMatcher(None, letters, vendor).ratio() for vendor in VENDORS)
    if "google" in letters or ((year or "©" in text) and len(letters) >= 2 and likeness >= ALIKE):
        return True
    return small and text[:1] in "©@" and likeness >= ALIKE


def without_watermarks(lines: Sequence[TextLine], photo_size: tuple[int, int]) -> list[TextLine]:
    """Drop the maker's marks."""
    return [line for line in lines if not is_watermark(line, photo_size)]


def _height(line: TextLine) -> float:
    ys = [corner[1] for corner in line.box]
    return max(ys) - min(ys)
