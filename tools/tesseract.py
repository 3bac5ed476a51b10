"""Read lines in the scripts that PP-OCR cannot, with Tesseract where it is installed: one model per line."""

from __future__ import annotations

import csv
import io
import logging
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.parallel import core_count
from geosleuth.tools.detection import Pixels

logger = logging.getLogger(__name__)

# Script -> (script model, language models that do instead, together, when only those are installed).
# Names are those of tesseract-ocr/tessdata_fast, which Debian packages.
MODELS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Arab": ("Arabic", ("ara", "fas", "urd")),
    "Armn": ("Armenian", ("hye",)),
    "Beng": ("Bengali", ("ben", "asm")),
    "Cyrl": ("Cyrillic", ("rus", "ukr", "bul", "srp", "kaz", "mkd")),
    "Deva": ("Devanagari", ("hin", "nep", "mar")),
    "Ethi": ("Ethiopic", ("amh", "tir")),
    "Geor": ("Georgian", ("kat",)),
    "Grek": ("Greek", ("ell",)),
    "Gujr": ("Gujarati", ("guj",)),
    "Guru": ("Gurmukhi", ("pan",)),
    "Hang": ("Hangul", ("kor",)),
    "Hebr": ("Hebrew", ("heb",)),
    "Khmr": ("Khmer", ("khm",)),
    "Knda": ("Kannada", ("kan",)),
    "Laoo": ("Lao", ("lao",)),
    "Mlym": ("Malayalam", ("mal",)),
    "Mymr": ("Myanmar", ("mya",)),
    "Sinh": ("Sinhala", ("sin",)),
    "Taml": ("Tamil", ("tam",)),
    "Telu": ("Telugu", ("tel",)),
    "Thai": ("Thai", ("tha",)),
}
DEBIAN_PACKAGES = ("tesseract-ocr", *(f"tesseract-ocr-script-{script.lower()}" for script in MODELS))

_HEIGHT = 48  # px: letters come out about 32 px high, near what Tesseract's models were trained on (36 px lines)
_MARGIN = 12  # px of plain ground around the line: Tesseract loses letters that touch the edge
_TIMEOUT_S = 8.0  # for all lines of one script; four short lines in two scripts took 0.8 s on a busy machine


@dataclass(frozen=True)
class TesseractReading:
    """What Tesseract read in one line; `confidence` in [0, 1] is its own, weighted by the words' lengths."""

    text: str
    confidence: float
    model: str


@lru_cache(maxsize=1)
def installed_languages() -> frozenset[str]:
    """Name the models that the `tesseract` program on PATH has; none where there is no such program."""
    program = shutil.which("tesseract")
    if program is None:
        return frozenset()
    try:
        answer = subprocess.run([program, "--list-langs"], capture_output=True, timeout=_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        kind = type(error).__name__
        logger.warning("tesseract does not list its languages (%s): `tesseract --list-langs` says why", kind)
        logger.debug("Why: %s", error)
        return frozenset()
    return frozenset(line.strip() for line in answer.stdout.decode("utf-8", "replace").splitlines()[1:])


@cache
def tesseract_version() -> str | None:
    """The version that `tesseract --version` states; None where there is no such program."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return f"does not start: {error}"
    return said.stdout.splitlines()[0].removeprefix("tesseract ") if said.stdout else "unknown"


def model_for(script: str) -> str | None:
    """Name the installed model, or models joined by "+", that read a script; None where there are none."""
    if script not in MODELS:
        return None
    name, languages = MODELS[script]
    here = installed_languages()
    for model in (name, f"script/{name}"):  # Debian lays script models flat, others keep them in a folder
        if model in here:
            return model
    return "+".join(language for language in languages if language in here) or None


def missing_scripts() -> dict[str, str]:
    """Name the scripts that cannot be read here, each with the Debian package that would change it."""
    return {script: f"tesseract-ocr-script-{script.lower()}" for script in MODELS if model_for(script) is None}


def read_scripts(lines: Mapping[str, Sequence[Pixels]]) -> dict[str, list[TesseractReading | None]]:
    """Read lines grouped by script, in parallel; None stands for a line that could not be read."""
    if not lines:
        return {}
    with ThreadPoolExecutor(core_count()) as pool:
        return dict(zip(lines, pool.map(_read_script, lines, lines.values()), strict=True))


def _read_script(script: str, lines: Sequence[Pixels]) -> list[TesseractReading | None]:
    program, model = shutil.which("tesseract"), model_for(script)
    if program is None or model is None:
        return [None] * len(lines)
    command = [program, "stdin", "stdout", "-l", model, "--psm", "7", "--dpi", "150", "tsv"]
    try:
        answer = subprocess.run(
            command,
            input=_pack([clean_line(line) for line in lines]),
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=True,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},  # its threads wait for each other more than they work
        )
    except (OSError, subprocess.SubprocessError) as error:
        logger.warning("tesseract could not read %d lines of %s: %s", len(lines), script, type(error).__name__)
        logger.info("It was: %s", error)
        return [None] * len(lines)
    return _parse(answer.stdout.decode("utf-8", "replace"), len(lines), model)


def clean_line(line: Pixels) -> NDArray[np.uint8]:
    """Make a line grey, dark on light, of Tesseract's height, with a margin of its own ground."""
    import cv2

    grey = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY)
    width = max(round(grey.shape[1] * _HEIGHT / grey.shape[0]), 8)
    grey = cv2.resize(grey, (width, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    low, high = np.percentile(grey, (2, 98))
    grey = np.clip((grey.astype(np.float32) - low) * (255 / max(high - low, 1)), 0, 255).astype(np.uint8)
    _, bright = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    if bright.mean() < 0.5:  # ink covers less than half of a line
        grey = 255 - grey
    ground = int(np.percentile(grey, 80))
    return np.asarray(
        cv2.copyMakeBorder(grey, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_CONSTANT, value=ground), np.uint8
    )


def _pack(lines: Sequence[NDArray[np.uint8]]) -> bytes:
    """Pack lines as pages of one TIFF: the model is loaded once, and no picture is written to disk."""
    from PIL import Image

    pages = [Image.fromarray(line) for line in lines]
    buffer = io.BytesIO()
    pages[0].save(buffer, "TIFF", save_all=True, append_images=pages[1:])
    return buffer.getvalue()


def _parse(table: str, count: int, model: str) -> list[TesseractReading | None]:
    words: list[list[tuple[str, float]]] = [[] for _ in range(count)]
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        page, text = int(row["page_num"] or 0) - 1, (row["text"] or "").strip()
        if row["level"] == "5" and text and 0 <= page < count:
            words[page].append((text, min(max(float(row["conf"]) / 100, 0.0), 1.0)))
    return [_join(found, model) if found else None for found in words]


def _join(words: list[tuple[str, float]], model: str) -> TesseractReading:
    lengths = [len(text) for text, _ in words]
    confidence = float(np.average([score for _, score in words], weights=lengths))
    return TesseractReading(" ".join(text for text, _ in words), confidence, model)
