"""XMP packets, read without trust: no document types, no entities, nothing fetched."""

from __future__ import annotations

import re
from collections import defaultdict
from xml.parsers import expat

from geosleuth.indexes.geodesy import LatLon
from geosleuth.indexes.gps import UnusableError, check_position

# Namespaces of the properties that are used, from Adobe's XMP specification part 2, Google's Photo Sphere
# specification and IPTC's photo metadata standard.
_PREFIXES = {
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#": "stEvt",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.google.com/photos/1.0/panorama/": "GPano",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://purl.org/dc/elements/1.1/": "dc",
}
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
# Packets in a file's head are below 64 KB by JPEG's segments; editors' histories in PNG or TIFF reach hundreds.
_MAX_BYTES = 4_000_000
_MOST_CHARACTERS = 1000  # of one value that are kept; captions are shown by their first 120
_LONGEST_COORDINATE = 40  # characters; "123,59.12345678W" has 16

Properties = dict[str, list[str]]


def parse_xmp(packet: bytes | None) -> Properties:
    """Read the properties that are used, as {"exif:GPSLatitude": ["43,28.5N"], …}; {} for no or a broken packet.

    Texts of lists are kept in order under the name of their property.
    """
    if not packet or len(packet) > _MAX_BYTES:
        return {}
    reader = _Reader()
    try:
        # Padding after the packet is no XML; in UTF-16 and UTF-32 the zero bytes belong to the letters.
        wide = b"\0" in packet[:6]
        reader.parser.Parse(packet if wide else packet.strip(b"\0 \r\n\t"), True)
    except (expat.ExpatError, _RefusedError, ValueError):
        return {}  # half a packet may be half a forgery: none of it is used
    return dict(reader.properties)


class _RefusedError(Exception):
    """The packet declares a document type, which XMP has no use for and attacks have."""


class _Reader:
    """Collects attributes and texts under the nearest name that is not RDF's own."""

    def __init__(self) -> None:
        self.properties: defaultdict[str, list[str]] = defaultdict(list)
        self._names: list[str | None] = []
        self._text: list[str] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text.append

    def _refuse(self, *_: object) -> None:
        raise _RefusedError

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        inherited = self._names[-1] if self._names else None
        self._names.append(inherited if name.startswith(_RDF) else _short(name))
        self._text.clear()
        for key, value in attributes.items():
            self._add(_short(key), value)

    def _end(self, _name: str) -> None:
        self._add(self._names.pop(), "".join(self._text))
        self._text.clear()

    def _add(self, name: str | None, value: str) -> None:
        if name is not None and value.strip():
            self.properties[name].append(value.strip()[:_MOST_CHARACTERS])


def _short(name: str) -> str | None:
    uri, _, local = name.rpartition(" ")
    prefix = _PREFIXES.get(uri)
    return f"{prefix}:{local}" if prefix else None


def xmp_position(properties: Properties) -> LatLon | None:
    """The position of exif:GPSLatitude and exif:GPSLongitude.

    Raises:
        UnusableError: They are there but mean no position.
    """
    lat, lon = first(properties, "exif:GPSLatitude"), first(properties, "exif:GPSLongitude")
    if lat is None or lon is None:
        return None
    return check_position(_coordinate(lat, "N", "S"), _coordinate(lon, "E", "W"))


def xmp_heading(properties: Properties) -> tuple[float, str] | None:
    """The heading of a photo, or of the centre of a panorama, in degrees from "true" or "magnetic" north."""
    for key in ("exif:GPSImgDirection", "GPano:PoseHeadingDegrees"):
        # Nine digits, as of a 32-bit number: Python reads no integer of thousands.
        match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,20})?)(?:/(\d{1,9}))?", first(properties, key) or "")
        if match and int(match[2] or 1) > 0:
            heading = float(match[1]) / int(match[2] or 1)
            magnetic = key.startswith("exif") and first(properties, "exif:GPSImgDirectionRef") == "M"
            if heading <= 360.0:
                return heading % 360.0, "magnetic" if magnetic else "true"
    return None


def shows_all_around(properties: Properties, size: tuple[int, int]) -> bool:
    """Whether a picture of (width, height) is an equirectangular panorama of all directions, by its GPano properties.

    One that shows a part of the horizon is not: it has a left and a right edge, as a photo has. Nor is one that is less
    than twice as wide as high: 360 degrees by 180 at most, so an editor has cropped it and left the properties.
    """
    if (first(properties, "GPano:ProjectionType") or "").lower() != "equirectangular":
        return False
    shown, whole = (first(properties, f"GPano:{key}Pixels") for key in ("CroppedAreaImageWidth", "FullPanoWidth"))
    width, height = size
    return shown == whole and round(width / height, 1) >= 2.0  # None both: the writer had no crop to tell of


def first(properties: Properties, key: str) -> str | None:
    """The first text of a property."""
    return next(iter(properties.get(key, ())), None)


def _coordinate(text: str, positive: str, negative: str) -> float:
    """Read "43,28.5N", "43,28,30N" (XMP part 2, 1.2.7.4 GPSCoordinate) or signed degrees, which some writers use."""
    match = re.fullmatch(r"\s*([-+]?\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?(?:,(\d+(?:\.\d+)?))?\s*([A-Za-z]?)\s*", text)
    if match is None or len(text) > _LONGEST_COORDINATE:
        raise UnusableError(f"its XMP position cannot be read ({text[:40]!r})")
    side = match[4].upper()
    minutes, seconds = float(match[2] or 0), float(match[3] or 0)
    signed = match[1][0] in "+-" or (match[2] is None and not side)
    if minutes > 60 or seconds > 60 or side not in ("", positive, negative) or not (side or signed):
        raise UnusableError(f"its XMP position cannot be read ({text[:40]!r})")
    degrees = abs(float(match[1])) + minutes / 60 + seconds / 3600
    return -degrees if side == negative or match[1].startswith("-") else degrees
