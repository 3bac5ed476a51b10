"""Which way up a photo is; the photo is the pair of street views of the README (docs/match.jpg)."""

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from geosleuth.indexes.photo import load_photo
from geosleuth.indexes.photo_edit import Edit, edited
from geosleuth.tools.upright import SURE, seen_turn, turn_shares, turned_upright, upright_weights

STREET = load_photo(Path(__file__).parents[2] / "docs" / "match.jpg")


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_street_is_turned_back_from_every_turn(turn: int):
    lying = np.rot90(STREET.pixels, turn // 90)  # to the left
    assert seen_turn(lying) == turn
    found = turned_upright(load_photo(lying))
    assert np.array_equal(found.pixels, STREET.pixels)
    assert found.size == STREET.size
    assert bool(found.edits) == bool(turn)


@pytest.mark.parametrize(("turn", "words"), [(90, "lie on its side"), (180, "stand on its head")])
def test_the_answer_will_say_why_it_was_turned(turn: int, words: str):
    lying = dataclasses.replace(load_photo(np.rot90(STREET.pixels, turn // 90)), notes=("first of 3 frames",))
    said = f"rotated by {turn} degrees, for it seemed to {words}"
    found = turned_upright(lying)
    assert found.notes == ("first of 3 frames", said)
    assert found.edits == (f"rotated by {turn} degrees",)


def test_a_photo_that_is_turned_is_not_held_twice():
    file = io.BytesIO()
    Image.fromarray(np.rot90(STREET.pixels)).save(file, "JPEG")
    lying = load_photo(file.getvalue())
    assert turned_upright(lying).size == STREET.size
    assert "pixels" not in vars(lying)
    assert lying.pixels.shape == (STREET.size[0], STREET.size[1], 3)  # it decodes again


def test_the_turns_of_a_turned_photo_are_the_same_four():
    assert np.allclose(turn_shares(np.rot90(STREET.pixels)), np.roll(turn_shares(STREET.pixels), -1))
    assert turn_shares(STREET.pixels).sum() == pytest.approx(1)


def test_what_a_person_turned_or_cropped_stays_so():
    for edit in (Edit(rotate_deg=90), Edit(rotate_deg=180, crop=(0, 0, 1, 0.9))):
        photo = edited(STREET, edit)
        assert turned_upright(photo) is photo


@pytest.mark.parametrize("size", [(1, 1), (31, 400), (32, 32), (40, 3000)])
def test_where_nothing_can_be_seen_nothing_is_turned(size: tuple[int, int]):
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    for pixels in (np.full((*size, 3), 127, np.uint8), noise):
        assert turned_upright(load_photo(pixels)).edits == ()


def test_worn_and_tilted_copies_are_not_turned():
    image = Image.fromarray(STREET.pixels)
    for copy in (
        image.rotate(20, expand=True),
        image.filter(ImageFilter.GaussianBlur(8)),
        image.point(lambda value: value // 8),
        image.resize((300, 124)),
    ):
        assert seen_turn(np.asarray(copy)) == 0


def test_the_weights_that_ship_are_of_four_bands():
    assert np.array(upright_weights().weights).shape == (4, 320)
    assert 0.9 < SURE < 1
