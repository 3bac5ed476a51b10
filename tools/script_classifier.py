"""Tell the script of a line from its picture, before anyone tries to read it.

PP-OCR reads Cyrillic, Greek and Armenian as confident Latin look-alikes, so the script must be known first. The
network is small (training/script_classifier makes it) and its probabilities are honest: a word of letters that Latin
and Cyrillic share comes back divided between the two.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.tools.detection import Pixels, open_session

NO_TEXT = "none"  # texture, bricks, leaves, fences: the detector's false alarms
CLASSES = (
    "Latn", "Cyrl", "Grek", "Hebr", "Arab", "Deva", "Beng", "Guru", "Gujr", "Taml", "Telu", "Knda", "Mlym", "Sinh",
    "Thai", "Laoo", "Khmr", "Mymr", "Ethi", "Hang", "Hani", "Geor", "Armn", "Zyyy", NO_TEXT,
)  # fmt: skip
HEIGHT = 32  # px, the network's input height: letters of 10 px keep their strokes, and a line costs under 1 ms
WIDTHS = (32, 384)  # px, least and most: a longer line is cut in its middle, where letters are as good as elsewhere
MODEL = Path(__file__).parent / "data" / "script_classifier.onnx"


def prepare_line(line: Pixels | NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn an upright line, RGB or grey, into the network's input (1, HEIGHT, w): grey, zero mean, unit variance."""
    import cv2

    grey = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY) if line.ndim == 3 else line
    width = max(round(grey.shape[1] * HEIGHT / grey.shape[0]), WIDTHS[0])
    way = cv2.INTER_AREA if grey.shape[0] > HEIGHT else cv2.INTER_LINEAR
    scaled = cv2.resize(grey, (width, HEIGHT), interpolation=way).astype(np.float32)
    if width > WIDTHS[1]:
        start = (width - WIDTHS[1]) // 2
        scaled = scaled[:, start : start + WIDTHS[1]]
    return np.asarray((scaled - scaled.mean()) / (scaled.std() + 4.0), np.float32)[
        None
    ]  # 4 grey levels: noise stays low


@lru_cache(maxsize=1)
def _classifier() -> Any:
    return open_session(MODEL, threads=1)  # lines are too small to share among cores


def classify_lines(lines: list[Pixels]) -> NDArray[np.float64]:
    """Give each upright line's probabilities, (n, len(CLASSES)), with the share of scripts in training as the prior."""
    if not lines:
        return np.zeros((0, len(CLASSES)))
    session = _classifier()
    logits = np.stack([session.run(None, {"line": prepare_line(line)[None]})[0][0] for line in lines]).astype(float)
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(odds / odds.sum(1, keepdims=True))
