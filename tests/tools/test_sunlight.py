import io
import math
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo
from geosleuth.tools.shadow import elevation_from_shadow, highest_sun, sun_from_shadow
from geosleuth.tools.sun_position import sun_at
from geosleuth.tools.sunlight import parse_taken, sun_evidence, taken_of, taken_together
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
    assert (found.azimuth_deg, found.at_most) == (None, True)
    assert found.caveat.endswith("the picture does not show which way the shadow points on the ground.")
    assert sun_from_shadow((100, 300), (100, 200), (200, 300)).caveat == (
        "Holds for an upright object on level ground; the sun was lower if the shadow does not fall sideways."
    )
    assert highest_sun(45) == pytest.approx(52.55, abs=0.01)  # atan(1 / cos 40)


def drawn(elevation_deg, turned_deg, *, depth=15.0, aside=0.0, height=3.0, camera=1.6):
    """The marks on a picture of 1440 x 1080 pixels, 26 mm lens held level, of an upright thing; None outside of it.

    The shadow points `turned_deg` from straight to the right, away from the camera where that is above 0.
    """
    length, turned = height / math.tan(math.radians(elevation_deg)), math.radians(turned_deg)
    far = depth + length * math.sin(turned), aside + length * math.cos(turned)
    marks = []
    for z, x, y in ((depth, aside, -camera), (depth, aside, height - camera), (far[0], far[1], -camera)):
        if z < 0.5:
            return None
        marks.append((720 + 1040 * x / z, 540 - 1040 * y / z))  # 1440 * 26 / 36 pixels
    return marks if all(0 <= x <= 1440 and 0 <= y <= 1080 for x, y in marks) else None


@pytest.mark.parametrize(("turned", "read"), [(0, 30.0), (40, 40.4), (60, 53.3), (75, 68.1)])
def test_a_shadow_that_runs_away_is_drawn_too_short_and_the_true_sun_stays_likely(turned, read):
    # A person 15 m off, of 1.7 m: the shadow is 2.9 m long under a sun at 30 degrees.
    found = sun_from_shadow(*drawn(30.0, turned, height=1.7))
    assert found.elevation_deg == pytest.approx(read, abs=0.3)
    # In Cape Town the sun stood at 28.6 degrees.
    bound = ratios(NOON, elevation_deg=found.elevation_deg, at_most=found.at_most)
    assert bound["ZA"] == pytest.approx(max(bound.values()), abs=0.1)
    if turned >= 60:
        exact = ratios(NOON, elevation_deg=found.elevation_deg)
        assert exact["ZA"] < max(exact.values()) - 2


def test_no_sun_is_higher_than_the_highest_that_marks_allow():
    rng, seen, below = np.random.default_rng(0), 0, 0
    for _ in range(20_000):
        elevation, turned, depth = rng.uniform(5, 80), rng.uniform(0, 360), rng.uniform(3, 40)
        place = {"depth": depth, "aside": rng.uniform(-0.7, 0.7) * depth, "camera": rng.uniform(0.5, 4)}
        marks = drawn(elevation, turned, height=rng.uniform(0.5, 8), **place)
        try:
            found = sun_from_shadow(*marks) if marks else None
        except InputError:
            continue
        if found is not None:
            seen += 1
            below += found.elevation_deg < elevation - 1e-9
            assert elevation <= highest_sun(found.elevation_deg)
    assert seen > 2000
    assert below > 0.05 * seen  # what is drawn is itself no bound: nearer the camera, a shadow looks longer


def test_an_upper_bound_tells_nothing_below_it_and_as_much_as_its_error_above():
    found = ratios(NOON, elevation_deg=20.0, at_most=True)
    # The bound is atan(tan 20 / cos 40) = 25.4 degrees. The sun is overhead near Mali; in New Zealand it is night.
    assert found["ML"] == pytest.approx(found["NZ"], abs=1e-3)
    assert max(found.values()) - found["NZ"] == pytest.approx(math.log(1 / 0.05), abs=0.01)
    both = ratios(NOON, 332.0, 28.6, at_most=True)
    assert both["ZA"] > 2 > both["VE"]
    claim = sun_evidence(NOON, elevation_deg=20.0, at_most=True)[0]
    assert "the sun stood at most 20° over the horizon, at" in claim.claim
    assert "at a picture's edge the sun may have been at 25°" in claim.support[0].rule


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


def test_photos_of_one_time_tell_it_and_photos_of_others_are_refused():
    first = photo(taken="2024:06:01 14:30:00")
    assert taken_together([photo(), photo()]) is None
    near = photo(taken="2024:06:01 14:40:00")
    assert taken_together([photo(), first, near]) == datetime(2024, 6, 1, 14, 30)
    with pytest.raises(InputError, match=r"photos of 2024-06-01 14:30 and 2024-06-01 14:41\. State the time of the"):
        taken_together([first, near, photo(taken="2024:06:01 14:41:00")])
    zoned = photo(taken="2024:06:01 14:32:00", offset="+02:00")
    assert taken_together([zoned, first]) == NOON + timedelta(minutes=2)  # its clock is the other's
    same = photo(taken="2024:06:01 15:32:00", offset="+03:00")
    assert taken_together([zoned, same]) == NOON + timedelta(minutes=2)
    with pytest.raises(InputError, match="one time at which the sun stood so"):
        taken_together([zoned, photo(taken="2024:06:01 14:32:00", offset="+01:00")])


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
