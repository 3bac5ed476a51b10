"""Polygons of countries and divisions from GeoJSON: unite by code, simplify without opening gaps, pack."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geosleuth.indexes.polygons import SCALE, save_areas
from geosleuth.training.regions.facts import CountryCoder, Feature

logger = logging.getLogger(__name__)

# Visvalingam-Whyatt on the shared edges of the coverage: the square root of the smallest triangle kept, in degrees.
SIMPLIFY = 0.007  # 0.8 km at the equator, near what 1:10 million can show (0.5 km); 0.004 gives 3.5 MB
DIVISION_SCALE = 10_000  # steps per degree; 11 m, far below the above

# country-coder draws Western Sahara as what Morocco does not hold. ISO 3166-1 and GeoNames mean the whole, south of the
# parallel 27 40 N (Franco-Spanish convention of 1912).
SAHARA_BORDER = 27.0 + 40.0 / 60.0

# Natural Earth marks codes of its own with "~". Where ISO 3166-2 has the division, this is its code.
ISO_DIVISIONS = {
    "BA-X01~": "BA-SRP", "BA-X02~": "BA-SRP", "BA-X03~": "BA-SRP", "BA-X04~": "BA-SRP", "BA-X05~": "BA-SRP",
    "BA-X06~": "BA-SRP", "BA-X07~": "BA-SRP", "LR-X1~": "LR-GP", "LR-X2~": "LR-RG",
}  # fmt: skip
UNITED_NAMES = {"BA-SRP": "Republika Srpska", "BA-BIH": "Federation of Bosnia and Herzegovina"}


def country_geometries(coder: CountryCoder) -> dict[str, Any]:
    """Unite country-coder's polygons by ISO code."""
    import shapely
    from shapely.geometry import shape

    parts: dict[str, list[Any]] = defaultdict(list)
    for feature in coder.features:
        code = coder.code(feature)
        if feature.get("geometry") and code is not None:  # no code: Bir Tawil, which nobody claims
            parts[code].append(shapely.make_valid(shape(feature["geometry"])))
    united = {code: shapely.unary_union(parts[code]) for code in sorted(parts)}
    sahara = shapely.intersection(united["MA"], shapely.box(-180.0, -90.0, 180.0, SAHARA_BORDER))
    united["EH"] = shapely.unary_union([united["EH"], sahara])
    united["MA"] = shapely.difference(united["MA"], sahara)
    return united


def division_geometries(features: list[Feature], countries: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Map ISO 3166-2 codes to (name, geometry), simplified as one coverage.

    A division that lies wholly in another country than its code says (US-PR, FR-GF: territories with an ISO code of
    their own) is that country, and no division.
    """
    import shapely
    from shapely.geometry import shape

    whole = shapely.coverage_simplify([shapely.make_valid(shape(f["geometry"])) for f in features], SIMPLIFY)
    members: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    for feature, geometry in zip(features, whole, strict=True):
        properties = feature["properties"]
        code = ISO_DIVISIONS.get(properties["iso_3166_2"], properties["iso_3166_2"])
        home = countries.get(code[:2])
        if not re.fullmatch(r"[A-Z]{2}-[A-Z0-9]{1,3}", code) or home is None:
            continue
        if not shapely.intersects(home, geometry):
            logger.info("%s (%s) lies outside %s: left out", code, properties.get("name"), code[:2])
            continue
        members[code].append((properties.get("name") or code, _polygonal(geometry)))
    return {code: _united(code, rows) for code, rows in sorted(members.items())}


def _united(code: str, rows: list[tuple[str, Any]]) -> tuple[str, Any]:
    """Unite the polygons of one code; it is named as its largest part unless the union has a name of its own."""
    import shapely

    name = UNITED_NAMES.get(code) or max(rows, key=lambda row: float(row[1].area))[0]
    return name, _polygonal(shapely.unary_union([geometry for _, geometry in rows]))


def _polygonal(geometry: Any) -> Any:
    """Keep the polygons of a geometry: validating may leave lines behind."""
    import shapely

    parts = shapely.get_parts(shapely.make_valid(geometry))
    kept = np.concatenate([shapely.get_parts(part) for part in parts if part.geom_type.endswith("Polygon")])
    return shapely.multipolygons(kept)


def write_polygons(coder: CountryCoder, divisions: list[Feature], names: Mapping[str, str], out: Path) -> None:
    """Write countries.npz and divisions.npz."""
    countries = country_geometries(coder)
    save_areas(out / "countries.npz", list(countries), [names[c] for c in countries], list(countries.values()), SCALE)
    found = division_geometries(divisions, countries)
    rows = list(found.values())
    save_areas(out / "divisions.npz", list(found), [row[0] for row in rows], [row[1] for row in rows], DIVISION_SCALE)
    logger.info("%d countries, %d divisions", len(countries), len(found))
