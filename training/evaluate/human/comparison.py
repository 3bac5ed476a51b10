"""People beside the agent, photo by photo: figures, paired differences, errors by clue, and who alone is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geosleuth.training.evaluate.agent.measures import (
    COUNTRY,
    MEDIAN_KM,
    judged,
    places,
    resampled,
    statistics,
)
from geosleuth.training.evaluate.agent.scored import Scored
from geosleuth.training.evaluate.human.agreement import Agreed, agreement
from geosleuth.training.evaluate.human.answer import CLUES
from geosleuth.training.evaluate.human.answer_file import Answers
from geosleuth.training.evaluate.human.error_types import country_right, error_types, flags
from geosleuth.training.evaluate.human.side_by_side import Row, rows_of_both
from geosleuth.training.evaluate.vlm.intervals import Statistic, difference, median, share
from geosleuth.training.evaluate.vlm.record import Section, Table

PEOPLE, AGENT = "people", "agent"
# Of the agent's figures those that a person's answer has as well.
_SHARED = (COUNTRY, *(f"accuracy@{km}km" for km in (25, 200, 750, 2500)), MEDIAN_KM, "ECE of the named country")
_FEW = 30  # photos, below which an interval is wider than most differences are


@dataclass(frozen=True)
class Comparison:
    """All that the report says."""

    sections: tuple[Section, ...]
    differences: Section  # people less agent
    agreed: tuple[Agreed, ...]
    people_alone: tuple[Row, ...]  # rows whose country the person has right and the agent wrong
    agent_alone: tuple[Row, ...]  # and the other way round
    notes: tuple[str, ...]


def compared(answers: Answers, agent: Sequence[Scored]) -> Comparison:
    """Set people's answers beside the agent's.

    Raises:
        InputError: They have no photo in common.
    """
    rows, missing = rows_of_both(answers, agent)
    known = [row for row in rows if row.human.truth.country is not None]
    alone = [(row, country_right(row.human), country_right(row.agent)) for row in known]
    return Comparison(
        sections=(_figures(rows), _overlap(rows), *_by_clue(rows)),
        differences=_differences(rows),
        agreed=tuple(agreement(answers)),
        people_alone=tuple(row for row, human, machine in alone if human and not machine),
        agent_alone=tuple(row for row, human, machine in alone if machine and not human),
        notes=_notes(rows, missing, answers),
    )


def statistics_of(rows: Sequence[Scored]) -> dict[str, Statistic]:
    """Error types, then the figures that people and agent share."""
    found = statistics(rows)
    seconds = {"seconds per photo, median": median([row.seconds for row in rows])}
    return error_types(rows) | {name: found[name] for name in _SHARED if name in found} | seconds


def _figures(rows: Sequence[Row]) -> Section:
    """Everybody, each person where there are several, and the agent on the rows of everybody."""
    people = sorted({row.person for row in rows})
    groups: dict[str, list[Scored]] = {PEOPLE: [row.human for row in rows], AGENT: [row.agent for row in rows]}
    if len(people) > 1:
        groups |= {person: [row.human for row in rows if row.person == person] for person in people}
    columns = {name: _table(group) for name, group in groups.items()}
    return Section(title="Errors and accuracy", columns=columns, counts={name: len(g) for name, g in groups.items()})


def _differences(rows: Sequence[Row]) -> Section:
    groups = {PEOPLE: list(rows)}
    people = sorted({row.person for row in rows})
    if len(people) > 1:
        groups |= {person: [row for row in rows if row.person == person] for person in people}
    columns = {name: _changes(group) for name, group in groups.items()}
    counts = {name: len(group) for name, group in groups.items()}
    return Section(title="People less the agent, on the same photos", columns=columns, counts=counts)


def _changes(rows: Sequence[Row]) -> Table:
    ours, theirs = statistics_of([row.human for row in rows]), statistics_of([row.agent for row in rows])
    both = {name: difference(ours[name], theirs[name]) for name in ours if name in theirs}
    return resampled(both, places([row.human for row in rows]))


def _overlap(rows: Sequence[Row]) -> Section:
    """Who has the country right: what is right for people alone is what the agent could still learn."""
    human = flags([row.human for row in rows], country_right)
    machine = flags([row.agent for row in rows], country_right)
    scored = [row.human for row in rows]
    known = judged(scored)
    shares = {
        "both": human & machine,
        "people alone": human & ~machine,
        "agent alone": machine & ~human,
        "neither": ~human & ~machine,
    }
    named: dict[str, Statistic] = {name: share(which & known, known) for name, which in shares.items()}
    table = resampled(named, places(scored))
    return Section(title="Who has the country right", columns={"answers": table}, counts={"answers": len(rows)})


def _by_clue(rows: Sequence[Row]) -> list[Section]:
    """Error types by what the person went by; an answer with two clues is in two columns."""
    groups = {words: [row for row in rows if clue in row.answer.clues] for clue, words in CLUES.items()}
    groups = {words: group for words, group in groups.items() if group}
    if not groups:
        return []
    columns: dict[str, Table] = {}
    for words, group in groups.items():
        human, machine = error_types([row.human for row in group]), error_types([row.agent for row in group])
        named = {f"{name}: {who}": one[name] for name in human for who, one in ((PEOPLE, human), (AGENT, machine))}
        columns[words] = resampled(named, places([row.human for row in group]))
    counts = {words: len(group) for words, group in groups.items()}
    return [Section(title="By the clues that people say they used", columns=columns, counts=counts)]


def _table(rows: Sequence[Scored]) -> Table:
    return resampled(statistics_of(rows), places(rows))


def _notes(rows: Sequence[Row], missing: int, answers: Answers) -> tuple[str, ...]:
    photos = len({row.human.truth.sha256 for row in rows})
    people = len({row.person for row in rows})
    notes = [f"Answers: {len(rows):,}, of people: {people}, about photos: {photos:,}."]
    if photos < _FEW:
        notes.append(f"{photos} photos are few: look at the intervals before any figure.")
    if missing:
        notes.append(f"Left out, since the agent's report has not their photos: {missing:,}.")
    if answers.damaged:
        listed = ", ".join(map(str, answers.damaged[:5]))
        notes.append(f"Left out, since they are no answers: {len(answers.damaged):,}, the first in lines {listed}.")
    unsure = int(np.sum([row.answer.given == "country" for row in rows]))
    if unsure:
        notes.append(f"Answers that name a country alone: {unsure:,}; their distances are those of its largest place.")
    return tuple(notes)
