"""What the investigator states, as evidence and as an inquiry."""

import io
from datetime import UTC, datetime

import pytest
from PIL import Image

from geosleuth.agent.inquiry import Inquiry, Sun
from geosleuth.agent.stated import inquiry_of, stated_evidence, with_sun
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo

NOON = datetime(2024, 6, 1, 12, 30, tzinfo=UTC)


def photo(clock):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = f"2024:06:01 {clock}:00"
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "JPEG", exif=exif)
    return load_photo(out.getvalue())


def test_the_suns_time_is_that_of_photos_taken_together():
    photos = [photo("14:30"), photo("14:38")]
    (stated,) = with_sun(Inquiry(), None, (None, 40.0), photos).statements
    assert stated == Sun(taken=datetime(2024, 6, 1, 14, 30), elevation_deg=40.0)


def test_of_photos_of_a_morning_and_an_evening_nobody_knows_whose_shadow_it_is():
    photos = [photo("09:00"), photo("18:00")]
    with pytest.raises(InputError, match=r"photos of 2024-06-01 09:00 and 2024-06-01 18:00\. State the time of"):
        with_sun(Inquiry(), None, (None, 40.0), photos)
    (stated,) = with_sun(Inquiry(), NOON, (None, 40.0), photos).statements
    assert stated.taken == NOON


def test_a_drawn_shadow_is_an_upper_bound():
    drawn = Sun(taken=NOON, elevation_deg=60.0, at_most=True)
    (bound,) = stated_evidence(
        Inquiry.model_validate_json(Inquiry(statements=(drawn,)).model_dump_json()).statements[0]
    )
    (exact,) = stated_evidence(Sun(taken=NOON, elevation_deg=60.0))
    # The sun stood 28.6 degrees high over Cape Town: below the bound, and far from 60.
    assert bound.likelihood.log_ratios["ZA"] == pytest.approx(max(bound.likelihood.log_ratios.values()), abs=0.1)
    assert exact.likelihood.log_ratios["ZA"] == pytest.approx(min(exact.likelihood.log_ratios.values()), abs=0.1)


def test_what_is_no_hint_and_no_angle_is_explained_in_three_parts():
    with pytest.raises(InputError, match="Wanted a hint about the place; found ''"):
        inquiry_of([""], None)
    with pytest.raises(InputError, match="elevation, above 0 and at most 90"):
        with_sun(Inquiry(), NOON, (None, 0.0), [])
    (north,) = with_sun(Inquiry(), NOON, (360.0, None), []).statements
    assert north.azimuth_deg == 0.0


def test_a_sun_that_stood_nowhere_so_is_told_and_says_nothing():
    # Due south, where it is noon: the sun's declination is 23.4°, so that 10° high it would stand at latitude 103°.
    midsummer = datetime(2024, 6, 21, 12, tzinfo=UTC)
    (found,) = stated_evidence(Sun(taken=midsummer, azimuth_deg=180.0, elevation_deg=10.0))
    assert found.likelihood.kind == "nothing"
    assert found.claim.endswith(
        "Nowhere on land did it stand so at that time: check the time, its zone, and the angles."
    )
