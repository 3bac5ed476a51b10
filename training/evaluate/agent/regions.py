"""The region of the world that a photo is of: UN M49's, with the Americas in two, for their streets share little."""

from __future__ import annotations

from collections.abc import Sequence

from geosleuth.indexes.countries import country
from geosleuth.training.evaluate.agent.scored import Scored

# UN M49 by name; the first that a country is of counts. Its subregions (22) would hold a handful of photos each.
WORLD = {
    "002": "Africa",
    "419": "Latin America and the Caribbean",
    "021": "Northern America",
    "142": "Asia",
    "150": "Europe",
    "009": "Oceania",
}
OF_NO_REGION = "no region"  # Antarctica, and photos without a country
_M49 = {"RU": "150"}  # where the countries' table names Asia alone; M49 counts Russia to Eastern Europe


def region_of_world(code: str | None) -> str:
    """Name the region of a country by its ISO 3166-1 alpha-2 code."""
    if code is None:
        return OF_NO_REGION
    try:
        regions = (_M49[code],) if code in _M49 else country(code).regions
    except KeyError:
        return OF_NO_REGION
    return next((name for number, name in WORLD.items() if number in regions), OF_NO_REGION)


def by_region(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Rows by the region of their true country; regions without a row are left out."""
    found: dict[str, list[Scored]] = {name: [] for name in (*WORLD.values(), OF_NO_REGION)}
    for row in scored:
        found[region_of_world(row.truth.country)].append(row)
    return {name: rows for name, rows in found.items() if rows}
