"""Drawn lines in memory: made once, by several processes, from one seed."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.tools.script_classifier import CLASSES, NO_TEXT
from geosleuth.training.script_classifier.rendering import render_line
from geosleuth.training.script_classifier.textures import Grey, Textures

# How often each class is drawn. Streets show mostly Latin, numbers and noise; those three, and the two scripts that
# share their letters with Latin, need most to learn. All others have 1.
WEIGHTS = {"Latn": 4.0, "Cyrl": 2.0, "Grek": 2.0, "Hani": 2.0, "Zyyy": 1.5, NO_TEXT: 5.0}
_MOST_WIDTH = 224  # px; longer lines are cut at random: a letter in the middle is as good as one at the start
_WIDTH_STEP = 16  # px; lines are padded to a multiple, so that batches of one width can be formed


@dataclass(frozen=True)
class Samples:
    """Grey lines of 32 px height with their class numbers."""

    lines: list[Grey]
    labels: NDArray[np.int64]


def shares() -> NDArray[np.float64]:
    """The share of each class among the samples: the prior that the classifier's probabilities contain."""
    weights = np.array([WEIGHTS.get(script, 1.0) for script in CLASSES])
    return np.asarray(weights / weights.sum())


_received: list[Textures] = []  # a worker's own copy, sent once rather than with every task


def _receive(textures: Textures) -> None:
    import cv2

    cv2.setNumThreads(1)
    _received[:] = [textures]


def _draw(task: tuple[int, int, bool]) -> tuple[list[Grey], list[int]]:
    seed, count, test = task
    rng = np.random.default_rng(seed)
    textures = _received[0]
    lines, labels = [], []
    for label in rng.choice(len(CLASSES), count, p=shares()):
        script = CLASSES[label]
        if script == NO_TEXT:
            line = textures.no_text(rng)
        elif script == "Latn" and textures.latin and rng.random() < 0.2:
            line = textures.latin[rng.integers(len(textures.latin))]
        else:
            line = render_line(script, textures, rng, test=test)
        lines.append(line)
        labels.append(int(label))
    return lines, labels


def draw_samples(count: int, seed: int, workers: int, textures: Textures, *, test: bool = False) -> Samples:
    """Draw `count` lines. The result depends on the seed and the textures, not on the number of workers."""
    chunk = 1000
    tasks = [(seed * 100_003 + i, min(chunk, count - start), test) for i, start in enumerate(range(0, count, chunk))]
    # Spawned, not forked: a fork of a process whose OpenCV and onnxruntime run threads hangs.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, _receive, (textures,)) as pool:
        parts = list(pool.map(_draw, tasks))
    lines = [line for part, _ in parts for line in part]
    return Samples(lines, np.array([label for _, part in parts for label in part]))


def batches(
    samples: Samples, size: int, rng: np.random.Generator
) -> list[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """Cut the samples into batches of one width each, in random order."""
    cut = [_window(line, rng) for line in samples.lines]
    widths = np.array([line.shape[1] for line in cut]) + rng.uniform(0, 0.5, len(cut))  # ties broken at random
    order = np.argsort(widths)
    groups = [order[start : start + size] for start in range(0, len(order), size)]
    rng.shuffle(groups)
    result = []
    for group in groups:
        width = max(-(-max(cut[i].shape[1] for i in group) // _WIDTH_STEP) * _WIDTH_STEP, 32)
        batch = np.stack([_normalise(cut[i], width) for i in group])[:, None]
        result.append((batch, samples.labels[group]))
    return result


def _window(line: Grey, rng: np.random.Generator) -> Grey:
    if line.shape[1] <= _MOST_WIDTH:
        return line
    start = int(rng.integers(line.shape[1] - _MOST_WIDTH + 1))
    return line[:, start : start + _MOST_WIDTH]


def _normalise(line: Grey, width: int) -> NDArray[np.float32]:
    values = line.astype(np.float32)
    values = (values - values.mean()) / (values.std() + 4.0)  # as `prepare_line` does
    return np.pad(values, ((0, 0), (0, width - values.shape[1])))
