"""Backgrounds, and things that look like writing to a detector and are none."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

Grey = NDArray[np.uint8]  # (h, w)

_ZOOMS = (0.8, 1.4)  # photos (1024 px) are searched reduced and enlarged: false alarms differ
_FAINT = 0.3  # a lower bar than the recogniser's own finds more false alarms to learn from
# PP-OCR's mean letter probability below which a detected box is taken for no text; unreadable writing is among these.
_DULL = 0.6


@dataclass(frozen=True)
class Textures:
    """Grey photos to cut from, false alarms that a detector found in them, and lines whose script is known."""

    photos: tuple[Grey, ...]
    alarms: tuple[Grey, ...]
    latin: tuple[Grey, ...]  # real lines that PP-OCR read as Latin words with near certainty, in Latin-only countries

    def cut(self, height: int, width: int, rng: np.random.Generator) -> Grey:
        """Cut a background of any size out of a photo, at a random scale, or draw one where there are no photos."""
        import cv2

        photo = self.photos[rng.integers(len(self.photos))] if self.photos else draw_texture(256, 512, rng)
        ratio = height / width
        w = int(min(rng.uniform(20, 300), photo.shape[1] - 1, (photo.shape[0] - 1) / ratio))
        h = max(int(w * ratio), 2)
        y, x = rng.integers(photo.shape[0] - h + 1), rng.integers(photo.shape[1] - w + 1)
        return np.asarray(cv2.resize(photo[y : y + h, x : x + w], (width, height)), np.uint8)

    def no_text(self, rng: np.random.Generator) -> Grey:
        """Give a crop of the class "none": a false alarm, a piece of a photo, or a drawn texture."""
        kind = rng.random()
        if self.alarms and kind < 0.5:
            crop = self.alarms[rng.integers(len(self.alarms))]
            crop = crop[:, ::-1] if rng.random() < 0.5 else crop
            return np.asarray(crop[::-1] if rng.random() < 0.3 else crop, np.uint8)
        width = int(np.exp(rng.uniform(np.log(40), np.log(300))))
        if kind < 0.8:
            return self.cut(32, width, rng)
        return draw_texture(32, width, rng)


def draw_texture(height: int, width: int, rng: np.random.Generator) -> Grey:
    """Draw bars, bricks, leaves or clouds of random size, as fences, walls, trees and windows look when small."""
    import cv2

    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    kind = rng.integers(4)
    if kind == 0:  # fence, blinds, rails
        angle, period = rng.uniform(0, np.pi), rng.uniform(3, 24)
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    elif kind == 1:  # bricks, tiles, windows
        w, h = rng.uniform(6, 40), rng.uniform(4, 24)
        row = y // h
        wave = np.where((y % h < h * 0.2) | ((x + (row % 2) * w * rng.integers(2) / 2) % w < w * 0.2), 1.0, -1.0)
    elif kind == 2:  # leaves, gravel
        wave = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), rng.uniform(0.6, 4))
        wave = wave / (wave.std() + 1e-6)
    else:  # pipes, cables, edges of roofs
        canvas = np.zeros((height, width), np.float32)
        for _ in range(rng.integers(1, 8)):
            ends = [(int(rng.integers(width)), int(rng.integers(height))) for _ in range(2)]
            cv2.line(canvas, ends[0], ends[1], float(rng.uniform(-1, 1)), int(rng.integers(1, 6)))
        wave = canvas
    picture = rng.uniform(60, 200) + rng.uniform(10, 70) * wave + rng.normal(0, rng.uniform(0, 10), wave.shape)
    picture = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), rng.uniform(0.4, 1.5))
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def load_textures(folders: list[Path], latin_from: frozenset[str] = frozenset()) -> Textures:
    """Read the photos under `folders` and look for false alarms in them; `latin_from` names files of Latin-only places.

    With no folder, or none that exists, textures are drawn: the classifier then calls more noise writing.
    """
    import cv2

    files = sorted(file for folder in folders if folder.is_dir() for file in folder.rglob("*.jpg"))
    photos, alarms, latin = [], [], []
    for file in files:
        pixels = cv2.imread(str(file))
        if pixels is None:
            logger.debug("not readable, left out: %s", file)
            continue
        scale = 1024 / max(pixels.shape)
        rgb = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:, :, ::-1]
        photos.append(np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), np.uint8))
        found = _search(np.ascontiguousarray(rgb, np.uint8))
        alarms += found[0]
        latin += found[1] if file.name in latin_from else []
    if len(photos) < len(files):
        logger.warning("%d of %d photos cannot be read and are left out", len(files) - len(photos), len(files))
    logger.info("%d photos, %d false alarms, %d real Latin lines", len(photos), len(alarms), len(latin))
    return Textures(tuple(photos), tuple(alarms), tuple(latin))


def _search(rgb: NDArray[np.uint8]) -> tuple[list[Grey], list[Grey]]:
    import cv2

    from geosleuth.tools.detection import cut_line, detect_boxes
    from geosleuth.tools.ppocr import read_lines

    alarms: list[Grey] = []
    latin: list[Grey] = []
    for zoom in _ZOOMS:
        picture = np.asarray(cv2.resize(rgb, None, fx=zoom, fy=zoom), np.uint8)
        lines = [cut_line(picture, box.corners) for box in detect_boxes(picture, _FAINT)]
        lines = [line for line in lines if line.shape[1] > 0.8 * line.shape[0]]
        for line, reading in zip(lines, read_lines(lines), strict=True):
            grey = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY)
            crop = np.asarray(cv2.resize(grey, (max(round(grey.shape[1] * 32 / grey.shape[0]), 16), 32)), np.uint8)
            if reading.mean < _DULL or not reading.text:
                alarms.append(crop)
            elif reading.mean > 0.97 and len(reading.text) >= 4 and reading.text.replace(" ", "").isalpha():
                latin.append(crop)
    return alarms, latin
