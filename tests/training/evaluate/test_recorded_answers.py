"""Guard of accuracy and coverage: answers that eight models once gave, against where the photos were taken.

It needs the labels and the answers, and no photo: what the agent's tools find in pictures has tests of its own. Fails
where accuracy or the coverage of the regions drops.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from geosleuth.indexes.countries import find_country
from geosleuth.tools.prior import RecordedPredictions
from geosleuth.training.evaluate.agent.measures import COUNTRY, IN_90, MEDIAN_KM, statistics
from geosleuth.training.evaluate.agent.score import bare_prediction
from geosleuth.training.evaluate.agent.scored import Observed, Scored, Truth
from geosleuth.training.evaluate.agent.with_prior import with_prior
from geosleuth.training.evaluate.calibration.folds import cross_validated
from geosleuth.training.evaluate.data_sets.label_table import read_table

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "street-dev"
LABELS, ANSWERS = DATA / "labels.csv", DATA / "predictions.csv"
pytestmark = pytest.mark.skipif(
    not (LABELS.is_file() and ANSWERS.is_file()),
    reason="the labels and answers of street-dev are not beside this checkout",
)


@cache
def truths() -> tuple[Truth, ...]:
    labels, skipped = read_table(LABELS)
    assert not skipped
    return tuple(
        Truth(
            file=one.file,
            sha256="",
            lat=float(one.lat),
            lon=float(one.lon),
            country=find_country(one.country),
            city=one.city or None,
        )
        for one in labels
        if one.lat
    )


def value(name: str, rows: list[Scored]) -> float:
    return float(statistics(rows)[name](np.ones((1, len(rows))))[0])


@pytest.mark.parametrize(
    ("model", "country", "km", "within_km"),
    [("gpt-4o", 0.777, 178, 2), ("janus-pro-7b", 0.216, 2233, 5)],
)
def test_what_a_model_said_is_worth_what_it_was(model, country, km, within_km):
    rows = bare_prediction(truths(), RecordedPredictions.read(ANSWERS, model))
    assert len(rows) == 301
    placed = [row for row in rows if row.point is not None]
    assert value(COUNTRY, rows) == pytest.approx(country, abs=0.002)
    assert value(MEDIAN_KM, placed) == pytest.approx(km, abs=within_km)


def test_the_belief_keeps_its_accuracy_and_its_regions_hold_what_they_say():
    """Constants come from photos of other countries; the answer is all the evidence, since there are no pictures.

    All 301 photos, 23 s: of every fourth (76) 0.763 have the country right and 0.829 lie in the region, which is within
    chance of the whole set's 0.774 and 0.887, so that bounds which the fourth meets would pass a real drop.
    """
    seen = [Observed(truth=truth, evidence=(), seconds=0.0, calls={}) for truth in truths()]
    rows = cross_validated(with_prior(seen, RecordedPredictions.read(ANSWERS, "gpt-4o"))).score()
    country, held = value(COUNTRY, rows), value(IN_90, rows)
    assert country >= 0.75
    assert 0.85 <= held <= 0.95
