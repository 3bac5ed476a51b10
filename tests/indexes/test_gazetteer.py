from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from geosleuth.indexes.gazetteer import Gazetteer, NameKind, load_gazetteer, normalise_name
from geosleuth.indexes.gazetteer_source import alternate_key

LOAD = """
from pathlib import Path
import time
import marisa_trie, numpy
from geosleuth.indexes import gazetteer

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

before, started = resident_mb(), time.process_time()
g = gazetteer.load_gazetteer()
assert g.lookup("Wien")[0].place.country == "AT"
print(time.process_time() - started, resident_mb() - before)
"""


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return load_gazetteer()


def test_a_later_start_is_quick_and_small(gazetteer: Gazetteer) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("resident memory is read from /proc")
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True, timeout=60)
    seconds, megabytes = map(float, done.stdout.split())
    assert seconds < 0.5
    assert megabytes < 150


def test_has_all_places_in_descending_order_of_population(gazetteer: Gazetteer) -> None:
    assert len(gazetteer) == 234_908
    assert gazetteer.lat.dtype == gazetteer.lon.dtype == np.float32
    assert (np.diff(gazetteer.population) <= 0).all()
    assert gazetteer.population[0] > 10_000_000
    assert gazetteer.country.max() == len(gazetteer.country_codes) - 1
    assert {"AD", "ZW", "XK"} <= set(gazetteer.country_codes)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Saint-Étienne", "saint etienne"),
        ("L'Aquila", "l aquila"),
        ("  SÃO   PAULO. ", "sao paulo"),
        ("Łódź", "lodz"),
        ("Weißenfels", "weissenfels"),
        ("Ærø", "aero"),
        ("İstanbul", "istanbul"),
        ("Đà Nẵng", "da nang"),
        ("Йошкар-Ола", "иошкар ола"),
        ("ΑΘΉΝΑ", "αθηνα"),
        ("الرِّيَاض", "الرياض"),
        ("יְרוּשָׁלַיִם", "ירושלים"),
        ("กรุงเทพ", "กรุงเทพ"),  # the vowel signs stay
        ("दिल्ली", "दिल्ली"),
        ("ガ", "ガ"),
        ("서울", "서울"),
        ("ＴＯＫＹＯ", "tokyo"),
        ("…!", ""),
    ],
)
def test_names_are_brought_to_one_spelling(written: str, key: str) -> None:
    assert normalise_name(written) == key
    assert normalise_name(key) == key


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("CDG", ""),
        ("75001", ""),
        ("https://en.wikipedia.org/wiki/Paris", ""),
        ("X", ""),
        ("Al", ""),
        ("Éze", "eze"),
        ("東京", "東京"),
        ("津", ""),
    ],
)
def test_alternates_that_are_no_names_are_dropped(written: str, key: str) -> None:
    assert alternate_key(written) == key


@pytest.mark.parametrize(
    ("name", "english", "country"),
    [
        ("Wien", "Vienna", "AT"),
        ("FIRENZE", "Florence", "IT"),
        ("Tokio", "Tokyo", "JP"),
        ("Москва", "Moscow", "RU"),
        ("القاهرة", "Cairo", "EG"),
        ("東京", "Tokyo", "JP"),
        ("서울", "Seoul", "KR"),
        ("Αθήνα", "Athens", "GR"),
        ("ירושלים", "Jerusalem", "IL"),
        ("กรุงเทพ", "Bangkok", "TH"),
    ],
)
def test_a_name_in_its_own_script_finds_its_place_first(
    gazetteer: Gazetteer, name: str, english: str, country: str
) -> None:
    first = gazetteer.lookup(name)[0]
    assert (first.place.name, first.place.country, first.name_kind) == (english, country, NameKind.ALTERNATE)


def test_ambiguity_is_kept(gazetteer: Gazetteer) -> None:
    springfields = gazetteer.lookup("Springfield")
    assert len(springfields) == 34
    assert springfields[0].place.admin1 == "MO"  # 170,188 people
    assert springfields[0].name_kind is NameKind.MAIN
    assert {"ES", "GR", "PT"} <= {match.place.country for match in gazetteer.lookup("Oia")}
    assert len({match.place.id for match in springfields}) == 34


def test_unknown_and_empty_names_find_nothing(gazetteer: Gazetteer) -> None:
    assert gazetteer.lookup("qxzqxzq") == []
    assert gazetteer.lookup("") == []
    assert gazetteer.lookup_fuzzy("...", 9.0) == []


def test_a_state_is_a_division_at_the_centre_of_its_people(gazetteer: Gazetteer) -> None:
    state = next(m for m in gazetteer.lookup("Alaska") if m.name_kind is NameKind.DIVISION)
    assert (state.place.country, state.place.admin1) == ("US", "AK")
    assert 58 < state.place.lat < 64  # Juneau and Fairbanks; most live in Anchorage at 61.2
    assert -152 < state.place.lon < -145


def test_garbled_names_are_found_at_a_price(gazetteer: Gazetteer) -> None:
    best = gazetteer.lookup_fuzzy("WALDK1RCHEN", 7.0)[0]
    assert (best.place.name, best.key) == ("Waldkirchen", "waldkirchen")
    assert 0 < best.price <= 7.0
    assert gazetteer.lookup("WALDK1RCHEN") == []
    exact = gazetteer.lookup_fuzzy("Waldkirchen", 7.0)[0]
    assert (exact.place.name, exact.price) == ("Waldkirchen", 0.0)
    assert gazetteer.lookup_fuzzy("SANFRANCISCO", 5.0)[0].place.name == "San Francisco"


def test_nearest_is_exact_across_the_date_line(gazetteer: Gazetteer) -> None:
    (paris, near), *_ = [pair for pair in gazetteer.nearest(48.85341, 2.3488, 5) if pair[0].name == "Paris"]
    assert paris.country == "FR"
    assert near < 0.05
    west = [place.id for place, _ in gazetteer.nearest(-16.8, 180.0, 5)]
    assert west == [place.id for place, _ in gazetteer.nearest(-16.8, -180.0, 5)]
    distances = [km for _, km in gazetteer.nearest(-16.8, 179.999, 50)]
    assert distances == sorted(distances)
    assert len(gazetteer.nearest(0, 0, 3)) == 3


@pytest.mark.parametrize(
    ("lat", "lon", "city"),
    [
        (51.53, -0.10, "London"),  # in Islington, whose own centre is closer
        (48.208, 16.372, "Vienna"),  # in its first district
        (52.40, 13.06, "Potsdam"),  # 27 km from the centre of Berlin
        (40.65, -73.95, "New York City"),  # in Brooklyn
        (48.803, 2.134, "Versailles"),
        (41.9022, 12.4533, "Vatican City"),  # inside Rome, another country
    ],
)
def test_a_point_is_named_by_the_largest_city_that_reaches_it(
    gazetteer: Gazetteer, lat: float, lon: float, city: str
) -> None:
    place, km = gazetteer.city_of(lat, lon)
    assert place.name == city
    assert km < 15


def test_far_from_anything_the_weightiest_place_is_named_quickly(gazetteer: Gazetteer) -> None:
    gazetteer.city_of(0, 0)
    started = time.process_time()
    place, km = gazetteer.city_of(-40.0, -30.0)  # the South Atlantic
    assert time.process_time() - started < 0.2  # 3 ms on an idle machine
    assert km > 500
    assert place.name


def test_its_repr_counts(gazetteer: Gazetteer) -> None:
    assert repr(gazetteer).startswith("Gazetteer(234908 places, ")
