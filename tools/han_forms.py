"""Traditional or simplified Han characters: Taiwan, Hong Kong and Macao against mainland China and Singapore.

Source: the character table that wordfreq takes from OpenCC (traditional to simplified).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from geosleuth.indexes.countries import country
from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.languages import sign_languages
from geosleuth.indexes.scripts import han_form
from geosleuth.tools.textline import TextLine

# Share of shop signs in the form that is not the place's: calligraphy and old signs in China are traditional, signs
# for mainland tourists in Hong Kong are simplified.
OTHER_FORM = 0.05


@lru_cache(maxsize=1)
def _tables() -> tuple[frozenset[str], frozenset[str]]:
    """Characters that only the traditional form has, and only the simplified."""
    import gzip
    from importlib.resources import files

    import msgpack  # what wordfreq packs its tables with

    packed = files("wordfreq").joinpath("data/_chinese_mapping.msgpack.gz").read_bytes()
    table = msgpack.unpackb(gzip.decompress(packed), raw=False, strict_map_key=False)
    pairs = {chr(old): new if isinstance(new, str) else chr(new) for old, new in table.items()}
    traditional = frozenset(old for old, new in pairs.items() if old != new)
    return traditional, frozenset(pairs.values()) - traditional


@lru_cache(maxsize=1)
def _simplified_only() -> frozenset[str]:
    """Simplified characters that no traditional text has: 汉, not 后 (queen; also simplified 後).

    Big5, the coding of Taiwan, has every character of traditional text and few others.
    """
    found = set()
    for char in _tables()[1]:
        try:
            char.encode("big5")
        except UnicodeEncodeError:
            found.add(char)
    return frozenset(found)


def han_forms(text: str) -> tuple[int, int]:
    """Return how many characters of a text are traditional only, and simplified only."""
    return sum(char in _tables()[0] for char in text), sum(char in _simplified_only() for char in text)


def form_ratios(script: str, lines: Sequence[TextLine], countries: Sequence[str]) -> Floats:
    """Return ln P(forms of the characters | country), (n_countries,); 0 where neither form is seen."""
    out = np.zeros(len(countries))
    if script != "Hani":
        return out
    traditional = sum(line.score * (han_forms(line.text)[0] > 0) for line in lines)
    simplified = sum(line.score * (han_forms(line.text)[1] > 0) for line in lines)
    seen = traditional - simplified
    if abs(seen) < 0.3:  # one line read with doubt, or both forms
        return out
    sure = min(abs(seen), 1.0)  # several lines of one photo are one witness
    for row, code in enumerate(countries):
        if sign_languages(code).get("zh", 0.0) < 0.05 and "TW" not in (code, country(code).parent):
            p = 0.5  # emigrants' signs have either form; Japan's own characters are partly one, partly the other
        else:
            p = 1 - OTHER_FORM if (han_form(code) == "Hant") == (seen > 0) else OTHER_FORM
        out[row] = math.log(sure * p + (1 - sure) * 0.5)
    return out
