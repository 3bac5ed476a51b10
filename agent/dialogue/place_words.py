"""What an investigator says about the place: "it is not in Spain" becomes the hint "not Spain"."""

from __future__ import annotations

import re
from functools import cache

from geosleuth.tools.named_places import Meanings, meanings

_HEDGE = (
    r"(?:i (?:think|believe|guess|know|suspect|would say|am (?:quite |pretty )?(?:sure|certain))"
    r"|i'm (?:quite |pretty )?(?:sure|certain)|i'd say|it seems(?: to me)?|in my opinion|maybe|perhaps|probably"
    r"|possibly|certainly|definitely|surely|apparently|hint:|rather)(?: that)?,?\s+"
)
_SUBJECT = r"(?:it|this|that|(?:the |this |my )?(?:photo|picture|image|place|scene|street|location|answer|country))"
_NO = (
    r"(?P<no>(?:is|was|can|could|must|does|did|has)(?:n't|nt|'t| not|not)(?: (?:be|look like|have been))?|'s not"
    r"|never was)"
)
_YES = (
    r"(?:is|was|'s|must be|has to be|could be|can be|might be|may be|should be|can only be|looks like|seems to be"
    r"|must have been)"
)
_ADVERBS = r"(?:(?:definitely|certainly|probably|surely|actually|really|clearly|perhaps|maybe|likely|simply)\s+)*"
_STATEMENT = re.compile(
    rf"^(?P<doubt>i (?:do not|don't|dont) (?:think|believe)(?: that)?\s+)?(?:{_HEDGE})*"
    rf"(?:(?P<said>(?:{_SUBJECT}\s*)?{_NO}|{_SUBJECT}\s*{_YES})\s+)?{_ADVERBS}(?P<not>not\s+|never\s+)?{_ADVERBS}"
    r"(?:(?:taken|shot|made|photographed|located|situated|somewhere|found|set)\s+)*"
    r"(?:(?P<near>near|nearby|close to|around|next to|not far from)\s+|(?P<outside>outside(?: of)?)\s+"
    r"|(?P<prep>in|on|at|from|within|inside)\s+)?(?:(?:the )?(?:country|city|town|state|region) of\s+)?(?P<place>.+)$",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"^(?:rule out|exclude|eliminate|cross out"
    rf"|(?:{_SUBJECT}(?: is| was|'s) )?(?:anything|anywhere|everywhere) (?:but|except)(?: in)?)\s+(?P<place>.+)$",
    re.IGNORECASE,
)
# The simplest sentences of some languages; names of countries and towns are known in all of them.
_ABROAD = (
    (r"(?:es|das|das foto) ist (?P<no>nicht )?(?:in )?(?:der |den |dem )?(?P<place>.+)", "de"),
    (r"(?P<no>nicht )(?:in )?(?:der |den )?(?P<place>.+)", "de"),
    (r"(?:c'est|c'était) (?:en |au |aux |à |le |la |les |l')?(?P<place>.+)", "fr"),
    (r"(?:ce n'est )?(?P<no>pas )(?:en |au |aux |à |le |la |les |l')?(?P<place>.+)", "fr"),
    (r"(?P<no>no )?(?:es|está) (?:en )?(?P<place>.+)", "es"),
    (r"(?P<no>no )en (?P<place>.+)", "es"),
    (r"(?P<no>não )?(?:é|está|fica) (?:em |no |na |o |a )?(?P<place>.+)", "pt"),
    (r"(?P<no>non )?(?:è|si trova) (?:in |a |la |il |l')?(?P<place>.+)", "it"),
    (r"(?P<no>non )in (?P<place>.+)", "it"),
    (r"(?:это )?(?P<no>не )(?P<place>.+)", "ru"),
    (r"это (?P<place>.+)", "ru"),
    (r"(?P<no>不)(?:是|在)(?P<place>.+)", "zh"),
    (r"(?:是|在)(?P<place>.+)", "zh"),
)
_FOREIGN = tuple(re.compile(pattern, re.IGNORECASE) for pattern, _ in _ABROAD)
_HALF = re.compile(
    r"(?:the )?(?P<half>north|south)(?:ern)?(?:[ -]hemisphere| (?:side )?of (?:the )?equator)", re.IGNORECASE
)
_PIN = re.compile(r"[+-]?\d{1,2}(?:\.\d+)?\s*°?\s*[,; ]\s*[+-]?\d{1,3}(?:\.\d+)?\s*°?")
_COUNTRY_CODES = {"uk": "United Kingdom", "usa": "United States", "us": "United States", "uae": "United Arab Emirates"}
# Cities that are also plain words: without "in", the word is meant.
_WORDS_LISTED = (
    "nice reading mobile bath orange split cork best same most male tours bar of police hell man home sale san van"
    " normal independence liberty enterprise hope commerce roads mission surprise cars tree mountain summer many date"
    " march may sandy buffalo tempe union battle deal rugby wells"
)
_WORDS = frozenset(_WORDS_LISTED.split())
_CITY = 100_000  # people; a smaller place is not meant by a word written small
_NAMES_AT_MOST = 6  # in "Spain or France or Italy": tools/hints.py looks each of them up


def hint_in(sentence: str) -> str | None:
    """Return the hint in a sentence, in one form ("in Portugal", "not Spain", "near Lisbon"); None where is none."""
    if "?" in sentence:
        return None
    if denied := _DENIED.match(sentence):
        return _hint(denied["place"], denied=True, certain=True)
    found = _STATEMENT.match(sentence)
    if found:
        outside = bool(found["outside"])
        denied_by = sum(map(bool, (found["doubt"], found["no"], found["not"], outside)))
        certain = bool(found["prep"] or found["near"] or outside)
        hint = _hint(found["place"], denied=denied_by % 2 == 1, near=bool(found["near"]), certain=certain)
        if hint is not None:
            return hint
    for pattern in _FOREIGN:
        if (found := pattern.fullmatch(sentence)) and _known(found["place"]):
            return _hint(found["place"], denied=bool(found.groupdict().get("no")), certain=True)
    return None


def place_in(name: str) -> str | None:
    """Return a name as it is known, without an article; None where no place has it."""
    for form in (name, re.sub(r"^(?:the|la|le|les|el|los|las|die|der|das)\s+|^l'", "", name, flags=re.IGNORECASE)):
        form = _COUNTRY_CODES.get(form.casefold().replace(".", ""), form).strip()
        if form and _known(form):
            return form
    return None


def surely_place_in(name: str) -> str | None:
    """Return a name that is meant as a place's also without "in", as `place_in` does; None for words such as "nice"."""
    found = place_in(name)
    return found if found and _is_name(found, alone=True) else None


def speaks_of_place(sentence: str) -> bool:
    """Whether it says "in ..." or the like, so that an unknown name is worth a word."""
    found = _STATEMENT.match(sentence)
    return bool(
        found
        and "?" not in sentence
        and (found["prep"] or found["near"] or found["not"] or found["said"])
        and len(found["place"].split()) <= _WORDS_OF_A_NAME
    )


_WORDS_OF_A_NAME = 5  # "Saint Vincent and the Grenadines"


def unknown_place(sentence: str) -> str:
    """Return the name in a sentence that `speaks_of_place`."""
    found = _STATEMENT.match(sentence)
    return found["place"] if found else sentence


def _hint(place: str, *, denied: bool, near: bool = False, certain: bool) -> str | None:
    place = place.strip(" ,.;!")
    if half := _HALF.fullmatch(place):
        return f"{'not ' if denied else ''}{half['half'].lower()} of the equator"
    if _PIN.fullmatch(place):
        return f"not {place}" if denied else place
    parts = re.split(r"\s+or\s+|\s*/\s*", place)
    if len(parts) > _NAMES_AT_MOST:
        return None
    whole = place_in(place)
    names = [whole] if whole else [place_in(part) for part in parts]
    if not all(name and _is_name(name, alone=not certain) for name in names):
        return None
    words = " or ".join(name for name in names if name)
    return f"not {words}" if denied else f"near {words}" if near else f"in {words}"


def _known(name: str) -> Meanings | None:
    # Three small letters are a word ("and", "are", "can"), and no country's code.
    if len(name) == 3 and name.isascii() and not name[0].isupper():
        return None
    return meanings(name) or None


def _is_name(name: str, *, alone: bool) -> bool:
    """Whether a word is meant as a name: "in portugal", "Faro"; not "in summer", "in English", nor "nice" alone."""
    if alone and name.casefold() in _WORDS:
        return False
    found = meanings(name)
    if found.codes or any(place.population >= _CITY for place in found.places[:1]):
        return True
    return not name[0].islower() and name not in _languages()


@cache
def _languages() -> frozenset[str]:
    """English names of languages, some of which are villages."""
    from babel import Locale

    return frozenset(Locale("en").languages.values())
