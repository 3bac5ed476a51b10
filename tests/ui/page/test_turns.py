"""What a person's words are taken for, with the photos of the case at hand."""

from datetime import datetime

import pytest
from PIL import Image

from geosleuth.agent.dialogue.move import NotUnderstood, StateSun
from geosleuth.indexes.photo import open_photo
from geosleuth.ui.page.turns import understand

SOUTH = "the sun is in the south"
DATETIME_ORIGINAL = 0x9003


class Rules:
    """A server whose agent has no planner's model."""

    class agent:  # noqa: N801 (stands for an attribute)
        @staticmethod
        def planner_model():
            return None


def photo(folder, clock: str | None):
    """A photo by a camera that keeps no zone."""
    exif = Image.Exif()
    if clock:
        exif.get_ifd(0x8769)[DATETIME_ORIGINAL] = clock
    path = folder / f"{(clock or 'none').replace(':', '')}.jpg"
    Image.new("RGB", (32, 32), "grey").save(path, exif=exif)
    return open_photo(path)


def test_a_clock_without_a_zone_completes_the_sun(tmp_path):
    pytest.importorskip("astral")
    photos = [photo(tmp_path, None), photo(tmp_path, "2024:06:01 12:30:00")]
    assert understand(Rules(), SOUTH, None, photos).move == StateSun(
        taken=datetime(2024, 6, 1, 12, 30), azimuth_deg=180
    )


def test_photos_of_two_times_need_the_time_said(tmp_path):
    pytest.importorskip("astral")
    photos = [photo(tmp_path, "2024:06:01 12:30:00"), photo(tmp_path, "2024:06:01 17:30:00")]
    found = understand(Rules(), SOUTH, None, photos).move
    assert isinstance(found, NotUnderstood)
    assert "only together with the time" in found.reason
