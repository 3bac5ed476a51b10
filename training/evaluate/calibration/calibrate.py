"""A calibration with its record: on which photos it was fitted, and what it was worth on those it had not seen."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from geosleuth.agent.calibration import Calibration, FitRecord, Interval
from geosleuth.indexes.whole_file import appearing
from geosleuth.tools.evidence import Nothing
from geosleuth.training.evaluate.agent.measures import places
from geosleuth.training.evaluate.agent.record import commit
from geosleuth.training.evaluate.agent.scored import Observed, Scored
from geosleuth.training.evaluate.calibration.cases import seen_photos
from geosleuth.training.evaluate.calibration.fit import fit
from geosleuth.training.evaluate.calibration.folds import By, CrossValidated, cross_validated
from geosleuth.training.evaluate.vlm.intervals import Figure, figures, mean, share

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Calibrated:
    """A calibration fitted on all photos, and the answers that its like gave on photos it had not seen."""

    calibration: Calibration
    held_out: CrossValidated
    scored: tuple[Scored, ...]  # by the calibrations of the folds, in the order of the photos


def calibrate(
    observed: Sequence[Observed], *, data: str, folds: int = 5, by: By = "country", processes: int = 1
) -> Calibrated:
    """Fit on all photos, and measure by cross-validation.

    Args:
        observed: By `observe`.
        data: Name of the data set.
        folds: How many.
        by: As `cross_validated`.
        processes: Photos at once when answers are made anew.

    Raises:
        InputError: Too few photos for folds.
    """
    every = seen_photos(observed)
    logger.info("%d of %d photos have evidence", len(every), len(observed))
    today, at = f"{datetime.now(UTC):%Y-%m-%d}", commit()
    source = f"{data}, {len(observed):,} photos, {today}, commit {at or 'unknown'}"
    held_out = cross_validated(observed, folds=folds, by=by, source=source, photos=every)
    scored = held_out.score(processes=processes)
    measured = fitness(held_out.gain_bits, scored, shipped_bits=held_out.shipped_bits)
    areas = [row.area_90_km2 for row in scored if row.area_90_km2 is not None]
    record = FitRecord(
        data=data,
        date=today,
        commit=at,
        photos=len(observed),
        photos_sha256=digest(observed),
        countries=len({seen.truth.country for seen in observed} - {None}),
        folds=len(held_out.calibrations),
        by=by,
        types=type_counts(observed),
        **{name: interval(figure) for name, figure in measured.items()},
        median_area_90_km2=float(np.median(areas)) if areas else 0.0,
    )
    calibration = fit(every).calibration(source).model_copy(update={"record": record})
    return Calibrated(calibration, held_out, tuple(scored))


def save(calibration: Calibration, path: Path) -> None:
    """Write a calibration for the setting `calibration`; whole or not at all."""
    with appearing(path) as scratch:
        scratch.write_text(calibration.model_dump_json(indent=2) + "\n", encoding="utf-8")


def digest(observed: Sequence[Observed]) -> str:
    """SHA-256 of the set of photos, whatever their order: by content, and by name where no file could be read."""
    return hashlib.sha256(
        json.dumps(sorted(seen.truth.sha256 or seen.truth.file for seen in observed)).encode()
    ).hexdigest()


def type_counts(observed: Sequence[Observed]) -> dict[str, int]:
    """Count the photos that have each type of evidence, by name."""
    found = [{e.type for e in seen.evidence if not isinstance(e.likelihood, Nothing)} for seen in observed]
    return dict(sorted(Counter(kind for kinds in found for kind in kinds).items()))


def interval(figure: Figure) -> Interval:
    """The same figure where the agent can read it; 0 where no photo has evidence, for there nothing was gained."""
    return Interval(value=figure.value or 0.0, low=figure.low, high=figure.high)


def fitness(
    gain_bits: Sequence[float | None], scored: Sequence[Scored], *, shipped_bits: Sequence[float | None] = ()
) -> dict[str, Figure]:
    """The figures of a `FitRecord` that depend on photos, with intervals over places.

    Photos that could not be read have no region, and count in no coverage.
    """
    spoken = np.array([bits is not None for bits in gain_bits], dtype=bool)
    statistics = {
        "with_evidence": share(spoken),
        "gain_bits": mean([bits or 0.0 for bits in gain_bits], spoken),
        "in_50": share([row.in_50 is True for row in scored], [row.in_50 is not None for row in scored]),
        "in_90": share([row.in_90 is True for row in scored], [row.in_90 is not None for row in scored]),
    }
    if shipped_bits:
        statistics["shipped_bits"] = mean([bits or 0.0 for bits in shipped_bits], spoken)
    return figures(statistics, places(scored))
