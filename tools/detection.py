"""Find lines of writing in a photo: PP-OCR's detector, from the file that the rapidocr package ships.

The network is run here rather than through rapidocr's own class for two reasons: rapidocr refuses photos' native sizes
(it rescales in steps of its own), and importing it loads configuration and download code that we do not use.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.parallel import core_count
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.inference import import_onnxruntime

Pixels = NDArray[np.uint8]  # (h, w, 3) RGB
Quad = NDArray[np.float32]  # (4, 2) corners (x, y), clockwise from the upper left

_INK = 0.3  # PP-OCR's own threshold on the probability of a text pixel (rapidocr config.yaml, Det.thresh)
_BOX_SCORE = 0.5  # mean probability inside a box, PP-OCR's own (Det.box_thresh)
_UNCLIP = 1.6  # how far a shrunken text kernel is grown again, PP-OCR's own (Det.unclip_ratio)
_LEAST_SIDE = 5.0  # px at working size; nothing thinner can be read
_MOST_BOXES = 100  # a poster wall; past this, time is lost on lines that say nothing new


@dataclass(frozen=True)
class Box:
    """A detected line: its corners in the pixels of the image that was searched, and the detector's score."""

    corners: Quad
    score: float


def ocr_session(name: str) -> Any:  # an onnxruntime.InferenceSession, which has no type stubs
    """Open a network of the rapidocr package by file name, on all the cores there are."""
    spec = find_spec("rapidocr")
    path = None if spec is None or spec.origin is None else Path(spec.origin).parent / "models" / name
    if path is None or not path.is_file():
        raise InputError(
            f"the text recogniser's file {name}",
            "no such file in the installed package rapidocr" if path else "no package rapidocr",
            "Install it again: pip install --force-reinstall 'rapidocr>=3.9'.",
        )
    return open_session(path)


def open_session(path: Path, threads: int | None = None) -> Any:
    """Open an ONNX file on the CPU; `threads` is all cores when None."""
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or core_count()
    options.log_severity_level = 3  # errors only: a note about a missing GPU is no news to the user
    options.enable_cpu_mem_arena = False  # line widths vary: an arena would grow with every new shape and stay
    # Threads that wait by spinning take the cores from other programs when the machine is busy.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@lru_cache(maxsize=1)
def _detector() -> Any:
    return ocr_session("PP-OCRv6_det_small.onnx")


def detect_boxes(pixels: Pixels, least_score: float = _BOX_SCORE) -> list[Box]:
    """Find lines of writing in an image at working size, in reading order (top to bottom, left to right)."""
    import cv2

    height, width = pixels.shape[:2]
    padded = np.zeros((-(-height // 32) * 32, -(-width // 32) * 32, 3), np.float32)  # the network halves five times
    padded[:height, :width] = pixels[:, :, ::-1].astype(np.float32) / 127.5 - 1.0  # trained on BGR in [-1, 1]
    ink = _detector().run(None, {"x": padded.transpose(2, 0, 1)[None]})[0][0, 0, :height, :width]
    mask = cv2.dilate((ink > _INK).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    boxes = [box for contour in contours if (box := _box(contour, ink, least_score)) is not None]
    boxes.sort(key=lambda box: box.score * np.sqrt(_side_lengths(box.corners).prod()), reverse=True)
    return sorted(boxes[:_MOST_BOXES], key=lambda box: (box.corners[0, 1] // 16, box.corners[0, 0]))


def _box(contour: NDArray[Any], ink: NDArray[np.float32], least_score: float) -> Box | None:
    import cv2

    centre, (width, height), angle = cv2.minAreaRect(contour)
    if min(width, height) < 3:  # PP-OCR's own least kernel
        return None
    kernel = np.asarray(cv2.boxPoints((centre, (width, height), angle)), np.float32)
    score = _mean_inside(ink, kernel)
    if score < least_score:
        return None
    grow = width * height * _UNCLIP / (2 * (width + height))  # Clipper's offset of a rectangle is a larger rectangle
    grown = (centre, (width + 2 * grow, height + 2 * grow), angle)
    corners = clockwise(np.asarray(cv2.boxPoints(grown), np.float32))
    if _side_lengths(corners).min() < _LEAST_SIDE:
        return None
    return Box(corners, score)


def _mean_inside(ink: NDArray[np.float32], corners: Quad) -> float:
    import cv2

    low = np.clip(np.floor(corners.min(0)).astype(int), 0, np.array(ink.shape[::-1]) - 1)
    high = np.clip(np.ceil(corners.max(0)).astype(int), 0, np.array(ink.shape[::-1]) - 1)
    mask = np.zeros((high[1] - low[1] + 1, high[0] - low[0] + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - low).astype(np.int32)], 1)
    inside = ink[low[1] : high[1] + 1, low[0] : high[0] + 1]
    return float((inside * mask).sum() / max(int(mask.sum()), 1))


def clockwise(corners: Quad) -> Quad:
    """Order four corners clockwise on the screen, beginning with the upper left."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = by_x[:2], by_x[2:]
    top_left, bottom_left = left[np.argsort(left[:, 1], kind="stable")]
    top_right, bottom_right = right[np.argsort(right[:, 1], kind="stable")]
    return np.stack([top_left, top_right, bottom_right, bottom_left])


def _side_lengths(corners: Quad) -> NDArray[np.float32]:
    return np.array([np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])], np.float32)


def cut_line(pixels: Pixels, corners: Quad) -> Pixels:
    """Warp the four corners to an upright rectangle; one that runs down stays so."""
    import cv2

    top, right, bottom, left = (float(np.linalg.norm(side)) for side in corners - np.roll(corners, -1, 0))
    size = (max(round(max(top, bottom)), 1), max(round(max(left, right)), 1))
    target = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    line = cv2.warpPerspective(pixels, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(line, np.uint8)
