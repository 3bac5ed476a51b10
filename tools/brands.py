"""Chains, banks, operators and public bodies on signs, and the countries in which each has its own.

A rate against a rate, as for names of towns: where a chain has branches, its share of the country's listed signs;
elsewhere, the letters as an ordinary word, as another firm's name, or as garbage. A brand of the whole world is not in
the table, and says nothing.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from geosleuth.indexes.countries import country_name
from geosleuth.indexes.gazetteer import normalise_name
from geosleuth.indexes.languages import official_languages
from geosleuth.tools.evidence import Evidence, OverRegions, Support
from geosleuth.tools.place_names import elsewhere_rate
from geosleuth.tools.quoting import quoted
from geosleuth.tools.textline import TextLine


@dataclass(frozen=True)
class BrandRates:
    """Constants; judgements from reading street photos."""

    own: float = 0.05  # of readable lines on a street, those that name a listed chain, operator or public body
    unlisted_signs: float = 10_000.0  # of each country's chains: the index knows Jordan's less well than Germany's
    least_seen: int = 20  # branches of a name that the index lists without a count: it counts from 50
    abroad: float = 0.02  # of `own`: a chain's signs in a country that the index does not list for it
    least_gain: float = 2.0  # names that make no country likelier than this factor are not worth a line
    least_score: float = 0.3  # lines that were read worse show no brand letter by letter


RATES = BrandRates()
_LONGEST = 5  # words of a name; longer ones are found whole or not at all
_JOINED = 7  # letters from which a name is also known without its blanks: logos and web addresses have none


@dataclass(frozen=True)
class BrandTable:
    """Names with their countries and counts, as the shipped table has them."""

    rows: Mapping[str, tuple[int, tuple[str, ...]]]  # by normalised name
    joined: Mapping[str, str]  # the same names without blanks
    signs: Mapping[str, float]  # by country: signs of all its names

    def shares(self, key: str) -> dict[str, float]:
        """Of a country's listed signs, the share of this name's; for each country that has it."""
        seen, countries = self.rows[key]
        each = max(seen, RATES.least_seen) / len(countries)
        return {code: each / (self.signs[code] + RATES.unlisted_signs) for code in countries}


@lru_cache(maxsize=1)
def load_brands() -> BrandTable:
    """The table of training/brands/build.py (name-suggestion-index, BSD-3-Clause)."""
    packed = files("geosleuth.tools").joinpath("data/brands.tsv.gz").read_bytes()
    rows: dict[str, tuple[int, tuple[str, ...]]] = {}
    signs: dict[str, float] = {}
    for line in gzip.decompress(packed).decode("utf-8").splitlines():
        key, seen, countries = line.split("\t")
        codes = tuple(countries.split())
        rows[key] = (int(seen), codes)
        for code in codes:
            signs[code] = signs.get(code, 0.0) + max(int(seen), RATES.least_seen) / len(codes)
    joined = {key.replace(" ", ""): key for key in rows if " " in key and len(key) > _JOINED}
    return BrandTable(rows, joined, signs)


def brand_clues(lines: Sequence[TextLine]) -> list[Evidence]:
    """Return the evidence of each listed name found; the same name twice is one."""
    found: dict[str, Evidence | None] = {}
    readable = (line for line in lines if line.readable and line.score >= RATES.least_score)
    for line in sorted(readable, key=lambda one: -one.score):
        for key, written, chances in _names(line.text):
            if key not in found:
                found[key] = _clue(line, key, written, chances)
    return [piece for piece in found.values() if piece is not None]


def _names(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield (key, as written, strings of that length in the line), the longest first, without overlap."""
    table = load_brands()
    words = text.split()
    start = 0
    while start < len(words):
        for length in range(min(_LONGEST, len(words) - start), 0, -1):
            written = " ".join(words[start : start + length])
            key = normalise_name(written)
            key = key if key in table.rows else table.joined.get(key.replace(" ", ""), "")
            if key:
                yield key, written, len(words) - length + 1
                start += length - 1
                break
        start += 1


def _clue(line: TextLine, key: str, written: str, chances: int) -> Evidence | None:
    shares = load_brands().shares(key)
    own = frozenset(language for code in shares for language in official_languages(code))
    elsewhere = elsewhere_rate(key, round(line.score, 2), chances, own=own)
    # What tourists, lorries and brands that grew since the index was made put on signs abroad.
    abroad = RATES.abroad * min(shares.values())
    floor = elsewhere + line.score * RATES.own * abroad
    gains = {code: 1 + line.score * RATES.own * share / floor for code, share in shares.items()}
    if max(gains.values()) < RATES.least_gain:
        return None
    best = sorted(gains, key=lambda code: -load_brands().signs[code])
    where = ", ".join(country_name(code) for code in best[:4])
    more = f" and {len(best) - 4} more" if len(best) > 4 else ""
    return Evidence(
        tool="reading",
        type="reading.brand",
        claim=f"{quoted(written)} is a chain, operator or public body of {where}{more}",
        likelihood=OverRegions(log_ratios={code: round(math.log(gain), 3) for code, gain in gains.items()}),
        group=f"name:{key}",
        support=(
            Support(
                box=line.box,
                text=quoted(line.text, bare=True),
                rule="a chain's signs stand where it has branches",
                source="OpenStreetMap name-suggestion-index, wordfreq 3",
            ),
        ),
    )
