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
_DEGREES = r"\s*(?:\u00b0|deg(?:rees?)?)"
_ELEVATION = re.compile(
    rf"\bsun\b[^.;]{{0,40}}?{_NUMBER}{_DEGREES}\s*(?:high|up|above|elevation)"
    rf"|\belevation\b[^.;\d]{{0,30}}{_NUMBER}"
    rf"|\bsun(?: (?:is|stands|stood|at))* {_NUMBER}{_DEGREES}(?!\s*(?:from|azimuth))"
)
_AZIMUTH = re.compile(rf"\bazimuth\b[^.;\d]{{0,30}}{_NUMBER}|{_NUMBER}{_DEGREES}\s*(?:azimuth|from (?:true )?north)")
_ROSE = (
    "north north-northeast northeast east-northeast east east-southeast southeast south-southeast south"
    " south-southwest southwest west-southwest west west-northwest northwest north-northwest"
)
_COMPASS = {name: 22.5 * i for i, name in enumerate(_ROSE.split())}
_SUN_IN = re.compile(
    r"\bsun\b[^.;\d]{0,30}?\b(?:in|from|to|at|due|is)\s+(?:the\s+|due\s+)*((?:north|south|east|west|-){1,4})\b"
)
_SHADOW = re.compile(
    r"\bshadows?\b[^.;\d]{0,60}?\b"
    r"(?P<times>\d{1,2}(?:\.\d{1,2})? times|half|twice|(?:three|four|five) times|just|exactly|about|roughly)?"
    r"\s*(?:about\s+)?as\s+long\s+as"
)
_TIMES = {"half": 0.5, "twice": 2.0, "three times": 3.0, "four times": 4.0, "five times": 5.0}


@dataclass(frozen=True)
class SunSaid:
    """What a sentence says of time and sun; `taken` is None where it names no time."""

    taken: datetime | None
    azimuth_deg: float | None = None
    elevation_deg: float | None = None


def sun_in(sentence: str) -> SunSaid | None:
    """Return what is said of the sun or of the time; None where nothing is."""
    text = sentence.casefold()
    if "?" in text:
        return None
    taken = _taken(text)
    azimuth, elevation = _azimuth(text), _elevation(text)
    if taken is None and azimuth is None and elevation is None:
        return None
    return SunSaid(taken, azimuth, elevation)


def _taken(text: str) -> datetime | None:
    for pattern in _DATES:
        if found := pattern.search(text):
            return _made(found)
    return None


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


def _azimuth(text: str) -> float | None:
    if found := _AZIMUTH.search(text):
        return float(found[1] or found[2]) % 360.0
    found = _SUN_IN.search(text)
    return _COMPASS.get(found[1]) if found else None


def _elevation(text: str) -> float | None:
    if found := _SHADOW.search(text):
        words = found["times"] or ""
        times = _TIMES.get(words) or (float(words.split()[0]) if words[:1].isdigit() else 1.0)
        return round(math.degrees(math.atan2(1.0, times)), 2) if times > 0 else None
    found = _ELEVATION.search(text) if "sun" in text else None  # "at an elevation of 300 m" is the ground's
    return float(next(filter(None, found.groups()))) if found else None
