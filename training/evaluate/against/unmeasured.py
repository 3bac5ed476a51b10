"""A model that nobody has measured: its points count as those of the others do, as they err on the whole."""

from __future__ import annotations

from collections.abc import Sequence

from geosleuth.agent.calibration import ErrorShare, load_calibration
from geosleuth.training.evaluate.against.contest import Contest
from geosleuth.training.evaluate.agent.score import score
from geosleuth.training.evaluate.agent.scored import Scored
from geosleuth.training.evaluate.calibration.cases import seen_photos
from geosleuth.training.evaluate.calibration.opinions import Opinion, weights_of


def pooled_errors(contests: Sequence[Contest]) -> tuple[ErrorShare, ...]:
    """How far these models' points lie from the truth, each photo of each model counted once."""
    return weights_of([said for one in contests for said in _opinions(one)]).errors


def as_unmeasured(contests: Sequence[Contest], *, processes: int = 1) -> dict[str, list[Scored]]:
    """The agent's answers with each model, when only the other models were measured.

    The photos are the same, and so is the calibration that ships of all else: what is held out is the model.
    """
    shipped = load_calibration()
    answers = {}
    for one in contests:
        errors = pooled_errors([other for other in contests if other is not one])
        calibration = shipped.model_copy(update={"errors_of_others": errors, "models": {}})
        answers[one.name] = score(one.fitted.observed, calibration, processes=processes)
    return answers


def _opinions(contest: Contest) -> list[Opinion]:
    said = (photo.opinions.get(contest.name) for photo in seen_photos(contest.fitted.observed))
    return [one for one in said if one is not None]
