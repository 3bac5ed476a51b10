"""Score every picture of a set of street views; interrupted or killed at any moment, the same call goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geosleuth.indexes.encoders.parallel import core_count, in_order
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.sources.source import reason_of
from geosleuth.indexes.photo_file import DAMAGED
from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.locatability.score_file import Row, opened_scores
from geosleuth.training.locatability.scorers import Scored, Scorer, ScoreSettings, load_scorer

if TYPE_CHECKING:
    from geosleuth.training.georeasoner.street_views import StreetViews

_TOLD_EVERY_S = 0.25  # a person sees it move, and drawing it costs nothing


@dataclass(frozen=True, slots=True)
class ScoringProgress:
    """A moment of the scoring."""

    done: int  # pictures, those of earlier runs too
    total: int
    broken: int
    pictures_per_s: float | None  # of this run
    eta_s: float | None


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of a set."""

    settings: ScoreSettings
    by_path: Mapping[str, Scored]  # by `str(view.path)`, in the order of the views
    broken: tuple[Skipped, ...]
    resumed: int = 0  # of them were scored by an earlier run
    seconds: float = 0.0  # of this run

    def of(self, path: Path | str) -> float | None:
        """Return a picture's score; None where it could not be read."""
        found = self.by_path.get(str(path))
        return None if found is None else found.score


def score_views(
    views: StreetViews,
    out: Path,
    *,
    segmenter: str | None = None,
    weights: Path | None = None,
    masks: bool = False,
    device: str | None = None,
    batch: int | None = None,
    progress: Callable[[ScoringProgress], None] = lambda _: None,
) -> Scores:
    """Score all pictures of a set, and keep the scores in `out` (`score_file.py`).

    Args:
        views: The set.
        out: The folder of the scores; made where it is missing, taken up where it has some.
        segmenter: hf:ORG/NAME[@REV] or dir:PATH; None = masks, or else the embedded score.
        weights: A table of class weights; None = those published with GeoReasoner.
        masks: Take the classes from masks beside the pictures, ROOT/labels/FILE.png.
        device: Of the segmenter, as torch names it; None = a GPU where there is one.
        batch: Pictures at once; None = what suits the device.
        progress: Told some four times a second.

    Raises:
        InputError: The segmenter, the weights or the folder cannot be used, the scores that are there were made in
            another way, or no picture at all can be read.
    """
    scorer = load_scorer(segmenter=segmenter, weights=weights, masks=masks, device=device)
    paths = list(dict.fromkeys(str(view.path) for view in views.views))
    with opened_scores(out, scorer.settings) as file:
        known = {path: file.known[path] for path in paths if path in file.known}
        clock = _Clock(len(paths), len(known), progress)
        broken: list[Skipped] = []
        with closing(score_each((path for path in paths if path not in known), scorer, batch)) as batches:
            for rows in batches:
                file.add(rows)
                file.known.update((path, one) for path, one in rows if isinstance(one, Scored))
                broken += [one for _, one in rows if isinstance(one, Skipped)]
                clock.add(len(rows), len(broken))
        clock.tell()
        scored = {path: file.known[path] for path in paths if path in file.known}
    if broken and not scored:
        found = f"none of {len(paths):,}; {broken[0].path}: {broken[0].reason}"
        raise InputError("pictures that can be scored", found, "Check the folder of the set, or how it is scored.")
    return Scores(scorer.settings, scored, tuple(broken), len(known), clock.seconds)


def score_each(paths: Iterable[str], scorer: Scorer, batch: int | None = None) -> Generator[list[Row], None, None]:
    """Yield scores in batches, in order: threads decode ahead while the device works.

    Args:
        paths: Of the pictures.
        scorer: The way.
        batch: Pictures at once; None = the scorer's own.
    """
    size = batch or scorer.batch
    pool = ThreadPoolExecutor(core_count(), thread_name_prefix="decode")
    try:
        prepared = in_order(lambda path: (path, _prepared(scorer, path)), paths, pool=pool, ahead=2 * size)
        while chunk := list(islice(prepared, size)):
            scores = iter(scorer.score([made for _, made in chunk if not isinstance(made, Skipped)]))
            yield [(path, made if isinstance(made, Skipped) else next(scores)) for path, made in chunk]
    finally:
        pool.shutdown(cancel_futures=True)  # an interrupted run does not finish what it had read ahead


def _prepared(scorer: Scorer, path: str) -> Any:
    """Prepare one picture, in a thread; a broken one is counted, and must not stop a hundred thousand others."""
    try:
        return scorer.prepare(Path(path))
    except InputError as error:
        return Skipped(path, reason_of(error, path))
    except DAMAGED as error:
        return Skipped(path, f"it cannot be decoded ({type(error).__name__}: {error})")


class _Clock:
    """Counts, and tells it at most every quarter of a second and at the end."""

    def __init__(self, total: int, known: int, progress: Callable[[ScoringProgress], None]) -> None:
        self._total, self._known, self._done, self._broken = total, known, known, 0
        self._progress = progress
        self._started = self._told = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._started

    def add(self, done: int, broken: int) -> None:
        """Count pictures; `broken` is the number so far."""
        self._done, self._broken = self._done + done, broken
        if time.monotonic() - self._told >= _TOLD_EVERY_S:
            self.tell()

    def tell(self) -> None:
        """Hand the present state to the caller."""
        self._told = time.monotonic()
        fresh = self._done - self._known
        rate = fresh / self.seconds if fresh and self.seconds > 0 else None
        eta_s = (self._total - self._done) / rate if rate else None
        self._progress(ScoringProgress(self._done, self._total, self._broken, rate, eta_s))
