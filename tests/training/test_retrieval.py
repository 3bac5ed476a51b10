import numpy as np
import pytest

from geosleuth.indexes.geodesy import LatLon, distance_km
from geosleuth.training.evaluate.labelled import LabelledPhoto
from geosleuth.training.evaluate.recall import ratio_interval
from geosleuth.training.evaluate.retrieval import (
    STAGES,
    Places,
    Retriever,
    candidates_of,
    pairs_to_verify,
    recall_rows,
    simulated_belief,
    simulated_prior,
)
from geosleuth.training.evaluate.retrieval_report import retrieval_report

# Two queries 11 m apart, one at 111 m, and a distractor in another country.
POSITIONS = (LatLon(55.0, 13.0), LatLon(55.0001, 13.0), LatLon(55.001, 13.0), LatLon(44.0, -79.0))


@pytest.fixture
def places(tmp_path):
    from PIL import Image

    photos = []
    for number, position in enumerate(POSITIONS):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (8, 8), (number, 0, 0)).save(path)
        photos.append(LabelledPhoto(path, position, "SE"))
    return Places(photos, queries=3)


# Query 0 looks most like the distractor (0.82), then like 2 (0.8), then like 1 (0.7).
ANGLES = np.arccos([0.82, 0.8, 0.7])
VECTORS = np.array(
    [[1, 0], [0.7, np.sin(ANGLES[2])], [0.8, np.sin(ANGLES[1])], [0.82, -np.sin(ANGLES[0])]], dtype=np.float32
)
VERDICTS = {(0, 1): (True, 60), (0, 2): (True, 30), (0, 3): (False, 40)} | {
    (a, b): (False, 5) for a in (1, 2) for b in range(4) if a != b
}


def order(places, stage, query=0):
    return STAGES[stage](places, query, candidates_of(places, VECTORS, VERDICTS)[query]).tolist()


def test_a_query_does_not_find_itself_and_the_most_similar_come_first(places):
    assert order(places, "by similarity") == [3, 2, 1]


def test_verification_puts_accepted_ones_first_by_their_inliers(places):
    assert order(places, "verified first") == [1, 2, 3]  # 40 inliers that were rejected count for nothing
    assert order(places, "pairwise, best three") == [1, 2, 3]
    assert order(places, "verified first", query=1) == order(places, "by similarity", query=1)


def test_a_right_prior_brings_in_the_place_and_a_wrong_one_leads_away(places):
    # The span is 0.2. By a point: 0.8 + 0.04 * 0.88 against 0.82, and 0.7 + 0.035.
    assert order(places, "reranked by a point, right") == [2, 3, 1]
    assert order(places, "reranked by a point, wrong") == [3, 2, 1]
    # By the belief 0.02 of similarity are a nat, and a nat of the belief counts a quarter; at 25 km it is 13.4 nats
    # denser than elsewhere: 0.8 and 0.7, and 0.067 each, against 0.82.
    assert order(places, "reranked by a belief, right") == [2, 3, 1]
    assert order(places, "reranked by a belief, wrong") == [3, 2, 1]
    assert order(places, "reranked by a belief, wrong, then verified") == [1, 2, 3]


def test_priors_are_as_far_off_as_they_say(places):
    for query in range(3):
        right, wrong = (simulated_prior(places, query, right=right) for right in (True, False))
        truth = POSITIONS[query]
        assert float(distance_km(right.lat, right.lon, truth.lat, truth.lon)) == pytest.approx(25.0, abs=0.01)
        assert wrong == POSITIONS[3]


def test_the_belief_holds_nine_tenths_around_its_point():
    # At the point 0.9 / (2 pi 25^2) per km2; far away a tenth over 5.1e8 km2.
    density = np.exp(simulated_belief(LatLon(10, 20))(np.array([10.0, -40.0]), np.array([20.0, 20.0])))
    assert density == pytest.approx([0.9 / (2 * np.pi * 625), 0.1 / 5.1e8], rel=1e-4)


def test_rows_of_the_table(places):
    rows = list(recall_rows(places, [Retriever("toy", VECTORS), Retriever("AMOSNet", None, "no weights")], VERDICTS))
    assert len(rows) == 2 + len(STAGES) + 1
    assert rows.pop(0)[:5] == ["best possible", "-", "0 %", "67 %", "67 %"]  # query 2 has none within 50 m
    # One of three others is within 25 m of queries 0 and 1, none of query 2: (1/3 + 1/3 + 0) / 3
    assert rows[0][:5] == ["chance", "-", "0 %", "22 %", "22 %"]
    assert rows[1][:4] == ["toy", "by similarity", "0 % [0, 0]", "0 % [0, 0]"]
    assert rows[2][:4] == ["toy", "verified first", "0 % [0, 0]", "33 % [0, 100]"]  # query 0 finds 1
    assert rows[-1] == ["AMOSNet", "no weights", "-", "-", "-", "-", "-", "-"]


def test_the_report_counts_pairs_and_queries(places):
    text = retrieval_report("toys", [("toys", places, [Retriever("toy", VECTORS)])], VERDICTS)
    # Queries 0 and 1 have a reference within 15 m; only 0 has one that is accepted.
    assert "| queries with an accepted reference within 15 m | 1 of 2: 50.0 % [" in text
    assert "| accepted pairs that lie within 50 m | 1 of 2: 50.0 % [50.0, 50.0] | 98 % or more |" in text
    assert "| pairs of different places, accepted | 0 of 3: 0.0 % [0.0, 0.0] |" in text
    assert "| pairs 0 to 15 m apart, accepted | 1 of 2: 50.0 %" in text
    assert "## Recall: toys, 3 references for each of 3 queries" in text


def test_pairs_to_verify_are_those_of_the_queries_and_the_first_candidates(places):
    everything = {(a, b) for a in range(3) for b in range(4) if a != b}
    assert pairs_to_verify(places, [Retriever("toy", VECTORS)]) == everything
    assert pairs_to_verify(places, [Retriever("AMOSNet", None)]) == {(a, b) for a, b in everything if b < 3}


def test_the_interval_of_a_ratio_is_over_queries():
    # All pairs of a query stand or fall together: with two queries the share is 0, 1/2 or 1.
    low, high = ratio_interval(np.array([10.0, 0.0]), np.array([10.0, 10.0]))
    assert (low, high) == (0.0, 1.0)
    assert ratio_interval(np.array([3.0, 3.0]), np.array([4.0, 4.0])) == (0.75, 0.75)
