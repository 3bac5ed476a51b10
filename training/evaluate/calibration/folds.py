"""Constants for photos that they were not fitted on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from geosleuth.agent.calibration import Calibration, load_calibration
from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.agent.score import score
from geosleuth.training.evaluate.agent.scored import Observed, Scored, Truth
from geosleuth.training.evaluate.calibration.cases import SeenPhoto, seen_photos
from geosleuth.training.evaluate.calibration.fit import Constants, fit, laid_out_cases, model_weights

By = Literal["country", "photo"]


@dataclass(frozen=True)
class CrossValidated:
    """A calibration per fold, fitted on the photos of all others."""

    observed: tuple[Observed, ...]
    calibrations: tuple[Calibration, ...]
    fold_of: tuple[int, ...]  # of each photo
    gain_bits: tuple[float | None, ...]  # of each photo: log2 of the density at the truth over the start's; None: blank
    shipped_bits: tuple[float | None, ...]  # the same with the calibration that ships

    def score(self, *, processes: int = 1) -> list[Scored]:
        """Answer each photo with the calibration of its fold, in the order of the photos."""
        rows: dict[int, Scored] = {}
        for fold, calibration in enumerate(self.calibrations):
            numbers = [number for number, its in enumerate(self.fold_of) if its == fold]
            found = score([self.observed[number] for number in numbers], calibration, processes=processes)
            rows.update(zip(numbers, found, strict=True))
        return [rows[number] for number in range(len(self.observed))]


def cross_validated(
    observed: Sequence[Observed],
    *,
    folds: int = 5,
    by: By = "country",
    source: str = "",
    photos: Sequence[SeenPhoto] | None = None,
) -> CrossValidated:
    """Fit a calibration without each fold.

    Args:
        observed: By `observe`.
        folds: How many.
        by: What photos of one fold share: with "country" a photo is judged by constants that no photo of its country
            had a part in, but for what `fit` says of its argument `laid`.
        source: Begins the calibrations' `source`.
        photos: `seen_photos(observed)`, where it was made before.

    Raises:
        InputError: Fewer countries (or photos) than two.
    """
    fold_of = folds_of([seen.truth for seen in observed], folds, by)
    every = list(seen_photos(observed)) if photos is None else photos
    laid = laid_out_cases(every, model_weights(every))
    fitted = [
        fit([photo for photo in every if fold_of[photo.number] != fold], laid=laid) for fold in range(max(fold_of) + 1)
    ]
    gain: list[float | None] = [None] * len(observed)
    before: list[float | None] = [None] * len(observed)
    shipped = Constants.of(load_calibration())
    for photo in every:
        gain[photo.number] = fitted[fold_of[photo.number]].log_gain(photo) / float(np.log(2))
        before[photo.number] = shipped.log_gain(photo) / float(np.log(2))
    calibrations = [one.calibration(f"{source}, without fold {k + 1}".lstrip(", ")) for k, one in enumerate(fitted)]
    return CrossValidated(tuple(observed), tuple(calibrations), tuple(fold_of), tuple(gain), tuple(before))


def folds_of(truths: Sequence[Truth], folds: int, by: By) -> list[int]:
    """Fold of each photo: the largest country goes first, each to the fold that has fewest photos.

    Raises:
        InputError: Fewer countries (or photos) than two.
    """
    names = [truth.file if by == "photo" else truth.country or "" for truth in truths]
    counts = Counter(names)
    if len(counts) < 2 or folds < 2:
        found = f"{len(counts)} {'photos' if by == 'photo' else 'countries'}, {folds} folds"
        raise InputError(f"two folds of photos that differ by {by}", found, "Take more photos, or fold by photo.")
    filled = [0] * min(folds, len(counts))
    fold_of: dict[str, int] = {}
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        fold_of[name] = filled.index(min(filled))
        filled[fold_of[name]] += count
    return [fold_of[name] for name in names]
