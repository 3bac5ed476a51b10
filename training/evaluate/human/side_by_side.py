"""People's answers as the contract's rows, each beside the agent's row of the same photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon, geodesic_km
from geosleuth.indexes.regions import country_at
from geosleuth.training.evaluate.agent.scored import Scored, Truth
from geosleuth.training.evaluate.human.answer import Answer
from geosleuth.training.evaluate.human.answer_file import Answers
from geosleuth.training.evaluate.vlm.prior_rows import position_of

_PLACE = ("point", "error_km", "point_country", "named_country", "named_city", "probability", "truth_probability")
_UNTOLD = dict.fromkeys((*_PLACE, "in_50", "in_90", "area_50_km2", "area_90_km2", "entropy_bits"))


@dataclass(frozen=True)
class Row:
    """One person and one photo."""

    answer: Answer
    human: Scored
    agent: Scored

    @property
    def person(self) -> str:
        """Who answered."""
        return self.answer.person


def rows_of_both(answers: Answers, agent: Sequence[Scored]) -> tuple[list[Row], int]:
    """Return a row for each answer that counts, and how many answers are of photos that the agent has not.

    The photos' truths come from the agent's rows, so that nothing else is needed, and both are judged by one.

    Raises:
        InputError: There is no answer, or none is of a photo that the agent has.
    """
    if not answers.last:
        lines = f"none, and {len(answers.damaged):,} lines that are no answers" if answers.damaged else "an empty file"
        remedy = "Name by --report what `geosleuth evaluate human --out` wrote, once somebody has answered."
        raise InputError("people's answers", lines, remedy)
    by_photo = {row.truth.sha256: row for row in agent}
    by_name = {(row.truth.file, row.truth.sha256): row for row in agent}  # a set may hold a photo twice
    found: list[Row] = []
    for answer in answers.last.values():
        row = by_name.get((answer.file, answer.photo), by_photo.get(answer.photo))
        if row is not None:
            found.append(Row(answer, scored(answer, row.truth), as_told(row)))
    missing = len(answers.last) - len(found)
    if not found:
        remedy = "Name the report.json of `geosleuth evaluate agent` on the same data."
        raise InputError("answers about photos of the agent's report", f"{missing:,}, all of other photos", remedy)
    return found, missing


def as_told(row: Scored) -> Scored:
    """Return the agent's row as people's are: where it says that the place cannot be told, it names none.

    A belief has a peak and a likeliest country whatever the status; a person who cannot tell is not asked for a guess.
    """
    return row.model_copy(update=_UNTOLD) if row.status == "not_locatable" else row


def scored(answer: Answer, truth: Truth) -> Scored:
    """Judge an answer as the agent's are judged; it has no regions, and one probability: how sure the person is.

    A country named alone stands for its largest place, as it does for a model that names a country alone.
    """
    point = LatLon(*answer.point) if answer.point else None
    point_country = country_at(point.lat, point.lon) if point else answer.country
    if answer.given == "country":
        point, _ = position_of(answer.country, None)
    named = answer.country is not None
    return Scored(
        truth=truth,
        status="not_locatable" if answer.given == "nothing" else "localized" if answer.point else "coarse",
        point=(point.lat, point.lon) if point else None,
        error_km=geodesic_km(point, LatLon(truth.lat, truth.lon)) if point else None,
        point_country=point_country,
        named_country=answer.country,
        named_city=answer.city,
        probability=answer.sure if named else None,
        truth_probability=answer.sure if named and answer.country == truth.country else None,
        seconds=answer.seconds,
    )
