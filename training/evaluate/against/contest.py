"""A recorded model's own answers beside those of the agent with that model as its prior, on the same photos.

What the agent's tools found does not depend on the prior: it is looked up once, and each model's word is added to it.
The constants that weigh a photo's evidence are fitted on photos of other countries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from geosleuth.tools.prior import RecordedPredictions
from geosleuth.training.evaluate.agent.paired import Paired, paired, pooled
from geosleuth.training.evaluate.agent.score import bare_prediction
from geosleuth.training.evaluate.agent.scored import Observed, Scored
from geosleuth.training.evaluate.agent.with_prior import with_prior
from geosleuth.training.evaluate.calibration.folds import CrossValidated, cross_validated


@dataclass(frozen=True)
class Contest:
    """Two runs over the same photos, in one order."""

    name: str
    alone: tuple[Scored, ...]
    agent: tuple[Scored, ...]
    fitted: CrossValidated  # what the agent's answers are drawn from

    def without(self, files: frozenset[str]) -> Contest:
        """Leave photos out, by the data set's names."""

        def kept(rows: Sequence[Scored]) -> tuple[Scored, ...]:
            return tuple(row for row in rows if row.truth.file not in files)

        return replace(self, alone=kept(self.alone), agent=kept(self.agent))

    def paired(self) -> Paired:
        """The agent less the model alone."""
        return paired(self.agent, self.alone)


def contest(observed: Sequence[Observed], recorded: RecordedPredictions, *, processes: int = 1) -> Contest:
    """Set a model against the agent that asks it, on the photos that it was asked about.

    A photo that the recorded file has no row of was never asked about; one whose row names no place is unanswered, and
    counts as wrong for the model.

    Args:
        observed: What the tools found, whatever prior was set.
        recorded: Of the model.
        processes: Photos at once.

    Raises:
        InputError: Fewer than two countries among the photos that it was asked about.
    """
    asked = [seen for seen in observed if _base_name(seen) in recorded.rows]
    alone = bare_prediction([seen.truth for seen in asked], recorded)
    fitted = cross_validated(with_prior(asked, recorded))
    return Contest(recorded.model, tuple(alone), tuple(fitted.score(processes=processes)), fitted)


def _base_name(seen: Observed) -> str:
    return seen.truth.file.rpartition("/")[2]  # recorded answers are found by it


def two_models(
    observed: Sequence[Observed],
    contests: Sequence[Contest],
    recorded: Sequence[RecordedPredictions],
    *,
    processes: int = 1,
) -> list[Contest]:
    """Fuse all pairs of models with the tools, each against the agent with the better one of the two.

    On the photos that both were asked about. Better is the model whose own points lie in the right country more often.
    """
    found: list[Contest] = []
    for one, other in combinations(range(len(contests)), 2):
        asked = [seen for seen in observed if all(_base_name(seen) in recorded[k].rows for k in (one, other))]
        files = {seen.truth.file for seen in asked}
        left = frozenset(seen.truth.file for seen in observed) - files
        fitted = cross_validated([_joined(seen, recorded[one], recorded[other]) for seen in asked])
        better = max((contests[k].without(left) for k in (one, other)), key=_right)
        name = f"{contests[one].name} and {contests[other].name}"
        found.append(Contest(name, better.agent, tuple(fitted.score(processes=processes)), fitted))
    return found


def pooled_contests(contests: Sequence[Contest]) -> Paired:
    """All rows of several contests together; rows of one photo are drawn together."""
    return pooled([(one.agent, one.alone) for one in contests])


def _right(one: Contest) -> int:
    return sum(row.point_country is not None and row.point_country == row.truth.country for row in one.alone)


def _joined(seen: Observed, one: RecordedPredictions, other: RecordedPredictions) -> Observed:
    first, second = (with_prior([seen], recorded)[0] for recorded in (one, other))
    said = [piece for piece in second.evidence if piece.tool == "prior"]
    return first.model_copy(update={"evidence": (*first.evidence, *said)})


def less_evidence(contests: Sequence[Contest], *, processes: int = 1) -> dict[str, Paired]:
    """What the agent's tools add to the models, pooled: the agent as it is, less itself without one.

    Args:
        contests: With all evidence.
        processes: Photos at once.

    Returns:
        By tool, and by type of its evidence, with the number of photos that have it. The constants stay as they are.
    """
    said = {
        (e.tool, e.type)
        for one in contests
        for seen in one.fitted.observed
        for e in seen.evidence
        if e.tool != "prior" and e.likelihood.kind != "nothing"
    }
    found = {}
    for kind in (*sorted({tool for tool, _ in said}), *sorted({kind for _, kind in said})):
        rows = [[i for i, seen in enumerate(one.fitted.observed) if _has(seen, kind)] for one in contests]
        pairs = [(one.agent, _rescored(one, kind, of, processes)) for one, of in zip(contests, rows, strict=True)]
        files = {one.fitted.observed[i].truth.file for one, of in zip(contests, rows, strict=True) for i in of}
        found[f"{kind} ({len(files)} photos)"] = pooled(pairs)
    return found


def _has(seen: Observed, kind: str) -> bool:
    return any(kind in (e.tool, e.type) and e.likelihood.kind != "nothing" for e in seen.evidence)


def _rescored(one: Contest, kind: str, rows: Sequence[int], processes: int) -> list[Scored]:
    """The agent's answers where the photos of these rows lack a kind of evidence."""
    poorer = [
        seen.model_copy(update={"evidence": tuple(e for e in seen.evidence if kind not in (e.tool, e.type))})
        for seen in (one.fitted.observed[row] for row in rows)
    ]
    folds = tuple(one.fitted.fold_of[row] for row in rows)
    again = replace(one.fitted, observed=tuple(poorer), fold_of=folds).score(processes=processes)
    answers = dict(zip(rows, again, strict=True))
    return [answers.get(row, answer) for row, answer in enumerate(one.agent)]
