import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo
from geosleuth.indexes.photo_edit import Edit, edited

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quarters(width=120, height=80):
    """Red and green above, blue and white below."""
    pixels = np.empty((height, width, 3), np.uint8)
    half_y, half_x = height // 2, width // 2
    pixels[:half_y, :half_x], pixels[:half_y, half_x:] = RED, GREEN
    pixels[half_y:, :half_x], pixels[half_y:, half_x:] = BLUE, WHITE
    return pixels


def corners(photo, side_px=None):
    pixels = photo.pixels if side_px is None else photo.pixels_at(side_px)
    found = [pixels[2, 2], pixels[2, -3], pixels[-3, 2], pixels[-3, -3]]
    names = {RED: "red", GREEN: "green", BLUE: "blue", WHITE: "white"}
    return [names[tuple(int(255 * (value > 127)) for value in colour)] for colour in found]


def jpeg(width=1200, height=800, **options):
    out = io.BytesIO()
    Image.fromarray(quarters(width, height)).save(out, "JPEG", quality=95, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("degrees", "seen"),
    [
        (90, ["blue", "red", "white", "green"]),  # clockwise: what was below on the left is now above on the left
        (180, ["white", "blue", "green", "red"]),
        (270, ["green", "white", "red", "blue"]),
    ],
)
def test_turns_clockwise(degrees, seen):
    photo = load_photo(quarters())
    turned = edited(photo, Edit(rotate_deg=degrees))
    assert corners(turned) == seen
    assert turned.size == ((80, 120) if degrees != 180 else (120, 80))
    assert turned.pixels.shape == (turned.size[1], turned.size[0], 3)
    assert turned.edits == turned.notes == (f"rotated by {degrees} degrees",)


def test_crops_the_turned_picture():
    photo = load_photo(quarters())
    part = edited(photo, Edit(rotate_deg=90, crop=(0.5, 0.0, 1.0, 0.5)))  # the red quarter is at the upper right now
    assert part.size == (40, 60)
    assert set(corners(part)) == {"red"}
    assert part.edits == ("rotated by 90 degrees", "cropped to 50-100 % x 0-50 % (40 x 60 pixels at 40, 0)")


def test_file_facts_stay_those_of_the_untouched_file():
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    photo = load_photo(jpeg(exif=exif), name="street.jpg")
    part = edited(photo, Edit(crop=(0.1, 0.0, 0.6, 1.0)))
    assert (part.name, part.sha256, part.exif) == ("street.jpg", photo.sha256, photo.exif)
    assert part.exif is not None
    assert part.size == (600, 800)
    assert photo.size == (1200, 800)
    assert photo.edits == ()


def test_small_pixels_are_of_the_part_and_not_below_the_side_asked_for():
    photo = load_photo(jpeg())
    part = edited(photo, Edit(crop=(0.5, 0.5, 1.0, 1.0)))
    small = part.pixels_at(150)  # the whole would need 300: a half of 800 is 400, and a half of that 200
    assert small.shape == (200, 300, 3)
    assert set(corners(part, 150)) == {"white"}
    assert part.pixels.shape == (400, 600, 3)


def test_nothing_is_decoded_before_it_is_needed_and_pixels_are_shared_read_only():
    photo = load_photo(jpeg())
    part = edited(photo, Edit(rotate_deg=180))
    assert "pixels" not in vars(part)
    assert part.pixels is part.pixels
    with pytest.raises(ValueError, match="read-only"):
        part.pixels[0, 0] = 0


@pytest.mark.parametrize("edit", [Edit(), Edit(crop=(0, 0, 1, 1)), Edit(rotate_deg=0, crop=None)])
def test_no_edit_is_the_same_photo(edit):
    photo = load_photo(quarters())
    assert edited(photo, edit) is photo
    assert edit.words(photo.size) == ()


def test_an_edit_of_an_edit():
    twice = edited(edited(load_photo(quarters()), Edit(rotate_deg=90)), Edit(rotate_deg=90))
    assert corners(twice) == ["white", "blue", "green", "red"]
    assert twice.edits == ("rotated by 90 degrees", "rotated by 90 degrees")
    assert np.array_equal(replace(twice, name="other").pixels, twice.pixels)


def test_a_photo_that_its_camera_held_upright_is_turned_from_there():
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying, to be turned clockwise: blue, red, white, green
    photo = load_photo(jpeg(exif=exif))
    assert corners(photo) == ["blue", "red", "white", "green"]
    part = edited(photo, Edit(rotate_deg=270))
    assert corners(part) == corners(part, 100) == ["red", "green", "blue", "white"]
    assert part.size == (1200, 800)


@pytest.mark.parametrize(
    "crop", [(0.5, 0, 0.5, 1), (0.6, 0, 0.4, 1), (0, 0.9, 1, 0.1), (-0.1, 0, 1, 1), (0, 0, 1, 1.1), (0, 0, 1, np.nan)]
)
def test_impossible_crops_are_refused(crop):
    with pytest.raises(ValidationError):
        Edit(crop=crop)


def test_only_quarter_turns():
    with pytest.raises(ValidationError):
        Edit(rotate_deg=45)


def test_a_crop_that_leaves_nothing_to_see_is_refused():
    with pytest.raises(InputError, match="at least 32 x 32 pixels; found 12 x 80 pixels of array"):
        edited(load_photo(quarters()), Edit(crop=(0, 0, 0.1, 1)))


def test_only_a_turn_can_have_been_detected():
    turned = Edit(rotate_deg=180, detected=True)
    assert turned.turn_words == "rotated by 180 degrees, for it seemed to stand on its head"
    assert Edit(rotate_deg=180).turn_words is None
    with pytest.raises(ValidationError, match="only a turn"):
        Edit(detected=True)
