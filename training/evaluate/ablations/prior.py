"""What a prior says of a photo: recorded by a model, simulated, or corrupted on purpose; and what is believed then.

However a prediction came about, the belief is made of it as the agent makes it: by the likelihoods of
`tools/prior_likelihood.py` over where photos are taken.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geosleuth.agent.belief import Belief
from geosleuth.indexes.countries import country_codes, country_name
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import EARTH_RADIUS_KM, Floats, LatLon, from_unit_vectors, unit_vectors
from geosleuth.indexes.regions import country_at
from geosleuth.tools.evidence import Evidence
from geosleuth.tools.prior import Prediction, RecordedPredictions
from geosleuth.training.evaluate.ablations.query import Query

# Eight models of 2023 to 2025 named 61 % of the countries of 301 street views rightly, and fell within 25 and 200 km
# for 11 and 39 % (medians; tools/prior_likelihood.py). Of a simulated prior whose country is right, a quarter of the
# points with 15 km per axis and the rest with 170 km give 61 % of 19 and of 63 %: 11 and 38 % of all.
ACCURACY = 0.61
_ERRORS_KM = ((0.25, 15.0), (0.75, 170.0))
_EARTH_KM2 = 5.1e8

Places = Sequence[tuple[LatLon, str]]  # positions with their countries


@dataclass(frozen=True, eq=False)
class Opinion:
    """What is believed once a prior has spoken."""

    point: LatLon  # the prior's; the belief's peak where it named none
    countries: Mapping[str, float]  # probability by ISO code, the likeliest first
    log_density: Callable[[Floats, Floats], Floats]  # (lats, lons) -> ln of the probability per km2
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class PriorSource:
    """A prior for every query of a run."""

    name: str  # for reports, and part of what makes two runs the same
    predict: Callable[[Query], Prediction | None]


def opinion_of(prediction: Prediction | None) -> Opinion:
    """Believe a prediction as much as predictions of models deserve; None leaves where photos are taken."""
    evidence = _evidence(prediction) if prediction else ()
    belief = Belief.start().update(evidence)
    position = prediction.position if prediction else None
    point = LatLon(*position) if position else belief.point()
    return Opinion(point, belief.country_probabilities(), belief.log_density, evidence)


def _evidence(prediction: Prediction) -> tuple[Evidence, ...]:
    said = RecordedPredictions(Path("prior"), "the prior", {"photo": prediction}, "")
    return tuple(said.evidence_for("photo"))


def recorded(spec: str) -> PriorSource:
    """Replay a model's predictions: file:PATH[#MODEL].

    Raises:
        InputError: It is no such spec, or the file cannot be used.
    """
    if not spec.startswith("file:"):
        remedy = "Record the model's predictions first, then name file:PATH#MODEL; or use simulated."
        raise InputError("a prior for ablations", repr(spec), remedy)
    path, _, model = spec.removeprefix("file:").partition("#")
    table = RecordedPredictions.read(path, model or None)
    name = f"{table.model}, recorded in {table.path.name} (sha256 {table.sha256[:12]})"
    return PriorSource(name, lambda query: table.rows.get(query.path.name))  # as `prior` finds them


def simulated(places: Places, *, seed: int, accuracy: float = ACCURACY) -> PriorSource:
    """Invent a prior of a stated accuracy, as good as a model of today is on street views.

    Args:
        places: Where the gallery has references: only there can a wrong prior do harm.
        seed: Of the draws; a query's own name goes in as well.
        accuracy: Share of the queries whose country it names rightly.

    Raises:
        InputError: The places are of one country: there is no other to name wrongly.
    """
    check_countries(places)

    def predict(query: Query) -> Prediction:
        rng = query_rng(query, seed, "simulated")
        if query.country is None or rng.random() >= accuracy:
            return wrong_country(query, places, rng)
        spread = _ERRORS_KM[int(rng.choice(len(_ERRORS_KM), p=[share for share, _ in _ERRORS_KM]))][1]
        point = moved(query.position, float(np.hypot(*rng.normal(0.0, spread, 2))), rng)
        return _prediction(query.country, point)

    name = f"simulated: {accuracy:.0%} of the countries right, points as far off as those of models, seed {seed}"
    return PriorSource(name, predict)


def exact(query: Query) -> Prediction:
    """The truth itself: the best that a prior can do."""
    return _prediction(query.country, query.position)


def check_countries(places: Places) -> None:
    """See that there is a country to be wrong about, whichever a photo is of.

    Raises:
        InputError: There is none.
    """
    countries = sorted({country for _, country in places})
    if len(countries) < 2:
        remedy = "Replay a model's predictions, for tables that do not corrupt them; or search several countries."
        found = f"{len(places):,} places in {' '.join(countries) or 'none'}"
        raise InputError("a gallery of two countries or more, to simulate or corrupt a prior", found, remedy)


def wrong_country(query: Query, places: Places, rng: np.random.Generator) -> Prediction:
    """Another country in which the gallery has references, and the position of one.

    Raises:
        InputError: The gallery is of one country.
    """
    others = sorted({country for _, country in places if country != query.country})
    if not others:
        remedy = "Ask for tables that do not corrupt the prior, or search a gallery of several countries."
        raise InputError("a gallery of two countries or more", f"one of {len(places)} places in one", remedy)
    country = others[int(rng.integers(len(others)))]  # each as likely, however many references it has
    there = [position for position, code in places if code == country]
    return _prediction(country, there[int(rng.integers(len(there)))])


def shifted(query: Query, km: float, rng: np.random.Generator) -> Prediction:
    """A point exactly so far from the truth, in a direction that is drawn, and the country that it falls in."""
    point = moved(query.position, km, rng)
    return _prediction(country_at(point.lat, point.lon), point)


def uniform(rng: np.random.Generator) -> Opinion:
    """Every country as likely as the others, every km2 as the others; a point anywhere."""
    lat, lon = from_unit_vectors(rng.normal(size=3))
    codes = rng.permutation(country_codes()).tolist()  # or the first by its letters would always be the likeliest

    def log_density(lats: Floats, lons: Floats) -> Floats:
        del lons
        return np.full(len(np.atleast_1d(lats)), -float(np.log(_EARTH_KM2)))

    return Opinion(LatLon(float(lat), float(lon)), dict.fromkeys(codes, 1.0 / len(codes)), log_density)


def moved(position: LatLon, km: float, rng: np.random.Generator) -> LatLon:
    """Go so many km along a great circle in a direction that is drawn."""
    here = unit_vectors(position.lat, position.lon)
    sideways = np.cross(here, rng.normal(size=3))
    angle = km / EARTH_RADIUS_KM
    lat, lon = from_unit_vectors(here * np.cos(angle) + sideways / np.linalg.norm(sideways) * np.sin(angle))
    return LatLon(float(lat), float(lon))


def query_rng(query: Query, seed: int, purpose: str) -> np.random.Generator:
    """Chance of one query for one purpose: the same in every run, whichever queries run beside it."""
    return np.random.default_rng([seed, zlib.crc32(query.name.encode()), zlib.crc32(purpose.encode())])


def _prediction(country: str | None, position: LatLon) -> Prediction:
    return Prediction(country, country_name(country) if country else "", "", (position.lat, position.lon))
