"""Figures as people read them: km, km², percentages, bits, degrees, seconds."""

from __future__ import annotations

from geosleuth.agent.localization import Localization, Point

STATUS_WORDS = {
    "localized": "Localized",
    "coarse": "Coarse: a direction to look in",
    "not_locatable": "Not locatable",
}
VERDICT_WORDS = {
    "match": "match",
    "no_match": "no match",
    "not_applicable": "other view, cannot be checked",
    "unreadable": "picture unreadable",
    None: "not verified",
}
_MOST, _LEAST = 0.999, 0.001  # no belief is certain: it would print as 100 %, or as 0
_TELLING_BITS = 0.05  # below this a contribution prints as 0.0


def km(distance_km: float) -> str:
    """Return a distance, in metres below 1 km."""
    if distance_km < 1:
        return f"{distance_km * 1000:,.0f} m"
    return f"{distance_km:,.1f} km" if distance_km < 10 else f"{distance_km:,.0f} km"


def area(km2: float) -> str:
    """Return an area; a GPS position's region is a few hundred square metres, in km² it would be 0."""
    if km2 < 0.1:
        return f"{km2 * 1e6:,.0f} m²"
    return f"{km2:,.1f} km²" if km2 < 10 else f"{km2:,.0f} km²"


def percent(probability: float) -> str:
    """Return a probability, never as 100 % and never as 0: nothing here is certain."""
    return "below 0.1%" if probability < _LEAST else f"{min(probability, _MOST):.1%}"


def bits(contribution: float) -> str:
    """Return a contribution with its sign; next to nothing has none."""
    return f"{bare_bits(contribution)} bits"


def bare_bits(contribution: float) -> str:
    """Return the figure alone, for a column that says "Bits"."""
    return f"{contribution:+.1f}" if abs(contribution) >= _TELLING_BITS else "0.0"


def coordinates(point: Point, radius_km: float | None) -> str:
    """Return "lat, lon" with no more decimals than the radius deserves: 0.1 degrees are 11 km."""
    digits = 4 if radius_km is None or radius_km < 1 else 3 if radius_km < 10 else 2 if radius_km < 100 else 1
    digits = 0 if radius_km is not None and radius_km >= 1000 else digits
    return f"{point.lat:.{digits}f}, {point.lon:.{digits}f}"


def photo_name(answer: Localization, index: int | None) -> str:
    """Return which photo that is, in words; None is the investigator, who speaks of the scene."""
    if index is None:
        return "The investigator's words"
    names = [photo.name for photo in answer.photos or (answer.photo,)]
    return f"Photo {index + 1}: {names[index]}" if index < len(names) else f"Photo {index + 1}"
