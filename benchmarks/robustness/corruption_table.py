"""The corruption study as Markdown: figures, differences from clean, and what became of answers under false places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from corrupt_photo import CORRUPTIONS, STRENGTHS
from false_place import LARGE_PEOPLE, Lured, lured_figures

from geosleuth.training.evaluate.agent.measures import COUNTRY, IN_90, measures
from geosleuth.training.evaluate.agent.paired import paired
from geosleuth.training.evaluate.agent.scored import Scored
from geosleuth.training.evaluate.agent.table import words
from geosleuth.training.evaluate.data_sets.labelled_set import LabelledSet
from geosleuth.training.evaluate.vlm.intervals import Figure

SHOWN = (
    COUNTRY,
    "accuracy@25km",
    "accuracy@200km",
    "accuracy@750km",
    "answer rate",
    "country accuracy, of the answered",
    IN_90,
    "bits lost on the true country",
)
_NONE = Figure(value=None)


@dataclass(frozen=True)
class Row:
    """All photos in one state."""

    name: str
    strength: int  # 0 of the clean ones
    scored: Sequence[Scored]  # with the truths of the clean photos
    lured: Sequence[Lured] = ()

    @property
    def title(self) -> str:
        """What the tables call it."""
        return f"{self.name} {self.strength}" if self.strength else self.name


def table_of(rows: Sequence[Row], data: LabelledSet, seed: int) -> str:
    """Write all that is known so far; the first row is the clean one."""
    clean, others = rows[0], rows[1:]
    figures = {row.title: measures(row.scored) for row in rows}
    parts = [
        _about(data, len(clean.scored), len(others), seed),
        _grid(
            ["state", *SHOWN],
            [[title, *(words(name, of.get(name, _NONE)) for name in SHOWN)] for title, of in figures.items()],
        ),
    ]
    if others:
        changes = {row.title: paired(row.scored, clean.scored) for row in others}
        head = ["state, less clean", *SHOWN, "country gained, lost"]
        lines = [
            [
                title,
                *(words(name, of.differences.get(name, _NONE), signed=True) for name in SHOWN),
                f"{of.gained}, {of.lost}",
            ]
            for title, of in changes.items()
        ]
        parts.append(_grid(head, lines))
    followed = [row for row in others if row.lured]
    if followed:
        parts += _of_false_places(followed)
    return "\n\n".join(parts) + "\n"


def _of_false_places(rows: Sequence[Row]) -> list[str]:
    found = {row.title: lured_figures(row.lured) for row in rows}
    lines = [[name, *(_lured_words(name, of[name]) for of in found.values())] for name in next(iter(found.values()))]
    against = sum(one.against for one in rows[0].lured)
    answered = sum(one.clean.status == "localized" for one in rows[0].lured)
    said = (
        f"False places: cities above {LARGE_PEOPLE:,} people in another country. Moved: the answer names the false "
        f"country, and did not when clean. Clean evidence is against it in {against} photos: it leaves the false "
        f"country less than a tenth of its probability at the start. {answered} were answered when clean."
    )
    return [said, _grid(["under the overlay", *found], lines)]


def _about(data: LabelledSet, photos: int, states: int, seed: int) -> str:
    return (
        f"{data.name}: {photos:,} photos in {data.countries} countries, seed {seed}. {states} of "
        f"{len(CORRUPTIONS) * len(STRENGTHS)} corrupted states. Intervals: 95 %, by bootstrap over cities."
    )


def _lured_words(name: str, figure: Figure) -> str:
    return words(name, figure, signed=True) if name.endswith("change") else words(name, figure)


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
