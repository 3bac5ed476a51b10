"""An answer as one flat row: what CSV, GeoParquet and the results of many photos have in common."""

from __future__ import annotations

import json
from typing import Any

from geosleuth.agent.localization import Localization

# Column -> type, in order; None stands where an answer has no such thing.
COLUMNS: dict[str, type] = {
    "file": str,  # the photo's name without folders, or as whoever asked names it
    "sha256": str,  # of the untouched file
    "status": str,  # localized, coarse, not_locatable; "failed" where there is no answer
    "reason": str,
    "lat": float,  # WGS 84 degrees
    "lon": float,
    "radius_km": float,
    "country_code": str,  # ISO 3166-1 alpha-2
    "country": str,
    "country_probability": float,
    "city": str,
    "city_probability": float,
    "area50_km2": float,
    "area90_km2": float,
    "locatability": float,
    "top_countries": str,  # JSON: {"PT": 0.91, ...}, the most likely first
    "evidence_count": int,  # of findings that say something and count
    "contradictions": int,
    "entropy_bits": float,
    "precision_cap_km": float,
    "seconds": float,
    "version": str,
    "error": str,  # why there is no answer
}


def answer_row(answer: Localization, *, file: str | None = None) -> dict[str, Any]:
    """Return the row of an answer: the keys of `COLUMNS`, in that order."""
    areas = {feature.properties.share: feature.properties.area_km2 for feature in answer.regions.features}
    shares = {row.code: round(row.probability, 6) for row in answer.countries}
    telling = [one for one in answer.evidence if one.likelihood != "nothing" and not one.left_out]
    found = {
        "file": file if file is not None else answer.photo.name,
        "sha256": answer.photo.sha256,
        "status": answer.status,
        "reason": answer.reason,
        "lat": answer.point.lat if answer.point else None,
        "lon": answer.point.lon if answer.point else None,
        "radius_km": answer.radius_km,
        "country_code": answer.country.code if answer.country else None,
        "country": answer.country.name if answer.country else None,
        "country_probability": answer.country.probability if answer.country else None,
        "city": answer.city.name if answer.city else None,
        "city_probability": answer.city.probability if answer.city else None,
        "area50_km2": areas.get(0.5),
        "area90_km2": areas.get(0.9),
        "locatability": answer.locatability.score if answer.locatability else None,
        "top_countries": json.dumps(shares),
        "evidence_count": len(telling),
        "contradictions": len(answer.contradictions),
        "entropy_bits": answer.entropy_bits,
        "precision_cap_km": answer.precision_cap_km,
        "seconds": answer.seconds,
        "version": answer.version,
    }
    return {column: found.get(column) for column in COLUMNS}


def failure_row(file: str, error: str, *, sha256: str | None = None) -> dict[str, Any]:
    """Return the row of a photo that has no answer."""
    found = {"file": file, "sha256": sha256, "status": "failed", "error": error}
    return {column: found.get(column) for column in COLUMNS}
