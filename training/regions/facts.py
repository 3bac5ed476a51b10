"""Facts and names of countries, from country-coder, GeoNames and CLDR, as small JSON tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from geosleuth.indexes.countries import name_key

Feature = Mapping[str, Any]

HISTORIC = {"AN", "CS"}  # GeoNames keeps the Netherlands Antilles and Serbia and Montenegro, both dissolved

# Areas that ISO 3166-1 gives no code of their own and that country-coder gives to nobody, or otherwise than
# ISO 3166-2 and GeoNames. The gazetteer uses GeoNames, so a place and its polygon must agree.
ISO_ASSIGNMENTS = {
    "Crimea": "UA",  # ISO 3166-2 lists UA-43 and UA-40; UN General Assembly resolution 68/262
    "Northern Cyprus": "CY",  # ISO 3166-1 has no code for it; GeoNames and ISO 3166-2 list its districts under CY
}


# Everyday names that CLDR gives only as variants, which babel leaves out.
CUSTOMARY_NAMES = {
    "Macedonia": "MK", "DR Congo": "CD", "Democratic Republic of the Congo": "CD", "Republic of the Congo": "CG",
    "Great Britain": "GB", "Britain": "GB", "America": "US", "South Korea": "KR", "North Korea": "KP",
    "Emirates": "AE", "Ceuta": "ES", "Melilla": "ES", "ประเทศไทย": "TH", "臺灣": "TW", "香港": "HK", "澳門": "MO",
}  # fmt: skip


class CountryCoder:
    """The features of country-coder's borders.json, with its inheritance of properties through groups."""

    def __init__(self, features: list[Feature], iso_codes: set[str]) -> None:
        self.features = features
        self._iso_codes = iso_codes
        self._by_id: dict[str, Feature] = {}
        for feature in features:
            for key in ("wikidata", "iso1A2", "m49"):
                if value := feature["properties"].get(key):
                    self._by_id[value] = feature

    def code(self, feature: Feature) -> str | None:
        """ISO 3166-1 alpha-2 of a feature: its own, else that of the territory it belongs to, else its country's."""
        properties = feature["properties"]
        if (assigned := ISO_ASSIGNMENTS.get(properties["nameEn"])) is not None:
            return assigned
        if properties.get("iso1A2") in self._iso_codes:
            return str(properties["iso1A2"])
        for group in self._groups(feature):
            if group.get("iso1A2") in self._iso_codes and group.get("country"):  # a territory: Bonaire is BQ, not NL
                return str(group["iso1A2"])
        country = properties.get("country")
        return str(country) if country else None

    def _groups(self, feature: Feature) -> list[Mapping[str, Any]]:
        ids = feature["properties"].get("groups", [])
        return [self._by_id[name]["properties"] for name in ids if name in self._by_id]

    def fact(self, feature: Feature, key: str, otherwise: Any) -> Any:
        """A property of the feature or of the first group that has it; country-coder's own default otherwise."""
        for properties in (feature["properties"], *self._groups(feature)):
            if key in properties:
                return properties[key]
        return otherwise

    def regions(self, feature: Feature) -> list[str]:
        """UN M49 codes of the regions that hold the feature."""
        return sorted(group["m49"] for group in self._groups(feature) if "m49" in group)


def country_facts(coder: CountryCoder, geonames: Mapping[str, Feature]) -> dict[str, dict[str, Any]]:
    """One row per ISO 3166-1 code. A country of several polygons (Spain) has its most frequent value."""
    members: dict[str, list[Feature]] = defaultdict(list)
    for feature in coder.features:
        code = coder.code(feature)
        if feature.get("geometry") and code is not None:
            members[code].append(feature)
    facts = {}
    for code, features in sorted(members.items()):
        row = geonames[code]

        def usual(key: str, otherwise: str, features: list[Feature] = features) -> str:
            return str(Counter(coder.fact(feature, key, otherwise) for feature in features).most_common(1)[0][0])

        own_feature = next((f for f in coder.features if f["properties"].get("iso1A2") == code), features[0])
        facts[code] = {
            "name": row["name"],
            "iso3": row["iso3"],
            "parent": own_feature["properties"].get("country"),
            "capital": row["capital"],
            "population": row["population"],
            "neighbours": sorted(set(row["neighbours"].split(",")) - HISTORIC - {""}),
            "tld": row["tld"].lstrip(".") or None,
            "postal_regex": _anchored(row["postalcoderegex"]),
            "drive_side": usual("driveSide", "right"),  # the defaults are those of country-coder's loader
            "speed_unit": usual("roadSpeedUnit", "km/h"),
            "height_unit": usual("roadHeightUnit", "m"),
            "regions": _regions_of_largest(coder, features),
        }
    return facts


def _anchored(pattern: str) -> str | None:
    """Make a pattern of GeoNames match whole strings: some have no anchors, or blanks around them."""
    bare = pattern.strip().removeprefix("^").removesuffix("$")
    return f"^(?:{bare})$" if bare else None


def _regions_of_largest(coder: CountryCoder, features: list[Feature]) -> list[str]:
    """Name the regions of a country's largest polygon: the Canary Islands do not put Spain into Africa."""
    from shapely.geometry import shape

    return coder.regions(max(features, key=lambda feature: float(shape(feature["geometry"]).area)))


def country_names(coder: CountryCoder, facts: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Map each normalised name of a country, in CLDR's languages and of country-coder, to its code.

    A name that several countries bear (in different languages) goes to the one that more languages mean by it.
    """
    from babel import Locale, localedata

    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for identifier in localedata.locale_identifiers():
        if len(identifier.split("_")) > 2 or identifier[-2:].isupper():
            continue  # en_GB repeats the names of en; zh_Hant does not repeat those of zh
        for code, name in Locale.parse(identifier).territories.items():
            if code in facts:
                votes[name_key(name)][code] += 1
    for feature in coder.features:
        code = coder.code(feature) or ""
        properties = feature["properties"]
        if code in facts and properties.get("level") != "subcountryGroup":
            for name in (properties["nameEn"], *properties.get("aliases", [])):
                if len(name) > 3 or properties.get("iso1A2") == code:  # short aliases of parts are codes, not names
                    votes[name_key(name)][code] += 1
    for name, code in CUSTOMARY_NAMES.items():
        votes[name_key(name)][code] += 1000
    for code, row in facts.items():
        votes[name_key(str(row["name"]))][code] += 1000  # the English name is not to be voted down
    return {name: counter.most_common(1)[0][0] for name, counter in sorted(votes.items()) if name}
