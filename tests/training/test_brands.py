"""The table of chains is made from the index as its documentation says."""

from geosleuth.training.brands.build import Places, brand_rows

BORDERS = {
    "features": [
        {"properties": {"iso1A2": "DE", "groups": ["EU", "155", "150"]}},
        {"properties": {"iso1A2": "FR", "groups": ["EU", "155", "150"]}},
        {"properties": {"iso1A2": "PL", "groups": ["EU", "151", "150"]}},
    ]
}
SQUARE = [[[[10.0, 50.0], [10.5, 50.0], [10.5, 50.5], [10.0, 50.5], [10.0, 50.0]]]]  # in Thuringia and Franconia
CUSTOM = {"features": [{"id": "de-square.geojson", "geometry": {"type": "MultiPolygon", "coordinates": SQUARE}}]}


def item(name: str, include: list[object], **more: object) -> dict[str, object]:
    return {"displayName": name, "locationSet": {"include": include, **more}, "tags": {"name": name}}


def test_location_sets_become_countries() -> None:
    places = Places(BORDERS, CUSTOM)
    assert places.countries("de") == {"DE"}
    assert places.countries("gb-eng") == {"GB"}
    assert places.countries("155") == {"DE", "FR"}
    assert places.countries("de-square.geojson") == {"DE"}
    assert places.countries([2.35, 48.86, 25]) == {"FR"}
    assert places.countries("q35657") == set()


def test_rows_merge_names_and_leave_out_the_world() -> None:
    nsi = {
        "brands/shop/a": {"items": [item("Läden (Nord)", ["de"]), item("Everywhere", ["001"]), item("ab", ["de"])]},
        "brands/shop/b": {"items": [item("LADEN", ["150"], exclude=["fr"]), item("Everywhere", ["pl"])]},
        "flags/x": {"items": [item("Flagge", ["de"])]},
    }
    rows = brand_rows(nsi, {"shop/a|Läden": 70}, Places(BORDERS, CUSTOM))
    assert rows == [("laden", 70, ("DE", "PL"))]
