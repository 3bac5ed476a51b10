"""The point of an answer: right at most of the field's distances, in expectation."""

import numpy as np

from geosleuth.agent.peak import peak
from geosleuth.indexes.geodesy import LatLon, distance_km, from_unit_vectors, unit_vectors

CAPITAL, TOWN = LatLon(48.0, 10.0), LatLon(48.0, 2.0)  # 595 km apart


def found(places: list[tuple[float, float, float]], allowed: list[int] | None = None) -> LatLon:
    lats, lons, masses = np.array(places).T
    rows = np.arange(len(places)) if allowed is None else np.array(allowed)
    lat, lon = from_unit_vectors(peak(unit_vectors(lats, lons), masses / masses.sum(), rows))
    return LatLon(float(lat), float(lon))


def around(centre: LatLon, km: float, mass: float, cells: int = 12) -> list[tuple[float, float, float]]:
    """Cells on a ring, which share a mass."""
    turn = np.linspace(0, 2 * np.pi, cells, endpoint=False)
    lats = centre.lat + km / 111.2 * np.cos(turn)
    lons = centre.lon + km / 111.2 / np.cos(np.radians(centre.lat)) * np.sin(turn)
    return [(float(a), float(b), mass / cells) for a, b in zip(lats, lons, strict=True)]


def test_a_town_in_a_likely_region_beats_a_fuller_capital() -> None:
    """Within 25 km the capital has 0.30 to 0.25, within 200 km 0.30 to 0.70: the town meets more thresholds."""
    places = [(*CAPITAL, 0.30), (*TOWN, 0.25), *around(TOWN, 120, 0.45)]
    assert distance_km(*found(places), *TOWN) < 1


def test_a_capital_that_is_likelier_at_every_distance_is_the_point() -> None:
    places = [(*CAPITAL, 0.5), (*TOWN, 0.1), *around(CAPITAL, 120, 0.4)]
    assert distance_km(*found(places), *CAPITAL) < 1


def test_the_point_stays_where_it_may_lie_though_mass_elsewhere_counts_in_its_circles() -> None:
    """Two towns of one country; the one near the border has a heavier neighbour behind it."""
    neighbour = LatLon(48.0, 3.0)  # 75 km from the town
    places = [(*CAPITAL, 0.26), (*TOWN, 0.24), (*neighbour, 0.5)]
    assert distance_km(*found(places, allowed=[0, 1]), *TOWN) < 1


def test_inside_a_city_its_fullest_cell_unless_a_smaller_circle_holds_half() -> None:
    even = [(48.00, 2.0, 1.0), (48.10, 2.0, 1.2), (48.20, 2.0, 1.1)]  # 11 km apart
    assert distance_km(*found(even), 48.10, 2.0) < 0.1
    close = [(48.0, 2.0, 2.0), (48.015, 2.0, 1.6), (48.03, 2.0, 2.4), (48.15, 2.0, 2.0)]  # three within 3.4 km
    middle = (48.0 * 2.0 + 48.015 * 1.6 + 48.03 * 2.4) / 6.0
    assert distance_km(*found(close), middle, 2.0) < 0.05


def test_one_cell_is_itself() -> None:
    assert distance_km(*found([(-89.9, 50.0, 1.0)]), -89.9, 50.0) < 0.1
