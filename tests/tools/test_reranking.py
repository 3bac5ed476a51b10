import math

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.reranking import in_rank_order, rerank

LUND, MALMO, BERLIN = LatLon(55.705, 13.195), LatLon(55.605, 13.0), LatLon(52.52, 13.405)


def candidate(name, place, similarity, view="ground"):
    return Candidate(
        rank=1, reference_id=name, uri=name, lat=place.lat, lon=place.lon, view=view,
        similarity=similarity, score=similarity,
    )  # fmt: skip


def names(candidates):
    return [c.uri for c in candidates]


SEEN = (candidate("berlin", BERLIN, 0.80), candidate("lund", LUND, 0.75), candidate("malmo", MALMO, 0.60))


def test_none_is_the_order_by_similarity():
    shuffled = SEEN[::-1]
    ranked = rerank(shuffled, "none")
    assert names(ranked) == ["berlin", "lund", "malmo"]
    assert [c.rank for c in ranked] == [1, 2, 3]
    assert [c.score for c in ranked] == [0.80, 0.75, 0.60]


def test_point_adds_a_fifth_of_the_span_at_the_point_and_less_with_distance():
    ranked = rerank(SEEN, "point", point=LUND)
    # The median similarity is 0.75, so the span 0.25. Malmo is 16.5 km from Lund, Berlin 354.5 km (great circle).
    by_hand = {
        "lund": 0.75 + 0.05,
        "malmo": 0.60 + 0.05 * math.exp(-16.5 / 200),
        "berlin": 0.80 + 0.05 * math.exp(-354.5 / 200),
    }
    assert names(ranked) == ["berlin", "lund", "malmo"]  # 0.8085 against 0.8000
    assert {c.uri: c.score for c in ranked} == pytest.approx(by_hand, abs=1e-4)
    assert [c.similarity for c in ranked] == [0.80, 0.75, 0.60]  # what was seen stays as it was
    assert names(rerank(SEEN, "point", point=LUND, weight=0.3)) == ["lund", "berlin", "malmo"]  # 0.825 against 0.813


def test_a_wrong_point_cannot_bury_what_looks_more_alike_by_more_than_a_fifth():
    right, wrong = candidate("right", BERLIN, 0.71), candidate("wrong", LUND, 0.60)  # span 0.345
    assert names(rerank([wrong, right], "point", point=LUND)) == ["right", "wrong"]
    assert names(rerank([wrong, right], "point", point=LUND, weight=0.5)) == ["wrong", "right"]


def test_belief_is_bayes_rule():
    def log_density(lats, lons):
        return np.where(lats > 55.65, math.log(1e-3), math.log(1e-4))  # Lund ten times as likely as the others

    ranked = rerank(SEEN, "belief", log_density=log_density, weight=1.0)
    # The span is 0.25: 0.05 of similarity are worth 0.05 / 0.025 = 2 nats; the belief's 10 to 1 is 2.30
    assert names(ranked) == ["lund", "berlin", "malmo"]
    assert ranked[0].score - ranked[1].score == pytest.approx(math.log(10) - 2.0)
    assert ranked[1].score - ranked[2].score == pytest.approx(8.0)
    usual = rerank(SEEN, "belief", log_density=log_density)  # a quarter, 0.58 nats: less than 2
    assert names(usual) == ["berlin", "lund", "malmo"]
    assert usual[0].score - usual[1].score == pytest.approx(2.0 - math.log(10) / 4)


def test_no_belief_is_surer_than_a_millionth():
    ranked = rerank(SEEN, "belief", log_density=lambda lats, _: np.where(lats > 53, -np.inf, 0.0))
    assert [c.uri for c in ranked] == ["berlin", "lund", "malmo"]
    floor = math.log(1e-6 / 5.1e8)
    assert ranked[1].score == pytest.approx(0.75 / 0.025 + floor / 4)


def test_copies_of_one_picture_have_a_span():
    pair = [candidate("a", LUND, 1.0), candidate("b", BERLIN, 1.0)]
    ranked = rerank(pair, "belief", log_density=lambda lats, _: np.where(lats > 53, -20.0, -19.0))
    assert [c.uri for c in ranked] == ["b", "a"]
    assert ranked[0].score == pytest.approx(1.0 / 1e-4 - 19.0 / 4)


def test_views_are_ranked_apart_and_merged_by_rank():
    tiles = (candidate("tile-a", LUND, 0.30, "satellite"), candidate("tile-b", BERLIN, 0.40, "satellite"))
    ranked = rerank([*SEEN, *tiles], "none")
    assert names(ranked) == ["berlin", "tile-b", "lund", "tile-a", "malmo"]
    assert [c.rank for c in ranked] == [1, 2, 3, 4, 5]
    # Spans are 0.25 and 0.65: 0.75 + 0.25 against 0.80 + 0.04, and 0.30 + 0.65 against 0.40 + 0.11
    near = rerank([*SEEN, *tiles], "point", point=LUND, weight=1.0, k=2)
    assert names(near) == ["lund", "tile-a"]
    assert [c.score for c in near] == pytest.approx([1.0, 0.95])


def test_ties_keep_their_order():
    pair = [candidate("b", LUND, 0.5), candidate("a", BERLIN, 0.5)]
    assert names(in_rank_order(pair)) == ["b", "a"]
    assert rerank([], "belief") == ()


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("point", "Wanted the point of a prior to rerank by point; found none"),
        ("belief", "Wanted a belief's log_density to rerank by belief; found none"),
        ("distance", "Wanted a way of reranking; found 'distance'. Use one of: none, point, belief"),
    ],
)
def test_errors_say_what_was_wanted(mode, message):
    with pytest.raises(InputError, match=message):
        rerank(SEEN, mode)
