"""What each answered street view comes to: the row that figures are made of, and that report.json keeps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from math import cos, floor, inf, isfinite, radians
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.countries import country
from geosleuth.indexes.gazetteer import load_gazetteer
from geosleuth.indexes.geodesy import LatLon, geodesic_km
from geosleuth.indexes.place_keys import normalise_name
from geosleuth.tools.city_points import city_points

if TYPE_CHECKING:
    from geosleuth.training.evaluate.vlm.prior import AskedViews, PriorAnswer
    from geosleuth.training.georeasoner.street_views import StreetView

# Of UN M49: the world, continents, and the groups between them and subregions (North America, Sub-Saharan Africa, Latin
# America); what else a country's row names is its subregion.
_WIDER = frozenset({"001", "002", "003", "009", "019", "142", "150", "202", "419"})
_EASTERN_EUROPE = "151"  # M49's of Russia, of which the table names Asia alone
_CELL_DEG = 0.09  # 10 km of latitude: a town, or a district of a large city
_SET = 0.9  # of the model's probability: the set of countries that held-out ones are sought in


class PriorRow(BaseModel):
    """One view and its answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str
    """Folder and name of the picture."""
    photo: str
    """Its SHA-256."""
    place: str
    """Of `place_of`: views of one city share their style, their signs and their weather."""
    truth: str | None
    true_city: str | None
    locatability: float | None
    readable: bool
    """The reply held an answer, be it "unknown"."""
    answered: bool
    """It names a country, be it one that there is not."""
    country: str | None
    """That the reply names; None also where there is no such country."""
    city: str | None
    city_right: bool
    error_km: float | None
    """To the photo from the position in the reply, else the city named, else the country's largest place."""
    placed_by: str | None
    """position, city or country: what the error is measured from; None where it names nothing that is known."""
    top: str | None
    """The likeliest country by its probability; None where there are no probabilities."""
    top_share: float | None
    set_size: int | None
    """Countries that hold 90 % of the probability on countries."""
    in_set: bool | None
    """The true country is among them."""
    region_in_set: bool | None
    """A country of the same UN subregion is."""
    named_km: float | None = None
    """From the photo to the border of the country named, 0 inside; of held-out countries only."""
    seen_km: float | None = None
    """From the photo to the nearest country that was seen in training; likewise."""
    held_out: bool = False


def prior_rows(asked: AskedViews, seen_countries: Collection[str] | None = None) -> list[PriorRow]:
    """Judge every answer.

    Args:
        asked: What was answered.
        seen_countries: Codes of the countries of the training set; the others are held out.
    """
    rows = []
    for view, answer, photo in zip(asked.views, asked.answers, asked.photos, strict=True):
        held_out = seen_countries is not None and view.country is not None and view.country not in seen_countries
        row = _row(view, answer, photo)
        if held_out and seen_countries:
            here = LatLon(view.lat, view.lon)
            named = inf if row.country is None else km_to_country(here, row.country)
            nearest = min(km_to_country(here, code) for code in seen_countries)
            km = {"named_km": _finite(named), "seen_km": _finite(nearest)}
            row = row.model_copy(update={"held_out": True, **km})
        rows.append(row)
    return rows


def _row(view: StreetView, answer: PriorAnswer | None, photo: str) -> PriorRow:
    reply = answer.reply if answer else None
    code, city = (reply.country_code, reply.city_name) if reply else (None, None)
    point, placed_by = (reply.position, "position") if reply and reply.position else position_of(code, city)
    error = geodesic_km(point, LatLon(view.lat, view.lon)) if point else inf
    return PriorRow(
        item=item_of(view),
        photo=photo,
        place=place_of(view),
        truth=view.country,
        true_city=view.city,
        locatability=view.locatability,
        readable=reply is not None,
        answered=reply is not None and not reply.is_silent,
        country=code,
        city=city,
        city_right=same_city(city, code, view.city, view.country),
        error_km=_finite(error),
        placed_by=placed_by,
        **_from_shares(answer.shares if answer else None, view.country),
    )


def item_of(view: StreetView) -> str:
    """Name a view by its picture's folder and name."""
    return "/".join(view.path.parts[-2:])


def place_of(view: StreetView) -> str:
    """What views are drawn by, since views of one city are no independent witnesses: the city, or a cell of 10 km."""
    city = normalise_name(view.city.partition(",")[0]) if view.city else ""
    if city:
        return f"{view.country or ''}/{city}"
    row = floor(view.lat / _CELL_DEG)
    # Cells are as wide as they are high: of a degree of longitude there is less towards the poles.
    column = floor(view.lon * cos(radians((row + 0.5) * _CELL_DEG)) / _CELL_DEG)
    return f"cell {row},{column}"


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def position_of(code: str | None, city: str | None) -> tuple[LatLon | None, str | None]:
    """Where an answer says the photo was taken, and by what: the likeliest place of the city's name, or the country's.

    A country alone stands for its largest place: half of all street views are nearer to one than to a middle of the
    map, which lies in a forest or in the sea.
    """
    if city:
        points = city_points(city, code)
        if points:
            best = max(points, key=lambda point: point.share)
            return LatLon(best.lat, best.lon), "city"
    if code and (largest := _largest_place(code)):
        return largest, "country"
    return None, None


@lru_cache(maxsize=256)
def _largest_place(code: str) -> LatLon | None:
    """Rows of the gazetteer are in descending order of population."""
    gazetteer = load_gazetteer()
    if code not in gazetteer.country_codes:
        return None
    rows = np.flatnonzero(np.asarray(gazetteer.country) == gazetteer.country_codes.index(code))
    return gazetteer.place(int(rows[0])).position if len(rows) else None


def same_city(city: str | None, code: str | None, true_city: str | None, true_code: str | None) -> bool:
    """Whether two names mean one city: the same letters, or names of one place of the gazetteer ("Munich", "München").

    A city of the same name in another country is another one, unless no country was named.
    """
    if not city or not true_city or (code and true_code and code != true_code):
        return False
    head, true_head = (normalise_name(one.partition(",")[0]) for one in (city, true_city))
    if head and head == true_head:
        return True
    return bool(_bearers(head, true_code) & _bearers(true_head, true_code))


@lru_cache(maxsize=4096)
def _bearers(name: str, code: str | None) -> frozenset[int]:
    """The most populous place of a name in a country: a village of that name elsewhere in it makes no city equal."""
    found = [m.place for m in load_gazetteer().lookup(name) if code is None or m.place.country == code] if name else []
    return frozenset({max(found, key=lambda place: (place.population, -place.id)).id} if found else ())


def _from_shares(shares: Mapping[str, float] | None, truth: str | None) -> dict[str, Any]:
    if not shares:
        return dict.fromkeys(("top", "top_share", "set_size", "in_set", "region_in_set"))
    top = max(shares, key=lambda code: (shares[code], code))
    held = smallest_set(shares)
    region = region_of(truth)
    return {
        "top": top,
        "top_share": shares[top],
        "set_size": len(held),
        "in_set": truth in held,
        "region_in_set": region is not None and region in {region_of(code) for code in held},
    }


def smallest_set(shares: Mapping[str, float], wanted: float = _SET) -> list[str]:
    """The fewest countries that hold so much of the probability that is on countries at all."""
    total, reached, held = sum(shares.values()), 0.0, []
    for code, value in sorted(shares.items(), key=lambda pair: (-pair[1], pair[0])):
        held.append(code)
        reached += value
        if reached >= wanted * total * (1 - 1e-9):  # sums of rounded shares
            break
    return held


def region_of(code: str | None) -> str | None:
    """The UN subregion (M49) of a country, such as 155 for Western Europe."""
    if code is None:
        return None
    if code == "RU":
        return _EASTERN_EUROPE
    try:
        regions = country(code).regions
    except KeyError:
        return None
    return next((one for one in regions if one not in _WIDER), None)


def km_to_country(point: LatLon, code: str) -> float:
    """Geodesic distance to the nearest point of a country with its coastal waters, 0 inside; infinite for no country.

    That point is sought in degrees whose width is that of the photo's latitude, so far away it may be some percent off.
    """
    import shapely

    shape = _shapes().get(code)
    if shape is None:
        return inf
    squeeze = max(float(np.cos(np.radians(point.lat))), 0.05)  # as regions.nearest bounds it

    def squeezed(xy: Any) -> Any:
        return np.column_stack([xy[:, 0] * squeeze, xy[:, 1]])

    flat = shapely.transform(shape, squeezed)
    best = inf
    for turn in (-360.0, 0.0, 360.0):  # across the date line
        line = shapely.shortest_line(shapely.Point((point.lon + turn) * squeeze, point.lat), flat)
        lon, lat = shapely.get_coordinates(shapely.get_point(line, 1))[0]
        best = min(best, geodesic_km(point, LatLon(float(lat), float(lon) / squeeze)))
    return best


@lru_cache(maxsize=1)
def _shapes() -> dict[str, Any]:
    from geosleuth.indexes.regions import load_countries

    frame = load_countries()
    return dict(zip(frame["code"], frame.geometry, strict=True))
