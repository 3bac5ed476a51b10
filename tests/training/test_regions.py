from geosleuth.indexes.polygons import SCALE, load_areas
from geosleuth.training.regions.facts import CountryCoder, country_facts

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}


def feature(geometry=None, **properties):
    return {"type": "Feature", "properties": properties, "geometry": geometry}


FRANCE = feature(nameEn="France", iso1A2="FR", wikidata="Q142", callingCodes=["33"])
METROPOLE = feature(SQUARE, nameEn="Metropolitan France", iso1A2="FX", country="FR", groups=["150"])
EUROPE = feature(nameEn="Europe", m49="150")
BONAIRE = feature(SQUARE, nameEn="Bonaire", country="NL", groups=["Q27561"], driveSide="left")
CARIBBEAN = feature(nameEn="Caribbean Netherlands", iso1A2="BQ", country="NL", wikidata="Q27561", roadSpeedUnit="mph")
CRIMEA = feature(SQUARE, nameEn="Crimea", country="RU")
NOBODY = feature(SQUARE, nameEn="Bir Tawil")
ALL = [FRANCE, METROPOLE, EUROPE, BONAIRE, CARIBBEAN, CRIMEA, NOBODY]


def test_codes_are_iso_3166_1():
    coder = CountryCoder(ALL, {"FR", "NL", "BQ", "UA", "RU"})
    codes = [coder.code(f) for f in (METROPOLE, BONAIRE, CRIMEA, NOBODY)]
    assert codes == ["FR", "BQ", "UA", None]


def test_facts_are_inherited_from_groups_with_country_coders_defaults():
    coder = CountryCoder(ALL, {"FR", "NL", "BQ", "UA", "RU"})
    row = {"name": "N", "iso3": "NNN", "capital": "C", "population": 1, "neighbours": "BE,AN,", "tld": ".nn",
           "postalcoderegex": "^\\d$ "}  # fmt: skip
    facts = country_facts(coder, dict.fromkeys(["FR", "BQ", "UA"], row))
    assert [facts["BQ"][key] for key in ("drive_side", "speed_unit", "height_unit")] == ["left", "mph", "m"]
    assert [facts["FR"][key] for key in ("drive_side", "speed_unit", "parent")] == ["right", "km/h", None]
    assert facts["FR"]["regions"] == ["150"]
    assert facts["FR"]["neighbours"] == ["BE"]  # AN, the Netherlands Antilles, is no more
    assert facts["FR"]["postal_regex"] == "^(?:\\d)$"


def test_packed_polygons_come_back_on_their_lattice(tmp_path, monkeypatch):
    import shapely

    from geosleuth.indexes import polygons

    hole = shapely.Polygon([(170, -10), (180, -10), (180, 0), (170, 0)], [[(172, -8), (174, -8), (174, -6)]])
    two = shapely.MultiPolygon([hole, shapely.box(-180, -1.00001, -179, 0)])
    (tmp_path / "data").mkdir()
    polygons.save_areas(tmp_path / "data" / "tiny.npz", ["AA", "BB"], ["A", "B"], [two, shapely.box(0, 0, 1, 1)], SCALE)
    monkeypatch.setattr(polygons, "files", lambda _: tmp_path)
    areas = load_areas("tiny")
    assert areas.codes == ("AA", "BB")
    assert areas.owner.tolist() == [0, 0, 1]
    assert areas.polygons[0].equals_exact(hole)
    assert areas.polygons[1].bounds == (-180.0, -1.00001, -179.0, 0.0)
