"""How far two people agree on the photos that both answered: the country, and how near their points are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from geosleuth.indexes.geodesy import LatLon, geodesic_km
from geosleuth.training.evaluate.human.answer import Answer
from geosleuth.training.evaluate.human.answer_file import Answers
from geosleuth.training.review.agreement import Agreement, cohen_kappa

_NOTHING, _SEA = "cannot tell", "no country"  # categories beside the countries


@dataclass(frozen=True)
class Agreed:
    """Two people."""

    people: tuple[str, str]
    countries: Agreement
    placed: int  # photos for which both gave a point
    median_km: float | None  # between their points


def agreement(answers: Answers) -> list[Agreed]:
    """Return a row for each two people who answered a photo in common; nobody has seen another's answers."""
    by_person: dict[str, dict[str, Answer]] = {}
    for (person, _), answer in answers.last.items():
        by_person.setdefault(person, {})[answer.photo] = answer
    found = []
    for one, other in combinations(sorted(by_person), 2):
        common = [photo for photo in by_person[one] if photo in by_person[other]]
        if common:
            pairs = [(by_person[one][photo], by_person[other][photo]) for photo in common]
            found.append(_agreed((one, other), pairs))
    return found


def _agreed(people: tuple[str, str], pairs: Sequence[tuple[Answer, Answer]]) -> Agreed:
    countries = cohen_kappa([_category(one) for one, _ in pairs], [_category(other) for _, other in pairs])
    km = [geodesic_km(LatLon(*one.point), LatLon(*other.point)) for one, other in pairs if one.point and other.point]
    return Agreed(people, countries, len(km), median(km) if km else None)


def _category(answer: Answer) -> str:
    return _NOTHING if answer.given == "nothing" else answer.country or _SEA
