from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydantic import ValidationError

from geosleuth.tools import tesseract
from geosleuth.tools.detection import clockwise, cut_line, detect_boxes
from geosleuth.tools.line_score import agreement, edit_distance, score_reading
from geosleuth.tools.ppocr import Reading, _decode, read_lines
from geosleuth.tools.recognition import recognise, to_working_size
from geosleuth.tools.textline import TextLine

FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf")
needs_font = pytest.mark.skipif(not FONT.is_file(), reason="fonts-dejavu-core is not installed")


@pytest.fixture(autouse=True)
def fresh_list():
    tesseract.installed_languages.cache_clear()
    yield
    tesseract.installed_languages.cache_clear()


def street(*signs: tuple[str, int, int, int], turn: int = 0) -> SimpleNamespace:
    """Paint (text, x, y, size) on a grey wall of 640 x 480."""
    image = Image.new("RGB", (640, 480), (150, 155, 160))
    for text, x, y, size in signs:
        font = ImageFont.truetype(str(FONT), size)
        left, top, right, bottom = ImageDraw.Draw(image).textbbox((x, y), text, font)
        ImageDraw.Draw(image).rectangle((left - 12, top - 10, right + 12, bottom + 10), "white")
        ImageDraw.Draw(image).text((x, y), text, (20, 20, 90), font)
    return SimpleNamespace(pixels=np.asarray(image.rotate(turn, expand=True), np.uint8))


@needs_font
def test_latin_and_digits_are_read_with_their_boxes_in_the_photos_own_pixels():
    lines = recognise(street(("BAKERY", 60, 60, 40), ("0931 4785", 330, 300, 36)))
    found = {line.text: line for line in lines}
    assert set(found) == {"BAKERY", "0931 4785"}
    word, number = found["BAKERY"], found["0931 4785"]
    assert (word.script, number.script) == ("Latn", "Zyyy")
    assert word.score > 0.8
    assert number.score > 0.6
    xs, ys = zip(*word.box, strict=True)
    assert min(xs) == pytest.approx(60, abs=15)
    assert min(ys) == pytest.approx(68, abs=15)
    assert word.box[0][0] < word.box[1][0]
    assert word.box[0][1] < word.box[3][1]


@needs_font
def test_cyrillic_without_tesseract_is_noticed_and_not_read_as_latin(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    lines = recognise(street(("НОТАРИУС", 60, 60, 40), ("Железнодорожная", 60, 220, 40)))
    assert [line.readable for line in lines] == [False, False]
    assert {line.script for line in lines} == {"Cyrl"}
    assert all(line.text == "" and line.score == 0 and line.recogniser == "none" for line in lines)
    assert all(line.script_confidence > 0.6 for line in lines)


@needs_font
@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_cyrillic_and_greek_are_read_by_tesseract_beside_latin():
    if tesseract.model_for("Cyrl") is None or tesseract.model_for("Grek") is None:
        pytest.skip("no Cyrillic or Greek model")
    lines = recognise(street(("Железнодорожная", 60, 60, 40), ("Φωτογραφείο", 60, 200, 40), ("BAKERY", 60, 350, 40)))
    assert [line.text for line in lines] == ["Железнодорожная", "Φωτογραφείο", "BAKERY"]
    assert [line.script for line in lines] == ["Cyrl", "Grek", "Latn"]
    assert lines[0].recogniser.startswith("tesseract:")
    assert lines[0].score > 0.5


@needs_font
def test_line_that_runs_down_the_photo_is_turned():
    lines = recognise(street(("PHARMACY", 180, 200, 44), turn=90))
    assert [line.text for line in lines] == ["PHARMACY"]


def test_plain_wall_and_noise_say_nothing_that_can_be_believed():
    wall = SimpleNamespace(pixels=np.full((300, 400, 3), 128, np.uint8))
    assert recognise(wall) == []
    noise = SimpleNamespace(pixels=np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8))
    assert all(line.score < 0.3 for line in recognise(noise))


def test_photo_is_scaled_to_1280_on_its_long_side():
    pixels, scale = to_working_size(np.zeros((480, 640, 3), np.uint8))
    assert pixels.shape == (960, 1280, 3)
    assert scale == 2
    pixels, scale = to_working_size(np.zeros((5120, 2560, 3), np.uint8))
    assert pixels.shape == (1280, 640, 3)
    assert scale == 0.25
    assert to_working_size(np.zeros((1, 5000, 3), np.uint8))[0].shape == (1, 1280, 3)
    assert detect_boxes(np.zeros((1, 1280, 3), np.uint8)) == []


def test_corners_begin_upper_left_and_the_cut_is_upright():
    corners = np.array([[40, 30], [10, 10], [10, 30], [40, 10]], np.float32)
    assert clockwise(corners).tolist() == [[10, 10], [40, 10], [40, 30], [10, 30]]
    pixels = np.zeros((50, 50, 3), np.uint8)
    pixels[10:30, 10:25] = 200
    cut = cut_line(pixels, clockwise(corners))
    assert cut.shape == (20, 30, 3)
    assert cut[10, 5, 0] == 200
    assert cut[10, 25, 0] == 0


def test_ctc_drops_blanks_and_repeats_and_keeps_each_letters_probability():
    letters = ["", "a", "b", " "]
    frames = np.full((7, 4), 0.01, np.float32)
    for frame, (letter, share) in enumerate([(3, 0.9), (1, 0.8), (1, 0.7), (0, 0.9), (1, 0.6), (2, 0.9), (3, 0.9)]):
        frames[frame, letter] = share
    reading = _decode(frames, letters)
    assert reading.text == "aab"
    assert reading.chars == pytest.approx((0.8, 0.6, 0.9))
    assert reading.mean == pytest.approx(2.3 / 3)
    assert read_lines([]) == []


def test_distance_and_agreement_of_readings():
    assert edit_distance("traduceri", "craduceri") == 1
    assert edit_distance("kitten", "sitting") == 3
    assert agreement("Bus Stop", "BUSSTOP") == 1
    assert agreement("abcd", "abxx") == 0.5
    assert agreement("", "") == 1


def test_score_falls_with_noise_and_doubtful_letters():
    sure, unsure = Reading("BAKERY", (0.99,) * 6), Reading("CHTEM", (0.9, 0.4, 0.5, 0.6, 0.9))
    assert score_reading(sure, 0.01) > 0.85
    assert score_reading(unsure, 0.7) < 0.3
    assert score_reading(sure, 0.01) > score_reading(sure, 0.6) > score_reading(unsure, 0.6)
    assert score_reading(Reading("E", (0.7,)), 0.5) < 0.1
    assert score_reading(Reading("", ()), 0.0) == 0


def test_unreadable_line_must_have_no_text():
    box = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    with pytest.raises(ValidationError, match="unreadable line must have no text"):
        TextLine(text="x", box=box, script="Thai", script_confidence=0.9, score=0, recogniser="none", readable=False)
