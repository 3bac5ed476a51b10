"""The fit of which way up a photo is, on streets that are drawn here (synthetic)."""

import sys

import numpy as np
import pytest
from PIL import Image

from geosleuth.tools.upright import UprightWeights, features_of_turns, shares_of
from geosleuth.training.upright import __main__ as upright


def street(seed: int) -> np.ndarray:
    """A bright sky above dark ground, with walls between."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal(60, 25, (96, 128, 3))
    horizon = int(rng.integers(30, 60))
    pixels[:horizon] = rng.normal((170, 200, 240), 4, (horizon, 128, 3))
    for _ in range(6):
        left, top = int(rng.integers(0, 110)), horizon - int(rng.integers(0, 30))
        pixels[top : horizon + 10, left : left + 18] = rng.uniform(60, 200, 3)
    return np.clip(pixels, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def streets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("streets")
    for seed in range(24):
        Image.fromarray(street(seed)).save(folder / f"{seed}.png")
    return folder


def test_the_fit_tells_sky_from_ground_in_streets_it_has_not_seen():
    features = np.array([features_of_turns(street(seed)) for seed in range(24)])
    shares = shares_of(features[16:], upright.fitted(features[:16]))
    assert (shares.argmax(1) == 0).all()
    assert "8 photos: the likeliest turn is right for 100.0%" in upright.report(shares)


def test_the_command_writes_weights_and_says_how_good_they_are(streets, tmp_path, monkeypatch, capsys):
    out = tmp_path / "upright.json"
    (streets / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    words = ["upright", "--photos", str(streets), "--photos", str(streets), "--test", str(streets), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", words)
    assert upright.main() == 0
    said = capsys.readouterr()
    assert "Held out, 24 photos: " in said.out  # each once, though its folder was named twice
    assert "torn.png" in said.err
    made = UprightWeights.model_validate_json(out.read_text("utf-8"))
    assert np.array(made.weights).shape == (4, 320)
    assert made.source.startswith("24 photos, ")


def test_a_few_photos_are_refused(tmp_path, monkeypatch, capsys):
    Image.fromarray(street(0)).save(tmp_path / "one.png")
    monkeypatch.setattr(sys, "argv", ["upright", "--photos", str(tmp_path)])
    assert upright.main() == 2
    assert "found 1" in capsys.readouterr().err
