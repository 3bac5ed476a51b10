"""Keep the street views that show enough to be placed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from geosleuth.tools.learned_locatability import TRAINING_THRESHOLD

if TYPE_CHECKING:
    from geosleuth.training.georeasoner.street_views import StreetView, StreetViews
    from geosleuth.training.locatability.score_set import Scores


def curate(views: StreetViews, scores: Scores, threshold: float = TRAINING_THRESHOLD) -> StreetViews:
    """Return the views that score above a threshold, each with its score; those without a score are not kept.

    Args:
        views: The set.
        scores: Of its pictures.
        threshold: In [0, 1]; the paper's 0.4 is for GeoReasoner's formula, not for the embedded score.
    """
    kept = tuple(
        replace(view, locatability=score) for view, score in with_scores(views, scores) if passes(score, threshold)
    )
    return replace(views, views=kept)


def passes(score: float, threshold: float) -> bool:
    """Tell whether a score is above the threshold: the threshold itself is not, as the locatability tool has it."""
    return score > threshold


def with_scores(views: StreetViews, scores: Scores) -> Iterator[tuple[StreetView, float]]:
    """Yield the views that have a score, with it."""
    for view in views.views:
        score = scores.of(view.path)
        if score is not None:
            yield view, score
