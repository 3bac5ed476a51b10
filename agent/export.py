"""An answer as GeoJSON (RFC 7946), KML (OGC 12-007r2), CSV (RFC 4180) or GeoParquet 1.1.

GeoJSON and KML have one answer's point, credible regions and compared references; CSV and GeoParquet a row per answer.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geosleuth.agent.answer_row import COLUMNS as COLUMNS
from geosleuth.agent.answer_row import answer_row as answer_row
from geosleuth.agent.answer_row import failure_row as failure_row
from geosleuth.agent.figures import bits
from geosleuth.agent.localization import ComparedReference, Geometry, Localization, WeighedEvidence
from geosleuth.agent.printable import printable, printable_json
from geosleuth.indexes.whole_file import appearing

if TYPE_CHECKING:
    import simplekml
    from geopandas import GeoDataFrame

CAVEAT = "A hypothesis with a probability, not a finding: check the evidence before acting on it."
_DTYPES = {str: "string", float: "float64", int: "Int64"}  # so that a column of nothing has a type, too
# Where a formula begins: at a cell's beginning, or behind a semicolon, which separates cells for spreadsheets of
# countries that write a comma in numbers, and for which a quote behind it opens a cell. Tabs and line ends are visible
# escapes by then.
_FORMULA = re.compile(r"((?:^|;)[ \"]*)(?=[=+\-@＝＋－＠]|\\[trn])")
_CITY_PROBABILITY = 0.5  # of being within 25 km: below, another place is as likely, and a name would mislead
ATTRIBUTION = "geosleuth; places GeoNames (CC BY 4.0), boundaries OpenStreetMap country-coder (ISC) and Natural Earth"


def to_geojson(answer: Localization) -> str:
    """Write a FeatureCollection: the regions, the widest first, so that viewers draw the point on top."""
    features = [_region_feature(answer, feature) for feature in reversed(answer.regions.features)]
    features += [_reference_feature(one) for one in reversed(answer.candidates)]
    if answer.point is not None:
        point = {"type": "Point", "coordinates": [answer.point.lon, answer.point.lat]}
        features.append({"type": "Feature", "geometry": point, "properties": {"kind": "point"} | _facts(answer)})
    collection = {"type": "FeatureCollection", "features": features, "geosleuth": _facts(answer)}
    return printable_json(json.dumps(collection, ensure_ascii=False)) + "\n"


def to_kml(answer: Localization) -> str:
    """Write a KML document with the point and the regions; polygons are cut at the date line already."""
    import simplekml

    document = simplekml.Kml(name=_xml(f"geosleuth: {answer.photo.name}"), description="\n".join(_lines(answer)))
    for feature in reversed(answer.regions.features):
        share = f"{feature.properties.share:.0%}"
        shape = document.newmultigeometry(name=f"{share} region ({feature.properties.area_km2:,.0f} km²)")
        for rings in _polygons(feature.geometry):
            shape.newpolygon(outerboundaryis=rings[0], innerboundaryis=rings[1:])
        _paint(shape, feature.properties.share)
    for one in reversed(answer.candidates):
        words = "\n".join(_html(f"{name}: {fact}") for name, fact in _reference_facts(one).items())
        document.newpoint(name=f"{_verdict(one)}: reference {one.rank}", coords=[(one.lon, one.lat)], description=words)
    if answer.point is not None:
        document.newpoint(
            name=_xml(place_name(answer)),
            coords=[(answer.point.lon, answer.point.lat)],
            description="\n".join(_lines(answer)),
        )
    return str(document.kml())


def to_csv(answers: Localization | Iterable[Localization]) -> str:
    """Write a header and one row per answer, lines ended by CR LF.

    Text that a spreadsheet would compute ("=HYPERLINK(...)" on a sign) is marked as text by an apostrophe. There is no
    byte order mark; whoever writes a file for Excel encodes as "utf-8-sig".
    """
    return rows_to_csv(answer_row(answer) for answer in _several(answers))


def rows_to_csv(rows: Iterable[dict[str, Any]]) -> str:
    """As `to_csv`, of rows that `answer_row` or `failure_row` made."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(COLUMNS), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({column: _cell(value) for column, value in row.items()} for row in rows)
    return stream.getvalue()


def to_geodataframe(answers: Localization | Iterable[Localization]) -> GeoDataFrame:
    """One row per answer: `COLUMNS`, the point as geometry, and both regions, WGS 84; None where there is none."""
    import geopandas

    listed = _several(answers)
    frame = rows_to_geodataframe(answer_row(one) for one in listed)
    for column, share in (("region_50", 0.5), ("region_90", 0.9)):
        shapes = [_shape(one, share) for one in listed]
        frame[column] = geopandas.GeoSeries(shapes, crs="EPSG:4326", index=frame.index)
    return frame


def rows_to_geodataframe(rows: Iterable[dict[str, Any]]) -> GeoDataFrame:
    """Put rows that `answer_row` or `failure_row` made into a table, their points as its geometry; no point is None."""
    import geopandas
    import pandas
    import shapely

    types = {name: _DTYPES[kind] for name, kind in COLUMNS.items()}
    table = pandas.DataFrame(list(rows), columns=list(COLUMNS)).astype(types)
    points = shapely.points(table["lon"].to_numpy(), table["lat"].to_numpy())
    points[table["lat"].isna().to_numpy()] = None
    return geopandas.GeoDataFrame(table, geometry=points, crs="EPSG:4326")


def to_geoparquet(answers: Localization | Iterable[Localization], path: str | Path) -> None:
    """Write `to_geodataframe` as GeoParquet 1.1; the file is there whole or not at all."""
    with appearing(Path(path)) as scratch:
        to_geodataframe(answers).to_parquet(scratch, schema_version="1.1.0", index=False)


def _several(answers: Localization | Iterable[Localization]) -> list[Localization]:
    return [answers] if isinstance(answers, Localization) else list(answers)


def _shape(answer: Localization, share: float) -> Any:
    import shapely

    for feature in answer.regions.features:
        if feature.properties.share == share:
            return shapely.MultiPolygon([(rings[0], rings[1:]) for rings in _polygons(feature.geometry)])
    return None


def _cell(value: Any) -> Any:
    """Guard against formulas, as OWASP's "CSV Injection" lists their beginnings; numbers are no text."""
    return _FORMULA.sub(r"\1'", printable(value)) if isinstance(value, str) else value


def place_name(answer: Localization) -> str:
    """Name the place in words: the city only where most of the belief is near it, and "perhaps" where it is coarse."""
    if answer.country is None:
        return "No place"
    city = answer.city if answer.city and answer.city.probability >= _CITY_PROBABILITY else None
    name = f"{city.name}, {answer.country.name}" if city else answer.country.name
    return f"Perhaps {name}" if answer.status == "coarse" else name


def _paint(shape: simplekml.MultiGeometry, share: float) -> None:
    colour = "d97706" if share <= 0.5 else "2563eb"  # amber inside blue: told apart by the colour-blind too
    blue, green, red = colour[4:], colour[2:4], colour[:2]  # KML writes alpha, blue, green, red
    shape.style.polystyle.color = f"40{blue}{green}{red}"
    shape.style.linestyle.color = f"ff{blue}{green}{red}"
    shape.style.linestyle.width = 2


def _polygons(geometry: Geometry) -> Iterator[list[list[tuple[float, float]]]]:
    """Yield each polygon as its rings, the outer one first."""
    for polygon in [geometry.coordinates] if geometry.type == "Polygon" else geometry.coordinates:
        yield [[(float(lon), float(lat)) for lon, lat, *_ in ring] for ring in polygon]


def _region_feature(answer: Localization, feature: Any) -> dict[str, Any]:
    written: dict[str, Any] = feature.model_dump(mode="json")
    written["properties"] = {"kind": "region"} | written["properties"] | {"status": answer.status}
    return written


def _verdict(one: ComparedReference) -> str:
    return one.verification.verdict if one.verification else "not_verified"


def _reference_feature(one: ComparedReference) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [one.lon, one.lat]}
    return {"type": "Feature", "geometry": point, "properties": {"kind": "reference"} | _reference_facts(one)}


def _reference_facts(one: ComparedReference) -> dict[str, Any]:
    return {
        "verdict": _verdict(one),
        "why": one.verification.reason if one.verification else "nobody compared its features",
        "model_says": one.judgement.reason if one.judgement else None,
        "rank": one.rank,
        "uri": one.uri,
        "view": one.view,
        "similarity": round(one.similarity, 4),
        "distance_km": None if one.distance_km is None else round(one.distance_km, 4),
        "licence": one.licence,
    }


def _facts(answer: Localization) -> dict[str, Any]:
    return {
        "status": answer.status,
        "reason": answer.reason,
        "radius_km": answer.radius_km,
        "country": answer.country.model_dump() if answer.country else None,
        "city": answer.city.name if answer.city else None,
        "photo": answer.photo.name,
        "sha256": answer.photo.sha256,
        "precision_cap_km": answer.precision_cap_km,
        "version": answer.version,
        "caveat": CAVEAT,
        "attribution": ATTRIBUTION,
    }


def _lines(answer: Localization) -> list[str]:
    country = f"{answer.country.name} {min(answer.country.probability, 0.999):.1%}" if answer.country else "no country"
    radius = f", half of the belief within {answer.radius_km:,.0f} km" if answer.radius_km is not None else ""
    claims = [f"{_bits(item)}: {item.claim}" for item in answer.evidence]
    return list(map(_html, [f"Status: {answer.status}. {country}{radius}.", *claims, CAVEAT, ATTRIBUTION]))


def _html(text: str) -> str:
    """Viewers show a description as HTML: a sign's text must not become markup there."""
    return escape(printable(text), quote=False)


def _xml(text: str) -> str:
    """XML has no control characters, and simplekml escapes all but where raw text begins: a file's name may hold both.

    Behind such a section it would take the rest for KML, which can name addresses that a viewer fetches.
    """
    return printable(text).replace("<![CDATA[", "<! [CDATA[")


def _bits(item: WeighedEvidence) -> str:
    return "left out by the investigator" if item.left_out else bits(item.contribution_bits)
