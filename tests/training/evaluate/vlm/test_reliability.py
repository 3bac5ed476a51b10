"""Calibration: ten bins by hand, and Platt scaling fitted on other queries."""

import math

import numpy as np
import pytest

from geosleuth.training.evaluate.vlm.reliability import bins_of, cross_fitted, ece, yes_probability


def at(statistic, rows: int) -> float:
    return float(statistic(np.ones((1, rows)))[0])


def test_ece_by_hand():
    # Bin [.9, 1]: mean .95, half came true, gap .45; bin [.2, .3): mean .2, none, gap .2. (2 x .45 + 1 x .2) / 3.
    assert at(ece([0.9, 1.0, 0.2], [True, False, False]), 3) == pytest.approx(1.1 / 3)
    assert at(ece([1.0, 0.0], [True, False]), 2) == 0.0
    assert at(ece([0.9, 1.0, math.nan], [True, False, True]), 3) == pytest.approx(0.45)
    assert math.isnan(at(ece([math.nan], [True]), 1))


def test_bins_hold_their_lower_edge_and_the_last_one_both():
    bins = bins_of([0.0, 0.1, 0.95, 1.0, math.nan], [False, True, True, False, True])
    assert [one.count for one in bins] == [1, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert (bins[1].probability, bins[1].came_true) == (0.1, 1.0)
    assert (bins[9].probability, bins[9].came_true) == (pytest.approx(0.975), 0.5)
    assert bins[5].probability is None
    assert bins[5].came_true is None


def test_yes_probability_of_log_odds():
    assert yes_probability([0.0, math.log(3), math.nan])[:2] == pytest.approx([0.5, 0.75])
    assert math.isnan(yes_probability([math.nan])[0])


def test_cross_fitting_mends_a_lean_to_no():
    rng = np.random.default_rng(0)
    match = np.arange(200) % 2 == 0
    logits = np.where(match, -2.0, -6.0) + rng.normal(0, 0.5, 200)  # sure of no, whatever it is shown
    fitted = cross_fitted(logits.tolist(), match.tolist(), list(range(200)))
    assert (yes_probability(logits) < 0.5).all()
    assert ((fitted >= 0.5) == match).all()
    assert at(ece(fitted, match), 200) < 0.1 < at(ece(yes_probability(logits), match), 200)


def test_pairs_of_one_query_are_in_one_fold():
    """With the answer the same in each query and opposite to the others', only its own pairs could fit it."""
    logits = [1.0, 1.0, -1.0, -1.0] * 5
    match = [True, True, False, False] * 5
    fitted = cross_fitted(logits, match, [i // 2 for i in range(20)])
    assert fitted is not None
    assert cross_fitted(logits, match, [i // 10 for i in range(20)]) is None  # two queries are no five folds


def test_a_model_that_says_yes_sooner_to_others_has_no_calibration():
    assert cross_fitted([-1.0, 1.0] * 10, [True, False] * 10, list(range(20))) is None


def test_an_unanswered_pair_stays_without_a_probability():
    logits = [2.0, -2.0] * 10
    logits[4] = math.nan
    fitted = cross_fitted(logits, [True, False] * 10, list(range(20)))
    assert np.isnan(fitted).tolist() == [i == 4 for i in range(20)]
