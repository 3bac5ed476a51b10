"""Fit the probability that a line was read rightly, on drawn lines whose words are known and on false alarms.

    python -m geosleuth.training.script_classifier.line_score --photos DATA/streetscapes-cc --photos DATA/vpr-small

Prints the weights for tools/line_score.py, and the calibration on held-out lines. Two minutes on two cores. Needs no
torch. Real lines are harder than drawn ones, so lines and noise are taken half and half, although streets show more
lines than that.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosleuth.tools.line_score import agreement, features
from geosleuth.tools.ppocr import Reading, read_lines
from geosleuth.tools.script_choice import choose_scripts
from geosleuth.tools.script_classifier import CLASSES, NO_TEXT, classify_lines
from geosleuth.training.script_classifier.fonts import fonts_by_script
from geosleuth.training.script_classifier.rendering import draw_mask, draw_text, photograph
from geosleuth.training.script_classifier.textures import Grey, Textures, load_textures

logger = logging.getLogger(__name__)

Table = NDArray[np.float64]
_SCRIPTS = ("Latn", "Latn", "Latn", "Hani", "Zyyy")  # what PP-OCR reads, about as streets mix them
_ERRORS = 1 / 6  # at most so many letters may be wrong for a line to be of use to a gazetteer
_RIDGE = 1e-3  # keeps the fit finite where a feature separates all lines
_SETTLED = 1e-9  # largest change of a weight at which the fit ends: thousands of times below what is written


def draw_known(textures: Textures, rng: np.random.Generator) -> tuple[Grey, str]:
    """Draw a whole line with its words."""
    while True:
        script = _SCRIPTS[rng.integers(len(_SCRIPTS))]
        text, fonts = draw_text(script, rng, test=True), fonts_by_script()[script][1]
        mask = draw_mask(text, fonts[rng.integers(len(fonts))], rng, spaced=True)
        if mask is not None and mask.shape[1] - 88 < 5.5 * (mask.shape[0] - 88):  # longer ones may be cut
            return _shrink(photograph(mask, textures, rng), rng), text


def _shrink(line: Grey, rng: np.random.Generator) -> Grey:
    """Make every second line too small to read well: distant signs give long words of nonsense, textures short ones."""
    import cv2

    if rng.random() < 0.5:
        return line
    height = int(rng.integers(5, 15))
    small = cv2.resize(line, (max(line.shape[1] * height // line.shape[0], 3), height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, line.shape[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def measure(lines: list[Grey], truths: list[str | None]) -> tuple[Table, Table]:
    """Read lines and measure them: features (n, 5), and 1 where the reading is right."""
    first = [np.repeat(line[:, :, None], 3, 2) for line in lines]
    readings = read_lines(first)
    shares = np.concatenate([choose_scripts(classify_lines([p]), [r]) for p, r in zip(first, readings, strict=True)])
    none = shares[:, CLASSES.index(NO_TEXT)]
    rows = [features(reading, float(p)) for reading, p in zip(readings, none, strict=True)]
    right = [
        float(truth is not None and _right(reading, truth)) for reading, truth in zip(readings, truths, strict=True)
    ]
    return np.array(rows), np.array(right)


def _right(reading: Reading, truth: str) -> bool:
    return bool(reading.text) and agreement(reading.text, truth) >= 1 - _ERRORS


def fit(rows: Table, right: Table, each: Table | None = None, *, ridge: float = _RIDGE) -> Table:
    """Fit a logistic regression by Newton's method with a small ridge; `each` says how much a row counts."""
    weights, count = np.zeros(rows.shape[1]), np.ones(len(rows)) if each is None else each
    for _ in range(50):
        p = 1 / (1 + np.exp(-rows @ weights))
        gradient = rows.T @ (count * (right - p)) - ridge * len(rows) * weights
        hessian = (rows * (count * p * (1 - p))[:, None]).T @ rows + ridge * len(rows) * np.eye(rows.shape[1])
        step = np.linalg.solve(hessian, gradient)
        weights += step
        if np.abs(step).max() < _SETTLED:
            break
    return weights


def main() -> None:
    """Draw, read, fit, report."""
    parser = argparse.ArgumentParser(description="Fit the score of a line.")
    parser.add_argument("--photos", type=Path, action="append", default=[])
    parser.add_argument("--lines", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=11)
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rng = np.random.default_rng(asked.seed)
    textures = load_textures(asked.photos)
    known = [draw_known(textures, rng) for _ in range(asked.lines // 2)]
    noise = [textures.no_text(rng) for _ in range(asked.lines // 2)]
    truths: list[str | None] = [text for _, text in known]
    rows, right = measure([line for line, _ in known] + noise, truths + [None] * len(noise))
    train = rng.random(len(rows)) < 0.7
    weights = fit(rows[train], right[train])
    logger.info("WEIGHTS = (%s)", ", ".join(f"{w:.2f}" for w in weights))
    guess = 1 / (1 + np.exp(-rows[~train] @ weights))
    for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.7), (0.7, 0.9), (0.9, 1.01)):
        inside = (guess >= low) & (guess < high)
        if inside.any():
            share = right[~train][inside].mean()
            logger.info("score %.1f-%.1f: %d lines, %.2f right", low, high, inside.sum(), share)


if __name__ == "__main__":
    main()
