"""Read upright lines of Latin, Han and kana: PP-OCR's recogniser, from the file that the rapidocr package ships."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.tools.detection import Pixels, ocr_session

_HEIGHT = 48  # px, the network's input
_LEAST_WIDTH = 320  # px; it was trained on lines padded to this
_MOST_WIDTH = 2400  # px; 50 times its height is no line of writing but a cable
_BATCH = 6  # lines of similar width at once; more gains nothing on two cores


@dataclass(frozen=True)
class Reading:
    """What the recogniser read: `chars[i]` is the probability of the letter `text[i]`."""

    text: str
    chars: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean probability of the letters, PP-OCR's own score; 0 for an empty line."""
        return float(np.mean(self.chars)) if self.chars else 0.0


@lru_cache(maxsize=1)
def _recogniser() -> tuple[Any, list[str]]:
    session = ocr_session("PP-OCRv6_rec_small.onnx")
    letters = session.get_modelmeta().custom_metadata_map["character"].splitlines()
    return session, ["", *letters, " "]  # class 0 is CTC's blank, the last one a space


def read_lines(lines: list[Pixels]) -> list[Reading]:
    """Read upright lines, whatever they show: noise and foreign scripts come back as confident Latin."""
    readings = [Reading("", ())] * len(lines)
    order = sorted(range(len(lines)), key=lambda i: lines[i].shape[1] / lines[i].shape[0])
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        for index, reading in zip(chosen, _read_batch([lines[i] for i in chosen]), strict=True):
            readings[index] = reading
    return readings


def _read_batch(lines: list[Pixels]) -> list[Reading]:
    import cv2

    session, letters = _recogniser()
    widths = [min(max(-(-line.shape[1] * _HEIGHT // line.shape[0]), 4), _MOST_WIDTH) for line in lines]
    batch = np.zeros((len(lines), 3, _HEIGHT, max(_LEAST_WIDTH, *widths)), np.float32)
    for row, (line, width) in enumerate(zip(lines, widths, strict=True)):
        scaled = cv2.resize(line, (width, _HEIGHT), interpolation=cv2.INTER_LINEAR)[:, :, ::-1]  # trained on BGR
        batch[row, :, :, :width] = scaled.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1.0
    probabilities = session.run(None, {"x": batch})[0]
    return [_decode(frames, letters) for frames in probabilities]


def _decode(frames: NDArray[np.float32], letters: list[str]) -> Reading:
    """Decode CTC greedily: drop repeats, then blanks."""
    best = frames.argmax(1)
    keep = (best != 0) & np.concatenate([[True], best[1:] != best[:-1]])
    texts = [(letters[i], float(p)) for i, p in zip(best[keep], frames.max(1)[keep], strict=True)]
    while texts and texts[0][0] == " ":
        texts.pop(0)
    while texts and texts[-1][0] == " ":
        texts.pop()
    return Reading("".join(letter for letter, _ in texts), tuple(min(p, 1.0) for _, p in texts))
