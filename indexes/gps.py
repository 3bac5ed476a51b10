"""The GPS block of EXIF: a position in WGS 84 with its uncertainty, or the reason why there is none."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from geosleuth.indexes.geodesy import LatLon

# Tags of the GPS block, Exif 3.0, section 4.6.7.
_LAT_REF, _LAT, _LON_REF, _LON = 1, 2, 3, 4
_TIME, _STATUS, _DOP, _DIRECTION_REF, _DIRECTION = 7, 9, 11, 16, 17
_METHOD, _DATE, _ERROR = 27, 29, 31

_METRES_PER_DEGREE = 111_195.0  # of latitude, on the sphere of geodesy.py
# A receiver that has no fix writes zeros. 0.0001 degrees are 11 m around a buoy in the Gulf of Guinea.
_NULL_ISLAND_DEG = 1e-4
_LONGEST_METHOD = 20  # characters; the names in use have up to seven


class UnusableError(ValueError):
    """A GPS entry that yields no position; the message is the reason, for people."""


@dataclass(frozen=True)
class GpsFix:
    """A position, and what the block says about how well it is known."""

    position: LatLon
    step_m: float  # one unit of the last digit written; 31 m where whole seconds are
    error_m: float | None = None  # GPSHPositioningError: radius in metres
    dop: float | None = None  # GPSDOP, horizontal dilution of precision
    void: bool = False  # GPSStatus V: the receiver had lost its satellites
    method: str | None = None  # GPSProcessingMethod: GPS, CELLID, WLAN, NETWORK, MANUAL


def read_fix(block: Mapping[int, Any]) -> GpsFix:
    """Read the position from the tags of a GPS block.

    Raises:
        UnusableError: The block holds no position that can be meant; the message says why.
    """
    if not any(tag in block for tag in (_LAT, _LON)):
        rest = [tag for tag in block if tag != 0]  # tag 0 is the version of the block
        raise UnusableError(
            "its GPS block holds other entries, but no position" if rest else "its GPS block is empty (no position)"
        )
    if not (_LAT in block and _LON in block):
        raise UnusableError("its GPS block holds only one of latitude and longitude")
    lat, lat_step = _coordinate(block[_LAT], block.get(_LAT_REF), "N", "S", "latitude")
    lon, lon_step = _coordinate(block[_LON], block.get(_LON_REF), "E", "W", "longitude")
    method = re.sub(r"^(ASCII|UNICODE|JIS)\b", "", text_of(block.get(_METHOD))).strip().upper()
    method = "".join(sign for sign in method if sign.isprintable())[:_LONGEST_METHOD]
    return GpsFix(
        position=check_position(lat, lon),
        step_m=max(lat_step, lon_step) * _METRES_PER_DEGREE,
        error_m=_between(block.get(_ERROR), 0.1, 100_000.0),
        dop=_between(block.get(_DOP), 0.1, 100.0),
        void=text_of(block.get(_STATUS)).upper() == "V",
        method=method or None,
    )


def check_position(lat: float, lon: float) -> LatLon:
    """Turn two numbers into a position.

    Raises:
        UnusableError: They are not finite, out of range, or both 0.
    """
    if not (math.isfinite(lat) and math.isfinite(lon)):
        raise UnusableError("its position is no number (zero denominators)")
    if abs(lat) > 90.0 or abs(lon) > 180.0:
        raise UnusableError(f"its position is out of range ({lat:.4f}, {lon:.4f})")
    if abs(lat) < _NULL_ISLAND_DEG and abs(lon) < _NULL_ISLAND_DEG:
        raise UnusableError("its position is (0, 0), which devices write when they have none")
    return LatLon(lat, lon)


def read_heading(block: Mapping[int, Any]) -> tuple[float, str] | None:
    """The direction that the camera faced, in degrees clockwise from "true" or "magnetic" north."""
    heading = _between(block.get(_DIRECTION), 0.0, 360.0)
    if heading is None:
        return None
    return heading % 360.0, "magnetic" if text_of(block.get(_DIRECTION_REF)).upper() == "M" else "true"


def read_utc(block: Mapping[int, Any]) -> datetime | None:
    """The UTC time of the fix, without a zone attached; None where date or time are missing or impossible."""
    # Some writers leave rubbish after the date ("2014:09:259"), and zeros where they have none.
    match = re.match(r"(\d{4})[:\-/.](\d{2})[:\-/.](\d{2})", text_of(block.get(_DATE)))
    clock = _numbers(block.get(_TIME))
    if match is None or len(clock) != 3 or not all(math.isfinite(part) for part, _ in clock):
        return None
    hours, minutes, seconds = (part for part, _ in clock)
    if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds <= 60):
        return None
    try:
        day = datetime(int(match[1]), int(match[2]), int(match[3]))
        return day + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, OverflowError):  # no such day, or the end of the year 9999
        return None


def text_of(value: object) -> str:
    """An ASCII entry as text, without the zero bytes and blanks that devices pad with; "" for none."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.replace("\0", " ").strip() if isinstance(value, str) else ""


def _coordinate(value: object, ref: object, positive: str, negative: str, label: str) -> tuple[float, float]:
    """Degrees, signed, and the step of the last digit written, in degrees."""
    parts = _numbers(value)
    if not 1 <= len(parts) <= 3 or not math.isfinite(parts[0][0]):
        raise UnusableError(f"its {label} cannot be read ({_shown(value)})")
    # 0/0 in minutes or seconds is how some devices say "none"; a number over zero is a fault.
    parts = [(0.0, 1.0) if math.isnan(number) and i else (number, step) for i, (number, step) in enumerate(parts)]
    if not all(math.isfinite(number) for number, _ in parts):
        raise UnusableError(f"its {label} cannot be read ({_shown(value)})")
    if any(not 0 <= number <= 60 for number, _ in parts[1:]):
        raise UnusableError(f"its {label} has minutes or seconds beyond 60 ({_shown(value)})")
    degrees = abs(parts[0][0]) + sum(number / 60.0**i for i, (number, _) in enumerate(parts) if i)
    side = text_of(ref)[:1].upper()
    if side not in (positive, negative):
        if side or parts[0][0] >= 0:  # a negative number tells its hemisphere; a positive one without does not
            raise UnusableError(f"the hemisphere of its {label} ({degrees:.5f}) is {'wrong' if side else 'missing'}")
        side = negative
    below_zero = side == negative or math.copysign(1.0, parts[0][0]) < 0
    return -degrees if below_zero else degrees, _step(parts)


def _step(parts: list[tuple[float, float]]) -> float:
    """The unit of the last digit, in degrees: zeros at the end with no decimals were not measured."""
    steps = [step / 60.0**i for i, (_, step) in enumerate(parts)]
    last = len(parts) - 1
    while last > 0 and parts[last][0] == 0 and (parts[last][1] >= 1 or parts[last - 1][1] < 1):
        last -= 1
    return steps[last]


def _numbers(value: object) -> list[tuple[float, float]]:
    """Numbers of a tag, each with the step of its last digit; NaN for 0/0, infinite for n/0."""
    if isinstance(value, str | bytes):
        return [_written(part) for part in re.split(r"[,;\s]+", text_of(value)) if part]
    if isinstance(value, tuple | list):
        pairs = [_numbers(part) for part in value]
        return [pair for group in pairs for pair in group]
    numerator, denominator = getattr(value, "numerator", None), getattr(value, "denominator", None)
    if isinstance(numerator, int) and isinstance(denominator, int):
        return [_ratio(numerator, denominator)]
    return [(float(value), 1e-6)] if isinstance(value, int | float) else []


def _written(part: str) -> tuple[float, float]:
    try:
        if "/" in part:
            numerator, denominator = part.split("/", 1)
            return _ratio(int(numerator), int(denominator))
        return float(part), 10.0 ** -len(part.partition(".")[2])
    except (ValueError, OverflowError):
        return math.inf, 1.0


def _ratio(numerator: int, denominator: int) -> tuple[float, float]:
    if denominator == 0:
        return (math.nan if numerator == 0 else math.inf), 1.0
    # Some writers reduce their fractions: a half of a minute was one digit, or two, not a step of 30 seconds.
    return numerator / denominator, 10.0 ** -math.ceil(math.log10(abs(denominator)))


def _between(value: object, low: float, high: float) -> float | None:
    numbers = _numbers(value)
    if len(numbers) != 1 or not low <= numbers[0][0] <= high:
        return None
    return numbers[0][0]


def _shown(value: object) -> str:
    """The beginning of a value, quoted where it is a text: strangers wrote it."""
    if isinstance(value, tuple | list | str | bytes):
        value = value[:60]
    return (repr(value) if isinstance(value, str) else str(value))[:60]
