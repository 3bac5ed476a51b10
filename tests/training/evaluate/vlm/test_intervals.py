"""Statistics against figures worked out by hand, and intervals against what they must be."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosleuth.training.evaluate.vlm.intervals import auc, changes, figures, harmonic, mean, median, share

ONES = np.ones((1, 4))


def at(statistic, rows: int = 4) -> float:
    return float(statistic(np.ones((1, rows)))[0])


def test_share_is_of_the_rows_or_of_another_count():
    assert at(share([1, 0, 1, 1])) == 0.75
    assert at(share([1, 0, 1, 0], [1, 0, 1, 1])) == pytest.approx(2 / 3)
    assert math.isnan(at(share([0, 0, 0, 0], [0, 0, 0, 0])))


def test_f1_is_the_harmonic_mean():
    # The paper's own: .824 precise over all, F1 .903.
    precision, recall = share([0.824] * 4), share([1.0] * 4)
    assert at(harmonic(precision, recall)) == pytest.approx(0.9035, abs=1e-4)


def test_median_takes_the_middle_of_two_and_leaves_nan_out():
    assert at(median([4.0, 1.0, 3.0, 2.0])) == 2.5
    assert at(median([5.0, math.nan, 1.0, 3.0])) == 3.0
    assert at(median([math.inf, math.inf, math.inf, 3.0])) == math.inf
    assert float(median([1.0, 10.0])(np.array([[1.0, 3.0]]))[0]) == 10.0


def test_auc_counts_ties_half_and_unanswered_nowhere():
    # Pairs (match, other): (2, 1) right, (2, 2) tied, (0, 1) wrong, (0, 2) wrong: 1.5 of 4.
    assert at(auc([2.0, 0.0, 1.0, 2.0], [True, True, False, False])) == 1.5 / 4
    assert at(auc([3.0, math.nan, 1.0, 2.0], [True, True, False, False])) == 1.0
    assert math.isnan(at(auc([1.0, 2.0, 3.0, 4.0], [True] * 4)))


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.booleans(), st.integers(0, 3)), min_size=2, max_size=12).filter(
        lambda rows: any(m and w for _, m, w in rows) and any(not m and w for _, m, w in rows)
    )
)
def test_weights_are_repeated_rows(rows):
    scores, labels, weights = (np.array(column) for column in zip(*rows, strict=True))
    repeated_scores, repeated_labels = np.repeat(scores, weights), np.repeat(labels.astype(bool), weights)
    for make, more in ((auc, True), (median, False)):
        weighted = make(scores, labels) if more else make(scores)
        plain = make(repeated_scores, repeated_labels) if more else make(repeated_scores)
        assert weighted(weights[None].astype(float))[0] == pytest.approx(at(plain, len(repeated_scores)))


def test_an_interval_is_wider_where_rows_are_of_one_place():
    right = [1.0, 0.0] * 20
    alone = figures({"right": share(right)}, list(range(40)))["right"]
    together = figures({"right": share(right)}, [i // 10 for i in range(40)])["right"]
    assert alone.value == together.value == 0.5
    # sqrt(.25 / 40) * 1.96 = .155 to either side.
    assert alone.low == pytest.approx(0.345, abs=0.03)
    assert alone.high == pytest.approx(0.655, abs=0.03)
    # Each place has as many right as wrong, so all draws are alike and tell nothing.
    assert (together.low, together.high) == (None, None)


def test_a_share_of_none_or_all_has_wilson_s_interval_over_its_places():
    # z^2 / (n + z^2) with z^2 = 3.8415: .4899 of 4, .6576 of 2.
    none = figures({"right": share([0.0] * 4)}, list("abcd"))["right"]
    assert (none.value, none.low, none.high) == (0.0, 0.0, pytest.approx(0.4899, abs=1e-4))
    every = figures({"right": share([1.0] * 4)}, list("aabb"))["right"]
    assert (every.value, every.low, every.high) == (1.0, pytest.approx(1 - 0.6576, abs=1e-4), 1.0)
    # Of the answered alone: those are of two places.
    answered = figures({"precise": share([0, 0, 0, 0], [1, 1, 0, 0])}, list("abcd"))["precise"]
    assert answered.high == pytest.approx(0.6576, abs=1e-4)


@pytest.mark.parametrize(
    "statistic", [mean([0.0] * 4), median([7.0] * 4), auc([2, 2, 1, 1], [True, True, False, False])]
)
def test_other_figures_have_no_interval_where_all_draws_are_alike(statistic):
    found = figures({"one": statistic}, list("abcd"))["one"]
    assert (found.low, found.high) == (None, None)
    assert found.value in (0.0, 7.0, 1.0)


def test_a_mean_is_of_the_rows_that_count():
    assert at(mean([3.0, 0.0, 1.0, 0.0])) == 1.0
    assert at(mean([0.5, 9.0, 0.7, 9.0], [1, 0, 1, 0])) == pytest.approx(0.6)


def test_nothing_is_drawn_of_no_rows():
    assert figures({"right": share([])}, [])["right"].value is None


def test_two_runs_are_drawn_together():
    this, other = {"right": share([1.0, 0.0] * 30)}, {"right": share([0.0, 1.0] * 30), "else": share([1.0] * 60)}
    same = changes(this, this, list(range(60)))
    assert (same["right"].value, same["right"].low, same["right"].high) == (0.0, None, None)
    opposite = changes(this, other, list(range(60)))
    assert list(opposite) == ["right"]
    # Each row adds +1 or -1: a standard error of 1 / sqrt(60) = .129, paired.
    assert opposite["right"].high == pytest.approx(0.253, abs=0.04)
