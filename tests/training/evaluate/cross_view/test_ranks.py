"""Rankings by hand. Similarities are written as vectors: a query (1, 0, ...) sees a reference's first number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import NO_PLACE
from geosleuth.training.evaluate.cross_view.ranks import NOT_FOUND, trapezoid_precision, true_ranks


def ranks(similarities, query_places, reference_places, **options):
    """Rank by a table (queries, references) of similarities, which stand in the references' vectors."""
    table = np.array(similarities, dtype=np.float32)
    return true_ranks(np.eye(len(table), dtype=np.float32), query_places, table.T.copy(), reference_places, **options)


def test_the_rank_is_the_number_of_references_that_are_more_similar():
    found = ranks([[0.9, 0.5, 0.7, 0.1], [0.9, 0.5, 0.7, 0.1], [0.0, 0.2, 0.1, 0.3]], [10, 11, 13], [10, 11, 12, 13])
    assert found.ranks.tolist() == [0, 2, 0]
    assert found.true.tolist() == [0, 1, 3]
    assert found.true_similarity == pytest.approx([0.9, 0.5, 0.3])
    assert found.nearest.tolist() == [[0, 2, 1, 3], [0, 2, 1, 3], [3, 1, 2, 0]]
    assert found.nearest_similarity[1] == pytest.approx([0.9, 0.7, 0.5, 0.1])
    assert found.hit_ranks is None
    assert found.searched == 4


def test_of_several_true_references_the_best_counts():
    found = ranks([[0.2, 0.9, 0.8, 0.4]], [7], [7, 1, 7, 7])
    assert found.ranks.tolist() == [1]
    assert found.true.tolist() == [2]
    assert found.true_count.tolist() == [3]


def test_junk_is_as_if_it_were_not_there():
    found = ranks([[0.9, 0.8, 0.7, 0.1]], [1], [NO_PLACE, 1, 2, NO_PLACE])
    assert found.ranks.tolist() == [0]
    assert found.searched == 2
    assert found.nearest.tolist() == [[1, 2, -1, -1]]
    assert np.isnan(found.nearest_similarity[0, 2:]).all()


def test_a_query_without_a_true_reference_is_not_found():
    # Also one of NO_PLACE, which must not take junk for its own.
    found = ranks([[0.9, 0.1], [0.9, 0.1]], [3, NO_PLACE], [1, NO_PLACE], semi_positives=[[0], [0]])
    assert found.ranks.tolist() == [NOT_FOUND, NOT_FOUND]
    assert found.hit_ranks.tolist() == [NOT_FOUND, NOT_FOUND]
    assert found.average_precision.tolist() == [0.0, 0.0]
    assert found.true.tolist() == [-1, -1]
    assert found.found.tolist() == [False, False]
    assert found.tied.tolist() == [0, 0]
    assert np.isnan(found.true_similarity).all()


def test_ties_do_not_lower_the_rank_and_are_counted():
    found = ranks([[0.5, 0.5, 0.5, 0.6], [0.5, 0.5, 0.5, 0.5]], [1, 1], [1, 2, 3, 4])
    assert found.ranks.tolist() == [1, 0]
    assert found.tied.tolist() == [2, 3]
    two_true = ranks([[0.5, 0.5, 0.5, 0.6]], [1], [1, 1, 3, 4])
    assert two_true.tied.tolist() == [1]
    assert two_true.true.tolist() == [0]


def test_rounding_does_not_break_a_tie():
    # The next float32 above 0.5 is 6e-8 away, what a product of other block shapes may differ by.
    found = ranks([[0.5, np.nextafter(np.float32(0.5), np.float32(1.0)), 0.50001]], [1], [1, 2, 3])
    assert found.ranks.tolist() == [1]
    assert found.tied.tolist() == [1]


def test_semi_positives_are_no_errors_but_no_answers_either():
    table = [
        [0.9, 0.8, 0.1, 0.2],  # semi-positive, true: a hit
        [0.9, 0.7, 0.8, 0.2],  # semi-positive, wrong, true: VIGOR's script counts no hit
        [0.1, 0.7, 0.8, 0.2],  # wrong, true: none
        [0.1, 0.9, 0.8, 0.2],  # true first
    ]
    found = ranks(table, [1] * 4, [0, 1, 2, 3], semi_positives=[[0, 3, -1]] * 4)
    assert found.ranks.tolist() == [1, 2, 1, 0]
    assert found.hit_ranks.tolist() == [0, 1, 1, 0]


def test_a_semi_positive_that_is_junk_does_not_count_twice():
    found = ranks([[0.9, 0.8, 0.85]], [1], [NO_PLACE, 1, 2], semi_positives=[[0, -1]])
    assert found.ranks.tolist() == [1]
    assert found.hit_ranks.tolist() == [1]


def test_trapezoid_precision_by_hand():
    # Rank 0: precision 1 before and with it. Rank 3 alone: 0 before it, 1/4 with it; the mean is 1/8.
    assert trapezoid_precision([0]) == 1.0
    assert trapezoid_precision([3]) == 1 / 8
    # True at 0, 2 and 5: ((1 + 1) / 2 + (1/2 + 2/3) / 2 + (2/5 + 3/6) / 2) / 3 = (1 + 7/12 + 9/20) / 3 = 61/90.
    assert trapezoid_precision([0, 2, 5]) == pytest.approx(61 / 90)


def test_average_precision_of_several_true_references_without_junk():
    # In order: true 0.9, junk, wrong 0.7, true 0.6, wrong, wrong, true 0.3: without junk 0, 2 and 5.
    table = [[0.3, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4]]
    found = ranks(table, [1], [1, 1, NO_PLACE, 2, 1, 3, 4])
    assert found.average_precision == pytest.approx([61 / 90])
    assert found.ranks.tolist() == [0]
    one_true = ranks([[0.9, 0.8, 0.7, 0.1]], [4], [1, 2, 3, 4])
    assert one_true.average_precision.tolist() == [1 / 8]


def test_wrong_references_that_tie_come_after_the_true_ones():
    found = ranks([[0.5, 0.5, 0.5, 0.5]], [1], [2, 1, 1, 3])
    assert found.average_precision.tolist() == [1.0]


integers = st.integers(-3, 3)  # products of small integers are exact in float32, in any order


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 9), st.integers(1, 12), st.integers(1, 4))
def test_chunks_change_nothing_and_a_sorted_list_agrees(data, q, r, chunk):
    queries = np.array(data.draw(st.lists(st.tuples(*[integers] * 3), min_size=q, max_size=q)), dtype=np.float32)
    references = np.array(data.draw(st.lists(st.tuples(*[integers] * 3), min_size=r, max_size=r)), dtype=np.float32)
    query_places = data.draw(st.lists(st.integers(-1, 4), min_size=q, max_size=q))
    places = [0, *data.draw(st.lists(st.integers(-1, 4), min_size=r - 1, max_size=r - 1))]
    semi = data.draw(
        st.lists(st.lists(st.integers(-1, r - 1), min_size=2, max_size=2, unique=True), min_size=q, max_size=q)
    )
    whole = true_ranks(queries, query_places, references, places, semi_positives=semi, chunk=q)
    parts = true_ranks(queries, query_places, references, places, semi_positives=semi, chunk=chunk)
    for name in whole.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name), name)
    for query in range(q):
        listed = sorted(
            (-float(queries[query] @ references[i]), places[i] != query_places[query], i)
            for i in range(r)
            if places[i] != NO_PLACE
        )  # true ones before wrong ones of the same similarity
        at = [n for n, (_, wrong, _) in enumerate(listed) if not wrong]
        assert whole.true_count[query] == len(at)
        assert whole.ranks[query] == (at[0] if at else NOT_FOUND)
        assert whole.average_precision[query] == pytest.approx(trapezoid_precision(at) if at else 0.0)
        kept = [i for _, _, i in listed if i not in semi[query] or places[i] == query_places[query]]
        if at:
            assert whole.hit_ranks[query] == sum(
                queries[query] @ references[i] > whole.true_similarity[query] for i in kept
            )
        order = sorted(
            (i for i in range(r) if places[i] != NO_PLACE), key=lambda i: (-float(queries[query] @ references[i]), i)
        )
        best = whole.nearest_similarity[query]
        assert best[np.isfinite(best)].tolist() == [float(queries[query] @ references[i]) for i in order][:5]


def test_the_nearest_of_a_large_gallery_are_those_of_a_sorted_list():
    similarities = np.random.default_rng(3).integers(-400, 400, (3, 2000)) / 512  # many ties, exact in float32
    found = ranks(similarities, [5, 6, 7], [NO_PLACE if i % 7 == 0 else i for i in range(2000)])
    for row, line in enumerate(similarities):
        order = sorted((i for i in range(2000) if i % 7), key=lambda i: (-line[i], i))
        assert found.nearest[row].tolist() == order[:5]
        assert found.nearest_similarity[row].tolist() == [line[i] for i in order[:5]]


def test_no_query_gives_no_rows():
    found = true_ranks(
        np.empty((0, 2), np.float32), [], np.eye(2, dtype=np.float32), [1, 2], semi_positives=np.empty((0, 3))
    )
    assert found.ranks.shape == (0,)
    assert found.nearest.shape == (0, 2)
    assert found.searched == 2


def test_errors_name_what_is_wrong():
    one = np.eye(2, dtype=np.float32)
    bad = np.array([[1.0, 0.0], [np.nan, 0.0]], np.float32)
    with pytest.raises(InputError, match=r"NaN or infinity in 1 of 2 query vectors, the first in row 1\. The weights"):
        true_ranks(bad, [0, 1], one, [0, 1])
    with pytest.raises(InputError, match="1 of 2 reference vectors"):
        true_ranks(one, [0, 1], np.array([[1, 0], [np.inf, 0]], np.float32), [0, 1])
    with pytest.raises(InputError, match="references to search; found none"):
        true_ranks(one, [0, 1], np.empty((0, 2), np.float32), [])
    with pytest.raises(InputError, match="found 2 references, all of them junk or unreadable"):
        true_ranks(one, [0, 1], one, [NO_PLACE, NO_PLACE])
    with pytest.raises(ValueError, match=r"query vectors \(2, 2\) for 3 places"):
        true_ranks(one, [0, 1, 2], one, [0, 1])
    with pytest.raises(ValueError, match="semi-positives"):
        true_ranks(one, [0, 1], one, [0, 1], semi_positives=[[5], [0]])
