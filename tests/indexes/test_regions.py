"""Points whose country is known from the atlas; disputed ones as the module's docstring says."""

import time

import numpy as np
import pytest

from geosleuth.indexes import regions

# (lat, lon, country, division or None where ISO 3166-2 has none or it is not asked)
POINTS = [
    # microstates and small islands
    (41.9022, 12.4539, "VA", None),  # St Peter's Square
    (43.7384, 7.4246, "MC", None),  # Monaco, the palace
    (43.9363, 12.4466, "SM", None),  # San Marino
    (47.1410, 9.5209, "LI", None),  # Vaduz
    (42.5063, 1.5218, "AD", None),  # Andorra la Vella
    (1.2897, 103.8501, "SG", None),  # Singapore
    (35.8989, 14.5146, "MT", None),  # Valletta
    (-0.5477, 166.9209, "NR", None),  # Yaren
    (-8.5211, 179.1962, "TV", None),  # Funafuti
    (4.1755, 73.5093, "MV", None),  # Male
    # territories with a code of their own
    (18.4663, -66.1057, "PR", None),  # San Juan
    (22.1936, 113.5399, "MO", None),  # Macau, ruins of St Paul's
    (22.2855, 114.1577, "HK", None),  # Hong Kong, Central
    (-20.8789, 55.4481, "RE", None),  # Saint-Denis
    (4.9224, -52.3135, "GF", None),  # Cayenne
    (64.1750, -51.7355, "GL", None),  # Nuuk
    (62.0107, -6.7741, "FO", None),  # Torshavn
    (60.0970, 19.9348, "AX", None),  # Mariehamn
    (78.2232, 15.6267, "SJ", None),  # Longyearbyen
    (12.1443, -68.2655, "BQ", None),  # Kralendijk
    (36.1408, -5.3536, "GI", None),  # Gibraltar
    (54.1500, -4.4821, "IM", None),  # Douglas
    (-51.6938, -57.8570, "FK", None),  # Stanley
    (-37.0676, -12.3116, "SH", None),  # Edinburgh of the Seven Seas
    # parts that belong to their country
    (28.1235, -15.4363, "ES", None),  # Las Palmas, IC in country-coder
    (35.8894, -5.3213, "ES", None),  # Ceuta
    (48.8584, 2.2945, "FR", None),  # Eiffel tower, FX in country-coder
    (41.9192, 8.7386, "FR", "FR-2A"),  # Ajaccio
    (32.6669, -16.9241, "PT", "PT-30"),  # Funchal
    (21.3069, -157.8583, "US", "US-HI"),  # Honolulu
    (54.7104, 20.4522, "RU", "RU-KGD"),  # Kaliningrad
    (-0.7402, -90.3138, "EC", "EC-W"),  # Puerto Ayora, Galapagos
    (-27.1500, -109.4333, "CL", "CL-VS"),  # Hanga Roa, Easter Island
    # both sides of the date line
    (-18.1416, 178.4419, "FJ", None),  # Suva
    (-16.8500, -179.9800, "FJ", None),  # Taveuni, east of 180
    (-16.8200, 179.9800, "FJ", None),  # Taveuni, west of 180
    (64.7347, 177.5103, "RU", "RU-CHU"),  # Anadyr
    (66.1600, -169.8200, "RU", "RU-CHU"),  # Uelen, at 170 W
    (51.8800, -176.6581, "US", "US-AK"),  # Adak
    # poles
    (-90.0, 0.0, "AQ", None),
    (-90.0, 137.0, "AQ", None),
    (-77.8419, 166.6863, "AQ", None),  # McMurdo
    (90.0, 0.0, None, None),
    # borders, and divisions on land
    (47.5596, 7.5886, "CH", "CH-BS"),  # Basel
    (47.6200, 7.6100, "DE", "DE-BW"),  # Weil am Rhein, 6 km on
    (52.5200, 13.4050, "DE", "DE-BE"),  # Berlin
    (48.1374, 11.5755, "DE", "DE-BY"),  # Munich
    (32.7157, -117.1611, "US", "US-CA"),  # San Diego
    (32.5149, -117.0382, "MX", "MX-BCN"),  # Tijuana
    (35.6586, 139.7454, "JP", "JP-13"),  # Tokyo tower
    (-23.5505, -46.6333, "BR", "BR-SP"),  # Sao Paulo
    (45.5019, -73.5674, "CA", "CA-QC"),  # Montreal
    (-29.3151, 27.4869, "LS", None),  # Maseru, inside South Africa
    (51.4415, 4.9291, "BE", "BE-VAN"),  # Baarle-Hertog, a parcel of Belgium in the Netherlands
    # at sea
    (53.9500, 7.9000, "DE", None),  # North Sea, 18 km off Wangerooge
    (40.6892, -74.0445, "US", None),  # Liberty Island
    (50.9800, 1.4800, "GB", None),  # Strait of Dover, 9 km off the English coast
    (37.0, -40.0, None, None),  # mid Atlantic
    (-45.0, -130.0, None, None),  # South Pacific
    (0.0, 0.0, None, None),  # Gulf of Guinea, 570 km off
    # disputed, as ISO 3166 has them
    (44.9521, 34.1024, "UA", "UA-43"),  # Simferopol
    (44.6166, 33.5254, "UA", "UA-40"),  # Sevastopol
    (35.3364, 33.3182, "CY", None),  # Kyrenia
    (42.6629, 21.1655, "XK", None),  # Pristina
    (25.0375, 121.5637, "TW", None),  # Taipei
    (27.1253, -13.1625, "EH", None),  # El Aaiun, north-west of the berm
    (31.9038, 35.2034, "PS", None),  # Ramallah
]  # fmt: skip


@pytest.mark.parametrize(("lat", "lon", "country", "division"), POINTS)
def test_points_of_the_atlas(lat, lon, country, division):
    assert regions.country_at(lat, lon) == country
    if division is not None:
        assert regions.division_at(lat, lon) == division


def test_vectors_agree_with_single_points_and_keep_order():
    lats, lons = np.array([p[0] for p in POINTS]), np.array([p[1] for p in POINTS])
    assert regions.countries_at(lats, lons).tolist() == [p[2] for p in POINTS]
    assert regions.countries_at(lats, lons + 360.0).tolist() == [p[2] for p in POINTS]
    divisions = regions.divisions_at(lats, lons)
    assert all(d is None or d[:2] == p[2] for d, p in zip(divisions, POINTS, strict=True))


def test_no_points_and_no_numbers():
    assert regions.countries_at([], []).shape == (0,)
    assert regions.divisions_at([], []).shape == (0,)
    assert regions.countries_at([np.nan, 48.0], [2.0, np.nan]).tolist() == [None, None]


def test_the_date_line_is_the_same_from_both_sides():
    assert regions.countries_at([67.0, 67.0], [180.0, -180.0]).tolist() == ["RU", "RU"]


def test_territories_are_no_divisions():
    assert regions.division_at(18.4663, -66.1057) is None  # US-PR is the country PR
    assert "US-PR" not in set(regions.load_divisions()["code"])


def test_coast_of_a_coarse_division_still_has_it():
    # Pier of Blankenberge, 300 m out at sea: outside Natural Earth's land, inside Belgium's water
    assert regions.division_at(51.3180, 3.1300) == "BE-VWV"


def test_frames_hold_every_country_once():
    frame = regions.load_countries()
    assert len(frame) == 250
    assert frame["code"].is_unique
    assert frame.crs == "EPSG:4326"
    assert frame.geometry.is_valid.all()
    assert frame.loc[frame["code"] == "JP", "name"].item() == "Japan"
    divisions = regions.load_divisions()
    assert divisions["code"].is_unique
    assert divisions.loc[divisions["code"] == "DE-BY", "country"].item() == "DE"
    assert (divisions["country"] == "US").sum() == 51  # states and the District of Columbia


def test_divisions_leave_no_gaps_inland():
    # Bavaria's and Baden-Wuerttemberg's common border, walked in steps of 10 m: always one of the two, by containment
    lats, lons = np.full(20_001, 48.55), np.linspace(9.0, 11.7, 20_001)
    point, _ = regions._divisions().holding(lats, lons)
    assert set(range(20_001)) == set(point.tolist())


def test_speed():
    lats = np.degrees(np.arcsin(np.random.default_rng(0).uniform(-1, 1, 100_000)))
    lons = np.random.default_rng(1).uniform(-180, 180, 100_000)
    regions.country_at(0.0, 0.0)
    start = time.process_time()
    regions.countries_at(lats, lons)
    assert time.process_time() - start < 3.0  # 0.2 s on an idle machine; the room is for a busy one
