"""What a photo's metadata says: position, heading, time, camera, and traces of editing."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from PIL import Image
from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.geodesy import LatLon
from geosleuth.indexes.gps import GpsFix, UnusableError, read_fix, read_heading, read_utc, text_of
from geosleuth.indexes.xmp import Properties, first, parse_xmp, xmp_heading, xmp_position

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_MAKE, _MODEL, _SOFTWARE, _DESCRIPTION = 0x010F, 0x0110, 0x0131, 0x010E
_TAKEN, _DIGITISED, _COMMENT = 0x9003, 0x9004, 0x9286
_OFFSETS = (0x9011, 0x9012, 0x9010)  # OffsetTimeOriginal, OffsetTimeDigitized, OffsetTime

_DAMAGED = (OSError, SyntaxError, ValueError, KeyError, IndexError, TypeError, EOFError, RuntimeError, struct.error)
# UTC offsets in use, in minutes: Baker Island -12 h to Kiritimati +14 h (IANA time zone database).
_MIN_OFFSET, _MAX_OFFSET = -12 * 60, 14 * 60
_MOST_STEPS = 1000  # of an editor's history that are read; hours of work leave some hundred
_QUARTER_OFFSETS = (345, 525, 765, 825)  # Nepal, Eucla, Chatham in winter and summer: all others are half hours
# A camera's clock and the satellites' differ by seconds, and the fix may be a minute old.
_CLOCK_TOLERANCE = timedelta(minutes=2)


class Exif(BaseModel):
    """The metadata of one photo. Texts are quoted from the file: data, never instructions."""

    model_config = ConfigDict(frozen=True)

    position: LatLon | None = None
    fix: GpsFix | None = None  # how well the position is known; None where it is XMP's
    xmp_position: LatLon | None = None
    no_position_reason: str | None = None  # set exactly where position is None
    heading_deg: float | None = None  # clockwise from north
    heading_north: str | None = None  # "true" or "magnetic"
    taken_at: datetime | None = None  # as the camera's clock showed, without a zone
    utc: datetime | None = None  # of the satellites, without a zone
    offset_minutes: int | None = None  # local time minus UTC
    offset_source: str | None = None  # "tag" or "satellite clock"
    camera: str | None = None
    software: str | None = None
    editors: tuple[str, ...] = ()  # programs that the XMP history names
    synthetic: bool = False  # IPTC's digital source type says that a model made the picture
    texts: dict[str, str] = {}  # what people wrote: description, comment, place fields


def parse_exif(exif: bytes | None, xmp: bytes | None = None) -> Exif:
    """Read the raw blocks of a photo; never raises, whatever they hold."""
    properties = parse_xmp(xmp)
    blocks = _Blocks(exif)
    fix, reason = _fix_of(blocks)
    from_xmp, xmp_reason = _xmp_fix(properties)
    position = fix.position if fix else from_xmp
    heading = read_heading(blocks.gps) or xmp_heading(properties) or (None, None)
    taken_at = _time(blocks.camera.get(_TAKEN)) or _time(blocks.camera.get(_DIGITISED))
    utc = read_utc(blocks.gps)
    offset, offset_source = _offset(blocks.camera, taken_at, utc)
    return Exif(
        position=position,
        fix=fix,
        xmp_position=from_xmp,
        no_position_reason=None if position else (xmp_reason or reason),
        heading_deg=heading[0],
        heading_north=heading[1],
        taken_at=taken_at,
        utc=utc,
        offset_minutes=offset,
        offset_source=offset_source,
        camera=_camera(blocks.main),
        software=_line(blocks.main.get(_SOFTWARE)) or _line(first(properties, "xmp:CreatorTool")),
        editors=_editors(properties),
        synthetic=any(
            "trainedAlgorithmicMedia" in kind for kind in properties.get("Iptc4xmpExt:DigitalSourceType", [])
        ),
        texts=_texts(blocks, properties),
    )


class _Blocks:
    """The three tables of EXIF as plain mappings; empty where they are missing or damaged."""

    def __init__(self, exif: bytes | None) -> None:
        self.present = bool(exif)
        self.damaged = False
        self.has_gps = False
        self.main: dict[int, Any] = {}
        self.camera: dict[int, Any] = {}
        self.gps: dict[int, Any] = {}
        if not exif:
            return
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            parsed = Image.Exif()
            try:
                parsed.load(exif)
                self.main = dict(parsed)
                self.has_gps = _GPS_IFD in self.main
            except _DAMAGED:
                self.damaged = True
                return
            self.camera = self._table(parsed, _EXIF_IFD)
            self.gps = self._table(parsed, _GPS_IFD)
        self.damaged = self.damaged or bool(told)

    def _table(self, parsed: Image.Exif, tag: int) -> dict[int, Any]:
        try:
            return dict(parsed.get_ifd(tag))
        except _DAMAGED:
            self.damaged = True
            return {}


def _fix_of(blocks: _Blocks) -> tuple[GpsFix | None, str]:
    if not blocks.present:
        return None, "the file carries no EXIF block"
    if not blocks.has_gps and not blocks.gps:
        if blocks.damaged:
            return None, "its EXIF block is damaged, and no GPS block can be read from it"
        return None, "its EXIF block holds no GPS block"
    try:
        return read_fix(blocks.gps), ""
    except UnusableError as error:
        return None, f"{error}; the EXIF block is damaged" if blocks.damaged else str(error)


def _xmp_fix(properties: Properties) -> tuple[LatLon | None, str | None]:
    try:
        return xmp_position(properties), None
    except UnusableError as error:
        return None, str(error)


def _offset(
    camera: Mapping[int, Any], taken_at: datetime | None, utc: datetime | None
) -> tuple[int | None, str | None]:
    """Minutes that local time is ahead of UTC, and where that is known from."""
    for tag in _OFFSETS:
        match = re.fullmatch(r"([+-])(\d{1,2}):?(\d{2})", text_of(camera.get(tag)).replace(" ", ""))
        if match:
            minutes = (int(match[2]) * 60 + int(match[3])) * (-1 if match[1] == "-" else 1)
            if _is_offset(minutes):
                return minutes, "tag"
    if taken_at is None or utc is None:
        return None, None
    difference = taken_at - utc
    minutes = round(difference / timedelta(minutes=15)) * 15
    if abs(difference - timedelta(minutes=minutes)) <= _CLOCK_TOLERANCE and _is_offset(minutes):
        return minutes, "satellite clock"
    return None, None  # the clock was wrong, or the fix was an old one


def _is_offset(minutes: int) -> bool:
    return _MIN_OFFSET <= minutes <= _MAX_OFFSET and (minutes % 30 == 0 or minutes in _QUARTER_OFFSETS)


def _time(value: object) -> datetime | None:
    match = re.match(r"(\d{4})[:\-](\d{2})[:\-](\d{2})[ T](\d{2}):(\d{2}):(\d{2})", text_of(value))
    try:
        # Local time of an unknown zone: attaching one would be a claim.
        return datetime(*(int(part) for part in match.groups())) if match else None  # type: ignore[arg-type]
    except ValueError:
        return None


def _camera(main: Mapping[int, Any]) -> str | None:
    make, model = _line(main.get(_MAKE)), _line(main.get(_MODEL))
    if make and model and not model.lower().startswith(make.split()[0].lower()):
        return f"{make} {model}"
    return model or make


def _editors(properties: Properties) -> tuple[str, ...]:
    agents = (_line(agent) for agent in properties.get("stEvt:softwareAgent", [])[:_MOST_STEPS])
    return tuple(dict.fromkeys(agent[:60] for agent in agents if agent))


def _texts(blocks: _Blocks, properties: Properties) -> dict[str, str]:
    comment = blocks.camera.get(_COMMENT)
    if isinstance(comment, bytes):  # eight bytes name the character code (Exif 3.0, 4.6.6.3)
        code, body = comment[:8], comment[8:]
        if code.startswith(b"UNICODE"):  # the byte order is not said: Latin letters have their zero byte first or last
            big = body[0::2].count(0) > body[1::2].count(0)
            comment = body.decode("utf-16-be" if big else "utf-16-le", "replace")
        else:
            comment = body
    found = {
        "description": _line(blocks.main.get(_DESCRIPTION)) or _line(first(properties, "dc:description")),
        "comment": _line(comment),
        "place": ", ".join(
            text
            for key in ("Iptc4xmpCore:Location", "photoshop:City", "photoshop:State", "photoshop:Country")
            if (text := _line(first(properties, key)))
        ),
    }
    # A replacement sign means bytes that are no text: makers hide tables of their own in the comment.
    return {name: text for name, text in found.items() if text and "\ufffd" not in text and re.search(r"\w", text)}


def _line(value: object) -> str | None:
    """One line of printable text from a tag."""
    text = re.sub(r"\s+", " ", "".join(c for c in text_of(value) if c.isprintable() or c.isspace())).strip()
    return text[:120] or None
