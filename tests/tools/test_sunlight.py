import io
import math
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo
from geosleuth.tools.shadow import elevation_from_shadow, sun_from_shadow
from geosleuth.tools.sun_position import sun_at
from geosleuth.tools.sunlight import parse_taken, sun_evidence, taken_of
from geosleuth.tools.zones_at import listed_divisions, offset_minutes, zones_of

CAPE_TOWN = (-33.9249, 18.4241)
NOON = datetime(2024, 6, 1, 12, 30, tzinfo=UTC)  # 14:30 in Cape Town


def ratios(*args, **angles):
    (found,) = sun_evidence(*args, **angles)
    return found.likelihood.log_ratios


def test_the_sun_over_cape_town():
    azimuth, elevation = sun_at(NOON, np.array([CAPE_TOWN[0]]), np.array([CAPE_TOWN[1]]))
    assert azimuth[0] == pytest.approx(332.01, abs=0.05)  # pvlib: 332.006 and 28.576
    assert elevation[0] == pytest.approx(28.58, abs=0.05)


def test_many_places_at_once_agree_with_astral():
    from astral import Observer
    from astral.sun import azimuth, elevation

    rng = np.random.default_rng(0)
    for _ in range(300):
        when = datetime(int(rng.integers(1990, 2050)), 1, 1, tzinfo=UTC) + timedelta(minutes=int(rng.integers(525600)))
        lat, lon = float(rng.uniform(-89, 89)), float(rng.uniform(-180, 180))
        found_azimuth, found_elevation = sun_at(when, np.array([lat]), np.array([lon]))
        place = Observer(lat, lon)
        assert found_elevation[0] == pytest.approx(elevation(place, when), abs=0.05)
        apart = (found_azimuth[0] - azimuth(place, when) + 180) % 360 - 180
        assert abs(apart) * math.cos(math.radians(found_elevation[0])) < 0.05


def test_the_sun_by_hand_at_the_equinox_on_the_equator():
    # 2024-03-20, equation of time -7.5 minutes: at 12:07:30 UTC the sun is overhead at 0, 0.
    azimuth, elevation = sun_at(datetime(2024, 3, 20, 12, 7, 30, tzinfo=UTC), np.zeros(3), np.array([0.0, 60.0, -60.0]))
    assert elevation == pytest.approx([90, 30, 30], abs=0.3)
    assert azimuth[1:] == pytest.approx([270, 90], abs=0.3)  # in the west of those in the east


def test_where_the_sun_stood_so_is_likely_and_where_it_was_night_is_not():
    found = ratios(NOON, azimuth_deg=332.0, elevation_deg=28.6)
    assert found["ZA-WC"] == max(found.values())
    # At night only a wrong reading is left: 5 % spread over 360 x 90 degrees, against a Gaussian's peak of 95 %. The
    # azimuth's spread is the reading's 10 degrees and the elevation's 3 over the cosine.
    spread = math.hypot(10, 3 / math.cos(math.radians(28.6)))
    peak = 0.95 / (2 * math.pi * 3 * spread)
    assert found["NZ"] == pytest.approx(min(found.values()), abs=1e-3)
    assert found["ZA-WC"] - found["NZ"] == pytest.approx(math.log(1 + peak / (0.05 / 32400)), abs=0.3)


def test_an_elevation_alone_leaves_a_ring():
    found = ratios(NOON, elevation_deg=28.6)
    assert found["ZA"] - found["NZ"] > 3
    # The sun is overhead near 22 N, 8 W; 61 degrees from there lie Cape Town and Venezuela. Mali lies below it.
    assert found["VE"] - found["ML"] > 3
    azimuth_alone = ratios(NOON, azimuth_deg=332.0)
    assert azimuth_alone["ZA"] - azimuth_alone["VE"] > 2


def test_a_clock_without_a_zone_is_the_places_own():
    local = datetime(2024, 6, 1, 14, 30)
    found = ratios(local, azimuth_deg=332.0, elevation_deg=28.6)
    assert found["ZA-WC"] > 3
    assert found["UY"] > 3  # the same latitude, and the same clock against the sun
    assert found["DE"] < -2  # at 14:30 in Germany the sun is in the south-west
    aware = local.replace(tzinfo=timezone(timedelta(hours=2)))
    known = ratios(aware, azimuth_deg=332.0, elevation_deg=28.6)
    assert known == ratios(NOON, azimuth_deg=332.0, elevation_deg=28.6)
    assert known["UY"] < 0


def test_divisions_keep_their_own_clocks():
    assert zones_of("US-TX") == {"America/Chicago": 0.961, "America/Denver": 0.039}
    assert zones_of("FR-75") == zones_of("FR")
    assert zones_of("AQ") == {}
    assert {"US-CA", "RU-KGD", "PT-20"} <= listed_divisions()
    assert offset_minutes("America/Chicago", datetime(2024, 7, 1, 12)) == -300
    assert offset_minutes("Nowhere/Nowhere", datetime(2024, 7, 1, 12)) is None


def test_the_claim_says_what_was_said():
    (found,) = sun_evidence(NOON, 332.0, 28.6)
    assert found.claim == (
        "The investigator says that the sun stood 29° over the horizon, in the direction of 332° from north, "
        "at 2024-06-01 12:30 UTC."
    )
    assert (found.tool, found.type, found.group, found.likelihood.wrong) == ("sun", "sun.position", "sun", 0.0)
    assert "by the clock at the place" in sun_evidence(NOON.replace(tzinfo=None), elevation_deg=20)[0].claim


@pytest.mark.parametrize(
    ("angles", "words"),
    [
        ({}, "neither azimuth nor elevation"),
        ({"azimuth_deg": 360.0}, "the sun's azimuth, 0 to 360 degrees; found 360"),
        ({"elevation_deg": 0.0}, "at most 90 degrees; found 0"),
        ({"elevation_deg": 91.0}, "at most 90 degrees; found 91"),
    ],
)
def test_impossible_suns_are_refused(angles, words):
    with pytest.raises(InputError, match=words):
        sun_evidence(NOON, **angles)


def test_years_without_photographs_are_refused():
    with pytest.raises(InputError, match="the year 1066"):
        sun_evidence(datetime(1066, 10, 14, 12), elevation_deg=30)


def test_elevation_of_a_shadow():
    assert elevation_from_shadow(1.0, 1.0) == pytest.approx(45)
    assert elevation_from_shadow(1.0, math.sqrt(3)) == pytest.approx(30)
    with pytest.raises(InputError, match="above 0; found 0 and 2"):
        elevation_from_shadow(0, 2)
    with pytest.raises(InputError, match="above 0"):
        elevation_from_shadow(math.nan, 2)


def test_a_shadow_across_the_picture():
    found = sun_from_shadow(foot=(100, 300), top=(100, 200), tip=(200, 300), heading_deg=30)
    assert found.elevation_deg == pytest.approx(45)
    assert found.azimuth_deg == pytest.approx(300)  # the shadow falls to the right: the sun is on the left
    left = sun_from_shadow(foot=(100, 300), top=(100, 200), tip=(0, 310), heading_deg=30)
    assert left.azimuth_deg == pytest.approx(120)
    assert sun_from_shadow((100, 300), (100, 200), (200, 300)).azimuth_deg is None
    assert "level ground" in found.caveat


@pytest.mark.parametrize("tip", [(110, 400), (180, 240)])
def test_a_shadow_towards_the_camera_is_refused(tip):
    with pytest.raises(InputError, match=r"a shadow across the picture; found one at .* Choose one that falls"):
        sun_from_shadow((100, 300), (100, 200), tip)


def test_a_shadow_of_some_pixels_is_refused():
    with pytest.raises(InputError, match="lines of 100 and 5 pixels"):
        sun_from_shadow((100, 300), (100, 200), (105, 300))


def photo(**tags):
    exif = Image.Exif()
    ifd = exif.get_ifd(0x8769)
    for tag, value in {"taken": 0x9003, "offset": 0x9011}.items():
        if tag in tags:
            ifd[value] = tags[tag]
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "JPEG", exif=exif)
    return load_photo(out.getvalue())


def test_the_time_of_a_photo():
    assert taken_of(photo()) is None
    assert taken_of(photo(taken="2024:06:01 14:30:00")) == datetime(2024, 6, 1, 14, 30)
    aware = taken_of(photo(taken="2024:06:01 14:30:00", offset="+02:00"))
    assert aware == NOON
    assert aware.utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("2024-06-01 12:30", datetime(2024, 6, 1, 12, 30)),
        (" 2024-06-01T12:30:05 ", datetime(2024, 6, 1, 12, 30, 5)),
        ("2024:06:01 12:30:00", datetime(2024, 6, 1, 12, 30)),
        ("2024-06-01 12:30Z", NOON),
        ("2024-06-01 12:30 utc", NOON),
        ("2024-06-01 14:30+02:00", NOON),
        ("2024-06-01 14:30 +0200", NOON),
    ],
)
def test_times_as_people_write_them(text, taken):
    found = parse_taken(text)
    assert found == taken
    assert (found.tzinfo is None) == (taken.tzinfo is None)


@pytest.mark.parametrize("text", ["", "2024-06-01", "noon", "2024-06-31 12:30", "2024-06-01 25:00", "1700-01-01 10:00"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(InputError, match="the time at which the photo was taken; found"):
        parse_taken(text)
