"""Outcomes as figures with intervals, differences query by query, and how scores fall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from geosleuth.tools.rerank_gate import sign_test
from geosleuth.training.evaluate.ablations.arm import ERROR, Ablation
from geosleuth.training.evaluate.ablations.record import AblationRecord, ArmFigures, Change, Distribution
from geosleuth.training.evaluate.ablations.run import Outcome
from geosleuth.training.evaluate.vlm.intervals import (
    Figure,
    Floats,
    Statistic,
    auc,
    difference,
    figures,
    mean,
    median,
    share,
)

# Distances of the field; below 25 km is what the recall says.
_WITHIN_KM = (1, 25, 200, 750, 2500)
_MEANS = frozenset({"calls", "comparisons", "ties", "failures"})  # numbers per query; everything else is a share
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
AUC = "AUC"
_CHANGE = "\0change"


def summarised(
    table: Ablation, outcomes: Sequence[Outcome], *, data: str, facts: Mapping[str, str], notes: Sequence[str] = ()
) -> AblationRecord:
    """Turn outcomes of one table into its record.

    Args:
        table: Which.
        outcomes: One for each query.
        data: What they are of, in words.
        facts: What decides the figures beside the data.
        notes: What a reader must know beside the table's own.
    """
    places = [one.place for one in outcomes]
    # Galleries of several worlds may not have the same arms: an arm is of all queries or not comparable.
    seen = dict.fromkeys(name for one in outcomes for name in one.arms)
    names = [name for name in seen if all(name in one.arms for one in outcomes)]
    partly = (
        f"Arms left out, since not every query has them: {len(seen) - len(names)}." if len(names) < len(seen) else ""
    )
    statistics = {(arm, name): made for arm in names for name, made in _statistics(outcomes, arm).items()}
    compared = [pair for pair in _pairs(table, names) if _both_known(statistics, pair, table.primary)]
    for one, other in compared:
        both = difference(statistics[one, table.primary], statistics[other, table.primary])
        statistics[_CHANGE, f"{one}\0{other}"] = both
    found = figures({"\1".join(key): made for key, made in statistics.items()}, places)
    arms = tuple(
        ArmFigures(name=arm, figures={n: found[f"{a}\1{n}"] for a, n in statistics if a == arm}) for arm in names
    )
    changes = tuple(_change(outcomes, pair, table.primary, found) for pair in compared)
    return AblationRecord(
        table=table.name,
        title=table.title,
        question=table.question,
        primary=table.primary,
        data=data,
        facts=dict(facts),
        queries=len(outcomes),
        places=len(set(places)),
        arms=arms,
        changes=changes,
        distributions=tuple(_distributions(outcomes, names)),
        notes=tuple(filter(None, (table.note, partly, *notes))),
        grid=table.grid,
        distances=table.distances,
    )


def _pairs(table: Ablation, names: Sequence[str]) -> list[tuple[str, str]]:
    base = [(arm, table.baseline) for arm in names if table.baseline in names and arm != table.baseline]
    wanted = [(one, str(other)) for one, other in (*base, *table.pairs) if one in names and other in names]
    return list(dict.fromkeys(wanted))


def _both_known(statistics: Mapping[tuple[str, str], Statistic], pair: tuple[str, str], primary: str) -> bool:
    return all((arm, primary) in statistics for arm in pair)


def _statistics(outcomes: Sequence[Outcome], arm: str) -> dict[str, Statistic]:
    """Statistics of one arm, by the name of the figure."""
    names = dict.fromkeys(name for one in outcomes for name in one.arms[arm].values)
    made: dict[str, Statistic] = {}
    for name in names:
        values = _column(outcomes, arm, name)
        counted = ~np.isnan(values)
        filled = np.where(counted, values, 0.0)
        if name.startswith(f"{ERROR},"):  # of a part of the queries
            made[name.replace(ERROR, "median km", 1)] = median(values)
        elif name == ERROR:
            made["median km"] = median(values)
            made.update({f"within {km:,} km": share(counted & (filled <= km), counted) for km in _WITHIN_KM})
        elif name in _MEANS:
            made[f"{name} per query"] = mean(filled, counted)
        else:
            made[name] = share(filled, counted)
    if any(one.arms[arm].scores for one in outcomes):
        made[AUC] = _auc(outcomes, arm)
    return made


def _column(outcomes: Sequence[Outcome], arm: str, name: str) -> Floats:
    values = (one.arms[arm].values.get(name) for one in outcomes)
    return np.array([np.nan if value is None else value for value in values])


def _auc(outcomes: Sequence[Outcome], arm: str) -> Statistic:
    """AUC over candidates, with a query's candidates drawn together."""
    rows = [(number, *scored) for number, one in enumerate(outcomes) for scored in one.arms[arm].scores]
    of_query = np.array([number for number, _, _ in rows])
    over_candidates = auc([score for _, score, _ in rows], [right for _, _, right in rows])
    return lambda weights: over_candidates(weights[:, of_query])


def _change(outcomes: Sequence[Outcome], pair: tuple[str, str], primary: str, found: Mapping[str, Figure]) -> Change:
    this, other = (_column(outcomes, arm, primary) for arm in pair)
    gained, lost = int((this > other).sum()), int((this < other).sum())  # NaN is neither
    drawn = found[f"{_CHANGE}\1{pair[0]}\0{pair[1]}"]
    return Change(arm=pair[0], against=pair[1], difference=drawn, gained=gained, lost=lost, p=sign_test(gained, lost))


def _distributions(outcomes: Sequence[Outcome], names: Sequence[str]) -> list[Distribution]:
    """Quantiles of the scores of right and of wrong candidates."""
    made = []
    for arm in names:
        scored = [pair for one in outcomes for pair in one.arms[arm].scores]
        right, wrong = ([score for score, truth in scored if truth is wanted] for wanted in (True, False))
        if right and wrong:
            made.append(
                Distribution(
                    arm=arm,
                    right=len(right),
                    wrong=len(wrong),
                    right_quantiles=_quantiles(right),
                    wrong_quantiles=_quantiles(wrong),
                )
            )
    return made


def _quantiles(scores: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in np.quantile(scores, _QUANTILES, method="inverted_cdf"))
