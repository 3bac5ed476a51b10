r"""Whether locatability says how well a prior does: Spearman's rank correlation, with its interval.

    python -m geosleuth.training.locatability.correlation --labels labels.csv --predictions predictions.csv \
        --images PHOTOS [--segmenter SPEC] [--model NAME] [--json]

Labels are a CSV with source_file, lat, lon, iso2; predictions are those that the prior `file:PATH` reads
(`tools/prior.py`). For each model: rho between the photos' scores and whether the country was right (positive where
locatable photos are placed better), and rho with the error in km (then negative). Without --segmenter it is the
embedded score, of which the paper says nothing.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import math
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon, geodesic_km
from geosleuth.tools.prior import RecordedPredictions
from geosleuth.tools.vlm.model_folder import import_vlm
from geosleuth.training.evaluate.labelled import LabelledPhoto, read_labels
from geosleuth.training.locatability.score_set import score_each
from geosleuth.training.locatability.scorers import Scored, load_scorer

logger = logging.getLogger(__name__)

_RESAMPLES = 2000  # as all intervals here: the bounds then vary by less than 0.01
_LEAST = 3  # photos: two always correlate perfectly
_DRAWN_AT_ONCE = 2_000_000  # values of a bootstrap in memory


@dataclass(frozen=True, slots=True)
class Correlation:
    """Spearman's rho over n photos, with the bounds of its 95 % interval."""

    rho: float | None  # None where one side has one value only: nothing can correlate with it
    low: float | None
    high: float | None
    n: int

    def __str__(self) -> str:
        if self.rho is None or self.low is None or self.high is None:
            return f"undefined (n = {self.n:,})"
        return f"{self.rho:+.3f} [{self.low:+.3f}, {self.high:+.3f}] (n = {self.n:,})"


def correlate(scores: Sequence[float], outcomes: Sequence[float], *, seed: int = 0) -> Correlation:
    """Return the rank correlation of photos' scores with what became of them, ties at their mean rank.

    The interval is by bootstrap over photos: score and outcome of a photo stay together.

    Args:
        scores: Of the photos, in [0, 1].
        outcomes: Of the same photos: 1 or 0 for right or wrong, or an error in km.
        seed: Of the bootstrap.

    Raises:
        InputError: scipy is missing.
        ValueError: The two are not as long.
    """
    stats = import_vlm("scipy.stats")
    x, y = np.asarray(scores, np.float64), np.asarray(outcomes, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"scores {x.shape} and outcomes {y.shape} are not of the same photos")
    if len(x) < _LEAST or not (np.ptp(x) > 0 and np.ptp(y) > 0):
        return Correlation(None, None, None, len(x))

    def rho(one: NDArray[Any], other: NDArray[Any], axis: int = -1) -> NDArray[Any]:
        a, b = (stats.rankdata(values, axis=axis) for values in (one, other))
        a, b = a - a.mean(axis=axis, keepdims=True), b - b.mean(axis=axis, keepdims=True)
        spread = np.sqrt((a * a).sum(axis=axis) * (b * b).sum(axis=axis))
        # A resample may hold one value only, as rare outcomes do: it has no rho, and does not count.
        return np.asarray(np.divide((a * b).sum(axis=axis), spread, out=np.full_like(spread, np.nan), where=spread > 0))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # of resamples without a rho
        drawn = stats.bootstrap(
            (x, y), rho, paired=True, vectorized=True, n_resamples=_RESAMPLES, method="percentile",
            batch=max(1, _DRAWN_AT_ONCE // len(x)), rng=np.random.default_rng(seed),
        ).bootstrap_distribution  # fmt: skip
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Correlation(float(rho(x, y)), float(low), float(high), len(x))


@dataclass(frozen=True, slots=True)
class ModelCorrelations:
    """What locatability says of one model's answers."""

    model: str
    photos: int  # that have a score and a row of this model
    country_right: float  # share of them
    with_right: Correlation
    with_error_km: Correlation  # over the photos for which it gave a position


def correlate_model(
    model: str, recorded: RecordedPredictions, photos: Iterable[LabelledPhoto], scores: Mapping[str, float]
) -> ModelCorrelations:
    """Correlate scores with one model's recorded answers; an answer without a country is a wrong one.

    Args:
        model: Its name.
        recorded: Its answers.
        photos: With where they were taken.
        scores: By the photo's path.

    Raises:
        InputError: It answered about none of the photos that have a score.
    """
    asked = [one for one in photos if str(one.path) in scores and one.path.name in recorded.rows]
    if not asked:
        found = (
            f"none: of {len(recorded.rows):,} files with an answer none is among {len(scores):,} photos with a score"
        )
        remedy = "Name the predictions of these photos, or leave the model out with --model."
        raise InputError(f"photos that {model} answered about", found, remedy)
    answers = [recorded.rows[one.path.name] for one in asked]
    given = [scores[str(one.path)] for one in asked]
    right = [float(answer.country == one.country) for one, answer in zip(asked, answers, strict=True)]
    errors = [
        geodesic_km(LatLon(*answer.position), one.position) if answer.position else math.nan
        for one, answer in zip(asked, answers, strict=True)
    ]
    placed = [i for i, error in enumerate(errors) if not math.isnan(error)]
    return ModelCorrelations(
        model=model,
        photos=len(asked),
        country_right=float(np.mean(right)),
        with_right=correlate(given, right),
        with_error_km=correlate([given[i] for i in placed], [errors[i] for i in placed]),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Score, correlate, print; returns the exit code."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        scorer = load_scorer(segmenter=options.segmenter, weights=options.weights, device=options.device)
        photos = read_labels(options.labels, options.images)
        models = options.model or _models(options.predictions)
        recorded = [RecordedPredictions.read(options.predictions, model) for model in models]
        rows = [row for part in score_each([str(one.path) for one in photos], scorer) for row in part]
        scores = {path: one.score for path, one in rows if isinstance(one, Scored)}
        if not scores:
            none = f"none of {len(photos):,} in {options.images}"
            raise InputError("photos of the labels that can be scored", none, "Name their folder with --images.")
        found = [correlate_model(model, one, photos, scores) for model, one in zip(models, recorded, strict=True)]
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    how = f"{len(scores):,} of {len(photos):,} photos scored by {scorer.settings.words()}"
    sys.stdout.write(_json(how, found) if options.json else _table(how, found))
    return 0


def _models(predictions: Path) -> list[str]:
    """All models of a file, in its order."""
    RecordedPredictions.read(predictions)  # says what is wrong with the file
    with predictions.expanduser().open(encoding="utf-8-sig", newline="") as file:
        return list(dict.fromkeys(row["model"] for row in csv.DictReader(file)))


def _table(how: str, found: Sequence[ModelCorrelations]) -> str:
    wide = max(len(one.model) for one in found)
    lines = [f"{how}.", "Spearman's rho with locatability, 95 % interval by bootstrap over photos:"]
    lines.append(f"{'model':<{wide}}  right    rho with country right{'':<20}rho with error in km")
    lines += [
        f"{one.model:<{wide}}  {one.country_right:5.1%}  {one.with_right!s:<42}{one.with_error_km}" for one in found
    ]
    return "\n".join(lines) + "\n"


def _json(how: str, found: Sequence[ModelCorrelations]) -> str:
    return json.dumps({"scored_by": how, "models": [asdict(one) for one in found]}) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="geosleuth.training.locatability.correlation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--labels", type=Path, required=True, help="CSV: source_file, lat, lon, iso2")
    parser.add_argument("--predictions", type=Path, required=True, help="CSV of recorded answers")
    parser.add_argument("--images", type=Path, required=True, help="folder of the photos")
    parser.add_argument("--model", action="append", help="one of the file's; repeatable; all if not given")
    parser.add_argument("--segmenter", help="hf:ORG/NAME[@REV] or dir:PATH; the embedded score if not given")
    parser.add_argument("--weights", type=Path, help="table of class weights; the published ones if not given")
    parser.add_argument("--device", help="of the segmenter, as torch names it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
