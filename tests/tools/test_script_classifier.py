from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from geosleuth.tools.ppocr import Reading, read_lines
from geosleuth.tools.script_choice import OUTCOMES, RATES, choose_scripts, mixed_words, outcome, reading_odds
from geosleuth.tools.script_classifier import CLASSES, MODEL, NO_TEXT, classify_lines, prepare_line
from geosleuth.tools.scripts import script_of_text

FONTS = Path("/usr/share/fonts/truetype")
LINES = {
    "Latn": ("dejavu/DejaVuSans.ttf", "Straßenbahn"),
    "Cyrl": ("dejavu/DejaVuSans.ttf", "Железнодорожный"),
    "Grek": ("dejavu/DejaVuSans.ttf", "Φωτογραφείο"),
    "Hebr": ("noto/NotoSansHebrew-Regular.ttf", "ירושלים"),
    "Arab": ("noto/NotoSansArabic-Regular.ttf", "المدينة"),
    "Thai": ("noto/NotoLoopedThai-Regular.ttf", "กรุงเทพมหานคร"),
    "Deva": ("noto/NotoSansDevanagari-Regular.ttf", "नगर निगम"),
    "Geor": ("noto/NotoSansGeorgian-Regular.ttf", "საქართველო"),
    "Zyyy": ("dejavu/DejaVuSans.ttf", "0931 4785"),
}


def draw(font: str, text: str) -> np.ndarray:
    path = FONTS / font
    if not path.is_file():
        pytest.skip(f"{path.name} is not installed")
    drawn = ImageFont.truetype(str(path), 36)
    left, top, right, bottom = drawn.getbbox(text)
    image = Image.new("RGB", (int(right - left) + 16, int(bottom - top) + 14), (225, 220, 210))
    ImageDraw.Draw(image).text((8 - left, 7 - top), text, (30, 40, 60), drawn)
    return np.asarray(image, np.uint8)


def test_shipped_network_is_small():
    assert MODEL.stat().st_size <= 2_000_000


@pytest.mark.parametrize("script", LINES)
def test_clear_line_is_known(script):
    line = draw(*LINES[script])
    shares = choose_scripts(classify_lines([line]), read_lines([line]))[0]
    assert CLASSES[int(shares.argmax())] == script
    assert shares.sum() == pytest.approx(1)


def test_letters_that_scripts_share_leave_the_choice_open():
    share = classify_lines([draw("dejavu/DejaVuSans.ttf", "MOCKBA")])[0]
    assert share[CLASSES.index("Cyrl")] > 0.02
    assert share[CLASSES.index("Latn")] > 0.02


def test_noise_and_stripes_are_no_text():
    rng = np.random.default_rng(0)
    noise = [rng.integers(90, 130, (40, 160, 3), dtype=np.uint8) for _ in range(5)]
    fence = np.zeros((40, 200, 3), np.uint8)
    fence[:, ::8] = 180
    shares = classify_lines([*noise, fence])
    assert [CLASSES[i] for i in shares.argmax(1)] == [NO_TEXT] * 6


def test_line_is_prepared_to_32_px_zero_mean_and_at_most_384_wide():
    ramp = np.tile(np.arange(0, 250, dtype=np.uint8)[None, :, None], (50, 1, 3))
    prepared = prepare_line(ramp)
    assert prepared.shape == (1, 32, 160)
    assert prepared.mean() == pytest.approx(0, abs=1e-4)
    assert prepare_line(np.zeros((20, 900, 3), np.uint8)).shape == (1, 32, 384)
    assert prepare_line(np.zeros((40, 6, 3), np.uint8)).shape == (1, 32, 32)
    assert classify_lines([]).shape == (0, len(CLASSES))


@pytest.mark.parametrize(
    ("text", "script"),
    [("Bäckerei 12", "Latn"), ("улица", "Cyrl"), ("+49 931", "Zyyy"), ("東京タワー", "Jpan"), ("北京", "Hani"),
     ("", "Zyyy"), ("서울 Seoul", "Latn"), ("ქუჩა", "Geor"), ("Թ", "Armn"), ("Café ☕", "Latn")],
)  # fmt: skip
def test_script_of_a_text_is_that_of_most_letters(text, script):
    assert script_of_text(text) == script


def test_words_of_two_scripts_are_what_ppocr_makes_of_strange_letters():
    assert mixed_words("ABOKATアPA")
    assert mixed_words("ΦAPMAKEIO")
    assert not mixed_words("TOKYO 東京")
    assert not mixed_words("Straße")


def one_line(script: str, share: float) -> np.ndarray:
    row = np.full(len(CLASSES), (1 - share) / (len(CLASSES) - 1))
    row[CLASSES.index(script)] = share
    return row


def test_neighbours_of_the_same_script_raise_a_doubtful_line():
    doubtful, sure = one_line("Thai", 0.5), one_line("Thai", 0.99)
    reading = Reading("nisan", (0.8,) * 5)
    alone = choose_scripts(doubtful[None], [reading])[0]
    beside = choose_scripts(np.stack([doubtful, sure, sure, sure]), [reading] * 4)[0]
    thai = CLASSES.index("Thai")
    assert beside[thai] > 2 * alone[thai]
    assert alone.sum() == pytest.approx(1)
    assert beside.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "share", "expected"),
    [("BAKERY", 0.99, "sure Latin"), ("BAKERY", 0.9, "Latin"), ("BAKERY", 0.6, "dull"), ("ΦAPMAKEIO", 0.9, "mixed"),
     ("東京タワー", 0.9, "han"), ("0931-47", 0.99, "number"), ("A1", 0.99, "short"), ("", 0.0, "dull")],
)  # fmt: skip
def test_readings_are_sorted_by_what_they_tell(text, share, expected):
    assert outcome(Reading(text, (share,) * 6)) == expected


def test_each_rate_is_a_distribution_and_sure_latin_speaks_for_latin():
    assert all(sum(row) == pytest.approx(1, abs=0.005) and len(row) == len(OUTCOMES) for row in RATES.values())
    odds = reading_odds(Reading("BAKERY", (0.99,) * 6))
    ratio = odds[CLASSES.index("Latn")] / odds[CLASSES.index("Cyrl")]
    assert ratio == pytest.approx((RATES["Latn"][0] / RATES["Cyrl"][0]) ** 0.7)
    assert ratio > 3
    assert odds[CLASSES.index(NO_TEXT)] < odds[CLASSES.index("Cyrl")]
