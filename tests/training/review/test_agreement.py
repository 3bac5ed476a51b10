"""Kappa against values worked out by hand."""

import pytest

from geosleuth.training.review.agreement import cohen_kappa, weighted_kappa


def test_kappa_of_a_table_worked_out_by_hand():
    # 20 both yes, 5 yes-no, 10 no-yes, 15 both no: seen 35/50 = .7; by chance .5 * .6 + .5 * .4 = .5; (.7 - .5) / .5.
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = cohen_kappa(first, second)
    assert (found.count, found.share) == (50, pytest.approx(0.7))
    assert found.kappa == pytest.approx(0.4)
    assert found.undefined == ""


def test_kappa_of_three_categories():
    found = cohen_kappa(list("aaabbc"), list("aacbbc"))
    assert found.share == pytest.approx(5 / 6)
    # By chance, with shares 3/6, 2/6, 1/6 and 2/6 each: 6/36 + 4/36 + 2/36 = 1/3. (5/6 - 1/3) / (2/3).
    assert found.kappa == pytest.approx(0.75)


def test_full_agreement_full_contrast_and_chance():
    assert cohen_kappa(["a", "b"], ["a", "b"]).kappa == pytest.approx(1.0)
    assert cohen_kappa(["a", "b"], ["b", "a"]).kappa == pytest.approx(-1.0)
    assert cohen_kappa(["a", "a"], ["a", "b"]).kappa == pytest.approx(0.0)  # who always says the same tells nothing


def test_quadratic_weights_by_hand():
    # Seen: (0 + 0 + 4) / 3. By chance, all nine crossings: 0 1 16, 1 0 9, 4 1 4: 36 / 9 = 4. 1 - (4/3) / 4.
    found = weighted_kappa([1, 2, 3], [1, 2, 5], 1, 5)
    assert found.kappa == pytest.approx(2 / 3)
    assert found.share == pytest.approx(2 / 3)


def test_a_small_step_costs_less_than_a_large_one():
    near = weighted_kappa([1, 2, 3, 4, 5], [2, 1, 4, 3, 5], 1, 5).kappa
    far = weighted_kappa([1, 2, 3, 4, 5], [5, 4, 3, 2, 1], 1, 5).kappa
    assert near == pytest.approx(1 - (4 / 5) / 4)  # by chance the mean square difference of 1..5 and 1..5 is 4
    assert far == pytest.approx(-1.0)


def test_with_two_values_the_weights_change_nothing():
    first, second = [1, 1, 2, 2, 1, 2], [1, 2, 2, 1, 1, 2]
    plain = cohen_kappa([str(one) for one in first], [str(one) for one in second])
    assert weighted_kappa(first, second, 1, 2).kappa == pytest.approx(plain.kappa)


def test_where_kappa_is_not_defined_it_says_so():
    nothing = cohen_kappa([], [])
    assert (nothing.count, nothing.share, nothing.kappa) == (0, None, None)
    assert nothing.undefined == "no item was decided by both"
    same = weighted_kappa([4, 4], [4, 4], 1, 5)
    assert (same.share, same.kappa) == (1.0, None)
    assert same.undefined == "both gave one and the same answer throughout"
