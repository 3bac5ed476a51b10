"""Customs of countries on signs: currencies beside numbers, postcodes, road-sign wording, words of addresses."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from geosleuth.indexes.countries import country, country_codes, country_name, postal_regex
from geosleuth.indexes.currencies import countries_of_symbol, known_symbols
from geosleuth.indexes.gazetteer import load_gazetteer, normalise_name
from geosleuth.tools.evidence import Evidence, OverRegions, Support
from geosleuth.tools.quoting import quoted
from geosleuth.tools.textline import TextLine

# P(seen where it is not the custom) against P(seen where it is).
FOREIGN_CURRENCY = 0.03  # duty free, border towns, advertisements
LETTER_SYMBOL = 0.4  # "R", "K", "L" beside a number are more often a model, a road or a misreading than money
FOREIGN_POSTCODE = 0.02  # a lorry's or a firm's foreign address
CHANCE_POSTCODE = 0.6  # P(a string that fits a postcode with a letter or hyphen is none)
FOREIGN_WORDING = 0.05  # the same word for another purpose: a shop "Alto", a person "Pare"

_NUMBER = r"\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2}|,-)?"


@dataclass(frozen=True)
class Wording:
    """A row of data/sign_wording.tsv."""

    kind: str
    pattern: re.Pattern[str]
    countries: tuple[str, ...]
    meaning: str
    source: str


@dataclass(frozen=True)
class _Custom:
    """What a sign shows: its kind of clue, its source, where it is the custom, and how often it is seen elsewhere."""

    kind: str
    group: str
    here: frozenset[str]
    foreign: float
    source: str


def convention_clues(lines: Sequence[TextLine]) -> list[Evidence]:
    """Return the evidence of currencies, postcodes and wording, each of them once per photo."""
    found: dict[str, Evidence] = {}
    for line in sorted((one for one in lines if one.readable and one.text), key=lambda one: -one.score):
        for piece in (*_prices(line), *_postcodes(line), *_wordings(line)):
            found.setdefault(piece.group or piece.claim, piece)
    return list(found.values())


@lru_cache(maxsize=1)
def _price_pattern() -> re.Pattern[str]:
    symbols = "|".join(re.escape(symbol) for symbol in known_symbols() if not symbol.isdecimal())
    before = rf"(?<!\w)(?P<before>{symbols})\s?(?P<n1>{_NUMBER})(?![^\W\d])"
    after = rf"(?<![\w.,])(?P<n2>{_NUMBER})\s?(?P<after>{symbols})(?![^\W\d_]|\d)"
    return re.compile(f"{before}|{after}", re.IGNORECASE)


def _prices(line: TextLine) -> Iterator[Evidence]:
    for match in _price_pattern().finditer(line.text):
        symbol = match.group("before") or match.group("after")
        here = countries_of_symbol(symbol)
        if not here or len(here) > 100:
            continue
        plain = len(symbol.strip(".")) == 1 and symbol.strip(".").isalpha()
        if plain and sum(map(str.isdigit, match.group())) < 2:
            continue  # "R7" is a road, "M2" a motorway
        if len(symbol) <= 3 and symbol.isalpha() and not _cased_right(symbol):
            continue
        foreign = LETTER_SYMBOL if plain else FOREIGN_CURRENCY
        claim = f"{quoted(match.group().strip())} is a price in {_names(here)}"
        yield _clue(line, _Custom("currency", f"price:{symbol.casefold()}", here, foreign, "CLDR"), line.score, claim)


def _cased_right(symbol: str) -> bool:
    """Letters that stand for money are written in one way: "kr", "Rp", "zł"; "RP" and "KR" are mostly abbreviations."""
    return any(symbol == known for known in _spellings())


@cache
def _spellings() -> frozenset[str]:
    from geosleuth.indexes.currencies import currencies, symbols_of_currency

    return frozenset(s for code in country_codes() for name in currencies(code) for s in symbols_of_currency(name))


_HYPHENED = re.compile(r"(?<![\w-])(?:[A-Z]{1,2}-?)?\d{2,5}-\d{2,4}(?![\w-])")
_TWO_GROUPS = re.compile(
    r"(?<![\w-])(?=([A-Z0-9]{2,4} [A-Z0-9]{2,4})(?![\w-]))"
)  # looks ahead, so that pairs may overlap
_NUMBER_TOWN = re.compile(
    r"(?<![\w-])(?P<c1>\d{4,6}|\d{3} \d{2})\s+(?P<t1>[^\W\d][^\d,]{2,40})"
    r"|(?P<t2>[^\W\d][^\d,]{2,40})[ ,]+(?P<c2>\d{4,6})(?![\w-])"
)


def _postcodes(line: TextLine) -> Iterator[Evidence]:
    pairs = [m.group(1) for m in _TWO_GROUPS.finditer(line.text) if any(c.isalpha() for c in m.group(1))]
    for written in [*(m.group() for m in _HYPHENED.finditer(line.text)), *pairs]:
        here = _countries_of_postcode(written)
        if here and sum(char.isdigit() for char in written) >= 2:
            claim = f"{quoted(written)} has the form of a postcode of {_names(here)}"
            sure = line.score * (1 - CHANCE_POSTCODE)
            yield _clue(line, _Custom("postcode", "postcode", here, FOREIGN_POSTCODE, "GeoNames"), sure, claim)
    for match in _NUMBER_TOWN.finditer(line.text):
        code, town = match["c1"] or match["c2"], match["t1"] or match["t2"]
        here = _countries_of_postcode(code) & _countries_of_town(town)
        if here:
            claim = f"{quoted(match.group())} is a postcode and a town of {_names(here)}"
            sure = line.score * (1 - CHANCE_POSTCODE)
            yield _clue(line, _Custom("postcode", "postcode", here, FOREIGN_POSTCODE, "GeoNames"), sure, claim)


@cache
def _postal_patterns() -> dict[str, re.Pattern[str]]:
    return {code: re.compile(pattern) for code in country_codes() if (pattern := postal_regex(code))}


def _countries_of_postcode(written: str) -> frozenset[str]:
    return frozenset(code for code, pattern in _postal_patterns().items() if pattern.fullmatch(written))


def _countries_of_town(town: str) -> frozenset[str]:
    words = normalise_name(town).split()
    for length in range(min(len(words), 3), 0, -1):
        matches = load_gazetteer().lookup(" ".join(words[:length]))
        if matches:
            return frozenset(match.place.country for match in matches)
    return frozenset()


@cache
def _wording_table() -> tuple[Wording, ...]:
    text = files("geosleuth.tools").joinpath("data/sign_wording.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return tuple(
        Wording(kind, re.compile(pattern), tuple(codes.split()), *rest) for kind, pattern, codes, *rest in rows
    )


def _wordings(line: TextLine) -> Iterator[Evidence]:
    plain = " ".join(_fold(line.text).split())
    for row in _wording_table():
        match = row.pattern.search(plain)
        if match:
            claim = f"{quoted(line.text)}: {row.meaning} is written so in {_names(frozenset(row.countries))}"
            custom = _Custom(
                row.kind, f"{row.kind}:{row.meaning}", frozenset(row.countries), FOREIGN_WORDING, row.source
            )
            yield _clue(line, custom, line.score, claim)


def _fold(text: str) -> str:
    """Lower case without accents, punctuation kept."""
    import unicodedata

    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _clue(line: TextLine, custom: _Custom, sure: float, claim: str) -> Evidence:
    """Make the evidence of a custom that was seen with probability `sure`."""
    gain = math.log((sure + (1 - sure) * custom.foreign) / custom.foreign)
    support = Support(
        box=line.box, text=quoted(line.text, bare=True), script=line.script, rule=custom.kind, source=custom.source
    )
    return Evidence(
        tool="reading",
        type=f"reading.{custom.kind}",
        claim=claim,
        likelihood=OverRegions(log_ratios={code: round(gain, 3) for code in sorted(custom.here)}),
        group=custom.group,
        support=(support,),
    )


def _names(codes: frozenset[str]) -> str:
    ordered = sorted(codes, key=lambda code: -country(code).population)
    more = f" and {len(ordered) - 3} more" if len(ordered) > 3 else ""
    return ", ".join(country_name(code) for code in ordered[:3]) + more
