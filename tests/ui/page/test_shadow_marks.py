"""Marks on the photo: what they say of the sun, the picture with them, and the form as a person uses it."""

import io
import re
from datetime import UTC, date, datetime, time

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo
from geosleuth.ui.page.shadow_marks import PREVIEW_PX, UNMOVED, Marks, picture_with_marks, read_in_words, sun_marked
from geosleuth.ui.page.sun_form import sun_read

SIZE = (1000, 500)
# Pixels (400, 300), (400, 200), (500, 300): the top 100 px above the foot, the tip 100 px to the right of it.
SQUARE = Marks(foot=(40.0, 60.0), top=(40.0, 40.0), tip=(50.0, 60.0))


def test_a_shadow_as_wide_as_its_thing_is_high_is_a_sun_at_45_degrees():
    found = sun_marked(SQUARE, SIZE)
    assert found.elevation_deg == pytest.approx(45.0)
    assert found.azimuth_deg is None


def test_percent_of_the_width_and_of_the_height_are_not_the_same_length():
    # On a square picture of 1000 px: 200 px high, 100 px wide, so atan(2).
    assert sun_marked(SQUARE, (1000, 1000)).elevation_deg == pytest.approx(63.435, abs=1e-3)


def test_the_cameras_direction_tells_no_direction_of_the_sun():
    assert sun_marked(SQUARE, SIZE, heading_deg=30.0).azimuth_deg is None


def test_the_words_have_the_conditions():
    assert read_in_words(sun_marked(SQUARE, SIZE, 30.0)) == (
        "The sun stood at most 45 degrees high. Holds for an upright object on level ground; the sun was lower if the "
        "shadow does not fall sideways. Its direction cannot be told: the picture does not show which way the shadow "
        "points on the ground."
    )
    assert read_in_words(sun_marked(SQUARE, SIZE)).endswith("the sun was lower if the shadow does not fall sideways.")


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        (UNMOVED, "not moved yet: Foot, Top, Tip of the shadow"),
        (SQUARE._replace(tip=UNMOVED.tip), "not moved yet: Tip of the shadow"),
        (SQUARE._replace(tip=(41.0, 95.0)), "one at 177 degrees to its object"),  # (10, 175) px from the foot
        (SQUARE._replace(tip=(40.5, 60.0)), "lines of 100 and 5 pixels"),
    ],
)
def test_what_is_no_shadow_across_the_picture_is_refused(marks: Marks, words: str):
    with pytest.raises(InputError, match=re.escape(words)):
        sun_marked(marks, SIZE)


def test_the_conditions_go_into_the_conversation():
    stated = sun_read(date(2024, 6, 1), time(12, 30), sun_marked(SQUARE, SIZE, 30.0), utc=True)
    assert stated.move.taken == datetime(2024, 6, 1, 12, 30, tzinfo=UTC)
    assert stated.move.elevation_deg == pytest.approx(45.0)
    assert stated.move.azimuth_deg is None
    assert stated.words.startswith("Taken as: the photo was taken 2024-06-01 12:30+0000, the sun")
    assert stated.words.endswith("which way the shadow points on the ground.")
    local = sun_read(date(2024, 6, 1), time(12, 30), sun_marked(SQUARE, SIZE), utc=False)
    assert local.move.taken.tzinfo is None


def test_a_year_without_photographs_is_told_and_no_statement():
    told = sun_read(date(2150, 6, 1), time(12, 30), sun_marked(SQUARE, SIZE), utc=True)
    assert not hasattr(told.move, "taken")
    assert told.words == "Years are 1826 to 2100."


def test_the_preview_is_small_and_has_lines_where_the_marks_are():
    photo = load_photo(np.full((2000, 4000, 3), 127, np.uint8))
    drawn = np.asarray(picture_with_marks(photo, SQUARE))
    assert max(drawn.shape) == PREVIEW_PX
    assert drawn.shape == (500, 1000, 3)
    assert (drawn[250, 398:402] == (230, 159, 0)).all(axis=1).any()  # half way up the thing: orange
    assert (drawn[298:302, 425] == (86, 180, 233)).all(axis=1).any()  # a quarter along the shadow: blue
    assert tuple(drawn[250, 397]) == tuple(drawn[250, 402]) == (20, 20, 20)  # dark on both sides
    assert tuple(drawn[450, 900]) == (127, 127, 127)
    assert (photo.pixels == 127).all()  # drawn on a copy


def test_marks_in_the_corners_and_on_a_tiny_photo_are_drawn():
    photo = load_photo(np.full((40, 60, 3), 127, np.uint8))
    corners = Marks((0.0, 100.0), (0.0, 0.0), (100.0, 100.0))
    assert picture_with_marks(photo, corners).size == (60, 40)


def page_of_the_form(photos: list, key: str) -> None:
    import streamlit as st

    from geosleuth.indexes.errors import InputError
    from geosleuth.ui.page.sun_form import sun_form

    try:
        st.session_state["stated"] = sun_form(photos, key=key)
    except InputError as error:
        st.session_state["stated"] = error


class Form:
    """The form on a page of its own."""

    def __init__(self, *photos) -> None:
        testing = pytest.importorskip("streamlit.testing.v1")
        self.page = testing.AppTest.from_function(page_of_the_form, args=(list(photos), "f"), default_timeout=30)
        self.run()

    def run(self) -> None:
        self.page.run()
        assert [one.message for one in self.page.exception] == []

    def mark(self) -> None:
        self.page.radio(key="f_how").set_value("Marked on the photo")
        self.run()

    def move(self, marks: Marks) -> None:
        values = [value for mark in marks for value in mark]
        assert len(self.page.slider) == len(values)
        for slider, value in zip(self.page.slider, values, strict=True):
            slider.set_value(value)
        self.run()

    def send(self):
        self.page.button[0].click()
        self.run()
        return self.page.session_state["stated"]


def taken_in_june(size: tuple[int, int] = SIZE, shade: int = 127):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2024:06:01 14:30:00"
    file = io.BytesIO()
    Image.new("RGB", size, (shade, shade, shade)).save(file, "JPEG", exif=exif)
    return load_photo(file.getvalue(), name=f"street{shade}.jpg")


def test_marks_and_the_files_own_time_become_a_statement():
    form = Form(taken_in_june())
    form.mark()
    assert form.page.info[0].value == "Move each mark to its place; the sun's height is then told here."
    form.move(SQUARE)
    assert form.page.info[0].value.startswith("The sun stood at most 45 degrees high. Holds for an upright object")
    form.page.number_input(key="f_marks_heading").set_value(30.0)
    form.run()
    assert "Its direction cannot be told" in form.page.info[0].value
    assert form.page.session_state["stated"] is None  # nothing is said before it is sent
    move = form.send().move
    assert move.elevation_deg == pytest.approx(45.0)
    assert move.azimuth_deg is None
    assert move.taken == datetime(2024, 6, 1, 14, 30)


def test_marks_that_nobody_moved_are_refused_in_words():
    form = Form(taken_in_june())
    form.mark()
    refused = form.send()
    assert isinstance(refused, InputError)
    assert "not moved yet" in refused.found


def test_a_shadow_towards_the_camera_is_told_at_once():
    form = Form(taken_in_june())
    form.mark()
    form.move(SQUARE._replace(tip=(41.0, 95.0)))
    assert "a shadow across the picture" in form.page.error[0].value
    assert not form.page.info


def test_each_photo_has_marks_of_its_own():
    form = Form(taken_in_june(), taken_in_june((1000, 1000), shade=60))
    form.mark()
    form.page.selectbox(key="f_marks_of").set_value(1)
    form.run()
    assert form.page.info[0].value.startswith("Move each mark")
    form.move(SQUARE)
    assert form.send().move.elevation_deg == pytest.approx(63.435, abs=1e-3)


def test_figures_are_asked_for_at_first_and_alone_where_there_is_no_photo():
    form = Form(taken_in_june())
    assert form.page.radio(key="f_how").value == "In figures"
    assert not form.page.slider
    form.page.number_input(key="f_height").set_value(2.0)
    form.page.number_input(key="f_length").set_value(2.0)
    assert form.send().move.elevation_deg == pytest.approx(45.0)
    bare = Form()
    assert [one.label for one in bare.page.radio] == ["The time is"]
