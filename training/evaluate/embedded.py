"""The embedded agent on labelled photos, beside floors that look at nothing."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from geosleuth.agent.belief import Belief
from geosleuth.agent.conclude import AnswerRule, gained_bits
from geosleuth.indexes.grid import build_grid
from geosleuth.training.evaluate.fit_prior import population_prior
from geosleuth.training.evaluate.labelled import LabelledPhoto
from geosleuth.training.evaluate.observed import Observed
from geosleuth.training.evaluate.scores import Answer, error_km, markdown, table

_ALWAYS = AnswerRule(localized_probability=0.0, localized_bits=-1.0)


class Floors:
    """What is known before any photo is looked at: the belief's start, and plain population."""

    def __init__(self) -> None:
        self.start = Belief.start()
        self.shares = self.start.country_probabilities()
        crowd = build_grid(population_prior())
        of_country = np.bincount(crowd.country, weights=crowd.prior, minlength=len(crowd.codes))
        self.population = dict(zip(crowd.codes, of_country.tolist(), strict=True))


def score_belief(belief: Belief, photo: LabelledPhoto, floors: Floors, rule: AnswerRule) -> Answer:
    """Score a belief about one photo."""
    shares = belief.country_probabilities()
    code, probability = next(iter(shares.items()))
    gained = gained_bits(shares, floors.shares)
    status, _ = rule.decide(probability, gained, len(belief.evidence))
    at = np.array([photo.position.lat]), np.array([photo.position.lon])
    log_density = float(belief.log_density(*at)[0])
    of_truth = float(np.log2(max(shares[photo.country], 1e-12)))
    return Answer(
        localized=status == "localized",
        country=code if status == "localized" else None,
        ranked=tuple(shares),
        truth=photo.country,
        error_km=error_km(belief.point(), photo.position),
        in_50=log_density >= belief.log_threshold(0.5),
        in_90=log_density >= belief.log_threshold(0.9),
        area_90_km2=belief.credible_area_km2(0.9),
        probability=probability,
        gained=gained,
        country_bits=of_truth - float(np.log2(floors.population[photo.country])),
        start_bits=of_truth - float(np.log2(floors.shares[photo.country])),
        density_bits=(log_density - float(floors.start.log_density(*at)[0])) / float(np.log(2)),
    )


def embedded_answers(observed: Sequence[Observed], rule: AnswerRule | None = None) -> list[Answer]:
    """Score the belief of all evidence for each photo."""
    floors = Floors()

    def one(seen: Observed) -> Answer:
        speaking = [e for e in seen.evidence if e.likelihood.kind != "nothing"]
        return score_belief(floors.start.update(speaking), seen.photo, floors, rule or AnswerRule())

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, observed))


def embedded_table(observed: Sequence[Observed], stamp: str, rule: AnswerRule | None = None) -> str:
    """The table as Markdown, with its data set, date and commit."""
    photos = [seen.photo for seen in observed]
    floors = Floors()
    blank = score_belief(floors.start, photos[0], floors, _ALWAYS)
    guess = [score_belief(floors.start, photo, floors, _ALWAYS) for photo in photos]
    columns = [
        table(embedded_answers(observed, rule), "embedded agent"),
        table(guess, f"floor: always {blank.country}, the most likely country"),
        table([replace(a, localized=False, country=None) for a in guess], "floor: the prior, never answered"),
    ]
    return f"{stamp}\n\n{markdown(columns)}"
