"""Read all the writing in a photo, each line in its own script, and say how far each reading can be believed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from geosleuth.tools.detection import Box, Pixels, cut_line, detect_boxes
from geosleuth.tools.line_score import score_reading
from geosleuth.tools.overlay_text import overlay_probability, overlay_version
from geosleuth.tools.ppocr import Reading, read_lines
from geosleuth.tools.script_choice import Shares, choose_scripts, readable_by_ppocr
from geosleuth.tools.script_classifier import CLASSES, NO_TEXT, classify_lines
from geosleuth.tools.scripts import count_scripts, script_of_text
from geosleuth.tools.tesseract import TesseractReading, model_for, read_scripts, tesseract_version
from geosleuth.tools.textline import Corners, TextLine

if TYPE_CHECKING:
    from geosleuth.indexes.photo import Photo

_WORKING_SIDE = 1280  # px; half a second for detection on two cores
_TALL = 1.5  # height over width from which a line is taken to run down, as PP-OCR does
_FOREIGN = 0.6  # probability from which a script that PP-OCR cannot read is believed
# The same where no Tesseract can bear it out: chosen on street-dev, where three false alarms stood at 0.64 to 0.69.
_FOREIGN_UNHEARD = 0.75
_UNREAD = 0.9  # the same where Tesseract was asked and made nothing of it
_MAYBE_FOREIGN = 0.12  # from here on Tesseract is asked too, and the surer reading wins
# Power of Tesseract's confidence when scripts compete: on one clear line the wrong script's model gave 0.5, the right
# one 0.95.
_WRONG_MODEL = 4
_LEAST_SCORE = 0.02  # lines less probable than this are noise that nobody needs to see
_LEAST_TESSERACT = 0.3  # below, Tesseract's letters are noise in the very script that it was told to read


@dataclass(frozen=True)
class _Candidate:
    """A detected line on its way to a text."""

    box: Box
    crop: Pixels
    reading: Reading
    scripts: Shares | None = None  # (len(CLASSES),)

    def probability(self, script: str) -> float:
        return 0.0 if self.scripts is None else float(self.scripts[CLASSES.index(script)])


def recognise(photo: Photo) -> list[TextLine]:
    """Read the writing in a photo. Use it on every photo first: signs speak more plainly of a place than anything."""
    working, scale = to_working_size(photo.pixels)
    candidates = _read_all(working, detect_boxes(working))
    shares = choose_scripts(classify_lines([c.crop for c in candidates]), [c.reading for c in candidates])
    candidates = [replace(c, scripts=row) for c, row in zip(candidates, shares, strict=True)]
    foreign = _ask_tesseract(candidates)
    lines = [_decide(c, scale, foreign.get(index, {})) for index, c in enumerate(candidates)]
    found = [line for line in lines if line is not None]
    return [line.model_copy(update={"overlay": overlay_probability(photo.pixels, line.box)}) for line in found]


@cache
def recogniser_version() -> str:
    """What a reading depends on: versions of PP-OCR's package and of Tesseract, and hashes of our own weights."""
    from hashlib import sha256
    from importlib.metadata import version
    from importlib.resources import files

    weights = files("geosleuth.tools").joinpath("data/script_classifier.onnx").read_bytes()
    scripts = sha256(weights).hexdigest()[:12]
    ours = f"scripts {scripts}, overlay {overlay_version()}"
    return f"rapidocr {version('rapidocr')}, tesseract {tesseract_version()}, {ours}"


def to_working_size(pixels: Pixels) -> tuple[Pixels, float]:
    """Scale a photo to the size at which its lines are sought; the factor is returned too."""
    import cv2

    height, width = pixels.shape[:2]
    scale = _WORKING_SIDE / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    way = cv2.INTER_LANCZOS4 if scale > 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(pixels, size, interpolation=way), np.uint8), scale


def _read_all(working: Pixels, boxes: list[Box]) -> list[_Candidate]:
    """Read every box with PP-OCR; lines that run down are tried in each direction."""
    views = [_upright_views(cut_line(working, box.corners)) for box in boxes]
    readings = iter(read_lines([view for several in views for view in several]))
    candidates = []
    for box, several in zip(boxes, views, strict=True):
        tried = [(view, next(readings)) for view in several]
        crop, reading = max(tried, key=lambda pair: pair[1].mean * min(len(pair[1].text), 4))
        candidates.append(_Candidate(box, crop, reading))
    return candidates


def _upright_views(crop: Pixels) -> list[Pixels]:
    """Give the crop itself, or, for one that runs down: turned left, turned right, and its signs set side by side."""
    height, width = crop.shape[:2]
    if height < _TALL * width:
        return [crop]
    signs = np.array_split(crop, max(round(height / width), 2), axis=0)  # Han and kana stand upright in a column
    least = min(sign.shape[0] for sign in signs)
    row = np.concatenate([sign[:least] for sign in signs], axis=1)
    return [np.ascontiguousarray(view) for view in (np.rot90(crop), np.rot90(crop, -1), row)]


def _ask_tesseract(candidates: list[_Candidate]) -> dict[int, dict[str, TesseractReading]]:
    """Have each line read in the scripts that it may be in, and that Tesseract can read here: mostly none or one."""
    asked: dict[str, list[int]] = {}
    for index, candidate in enumerate(candidates):
        for script in CLASSES:
            sought = not readable_by_ppocr(script) and script != NO_TEXT
            if sought and candidate.probability(script) >= _MAYBE_FOREIGN and model_for(script):
                asked.setdefault(script, []).append(index)
    found: dict[int, dict[str, TesseractReading]] = {}
    answers = read_scripts({script: [candidates[i].crop for i in indices] for script, indices in asked.items()})
    for script, readings in answers.items():
        for index, reading in zip(asked[script], readings, strict=True):
            if reading is not None and count_scripts(reading.text)[script]:
                found.setdefault(index, {})[script] = reading
    return found


def _decide(candidate: _Candidate, scale: float, foreign: dict[str, TesseractReading]) -> TextLine | None:
    """Choose between PP-OCR's reading, Tesseract's, and the admission that the script cannot be read."""
    script = max(
        (s for s in CLASSES if not readable_by_ppocr(s) and s != NO_TEXT), key=lambda s: candidate.probability(s)
    )
    probability = candidate.probability(script)
    box = _corners(candidate.box, scale)
    if foreign:
        best = max(foreign, key=lambda s: foreign[s].confidence ** _WRONG_MODEL * candidate.probability(s))
        answer, share = foreign[best], candidate.probability(best)
        believed = share >= _FOREIGN or (answer.confidence > 0.8 and share * answer.confidence > (1 - share) * 0.5)
        if believed and answer.confidence >= _LEAST_TESSERACT:
            return TextLine(
                text=answer.text,
                box=box,
                script=best,
                script_confidence=share,
                score=share * answer.confidence**2,  # a judgement: 0.7 counts as a half; not fitted
                recogniser=f"tesseract:{answer.model}",
            )
    if probability >= (_UNREAD if model_for(script) else _FOREIGN_UNHEARD):
        return TextLine(
            text="", box=box, script=script, script_confidence=probability, score=0, recogniser="none", readable=False
        )
    return _ppocr_line(candidate, box)


def _ppocr_line(candidate: _Candidate, box: Corners) -> TextLine | None:
    text = candidate.reading.text
    score = score_reading(candidate.reading, candidate.probability(NO_TEXT))
    foreign = sum(candidate.probability(s) for s in CLASSES if not readable_by_ppocr(s) and s != NO_TEXT)
    score *= 1 - foreign
    if not text or score < _LEAST_SCORE:
        return None
    written = max(1 - candidate.probability(NO_TEXT), 1e-9)
    return TextLine(
        text=text,
        box=box,
        script=script_of_text(text),
        script_confidence=min(max(1 - foreign / written, 0.0), 1.0),
        score=score,
        recogniser="ppocr",
    )


def _corners(box: Box, scale: float) -> Corners:
    a, b, c, d = ((round(float(x) / scale, 1), round(float(y) / scale, 1)) for x, y in box.corners)
    return a, b, c, d
