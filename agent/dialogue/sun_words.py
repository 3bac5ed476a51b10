"""When the photo was taken and where the sun stood, in words: "taken 2024-06-01 12:30, the sun is 45 degrees high"."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

_YEAR = "january february march april may june july august september october november december"
_MONTHS = tuple(_YEAR.split())
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _MONTHS) + "|sept"
_CLOCK = (
    r"(?P<h>\d{1,2})(?::(?P<min>\d{2}))?(?::\d{2})?\s*(?P<half>[ap]\.?m\.?)?\s*"
    r"(?P<zone>z\b|utc\b|gmt\b)?\s*(?P<offset>[+-]\d{1,2}(?::?\d{2})?\b)?"
)
_BETWEEN = r"(?:\s*,?\s*(?:at|t|around|about|um)?\s*)"
_DATES = (
    re.compile(rf"(?P<y>\d{{4}})[-/.:](?P<m>\d{{1,2}})[-/.:](?P<d>\d{{1,2}}){_BETWEEN}{_CLOCK}"),
    re.compile(
        rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?(?P<name>{_MONTH})\.?,?\s+(?P<y>\d{{4}}){_BETWEEN}{_CLOCK}"
    ),
    re.compile(rf"(?P<name>{_MONTH})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}}){_BETWEEN}{_CLOCK}"),
)
_NUMBER = r"(\d{1,3}(?:\.\d{1,3})?)"
_DEGREES = r"\s*(?:\u00b0|deg(?:rees?)?\b)"
_IS = r"(?:(?:is|was|of|at|about|around|=|:)\s*)*"
# Each piece of a sentence is taken out of it when it is understood, and the rest must be `_NOTHING_ELSE`.
_ELEVATION = (
    re.compile(rf"(?:\bat )?{_NUMBER}{_DEGREES}\s*(?:high(?: up)?|up|(?:above|over) the horizon|(?:in )?elevation)\b"),
    re.compile(rf"(?<=\bsun )(?:elevation|altitude)(?: angle)? {_IS}{_NUMBER}(?:{_DEGREES})?"),
    re.compile(rf"\belevation(?: angle)? {_IS}{_NUMBER}(?:{_DEGREES})"),
    re.compile(rf"(?<=\bsun )(?:(?:is|stands|stood|at) )*{_NUMBER}{_DEGREES}(?!\s*(?:from|clockwise|azimuth))"),
)
_AZIMUTH = (
    re.compile(rf"\bazimuth {_IS}{_NUMBER}(?:{_DEGREES})?"),
    re.compile(rf"(?:\bat )?{_NUMBER}{_DEGREES}\s*(?:azimuth|(?:clockwise )?from (?:true )?north)\b"),
)
_ROSE = "n nne ne ene e ese se sse s ssw sw wsw w wnw nw nnw"
_COMPASS = {name: 22.5 * i for i, name in enumerate(_ROSE.split())}
_POINT = r"(?P<point>(?:north|south|east|west)(?:[ -]?(?:north|south|east|west)){0,2}|[nsew]{1,3})\b"
_SUN_IN = re.compile(
    r"(?:(?<=\bsun )|(?<=[\u00b0s] high ))"
    r"(?:(?:(?:is|was|stands|stood) )?(?:(?:low|high) )?(?:(?:in|at|to) the |in |due |exactly )"
    rf"|(?:(?:is|was|shines|shone|comes|came) )?from (?:the )?){_POINT}(?! of\b)"
)
# A shadow lies in proportion to the height of what casts it: a car or a street has a length of its own.
_UPRIGHT = (
    r"(?:(?:telephone|power|lamp|light|street|traffic|flag|fence|road|sign) ?)?"
    r"(?:pole|post|mast|pillar|column|person|man|woman|child|boy|girl|pedestrian|tree|tower|lantern|light|lamp|sign|stick"
    r"|rod|bollard|obelisk|flagpole|lamppost|signpost|hydrant|object|thing)"
)
_A = r"(?:the|a|an|this|that|his|her|their|its) "
_AS_HIGH = r"(?: (?:is |stands )?(?:high|tall))"
_SHADOW = re.compile(
    rf"\b(?:{_A})?(?:(?P<whose>{_UPRIGHT}) )?shadow(?: of (?:{_A})?(?P<owner>{_UPRIGHT}))? (?:is|was) "
    r"(?:(?:just|exactly|about|roughly|only) )*"
    r"(?:(?P<as>[a-z0-9./ ]{1,24} )??as long as "
    r"|(?P<of>[a-z0-9./ ]{1,24}? )??(?:the (?:same )?(?:length|height) (?:of|as) )(?=[a-z])"
    r"|(?P<its>[a-z0-9./ ]{1,24} )??(?=(?:its|his|her) height\b))"
    rf"(?:(?:{_A})?(?P<thing>{_UPRIGHT}){_AS_HIGH}?"
    rf"|(?:it|he|she){_AS_HIGH}|itself|(?:its|his|her) height|what casts it)(?![\w'-])(?! [\w'-]*shadow)"
)
_COUNTED = "one two three four five six seven eight nine ten"
_COUNTS = {name: float(i) for i, name in enumerate(_COUNTED.split(), start=1)}
_PARTS = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4}
_TIMES = re.compile(
    rf"(?P<n>\d{{1,2}}(?:\.\d{{1,2}})?|{'|'.join(_COUNTS)})(?: and (?:a |one )?(?P<more>half|third|quarter))? times"
)
_PART = re.compile(r"(?:(?P<n>a|one|(?:two|three)(?! half)) )?(?P<part>half|third|quarter)s?")
_WORDS_OF_TIMES = {"": 1.0, "twice": 2.0, "double": 2.0, "thrice": 3.0}
_NOTHING_ELSE = re.compile(
    r"(?:(?:(?:it|this|that|(?:the |this |my )?(?:photo|photograph|picture|image))(?: was| is)? )?(?:taken|shot|made)\b"
    r"|local time|o'clock|i (?:see|think|believe)|(?:sun|the|it|is|was|stands|stood|at|on|and|with|when|then)\b"
    r"|[\s,;:.])*"
)
# What a sentence about the sun's place has in it: such a one is answered, not handed on to be guessed at.
_ASKED = re.compile(r"(?:is|was|did|does|what|where|why|how|when (?:is|was|did|does))\b")
_SPEAKS_OF_SUN = re.compile(r"\b(?:sun|sun's|shadows?|shade|azimuth)\b")
_TELLS = re.compile(
    rf"\d{_DEGREES}|\bazimuth\b|\b(?:as|so) (?:long|short)\b|\b(?:longer|shorter|length|twice|double|half|times)\b"
    r"|\b(?:sun|shadows?)\b[^.;,]{0,40}\b(?:in|from|to|at|due|is|points?|falls?|towards?)\b[^.;,]{0,20}"
    r"\b(?:(?:north|south|east|west)[a-z-]*|[ns][ew])\b"
)


@dataclass(frozen=True)
class SunSaid:
    """What a sentence says of time and sun; `taken` is None where it names no time."""

    taken: datetime | None
    azimuth_deg: float | None = None
    elevation_deg: float | None = None
    unclear: bool = False  # it says more of the sun than was understood: then no angle is given


def sun_in(sentence: str) -> SunSaid | None:
    """Return what is said of the sun or of the time; None where nothing is."""
    text = " ".join(sentence.casefold().replace("'s ", " ").split())
    if "?" in text or _ASKED.match(text):
        return None
    taken, rest = _taken(text)
    if not _SPEAKS_OF_SUN.search(text):
        return None if taken is None else SunSaid(taken)
    azimuth, rest = _azimuth(rest)
    elevation, rest = _elevation(rest)
    shadow, rest = _shadow(rest)
    whole = _NOTHING_ELSE.fullmatch(rest) is not None and None in (elevation, shadow)
    if azimuth is None and elevation is None and shadow is None:
        if _TELLS.search(text) or (taken is not None and not whole):
            return SunSaid(taken, unclear=True)
        return None if taken is None else SunSaid(taken)
    if not whole:
        return SunSaid(taken, unclear=True)
    return SunSaid(taken, azimuth, elevation if shadow is None else shadow)


def _taken(text: str) -> tuple[datetime | None, str]:
    """The time and what else the sentence says; a date that no calendar has stays in the sentence."""
    for pattern in _DATES:
        if (found := pattern.search(text)) and (taken := _made(found)) is not None:
            return taken, _without(text, found)
    return None, text


def _without(text: str, found: re.Match[str]) -> str:
    """The sentence without what was understood, with a mark in its place, so that no new phrase comes about."""
    return f"{text[: found.start()]} , {text[found.end() :]}"


def _made(found: re.Match[str]) -> datetime | None:
    parts = found.groupdict()
    month = int(parts["m"]) if parts.get("m") else [name[:3] for name in _MONTHS].index(parts["name"][:3]) + 1
    hour = int(parts["h"])
    if parts["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if parts["half"].startswith("p") else 0)
    elif not parts["min"]:  # "2024-06-01 12" may be anything
        return None
    try:
        zone = _zone(parts["zone"], parts["offset"])
        return datetime(int(parts["y"]), month, int(parts["d"]), hour, int(parts["min"] or 0), tzinfo=zone)
    except ValueError:  # the 31st of June
        return None


def _zone(name: str | None, offset: str | None) -> timezone | None:
    if offset:
        digits = offset[1:].replace(":", "")
        hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
        return timezone((-1 if offset[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))
    return UTC if name else None


def _azimuth(text: str) -> tuple[float | None, str]:
    for pattern in _AZIMUTH:
        if found := pattern.search(text):
            degrees = float(found[1])
            return (0.0 if degrees == 360.0 else degrees), _without(text, found)
    if found := _SUN_IN.search(text):
        point = re.sub(r"(north|south|east|west)[ -]?", lambda one: one[1][0], found["point"])
        if point in _COMPASS:
            return _COMPASS[point], _without(text, found)
    return None, text


def _elevation(text: str) -> tuple[float | None, str]:
    for pattern in _ELEVATION:
        if found := pattern.search(text):
            return float(found[1]), _without(text, found)
    return None, text


def _shadow(text: str) -> tuple[float | None, str]:
    """The sun's elevation by a shadow's length in proportion to what casts it."""
    found = _SHADOW.search(text)
    if not found:
        return None, text
    owner, thing = found["whose"] or found["owner"], found["thing"]
    times = _times((found["as"] or found["of"] or found["its"] or "").strip())
    if times is None or (owner and thing and owner != thing):  # another's height is none of its own
        return None, text
    return round(math.degrees(math.atan2(1.0, times)), 2), _without(text, found)


def _times(words: str) -> float | None:
    """A multiple in words; None for one that is not known, such as "not" or "1,5 times"."""
    if words in _WORDS_OF_TIMES:
        return _WORDS_OF_TIMES[words]
    if found := _TIMES.fullmatch(words):
        times = _COUNTS.get(found["n"]) or float(found["n"])
        return times + _PARTS.get(found["more"] or "", 0.0) or None
    if found := _PART.fullmatch(words):
        return _COUNTS.get(found["n"] or "", 1.0) * _PARTS[found["part"]]
    return None
