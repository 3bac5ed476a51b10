"""Telephone numbers, web and mail domains on signs, and the countries and towns that they belong to."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from geosleuth.indexes.countries import (
    calling_code,
    countries_of_calling_code,
    country,
    country_codes,
    country_name,
    country_of_tld,
    is_generic_tld,
)
from geosleuth.tools.evidence import Evidence, NearPlace, NearPoints, OverRegions, Support
from geosleuth.tools.phone_areas import town_of_number
from geosleuth.tools.quoting import quoted
from geosleuth.tools.textline import TextLine

# P(a clue of another country is seen | it is here), against P(one of the own country): importers, lorries, tourists.
FOREIGN_DOMAIN = 0.01  # one foreign web address in a hundred
FOREIGN_VANITY = 0.4  # .tv, .co and the like are sold world-wide; see countries.GENERIC_TLDS
FOREIGN_PREFIX = 0.01  # one foreign calling code in a hundred
INVALID_NUMBER = 0.15  # a number is short of a digit, has an extension, is misread, or the plan is out of date
GROUPED_RIGHT = 3.0  # how much likelier a number is written in its country's own groups than in another's
OWN_PREFIX = 0.6  # of the fixed-line numbers on a town's signs: the rest are of head offices and neighbours
OTHER_PREFIX = 0.02  # of the numbers elsewhere in the country, for the prefix of one town
AREA_KM = 30.0  # prefixes cover a town and its surroundings
UNLABELLED = 0.5  # P(a bare run of digits is a telephone number): else a serial or house number, or a date
LABELLED = 0.95  # the same with "tel" before it, or in brackets and groups

BARE_DOMAIN = 0.3  # P("sport.de" without www is a domain): else a lost space after a full stop
SHORTEST_LABEL = 4  # letters and the dot: "Ph.No", "Lic.no", "St.Gallen" are abbreviations

_DOMAIN = re.compile(
    r"(?<![\w.-])((?:[\w.+-]+@)?)((?:https?://|www[.,])?)((?:[a-z0-9-]{2,}\.)+)([a-z]{2,3})(?!\w|[.\s]{1,2}\d)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w,])(?<!\d\.)(?:\+|00)?[\s(]{0,2}\d[\d\s()./·-]{4,18}\d(?![\w])")
_LABEL = re.compile(r"\b(tel|tél|phone|ph|mob|cel|cell|call|fax|whatsapp|тел|моб|هاتف|電話|电话|โทร)\b|☎|📞", re.I)
_NOT_PHONE = re.compile(  # a date, two years, an amount
    r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|(19|20)\d\d\s?[-/]\s?(19|20)?\d\d|\d{1,3}([.,\s]\d{3})+|\d+\.\d{1,2}"
)


def contact_clues(lines: Sequence[TextLine]) -> list[Evidence]:
    """Return the evidence of web and mail domains and of telephone numbers, one per country domain and per number."""
    found: dict[str, Evidence] = {}
    for line in sorted((one for one in lines if one.readable), key=lambda one: -one.score):
        for piece in (*_domains(line), *_numbers(line)):
            found.setdefault(piece.group or piece.claim, piece)
    return list(found.values())


def without_addresses(line: TextLine) -> TextLine:
    """Replace web and mail addresses by the owner's name in them: "www", "com" and "br" are words of no language."""
    text = _DOMAIN.sub(lambda match: f" {max(match.group(3).split('.'), key=len)} ", line.text.replace("www,", "www."))
    return line if text == line.text else line.model_copy(update={"text": " ".join(text.split())})


def _domains(line: TextLine) -> Iterator[Evidence]:
    for match in _DOMAIN.finditer(line.text.replace("www,", "www.").replace("WWW,", "www.")):
        mail, www, name, tld = match.groups()
        code = country_of_tld(tld)
        if code is None:
            continue
        sure = line.score
        if not (mail or www or name.count(".") > 1):
            if len(name) <= SHORTEST_LABEL:
                continue
            sure *= BARE_DOMAIN
        foreign = FOREIGN_VANITY if is_generic_tld(tld) else FOREIGN_DOMAIN
        ratios = {code: _gain(sure, foreign)}
        for other in country_codes():
            if country(other).parent == code:  # Réunion has .re, and .fr too
                ratios[other] = _gain(0.7 * sure, foreign)
        note = ", sold world-wide" if is_generic_tld(tld) else ""
        kind = "a mail" if mail else "a web"
        yield Evidence(
            tool="reading",
            type="reading.domain",
            claim=f"{quoted(match.group())} is {kind} address under .{tld.lower()}: {country_name(code)}{note}",
            likelihood=OverRegions(log_ratios=ratios),
            group=f"domain:{code}",
            support=(_support(line, "top-level domain", "IANA root zone, by GeoNames"),),
        )


def _gain(sure: float, foreign: float) -> float:
    """Return ln P(clue | own country) / P(clue | elsewhere), when the clue was read right with probability `sure`."""
    return round(math.log((sure + (1 - sure) * foreign) / foreign), 3)


def _numbers(line: TextLine) -> Iterator[Evidence]:
    for match in _NUMBER.finditer(line.text):
        written = match.group().strip()
        digits = re.sub(r"\D", "", written)
        if _NOT_PHONE.fullmatch(written) or len(set(digits)) < 3:
            continue
        if written.startswith(("+", "00")):
            yield from _international(line, written)
        elif 7 <= len(digits) <= 12:
            yield from _national(line, written)


def _international(line: TextLine, written: str) -> Iterator[Evidence]:
    import phonenumbers

    try:
        number = phonenumbers.parse(re.sub(r"^00", "+", written), None)
    except phonenumbers.NumberParseException:
        return
    regions = countries_of_calling_code(str(number.country_code))
    if not regions:
        return
    valid = phonenumbers.is_valid_number(number)
    own = phonenumbers.region_code_for_number(number)
    sure = line.score * (1.0 if valid else 0.5) * (1.0 if written.startswith("+") else 0.6)
    ratios = {code: _gain(sure * (1.0 if own in (code, None) else 0.3), FOREIGN_PREFIX) for code in regions}
    yield Evidence(
        tool="reading",
        type="reading.phone",
        claim=f"{quoted(written)} has the calling code +{number.country_code}: {country_name(own or regions[0])}",
        likelihood=OverRegions(log_ratios=ratios),
        group="phone",
        support=(_support(line, "international calling code", "libphonenumber"),),
    )
    if valid and own:
        yield from _area(
            line, written, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), own, sure
        )


def _national(line: TextLine, written: str) -> Iterator[Evidence]:
    groups = re.findall(r"\d+", written)
    labelled = bool(_LABEL.search(line.text)) or (written.startswith("(") and len(groups) > 1)
    if len(groups) == 1 and not labelled and not written.startswith("0"):
        return
    sure = line.score * (LABELLED if labelled else UNLABELLED)
    fits = _plans(written)
    if not any(fits):
        return
    codes = country_codes()
    values = np.array([INVALID_NUMBER + fit * (1 - INVALID_NUMBER) for fit in fits])
    mean = float(values.mean())
    log_ratios = np.log(sure * values + (1 - sure) * mean) - math.log(mean)
    otherwise = round(float(log_ratios.min()), 3)
    ratios = {code: round(float(r), 3) for code, r in zip(codes, log_ratios, strict=True) if r - otherwise > 0.01}
    best = sorted((code for code, fit in zip(codes, fits, strict=True) if fit == max(fits)), key=_size)
    names = ", ".join(country_name(code) for code in best[:3]) + (f" and {len(best) - 3} more" if len(best) > 3 else "")
    yield Evidence(
        tool="reading",
        type="reading.phone",
        claim=f"{quoted(written)} is a valid telephone number in {names}",
        likelihood=OverRegions(log_ratios=ratios, otherwise=otherwise),
        group="phone",
        support=(_support(line, "national numbering plans", "libphonenumber"),),
    )
    if len(best) == 1:
        import phonenumbers

        number = phonenumbers.parse(written, best[0])
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        yield from _area(line, written, e164, best[0], sure)


def _area(line: TextLine, written: str, e164: str, code: str, sure: float) -> Iterator[Evidence]:
    """Name the town that the prefix belongs to, beside the evidence for its country."""
    town = town_of_number(e164.lstrip("+"), code)
    if town is None:
        return
    gain = sure * OWN_PREFIX / OTHER_PREFIX
    near = NearPlace(lat=town.lat, lon=town.lon, spread_km=AREA_KM, weight=round(gain, 3), name=town.name)
    yield Evidence(
        tool="reading",
        type="reading.phone_area",
        claim=f"{quoted(written)} has the prefix of {town.name} in {country_name(code)}",
        likelihood=NearPoints(places=(near,), floor=1.0),
        group=f"phone_area:{town.id}",
        support=(_support(line, "telephone prefix", "libphonenumber, GeoNames"),),
    )


@lru_cache(maxsize=256)
def _plans(written: str) -> tuple[float, ...]:
    """Return, per country, how well a national number fits: 0 invalid, 1 valid, more when grouped as is the custom."""
    import phonenumbers

    own = re.findall(r"\d+", written)
    fits = dict.fromkeys(country_codes(), 0.0)
    for code in fits:
        try:
            number = phonenumbers.parse(written, code)
        except phonenumbers.NumberParseException:
            continue
        own_plan = str(number.country_code) == calling_code(code)  # else the digits began with a foreign prefix
        if own_plan and phonenumbers.is_valid_number_for_region(number, code):
            custom = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
            grouped_so = len(own) > 1 and re.findall(r"\d+", custom) == own
            fits[code] = GROUPED_RIGHT if grouped_so else 1.0
    return tuple(fits.values())


def _size(code: str) -> int:
    return -country(code).population


def _support(line: TextLine, rule: str, source: str) -> Support:
    return Support(box=line.box, text=quoted(line.text, bare=True), script=line.script, rule=rule, source=source)
