"""Captions drawn for the fit of overlay text, over walls that are drawn here (synthetic)."""

import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from geosleuth.tools.overlay_text import TRAITS, OverlayWeights
from geosleuth.training.script_classifier import overlay_text
from geosleuth.training.script_classifier.overlay_text import STYLES, Measured, caption, fitted, judged, lines_of, worn


@pytest.fixture
def wall(tmp_path):
    rng = np.random.default_rng(0)
    shade = cv2.resize(rng.uniform(90, 170, (6, 8, 3)).astype(np.float32), (640, 480), interpolation=cv2.INTER_CUBIC)
    path = tmp_path / "wall.jpg"
    Image.fromarray(np.clip(shade + rng.normal(0, 6, shade.shape), 0, 255).astype(np.uint8)).save(path, quality=92)
    return path


def test_captions_stand_where_they_are_said_to_stand(wall):
    clean, styles = Image.open(wall).convert("RGB"), set()
    for seed in range(24):
        drawn, rects, style = caption(clean, np.random.default_rng(seed))
        styles.add(style)
        changed = np.abs(np.asarray(drawn, int) - np.asarray(clean, int)).max(2) > 8
        for left, top, right, bottom in rects:
            assert changed[int(max(top, 0)) : int(bottom) + 1, int(max(left, 0)) : int(right) + 1].any()
        assert 0 < changed.mean() < 0.7
    assert styles == set(STYLES)


def test_wear_keeps_the_picture_and_says_its_scale(wall):
    clean = Image.open(wall).convert("RGB")
    for seed in range(8):
        picture, scale = worn(clean, np.random.default_rng(seed))
        assert picture.width == max(1, round(clean.width * scale))
        assert 0.5 <= scale <= 1


def test_a_photos_lines_are_measured_and_a_stamped_one_gives_captions_alone(wall):
    measured = lines_of(wall, 3, stamped=True, seed=1)
    assert measured
    assert {line.style for line in measured} <= set(STYLES)
    assert all(line.traits.shape == (len(TRAITS),) and np.isfinite(line.traits).all() for line in measured)


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
    assert "of the scene: " in capsys.readouterr().out


def test_without_captions_nothing_is_fitted(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["overlay_text", "--photos", str(tmp_path)])
    assert overlay_text.main() == 2
    assert "0 lines of captions and 0 of signs in 0 photos" in capsys.readouterr().err
