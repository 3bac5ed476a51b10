r"""Fit which way up a photo is, on photos that stand upright: their other three turns are the counterexamples.

    python -m geosleuth.training.upright --photos DATA/streetscapes-cc --photos DATA/vpr-small --photos DATA/exif-gps \
        --test STILLS --out tools/data/upright.json

Told are, of the photos by fits that have not seen them and of the test photos: how many the likeliest turn would set
upright, how many of the turned ones are sure enough to be turned back, and how many upright ones would be turned.
30 ms a photo; needs no torch.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.photo import load_photo
from geosleuth.indexes.whole_file import appearing
from geosleuth.tools.upright import SURE, UprightWeights, features_of_turns, shares_of
from geosleuth.training.script_classifier.line_score import fit

_RIDGE = 1e-3  # of 1,280 weights on the differences of some hundred photos
_FOLDS = 5
_LEAST = 2 * _FOLDS  # photos: fewer say nothing of others
_DIGITS = 4
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".tif", ".tiff")


def fitted(features: Floats) -> Floats:
    """Fit on photos that stand upright.

    Args:
        features: (photos, 4 turns to the left, bands, channels), see `features_of_turns`.

    Returns:
        The weights, (bands, channels).
    """
    rows = features.reshape(len(features), 4, -1)
    spreads = rows.std((0, 1)) + 1e-9
    # A turn is more upright than another or less: a logistic regression on differences, which needs no constant.
    apart = ((rows[:, :1] - rows[:, 1:]) / spreads).reshape(-1, rows.shape[2])
    weights = fit(np.concatenate([apart, -apart]), np.repeat([1.0, 0.0], len(apart)), ridge=_RIDGE)
    return np.asarray(np.round(weights / spreads, _DIGITS).reshape(features.shape[2:]))


def report(shares: Floats) -> str:
    """Say how photos that stand upright, and their three other turns, would be treated; `shares` is (photos, 4)."""
    # A photo's turns are the same four pictures: those of a turned photo are the same probabilities, elsewhere.
    right, sure = (shares.argmax(1) == 0).mean(), (shares[:, 0] >= SURE).mean()
    wrong, surest = (shares[:, 1:].max(1) >= SURE).sum(), shares[:, 1:].max()
    return (
        f"{len(shares)} photos: the likeliest turn is right for {right:.1%}; of those that lie {sure:.1%} would be "
        f"turned upright; of the upright ones {wrong} would be turned, the surest error is {surest:.2f}"
    )


def main() -> int:
    """Measure, fit, report, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, action="append", required=True, help="a folder; may be repeated")
    parser.add_argument("--test", type=Path, action="append", default=[], help="a folder; may be repeated")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    try:
        features = _features(asked.photos)
        if len(features) < _LEAST:
            remedy = "Name folders of photos that stand upright."
            raise InputError(f"at least {_LEAST} photos", f"{len(features)}", remedy)
        weights, told = fitted(features), [f"Held out, {report(_held_out(features))}."]
        told += [f"{one.name}, {report(shares_of(_features([one]), weights))}." for one in asked.test]
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("\n".join(told) + "\n")
    if asked.out is not None:
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        made = UprightWeights(weights=weights.tolist(), source=f"{len(features)} photos, {today}. {told[0]}")
        with appearing(asked.out) as scratch:
            scratch.write_text(made.model_dump_json() + "\n", encoding="utf-8")
    return 0


def _features(folders: Sequence[Path]) -> Floats:
    """Measure what can be decoded; the same photo twice counts once."""
    found = {}
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES):
        try:
            photo = load_photo(path)
        except InputError as error:
            sys.stderr.write(f"Left out: {error}\n")
        else:
            found[photo.sha256] = features_of_turns(photo.pixels)
    return np.array(list(found.values()))


def _held_out(features: Floats) -> Floats:
    """Judge each photo by a fit on others; those of one place stand beside each other: a fold is a run of them."""
    fold, shares = np.arange(len(features)) * _FOLDS // len(features), np.zeros((len(features), 4))
    for held in range(_FOLDS):
        shares[fold == held] = shares_of(features[fold == held], fitted(features[fold != held]))
    return shares


if __name__ == "__main__":
    sys.exit(main())
