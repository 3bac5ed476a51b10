from __future__ import annotations

import shutil

import numpy as np
import pytest

from geosleuth.tools.script_choice import TRAINED, training_shares
from geosleuth.tools.script_classifier import CLASSES, NO_TEXT
from geosleuth.tools.scripts import count_scripts
from geosleuth.training.script_classifier import fonts, rendering, samples, strings
from geosleuth.training.script_classifier.line_score import fit
from geosleuth.training.script_classifier.textures import draw_texture, load_textures

needs_fonts = pytest.mark.skipif(shutil.which("fc-list") is None, reason="fontconfig is not installed")


@pytest.fixture(scope="module")
def textures():
    return load_textures([])


def test_prior_that_the_tool_divides_by_is_the_one_that_training_draws_with():
    assert samples.WEIGHTS == TRAINED
    assert samples.shares() == pytest.approx(training_shares())
    assert training_shares()[CLASSES.index("Latn")] == pytest.approx(4 / 35.5)  # 4+2+2+2+1.5+5 and 19 others


def test_words_of_training_and_test_are_apart_and_of_their_script():
    found = strings.strings_by_script()
    assert set(found) == set(CLASSES) - {"Zyyy", NO_TEXT}
    for script, (train, test) in found.items():
        assert not set(train) & set(test)
        assert len(test) >= 50
        counted = {name for text in test[:200] for name in count_scripts(text)}
        assert counted <= ({"Hani", "Hira", "Kana"} if script == "Hani" else {script})


def test_numbers_have_digits_and_no_letters():
    rng = np.random.default_rng(0)
    drawn = [rendering.draw_text("Zyyy", rng) for _ in range(100)]
    assert all(any(letter.isdigit() for letter in text) for text in drawn)
    assert all(not count_scripts(text.replace("km", "")) for text in drawn)


@needs_fonts
def test_fonts_of_training_and_test_are_apart():
    for script, (train, test) in fonts.fonts_by_script().items():
        if len(train) + len(test) >= 4 and train:
            assert not set(train) & set(test), script


@needs_fonts
@pytest.mark.parametrize("script", ["Latn", "Cyrl", "Zyyy"])
def test_line_is_32_px_high_and_shows_ink_and_repeats_with_its_seed(script, textures):
    if not fonts.fonts_by_script()[script][0]:
        pytest.skip(f"no font for {script}")
    lines = [rendering.render_line(script, textures, np.random.default_rng(seed)) for seed in (3, 3, 4)]
    assert all(line.shape[0] == 32 and line.dtype == np.uint8 for line in lines)
    assert np.array_equal(lines[0], lines[1])
    assert not np.array_equal(lines[0], lines[2])
    assert np.mean([rendering.render_line(script, textures, np.random.default_rng(s)).std() for s in range(20)]) > 10


def test_textures_fill_their_size_and_no_text_is_32_px_high(textures):
    rng = np.random.default_rng(0)
    assert draw_texture(32, 100, rng).shape == (32, 100)
    assert textures.cut(40, 90, rng).shape == (40, 90)
    assert {textures.no_text(rng).shape[0] for _ in range(30)} == {32}


def test_pictures_that_cannot_be_read_are_counted_and_not_named(tmp_path, caplog):
    (tmp_path / "witness-house.jpg").write_bytes(b"no picture")
    assert load_textures([tmp_path]).photos == ()
    assert caplog.messages == ["1 of 1 photos cannot be read and are left out"]


def test_batches_hold_every_sample_once_in_one_width():
    lines = [np.full((32, width), 7, np.uint8) for width in (20, 40, 300, 90, 41)]
    made = samples.batches(samples.Samples(lines, np.arange(5)), 2, np.random.default_rng(0))
    assert sorted(int(label) for _, labels in made for label in labels) == [0, 1, 2, 3, 4]
    assert {batch.shape[3] for batch, _ in made} <= {48, 96, 224}  # 40 and 41 to 48; 300 is cut to 224
    assert all(batch.shape[1:3] == (1, 32) for batch, _ in made)


def test_logistic_fit_finds_the_odds_of_a_table():
    rows = np.array([[1.0, 0.0]] * 40 + [[1.0, 1.0]] * 40)
    right = np.array([1.0] * 10 + [0.0] * 30 + [1.0] * 30 + [0.0] * 10)
    weights = fit(rows, right)
    assert weights[0] == pytest.approx(np.log(1 / 3), abs=0.05)  # 10 right to 30 wrong; the ridge shrinks a little
    assert weights.sum() == pytest.approx(np.log(3), abs=0.05)
