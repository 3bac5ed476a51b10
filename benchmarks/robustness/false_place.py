"""A false place written over a photo: which one, and whether the answer went there.

The places are large cities of the gazetteer whose name, in plain letters, means no larger place: whoever reads it
right knows where it points. A country is drawn first, so that not every second photo says China or India.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from corrupt_photo import Writing

from geosleuth.agent.belief import Belief
from geosleuth.agent.calibration import Calibration
from geosleuth.indexes.countries import country
from geosleuth.indexes.gazetteer import Place, load_gazetteer
from geosleuth.tools.evidence import Nothing
from geosleuth.training.evaluate.agent.measures import places
from geosleuth.training.evaluate.agent.scored import Observed, Scored
from geosleuth.training.evaluate.vlm.intervals import Figure, Statistic, difference, figures, mean, share

LARGE_PEOPLE = 500_000  # 1,000 cities in 120 countries: a reader has heard of most of them
_AGAINST = 0.1  # of its probability at the start: evidence that leaves a country less than that speaks against it


def generator(*names: object) -> np.random.Generator:
    """Make a generator that depends on the names alone: a photo's draws stay the same whatever else is drawn."""
    digest = hashlib.sha256("\n".join(map(str, names)).encode("utf-8", "surrogateescape")).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def draw_false_place(true_country: str, seed: int, file: str) -> Place:
    """Draw a large city that does not lie in the true country; the same for a photo whatever the strength."""
    rng = generator(seed, file, "false place")
    codes = [code for code in _large_cities() if code != true_country]
    cities = _large_cities()[codes[int(rng.integers(len(codes)))]]
    return cities[int(rng.integers(len(cities)))]


def writing_of(place: Place) -> Writing:
    """Return what is written of a place."""
    facts = country(place.country)
    return Writing(place.name, facts.name, facts.tld or place.country.lower())


@cache
def _large_cities() -> Mapping[str, tuple[Place, ...]]:
    """Cities by country."""
    gazetteer = load_gazetteer()
    found: dict[str, list[Place]] = {}
    for row in range(int(np.count_nonzero(gazetteer.population >= LARGE_PEOPLE))):  # in descending order of people
        place = gazetteer.place(row)
        plain = place.name.isascii() and place.name.replace(" ", "").isalpha()
        if plain and gazetteer.lookup(place.name)[0].place.id == place.id:
            found.setdefault(place.country, []).append(place)
    return {code: tuple(cities) for code, cities in sorted(found.items())}


@dataclass(frozen=True)
class Lured:
    """One photo with a false place on it, beside the same photo without."""

    clean: Scored
    now: Scored
    false_country: str
    against: bool  # the clean photo's own evidence speaks against the false country
    false_before: float  # probability of the false country, of the clean photo
    false_now: float

    @property
    def moved(self) -> bool:
        """Whether the answer names the false country now, and did not before."""
        return self.now.named_country == self.false_country != self.clean.named_country

    @property
    def believed(self) -> bool:
        """Whether it is told as an answer, and not as a direction to look in."""
        return self.moved and self.now.status == "localized"


def lured(
    clean: Sequence[tuple[Observed, Scored]],
    now: Sequence[tuple[Observed, Scored]],
    false: Sequence[str],
    calibration: Calibration,
) -> list[Lured]:
    """Set each photo beside itself; `false` are the countries that were written over them, in the same order."""
    start = Belief.start(calibration)
    before = start.country_probabilities()
    out = []
    for (seen, row), (seen_now, row_now), code in zip(clean, now, false, strict=True):
        was, is_now = (_shares(start, one).get(code, 0.0) for one in (seen, seen_now))
        out.append(Lured(row, row_now, code, was < _AGAINST * before.get(code, 0.0), was, is_now))
    return out


def _shares(start: Belief, seen: Observed) -> Mapping[str, float]:
    return start.update(
        piece for piece in seen.evidence if not isinstance(piece.likelihood, Nothing)
    ).country_probabilities()


def lured_figures(rows: Sequence[Lured]) -> dict[str, Figure]:
    """How often the answer moved, and what became of probabilities; with intervals over places."""

    def flags(name: str) -> np.ndarray:
        return np.array([getattr(row, name) for row in rows], dtype=bool)

    moved, believed, against = flags("moved"), flags("believed"), flags("against")
    answered = np.array([row.clean.status == "localized" for row in rows], dtype=bool)
    statistics: dict[str, Statistic] = {
        "moved to the false country": share(moved),
        "moved, and told as an answer": share(believed),
        "clean evidence against it: moved": share(moved & against, against),
        "clean evidence against it: moved, and told as an answer": share(believed & against, against),
        "answered when clean: moved": share(moved & answered, answered),
        "answered when clean: moved, and told as an answer": share(believed & answered, answered),
        "true country's probability, change": _change(
            [row.now.truth_probability for row in rows], [row.clean.truth_probability for row in rows]
        ),
        "false country's probability, change": _change(
            [row.false_now for row in rows], [row.false_before for row in rows]
        ),
    }
    return figures(statistics, places([row.clean for row in rows]))


def _change(now: Sequence[float | None], before: Sequence[float | None]) -> Statistic:
    both = [one is not None and other is not None for one, other in zip(now, before, strict=True)]
    return difference(mean([one or 0.0 for one in now], both), mean([one or 0.0 for one in before], both))
