"""The contests as a page of tables, Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from geosleuth.training.evaluate.against.contest import Contest, pooled_contests
from geosleuth.training.evaluate.agent.measures import COUNTRY, IN_50, IN_90, MEDIAN_KM, measures
from geosleuth.training.evaluate.agent.paired import MEDIAN_CHANGE, Paired
from geosleuth.training.evaluate.agent.scored import Scored
from geosleuth.training.evaluate.agent.table import value_words, words
from geosleuth.training.evaluate.vlm.intervals import Figure

NAMED, AREA = "country accuracy, as named", "median km2 of the 90 % region"
_NEAR = ("accuracy@25km", "accuracy@200km", "accuracy@750km")
_NONE = Figure(value=None)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table."""
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def contest_table(contests: Sequence[Contest], pools: Mapping[str, Sequence[str]]) -> str:
    """The model alone and the agent, a row each; pooled rows are of all their photos together."""
    head = ["prior", "photos", "country: alone", "agent", "difference", "named: alone", "agent"]
    head += ["median km: alone", "agent", "change"]
    rows = [_row(one.name, one.alone, one.agent, one.paired()) for one in contests]
    for name, of in pools.items():
        chosen = [one for one in contests if one.name in of]
        alone, agent = ([row for one in chosen for row in getattr(one, side)] for side in ("alone", "agent"))
        rows.append(_row(name, alone, agent, pooled_contests(chosen)))
    return markdown(head, rows)


def _row(name: str, alone: Sequence[Scored], agent: Sequence[Scored], both: Paired) -> list[str]:
    before, after = measures(alone), measures(agent)
    cells = [name, f"{len(agent):,}"]
    for figure in (COUNTRY, NAMED):
        cells += [value_words(figure, table.get(figure, _NONE)) for table in (before, after)]
        if figure == COUNTRY:
            cells.append(words(figure, both.differences.get(figure, _NONE), signed=True))
    cells += [value_words(MEDIAN_KM, table.get(MEDIAN_KM, _NONE)) for table in (before, after)]
    return [*cells, words(MEDIAN_CHANGE, both.differences.get(MEDIAN_CHANGE, _NONE), signed=True)]


def near_table(contests: Sequence[Contest]) -> str:
    """Accuracy within 25, 200 and 750 km: the agent's, and its difference to the model alone."""
    head = ["prior", *(cell for name in _NEAR for cell in (name, "difference"))]
    rows = []
    for one in contests:
        after, both = measures(one.agent), one.paired().differences
        cells = ((value_words(name, after[name]), words(name, both[name], signed=True)) for name in _NEAR)
        rows.append([one.name, *(cell for pair in cells for cell in pair)])
    return markdown(head, rows)


def region_table(runs: Mapping[str, Sequence[Scored]]) -> str:
    """How often the credible regions hold the truth, held out, and how large they are."""
    head = ["run", "photos", IN_50, IN_90, AREA]
    rows = []
    for name, scored in runs.items():
        found = measures(scored)
        rows.append([name, f"{len(scored):,}", *(words(figure, found.get(figure, _NONE)) for figure in head[2:])])
    return markdown(head, rows)


def change_table(head: str, runs: Mapping[str, Paired], shown: Sequence[str] = (COUNTRY, MEDIAN_CHANGE)) -> str:
    """What a change did, a row each."""
    rows = [
        [name, f"{both.gained}", f"{both.lost}"]
        + [words(figure, both.differences.get(figure, _NONE), signed=True) for figure in shown]
        for name, both in runs.items()
    ]
    return markdown([head, "photos won", "lost", *shown], rows)
