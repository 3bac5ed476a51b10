"""The metadata tool: position, time and traces that a photo's file carries beside the picture."""

from __future__ import annotations

import math
import re
import time

from geosleuth.indexes.exif import Exif, parse_exif
from geosleuth.indexes.geodesy import LatLon, distance_km
from geosleuth.indexes.gps import GpsFix
from geosleuth.indexes.photo import Photo
from geosleuth.indexes.time_zones import offset_shares
from geosleuth.tools.evidence import Evidence, Likelihood, NearPlace, NearPoints, Nothing, OverRegions, Support
from geosleuth.tools.positions import density_ratio, photos_per_km2

# How often a position in a file is not where the photo was taken: files re-saved with another's block, places set by
# hand, spoofed on purpose. Judgements: no count of them is published that fits all photos.
_WRONG = 0.005
_WRONG_IF_CONTRADICTED = 0.20  # time zone and position, or EXIF and XMP, cannot both be right: one was altered
# Spread of the position, in metres per axis.
_SPREAD_M = 30.0  # where the file says nothing: phones err by 5 to 15 m, in street canyons and from old fixes by more
_SPREAD_BY_METHOD_M = {"NETWORK": 100.0, "WLAN": 100.0, "CELLID": 1000.0, "MANUAL": 100.0}  # Wi-Fi, masts, a map click
_SPREAD_VOID_M = 2000.0  # the receiver repeats its last fix: minutes of walking or driving
_MIN_SPREAD_M = 10.0  # no consumer's receiver is better, whatever it claims
_METRES_PER_DOP = 5.0  # user equivalent range error of a civil receiver, about 5 m (GPS SPS performance standard)
_R68 = 1.51  # the radius that holds 68 % of a round Gaussian, in spreads: sqrt(-2 ln 0.32); what phones report

# P(the offset is read | the place has it), (… | the place is an hour off), (… | elsewhere). Judgements: phones set the
# zone by themselves and keep it abroad when they have no network; cameras are set by hand, and stay on winter time or
# at home. Wrong offsets are those of populous zones, so "elsewhere" is a quarter of all errors, not a 24th.
_OFFSET_ODDS = {"tag": (0.90, 0.04, 0.015), "satellite clock": (0.80, 0.10, 0.025)}
_UTC_ELSEWHERE = 0.10  # "+00:00" is also what software writes when it knows no zone
# Clock time runs at most about 3.3 h ahead of the sun (west China) and 2 h behind it, summer time included.
_MAX_HOURS_FROM_SUN = 4.0

_EDITORS = re.compile(  # programs that alter pictures, as they name themselves in EXIF's Software
    r"photoshop|lightroom|gimp|snapseed|picsart|affinity|pixelmator|paint|darktable|rawtherapee|fireworks|imagemagick"
    r"|canva|faceapp|facetune|capture one|acdsee|firefly|midjourney|dall|stable diffusion",
    re.IGNORECASE,
)


def read_metadata(photo: Photo) -> list[Evidence]:
    """Read position, time, camera and editing traces from a photo's EXIF and XMP; use it first on every photo."""
    started = time.perf_counter()
    exif = parse_exif(photo.exif, photo.xmp)
    found = [_gps(exif), _time(exif), _camera(exif), _integrity(exif, photo.has_content_credentials), _texts(exif)]
    evidence = [item for item in found if item is not None]
    seconds = (time.perf_counter() - started) / len(evidence)
    return [item.model_copy(update={"seconds": seconds}) for item in evidence]


def _evidence(kind: str, claim: str, likelihood: Likelihood, **support: str | None) -> Evidence:
    shown = (Support.model_validate(support),) if support else ()
    return Evidence(tool="metadata", type=f"metadata.{kind}", claim=claim, likelihood=likelihood, support=shown)


def _gps(exif: Exif) -> Evidence:
    if exif.position is None:
        reason = exif.no_position_reason or "no position"
        return _evidence("gps", f"No position in the metadata: {reason}.", Nothing(reason=reason))
    spread_km = spread_m(exif.fix) / 1000.0
    contradiction = _contradiction(exif)
    places = [exif.position]
    if exif.xmp_position and _apart_km(exif.position, exif.xmp_position) > 1.0:
        places.append(exif.xmp_position)
    wrong = _WRONG_IF_CONTRADICTED if contradiction else _WRONG
    weights = [density_ratio(spread_km, wrong, photos_per_km2(p)) / len(places) for p in places]
    near = tuple(
        NearPlace(lat=p.lat, lon=p.lon, spread_km=spread_km, weight=weight)
        for p, weight in zip(places, weights, strict=True)
    )
    source = "EXIF" if exif.fix else "XMP"
    claim = f"The file's {source} places it at {exif.position.lat:.5f}, {exif.position.lon:.5f}"
    claim += f" (within about {_length(2 * spread_km)})"
    if exif.heading_deg is not None:
        claim += f", facing {exif.heading_deg:.0f}° from {exif.heading_north} north"
    claim += f". Contradiction: {contradiction}." if contradiction else "."
    rule = f"Gaussian of {1000 * spread_km:.0f} m against {wrong:.1%} wrong positions, which lie where photos are taken"
    return _evidence("gps", claim, NearPoints(places=near, floor=1.0), rule=rule, source=f"{source} of the file")


def _length(km: float) -> str:
    return f"{1000 * km:.0f} m" if km < 1 else f"{km:.1f} km" if km < 10 else f"{km:.0f} km"


def spread_m(fix: GpsFix | None) -> float:
    """Standard deviation per axis in metres, from what the file says of its accuracy; None for XMP's position."""
    if fix is None:
        return _SPREAD_M
    if fix.error_m is not None:
        spread = fix.error_m / _R68
    elif fix.method in _SPREAD_BY_METHOD_M:
        spread = _SPREAD_BY_METHOD_M[fix.method]
    elif fix.dop is not None:
        spread = fix.dop * _METRES_PER_DOP
    else:
        spread = _SPREAD_M
    if fix.void:
        spread = max(spread, _SPREAD_VOID_M)
    return max(_MIN_SPREAD_M, math.hypot(spread, fix.step_m / 2))  # half a step: some writers round, others cut off


def _contradiction(exif: Exif) -> str | None:
    """What in the file cannot be true together with its position."""
    if exif.position is None:
        return None
    if exif.xmp_position and (apart := _apart_km(exif.position, exif.xmp_position)) > 1.0:
        return f"its XMP names a place {apart:.0f} km away"
    if exif.offset_minutes is not None:
        hours = exif.offset_minutes / 60.0 - exif.position.lon / 15.0
        if abs((hours + 12.0) % 24.0 - 12.0) > _MAX_HOURS_FROM_SUN:  # 24 h apart is the other side of the date line
            return f"its clock was set to {_utc_name(exif.offset_minutes)}, which is far from the sun's time there"
    return None


def _time(exif: Exif) -> Evidence | None:
    """Countries whose clocks had the photo's offset; nothing is said where the file has no offset."""
    if exif.offset_minutes is None or exif.offset_source is None or exif.taken_at is None:
        return None
    here, hour_off, elsewhere = _OFFSET_ODDS[exif.offset_source]
    if exif.offset_minutes == 0 and exif.offset_source == "tag":
        elsewhere = _UTC_ELSEWHERE
        hour_off = max(hour_off, elsewhere)
    odds = {0: here, 60: hour_off}
    ratios = {}
    for country, shares in offset_shares(exif.taken_at).items():
        near = [
            (share, odds[abs(offset - exif.offset_minutes)])
            for offset, share in shares.items()
            if abs(offset - exif.offset_minutes) in odds
        ]
        chance = sum(share * p for share, p in near) + elsewhere * (1.0 - sum(share for share, _ in near))
        ratio = math.log(chance / elsewhere)
        if abs(ratio) > 1e-3:  # below, the rounding of the shares
            ratios[country] = ratio
    name = _utc_name(exif.offset_minutes)
    origin = "its time tag says so" if exif.offset_source == "tag" else "its clock against the satellites'"
    claim = f"The clock was at {name} when it was taken, {exif.taken_at:%Y-%m-%d %H:%M} local time ({origin})."
    rule = f"countries by the share of people with {name} on that day"
    return _evidence("time", claim, OverRegions(log_ratios=ratios), rule=rule, source="IANA time zones, GeoNames")


def _camera(exif: Exif) -> Evidence | None:
    parts = [f"camera {exif.camera}"] if exif.camera else []
    parts += [f"taken {exif.taken_at:%Y-%m-%d %H:%M:%S} by its own clock"] if exif.taken_at else []
    parts += [f"software {exif.software}"] if exif.software else []
    if not parts:
        return None
    claim = "The file names: " + ", ".join(parts) + "."
    return _evidence("camera", claim, Nothing(reason="camera, clock and software tell nothing of the place"))


def _integrity(exif: Exif, has_content_credentials: bool) -> Evidence | None:
    parts = []
    if has_content_credentials:
        parts.append("content credentials (C2PA) are present, not verified")
    if exif.synthetic:
        parts.append("it declares itself made by a generative model")
    editors = list(exif.editors) or ([exif.software] if exif.software and _EDITORS.search(exif.software) else [])
    if editors:
        parts.append("saved by an editor: " + ", ".join(editors[:5]))
    if not parts:
        return None
    claim = "Of the file's integrity: " + "; ".join(parts) + "."
    return _evidence("integrity", claim, Nothing(reason="traces of handling tell nothing of the place"))


def _texts(exif: Exif) -> Evidence | None:
    if not exif.texts:
        return None
    claim = "Written into the file: " + "; ".join(f"{name} {text!r}" for name, text in exif.texts.items()) + "."
    reason = "text in metadata is quoted for people, not interpreted"
    return _evidence("text", claim, Nothing(reason=reason), text=" | ".join(exif.texts.values()))


def _apart_km(a: LatLon, b: LatLon) -> float:
    return float(distance_km(a.lat, a.lon, b.lat, b.lon))


def _utc_name(minutes: int) -> str:
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
