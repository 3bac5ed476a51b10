"""Captions drawn for the fit of overlay text, over walls that are drawn here (synthetic)."""

import shutil
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from geosleuth.tools.overlay_text import TRAITS, OverlayWeights, probability_of
from geosleuth.training.script_classifier import overlay_text
from geosleuth.training.script_classifier.overlay_drawing import SIGNS, STYLES, caption, sign, worn
from geosleuth.training.script_classifier.overlay_text import Measured, fitted, judged, lines_of

needs_fonts = pytest.mark.skipif(shutil.which("fc-list") is None, reason="fontconfig is not installed")


@pytest.fixture
def wall(tmp_path):
    rng = np.random.default_rng(0)
    shade = cv2.resize(rng.uniform(90, 170, (6, 8, 3)).astype(np.float32), (640, 480), interpolation=cv2.INTER_CUBIC)
    path = tmp_path / "wall.jpg"
    Image.fromarray(np.clip(shade + rng.normal(0, 6, shade.shape), 0, 255).astype(np.uint8)).save(path, quality=92)
    return path


@needs_fonts
def test_captions_stand_where_they_are_said_to_stand(wall):
    clean, styles = Image.open(wall).convert("RGB"), set()
    for seed in range(10):
        drawn, rects, style = caption(clean, np.random.default_rng(seed))
        styles.add(style)
        changed = np.abs(np.asarray(drawn, int) - np.asarray(clean, int)).max(2) > 8
        for left, top, right, bottom in rects:
            assert changed[int(max(top, 0)) : int(bottom) + 1, int(max(left, 0)) : int(right) + 1].any()
        assert 0 < changed.mean() < 0.7
    assert len(styles) >= 3
    assert styles <= set(STYLES)


def test_wear_keeps_the_picture_and_says_its_scale(wall):
    clean = Image.open(wall).convert("RGB")
    for seed in range(8):
        picture, scale = worn(clean, np.random.default_rng(seed))
        assert picture.width == max(1, round(clean.width * scale))
        assert 0.5 <= scale <= 1


@needs_fonts
def test_a_photos_lines_are_measured_and_a_stamped_one_gives_what_is_drawn_alone(wall):
    measured = lines_of(wall, 3, stamped=True, seed=1)
    assert measured
    assert {line.kind for line in measured} <= {*STYLES, *SIGNS[1:]}
    assert all(line.traits.shape == (len(TRAITS),) and np.isfinite(line.traits).all() for line in measured)


@needs_fonts
def test_a_sign_stands_where_it_is_said_to_stand_and_looks_like_the_photo_elsewhere(wall):
    clean, kinds = Image.open(wall).convert("RGB"), set()
    for seed in range(12):
        drawn, [(left, top, right, bottom)], kind = sign(clean, np.random.default_rng(seed))
        kinds.add(kind)
        changed = np.abs(np.asarray(drawn, int) - np.asarray(clean, int)).max(2) > 8
        inside = np.zeros_like(changed)
        inside[int(max(top - 8, 0)) : int(bottom) + 9, int(max(left - 8, 0)) : int(right) + 9] = True
        assert changed[inside].any()
        assert changed[~inside].mean() < 0.01
    assert kinds == set(SIGNS[1:])


@needs_fonts
def test_drawn_signs_are_rarely_taken_for_captions_even_where_they_hang_level(wall):
    measured = [line for seed in range(2) for line in lines_of(wall, 5, stamped=True, seed=seed)]
    taken = {overlaid: [] for overlaid in (0.0, 1.0)}
    for line in measured:
        taken[line.overlaid].append(probability_of(line.traits) > 0.5)
    assert len(taken[0.0]) >= 4
    assert sum(taken[0.0]) <= 0.2 * len(taken[0.0])
    assert sum(taken[1.0]) >= 0.6 * len(taken[1.0])


def test_the_fit_finds_what_tells_the_kinds_apart():
    rng = np.random.default_rng(0)
    overlaid = (rng.random(600) < 0.2).astype(float)
    traits = rng.normal(size=(600, len(TRAITS)))
    traits[:, 2] += 3 * overlaid
    logits = judged(traits[300:], fitted(traits[:300], overlaid[:300]))
    assert np.mean((logits > 0) == (overlaid[300:] > 0)) > 0.85


def test_the_command_writes_weights_that_can_be_read(tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    drawn = [[Measured(rng.normal(size=len(TRAITS)), style) for style in ("", "band", "")] for _ in range(40)]
    monkeypatch.setattr(overlay_text, "measured", lambda *_: drawn)
    out = tmp_path / "weights.json"
    monkeypatch.setattr(sys, "argv", ["overlay_text", "--photos", str(tmp_path), "--out", str(out)])
    assert overlay_text.main() == 0
    made = OverlayWeights.model_validate_json(out.read_text("utf-8"))
    assert made.traits == TRAITS
    assert "of the photo: " in capsys.readouterr().out


def test_without_captions_nothing_is_fitted(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["overlay_text", "--photos", str(tmp_path)])
    assert overlay_text.main() == 2
    assert "0 lines of captions and 0 of signs in 0 photos" in capsys.readouterr().err
