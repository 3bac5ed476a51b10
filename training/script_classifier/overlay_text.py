"""Fit the probability that a line was laid over a picture, on captions drawn over photos and on signs in them.

    python -m geosleuth.training.script_classifier.overlay_text --photos DATA/streetscapes-cc --photos DATA/vpr-small \
        --out tools/data/overlay_text.json

The photos' own writing must stand in the scene: photos with a stamp of the camera are named by `--stamped`, marks of
the imagery's makers are known. Captions are drawn with the fonts installed here, on bands, half-transparent ones, with
outlines, shadows or nothing around them. Photos of streets show few signs that hang level and are seen from the front,
which are most like captions: boards are drawn into the photos as well, with shade, a lens's softness and grain, every
third one level. Then the picture is scaled and compressed as it would be on its way. What is told is held out: each
photo's lines are judged by a fit on other photos. Seconds a photo on two cores; needs no torch.
"""

from __future__ import annotations

import argparse
import datetime
import io
import sys
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.photo import load_photo
from geosleuth.indexes.whole_file import appearing
from geosleuth.tools.overlay_text import SHARE, TRAITS, OverlayWeights, measure, terms
from geosleuth.training.script_classifier.fonts import fonts_by_script
from geosleuth.training.script_classifier.line_score import fit
from geosleuth.training.script_classifier.rendering import draw_text

STYLES = ("band", "half", "bare", "outlined", "shadowed")
SIGNS = ("", "a drawn sign", "a drawn sign that hangs level")  # the first are the photos' own
_STYLE_SHARES = (0.3, 0.15, 0.2, 0.2, 0.15)
_SCRIPTS = ("Latn",) * 6 + ("Cyrl", "Grek", "Arab", "Hani")
_LONGEST_SIDE = 1600  # px; captions are drawn on pictures of the size that messengers send
_FOLDS = 5
_FINE = 2  # times as large as it will be seen is a board drawn: a lens has no grid on which letters stand
_DRAWN = 0.3  # share of a found line that lies on what was drawn, from which it is that
_RIDGE = 1e-2  # of 120 weights, of which many say the same

Rect = tuple[float, float, float, float]  # left, top, right, bottom, px


@dataclass(frozen=True)
class Measured:
    """One line that the detector found."""

    traits: Floats
    kind: str  # one of `STYLES`, or of `SIGNS`

    @property
    def overlaid(self) -> float:
        """1 for captions."""
        return float(self.kind in STYLES)


def caption(image: Image.Image, rng: np.random.Generator) -> tuple[Image.Image, list[Rect], str]:
    """Write one or two lines over a picture; returned with their rectangles and the style."""
    width, height = image.size
    script = _script(rng)
    lines = [draw_text(script, rng) for _ in range(rng.integers(1, 3))]
    faces = fonts_by_script()[script][0]
    face, size = faces[rng.integers(len(faces))], max(10, int(height * rng.uniform(0.025, 0.09)))
    widest = max(_font(face, size).getlength(line) for line in lines)
    size = max(8, int(size * min(1.0, 0.95 * width / max(widest, 1))))
    font = _font(face, size)
    widest, step = max(font.getlength(line) for line in lines), int(1.35 * size)
    tall = step * len(lines)
    left = int(rng.uniform(0, max(1, width - widest))) if rng.random() < 0.5 else size // 2
    tops = (height - tall - size // 2, size // 2, int(rng.uniform(0, max(1, height - tall))))
    top = max(0, tops[rng.choice(3, p=(0.5, 0.2, 0.3))])
    ink, ground = _colours(rng)
    style = STYLES[rng.choice(len(STYLES), p=_STYLE_SHARES)]
    out = image.copy()
    if style in ("band", "half"):
        edges = (0, width) if rng.random() < 0.5 else (left - size // 2, left + int(widest) + size // 2)
        mask = Image.new("L", image.size, 0)
        area = (edges[0], top - size // 4, edges[1], top + tall + size // 4)
        ImageDraw.Draw(mask).rectangle(area, fill=255 if style == "band" else int(rng.integers(80, 220)))
        out.paste(Image.new("RGB", image.size, ground), (0, 0), mask)
    draw, rects = ImageDraw.Draw(out), []
    thick, aside = (max(1, size // 14) if style == "outlined" else 0), max(1, size // 16)
    for row, line in enumerate(lines):
        at = (left, top + row * step)
        if style == "shadowed":
            draw.text((at[0] + aside, at[1] + aside), line, font=font, fill=ground)
        draw.text(at, line, font=font, fill=ink, stroke_width=thick, stroke_fill=ground)
        rects.append(draw.textbbox(at, line, font=font))
    return out, rects, style


def sign(image: Image.Image, rng: np.random.Generator) -> tuple[Image.Image, list[Rect], str]:
    """Hang a board with a line of writing in a photo, as a camera would have seen it there."""
    import cv2

    width, height = image.size
    board = _board(image.size, rng)
    high, wide = board.shape[:2]
    level = rng.random() < 1 / 3
    lean = 0.0 if level else float(np.clip(rng.normal(0, 2.5), -8, 8))
    cos, sin = np.cos(np.radians(lean)) / _FINE, np.sin(np.radians(lean)) / _FINE
    at = rng.uniform(0.02, 0.98, 2) * np.maximum((width - wide / _FINE, height - high / _FINE), 1)
    matrix = np.array([[cos, -sin, at[0]], [sin, cos, at[1]]], np.float32)
    soft = float(rng.uniform(0.4, 1.4))  # px of the photo
    seen = cv2.warpAffine(cv2.GaussianBlur(board, (0, 0), _FINE * soft), matrix, image.size)
    mask = cv2.GaussianBlur(cv2.warpAffine(np.ones((high, wide), np.float32), matrix, image.size), (0, 0), soft)
    there = mask[..., None]
    grain = rng.normal(0, rng.uniform(1, 7), (height, width, 1)) * there
    pixels = np.asarray(image, np.float32) * (1 - there) + seen * there + grain
    corners = np.array([(0, 0), (wide, 0), (wide, high), (0, high)]) @ matrix[:, :2].T + matrix[:, 2]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), [_rect(corners)], SIGNS[2 if level else 1]


def _board(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """A board with a line of writing and its shade, for a photo of this size; drawn larger than it will be seen."""
    script = _script(rng)
    text, faces = draw_text(script, rng), fonts_by_script()[script][0]
    face, high = faces[rng.integers(len(faces))], max(10, int(size[1] * rng.uniform(0.025, 0.09)))
    high = max(8, int(high * min(1.0, 0.8 * size[0] / max(_font(face, high).getlength(text), 1))))
    font, (ink, ground) = _font(face, _FINE * high), _colours(rng)
    left, top, right, bottom = (int(one) for one in font.getbbox(text))
    board = Image.new("RGB", (right - left + _FINE * high, bottom - top + _FINE * high // 2), ground)
    ImageDraw.Draw(board).text((_FINE * high // 2 - left, _FINE * high // 4 - top), text, font=font, fill=ink)
    across = np.linspace(rng.uniform(0.8, 1), 1, board.width)[None, :, None]
    down = np.linspace(1, rng.uniform(0.8, 1), board.height)[:, None, None]
    return np.asarray(np.asarray(board) * across * down, np.float32)


def _script(rng: np.random.Generator) -> str:
    """Draw a script that some font here has."""
    scripts = [script for script in _SCRIPTS if fonts_by_script()[script][0]]
    if not scripts:
        raise InputError("a font with Latin letters", "none", "Install one: apt-get install fonts-noto-core.")
    return scripts[rng.integers(len(scripts))]


def _font(face: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(face), size)


def _colours(rng: np.random.Generator) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Ink and what is behind it: mostly white on dark or black on light, every fourth time any colour."""
    if rng.random() < 0.25:
        red, green, blue = (int(one) for one in rng.integers(0, 256, 3))
        return (red, green, blue), ((0, 0, 0) if red + green + blue > 380 else (255, 255, 255))
    strong, weak = int(rng.integers(225, 256)), int(rng.integers(0, 30))
    white, black = (strong,) * 3, (weak,) * 3
    return (black, white) if rng.random() < 0.35 else (white, black)


def worn(image: Image.Image, rng: np.random.Generator) -> tuple[Image.Image, float]:
    """Scale and compress a picture as messengers do; returned with the scale."""
    scale = 1.0
    if rng.random() < 0.35:
        scale = float(rng.uniform(0.5, 1))
        way = Image.Resampling.LANCZOS if rng.random() < 0.5 else Image.Resampling.BILINEAR
        image = image.resize([max(1, round(side * scale)) for side in image.size], way)
    if rng.random() < 0.75:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=int(rng.integers(40, 96)), subsampling=int(rng.choice((0, 2))))
        with Image.open(file) as read:
            image = read.convert("RGB")
    return image, scale


def lines_of(path: Path, draws: int, *, stamped: bool, seed: int) -> list[Measured]:
    """Measure a photo's own lines, none where it is stamped, and those of captions and signs that are drawn into it."""
    from geosleuth.tools.detection import detect_boxes
    from geosleuth.tools.recognition import recognise, to_working_size
    from geosleuth.tools.watermark import is_watermark

    rng = np.random.default_rng((seed, zlib.crc32(path.name.encode())))
    photo = load_photo(path)
    found = recognise(photo)
    marks = [_rect(line.box) for line in found if is_watermark(line, photo.size)]
    out = []
    for line in found if not stamped else ():
        traits = measure(photo.pixels, line.box) if _rect(line.box) not in marks else None
        out += [] if traits is None else [Measured(traits, "")]
    small = Image.fromarray(photo.pixels)
    small.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    for draw in (caption, sign) * draws:
        drawn, rects, kind = draw(small, rng)
        picture, scale = worn(drawn, rng)
        pixels = np.asarray(picture)
        working, zoom = to_working_size(pixels)
        for box in detect_boxes(working):
            corners = box.corners / zoom
            if max(_inside(_rect(corners / scale), one) for one in rects) > _DRAWN:
                one, two, three, four = ((float(x), float(y)) for x, y in corners)
                traits = measure(pixels, (one, two, three, four))
                out += [] if traits is None else [Measured(traits, kind)]
    return out


def _rect(corners: object) -> Rect:
    points = np.asarray(corners, np.float64)
    (left, top), (right, bottom) = points.min(0), points.max(0)
    return float(left), float(top), float(right), float(bottom)


def _inside(rect: Rect, other: Sequence[float]) -> float:
    """Share of a rectangle that lies in another."""
    wide = min(rect[2], other[2]) - max(rect[0], other[0])
    high = min(rect[3], other[3]) - max(rect[1], other[1])
    return max(wide, 0.0) * max(high, 0.0) / max((rect[2] - rect[0]) * (rect[3] - rect[1]), 1e-6)


def fitted(traits: Floats, overlaid: Floats) -> tuple[Floats, Floats, Floats]:
    """Fit on lines (n, traits) with 1 for overlaid ones; both kinds count alike. Returns means, spreads, weights."""
    means, spreads, share = traits.mean(0), traits.std(0) + 1e-9, overlaid.mean()
    each = np.where(overlaid > 0, 0.5 / share, 0.5 / (1 - share))
    return means, spreads, fit(terms((traits - means) / spreads), overlaid, each, ridge=_RIDGE)


def judged(traits: Floats, by: tuple[Floats, Floats, Floats]) -> Floats:
    """Logits of lines, both kinds being as likely."""
    means, spreads, weights = by
    return np.asarray(terms((traits - means) / spreads) @ weights)


def report(logits: Floats, kinds: Sequence[str]) -> list[str]:
    """Say how many lines of each kind are taken for overlaid ones."""
    taken, each = logits + np.log(SHARE / (1 - SHARE)) > 0, np.array(kinds)
    told = []
    for kind in (*SIGNS, *STYLES):
        these = taken[each == kind]
        if len(these):
            told.append(
                f"{kind or 'of the photo'}: {these.mean():.1%} of {len(these)} lines are taken for overlay text"
            )
    return told


def measured(
    photos: Sequence[Path], stamped: Sequence[str], draws: int, seed: int, processes: int
) -> list[list[Measured]]:
    """Measure each photo's lines, see `lines_of`; `stamped` are parts of names."""
    with ProcessPoolExecutor(processes) as pool:
        work = [
            pool.submit(lines_of, path, draws, stamped=any(part in path.name for part in stamped), seed=seed)
            for path in photos
        ]
        return [one.result() for one in work]


def fit_weights(found: Sequence[Sequence[Measured]]) -> tuple[OverlayWeights, list[str]]:
    """Fit on all photos' lines, and say how lines of photos that a fit had not seen were judged.

    Raises:
        InputError: Signs or captions are lacking.
    """
    lines = [line for several in found for line in several]
    # Photos of one place stand beside each other in a folder: a fold is a run of them.
    fold = np.array([number * _FOLDS // len(found) for number, several in enumerate(found) for _ in several])
    overlaid = np.array([line.overlaid for line in lines])
    for held in range(_FOLDS):
        if len({*overlaid[fold != held]}) < 2:
            captions, signs = int(overlaid.sum()), int((1 - overlaid).sum())
            kinds = f"{captions} lines of captions and {signs} of signs in {len(found)} photos"
            raise InputError("signs and captions in every four fifths of the photos", kinds, "Name more photos.")
    traits, logits = np.array([line.traits for line in lines]), np.zeros(len(lines))
    for held in range(_FOLDS):
        logits[fold == held] = judged(traits[fold == held], fitted(traits[fold != held], overlaid[fold != held]))
    told = report(logits, [line.kind for line in lines])
    means, spreads, weights = (tuple(round(float(v), 5) for v in part) for part in fitted(traits, overlaid))
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    source = f"{len(found)} photos, {today}. Held out: {'; '.join(told)}."
    return OverlayWeights(traits=TRAITS, means=means, spreads=spreads, weights=weights, source=source), told


def main() -> int:
    """Draw, measure, fit, report, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, action="append", required=True, help="a folder; may be repeated")
    parser.add_argument("--stamped", action="append", default=[], help="part of a name; may be repeated")
    parser.add_argument("--draws", type=int, default=2, help="captions a photo")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    photos = sorted(p for folder in asked.photos for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    try:
        made, told = fit_weights(measured(photos, asked.stamped, asked.draws, asked.seed, asked.processes))
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("\n".join(["Held out, by photo:", *told]) + "\n")
    if asked.out is not None:
        with appearing(asked.out) as scratch:
            scratch.write_text(made.model_dump_json() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
