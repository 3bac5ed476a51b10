"""Fit the probability that a line was laid over a picture, on captions drawn over photos and on signs in them.

    python -m geosleuth.training.script_classifier.overlay_text --photos DATA/streetscapes-cc --photos DATA/vpr-small \
        --out tools/data/overlay_text.json

The photos' own writing must stand in the scene: photos with a stamp of the camera are named by `--stamped`, marks of
the imagery's makers are known. Photos of streets show few signs that hang level and are seen from the front, which are
most like captions: such boards are drawn into them as well, see `overlay_drawing`. What is told is held out: each
photo's lines are judged by a fit on other photos. Seconds a photo on two cores; needs no torch.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.photo import load_photo
from geosleuth.indexes.whole_file import appearing
from geosleuth.tools.overlay_text import SHARE, TRAITS, OverlayWeights, measure, terms
from geosleuth.training.script_classifier.line_score import fit
from geosleuth.training.script_classifier.overlay_drawing import SIGNS, STYLES, Rect, bounds, caption, sign, worn

_LONGEST_SIDE = 1600  # px; captions are drawn on pictures of the size that messengers send
_FOLDS = 5
_DRAWN = 0.3  # share of a found line that lies on what was drawn, from which it is that
_RIDGE = 1e-2  # of 120 weights, of which many say the same


@dataclass(frozen=True)
class Measured:
    """One line that the detector found."""

    traits: Floats
    kind: str  # one of `STYLES`, or of `SIGNS`

    @property
    def overlaid(self) -> float:
        """1 for captions."""
        return float(self.kind in STYLES)


def lines_of(path: Path, draws: int, *, stamped: bool, seed: int) -> list[Measured]:
    """Measure a photo's own lines, none where it is stamped, and those of captions and signs that are drawn into it."""
    from geosleuth.tools.detection import detect_boxes
    from geosleuth.tools.recognition import recognise, to_working_size
    from geosleuth.tools.watermark import is_watermark

    rng = np.random.default_rng((seed, zlib.crc32(path.name.encode())))
    photo = load_photo(path)
    found = recognise(photo)
    marks = [bounds(line.box) for line in found if is_watermark(line, photo.size)]
    out = []
    for line in found if not stamped else ():
        traits = measure(photo.pixels, line.box) if bounds(line.box) not in marks else None
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
            if max(_inside(bounds(corners / scale), one) for one in rects) > _DRAWN:
                one, two, three, four = ((float(x), float(y)) for x, y in corners)
                traits = measure(pixels, (one, two, three, four))
                out += [] if traits is None else [Measured(traits, kind)]
    return out


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
