"""Writing that a lens saw, and writing that was drawn on the pixels; all of it is synthetic but the last test."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from geosleuth.indexes.photo import load_photo
from geosleuth.tools.captions import is_caption
from geosleuth.tools.overlay_text import TRAITS, measure, overlay_probability, overlay_weights
from geosleuth.tools.recognition import recognise

WORDS = "Nairobi, Kenya"
PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "streetscapes-cc"


def wall(seed):
    """A wall as a sensor sees it: shade and grain."""
    rng = np.random.default_rng(seed)
    shade = cv2.resize(rng.uniform(90, 170, (6, 8, 3)).astype(np.float32), (960, 720), interpolation=cv2.INTER_CUBIC)
    return Image.fromarray(np.clip(shade + rng.normal(0, 6, shade.shape), 0, 255).astype(np.uint8))


def written(image, where, *, band):
    out = image.copy()
    draw, font = ImageDraw.Draw(out), ImageFont.load_default(44)
    box = draw.textbbox(where, WORDS, font=font)
    box = (box[0] - 8, box[1] - 8, box[2] + 8, box[3] + 8)
    if band:
        draw.rectangle(box, fill=(20, 20, 20))
    draw.text(where, WORDS, font=font, fill=(245, 245, 245), stroke_width=0 if band else 3, stroke_fill=(0, 0, 0))
    left, top, right, bottom = map(float, box)
    return out, ((left, top), (right, top), (right, bottom), (left, bottom))


def seen(image, box, seed):
    """As a camera shows a sign: from the side, a little out of focus, with the sensor's grain over all."""
    rng = np.random.default_rng(seed)
    corners = np.array([(0, 0), (960, 0), (960, 720), (0, 720)], np.float32)
    lean = 40.0 + 5 * seed  # px of 960: 2.4 degrees and more
    away = np.array([(0, 0), (0, lean), (0, 0.6 * lean), (0, 0)], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, corners + away)
    turned = cv2.warpPerspective(np.asarray(image), matrix, (960, 720), borderMode=cv2.BORDER_REPLICATE)
    soft = np.asarray(Image.fromarray(turned).filter(ImageFilter.GaussianBlur(1.2)), np.float32)
    pixels = np.clip(soft + rng.normal(0, 6, soft.shape), 0, 255).astype(np.uint8)
    moved = cv2.perspectiveTransform(np.array([box], np.float32), matrix)[0]
    return pixels, tuple((float(x), float(y)) for x, y in moved)


def sent_on(image):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=75)
    return np.asarray(Image.open(file).convert("RGB"))


@pytest.mark.parametrize("band", [True, False])
def test_a_caption_is_told_from_the_same_words_on_a_sign(band):
    captions, signs = [], []
    for seed in range(10):
        image, box = written(wall(seed), (60 + 20 * seed, 80 + 40 * seed), band=band)
        captions.append(overlay_probability(sent_on(image), box))
        pixels, moved = seen(image, box, seed)
        signs.append(overlay_probability(sent_on(Image.fromarray(pixels)), moved))
    assert min(captions) > max(signs), (captions, signs)
    assert np.mean(np.array(captions) > 0.5) == 1.0, captions
    assert np.mean(np.array(signs) > 0.5) <= 0.2, (
        signs
    )  # a sign that hangs level, seen from the front, is like a caption


def test_a_reading_says_which_lines_are_captions():
    image, _ = written(wall(3), (80, 620), band=True)
    lines = recognise(load_photo(image))
    assert any("Nairobi" in line.text and is_caption(line) for line in lines), lines


def test_what_is_too_small_is_not_judged():
    pixels = np.asarray(wall(0))
    assert measure(pixels, ((5.0, 5.0), (100.0, 5.0), (100.0, 9.0), (5.0, 9.0))) is None
    assert overlay_probability(pixels, ((-50.0, -50.0), (-10.0, -50.0), (-10.0, -30.0), (-50.0, -30.0))) == 0.0


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_plane_is_measured_too(grey):
    pixels = np.full((60, 200, 3), grey, np.uint8)
    traits = measure(pixels, ((5.0, 5.0), (190.0, 5.0), (190.0, 50.0), (5.0, 50.0)))
    assert traits.shape == (len(TRAITS),)
    assert np.isfinite(traits).all()
    assert 0 <= overlay_probability(pixels, ((5.0, 5.0), (190.0, 5.0), (190.0, 50.0), (5.0, 50.0))) <= 1


def test_the_weights_are_of_these_traits():
    fitted = overlay_weights()
    assert fitted.traits == TRAITS
    assert len(fitted.weights) == 1 + len(TRAITS) + len(TRAITS) * (len(TRAITS) + 1) // 2


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the openly licensed photos are not here")
def test_signs_on_real_photos_are_rarely_taken_for_captions():
    photos = sorted(PHOTOS.rglob("*.jpg"))[::4]
    read = [line for path in photos for line in recognise(load_photo(path)) if line.score > 0.5]
    assert len(read) >= 5
    assert sum(map(is_caption, read)) <= 0.2 * len(read), [line.text for line in read if is_caption(line)]
