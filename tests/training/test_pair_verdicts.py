import json

import cv2
import numpy as np
import pytest

from geosleuth.training.evaluate.pair_verdicts import pair_verdicts

SIDE = 480


def scene(seed, shift=0):
    """Rectangles in front of each other, the nearer ones moving more when the camera moves to the right."""
    dice = np.random.default_rng(seed)
    out = np.full((SIDE, SIDE, 3), 120, dtype=np.uint8)
    for layer in range(300):
        x, y, w, h = (int(v) for v in dice.integers([-40, 0, 8, 8], [SIDE + 40, SIDE, 50, 50]))
        colour = tuple(int(v) for v in dice.integers(0, 255, 3))
        left = x - round(shift * (0.5 + layer / 300))
        cv2.rectangle(out, (left, y), (left + w, y + h), colour, -1)
    return cv2.GaussianBlur(out, (3, 3), 0)


@pytest.fixture
def photos(tmp_path):
    paths = [tmp_path / name for name in ("here.png", "beside.png", "elsewhere.png")]
    for path, picture in zip(paths, (scene(1), scene(1, shift=20), scene(2)), strict=True):
        cv2.imwrite(str(path), picture)
    return paths


def test_verdicts_are_made_once_and_kept(photos, tmp_path):
    cache = tmp_path / "cache"
    found = pair_verdicts(photos, [(0, 1), (0, 2)], cache)
    assert found[0, 1][0] is True
    assert found[0, 1][1] >= 24
    assert found[0, 2][0] is False
    (file,) = cache.iterdir()
    kept = json.loads(file.read_text())
    assert len(kept) == 2
    file.write_text(json.dumps({key: [1, 777] for key in kept}))
    assert pair_verdicts(photos, [(0, 2), (1, 2)], cache)[0, 2] == (True, 777)  # read, not made again
    assert len(json.loads(file.read_text())) == 3
