"""Locatability against a prior's answers that are written by hand."""

import pytest

from geosleuth.training.adapter_claims.locatability_table import section
from geosleuth.training.evaluate.vlm.prior_rows import PriorRow


def row(number: int, locatability: float, *, named: str | None, top: str | None, km: float | None) -> PriorRow:
    return PriorRow(
        item=f"images/{number}.jpg",
        photo=str(number),
        place=f"FR/{number % 4}",
        truth="FR",
        true_city=None,
        locatability=locatability,
        readable=True,
        answered=named is not None,
        country=named,
        city=None,
        city_right=False,
        error_km=km,
        placed_by=None if km is None else "country",
        top=top,
        top_share=None,
        set_size=None,
        in_set=None,
        region_in_set=None,
    )


@pytest.fixture
def rows() -> list[PriorRow]:
    """The upper half of the scores is right, of the lower half one view is not answered."""
    lower = [row(i, i / 100, named=None if i == 0 else "DE", top="DE", km=None if i == 0 else 900.0) for i in range(10)]
    return lower + [row(i, i / 20, named="FR", top="FR", km=100.0) for i in range(10, 20)]


def test_scores_that_tell_right_from_wrong_have_the_rho_of_two_halves(rows: list[PriorRow]):
    said = section(rows, [i / 20 for i in range(20)])
    # Ranks of two equal halves against 20 different scores: 5 / sqrt((20^2 - 1) / 12) = 0.867; so written by hand.
    assert "| the country named is right | +0.867 [" in said
    assert "| the likeliest country is right | +0.867 [" in said
    assert "| probability of the true country | +1.000 [" in said
    assert "(n = 19) |" in said  # what names no place has no distance
    assert "The likeliest country is right: views that show more of their place are placed better, as the paper" in said
    assert "Probability of the true country: views that show more of their place are placed better" in said
    assert "20 views of 4 towns" in said
    assert "synthetic" in said


def test_views_are_counted_by_the_thresholds_of_the_sweep(rows: list[PriorRow]):
    said = section(rows, [0.5] * 20)
    # Scores 0; 0.01 to 0.09; 0.5; 0.55 to 0.95. A threshold itself does not pass.
    assert "| 0 | 1 | 0.0 [" in said
    assert "| above 0 to 0.2 | 9 | 0.0 [" in said
    assert "| above 0.2 to 0.4 |" not in said
    assert "| above 0.4 to 0.5 | 1 | 100.0 [" in said
    assert "| above 0.5 to 1 | 9 | 100.0 [" in said
    assert "| probability of the true country | undefined (n = 20) |" in said


def test_a_prior_that_is_always_right_correlates_with_nothing(rows: list[PriorRow]):
    always = [one.model_copy(update={"top": "FR"}) for one in rows]
    assert "nothing can correlate with that" in section(always, [0.5] * 20)


def test_what_speaks_against_the_paper_is_said(rows: list[PriorRow]):
    against = [one.model_copy(update={"top": "DE" if one.top == "FR" else "FR"}) for one in rows]
    assert "against the paper (rho -0.87)" in section(against, [0.5] * 20)


def test_no_relation_is_said(rows: list[PriorRow]):
    by_turns = [one.model_copy(update={"top": ("FR", "DE", "DE", "FR")[i % 4]}) for i, one in enumerate(rows)]
    assert "no relation is shown" in section(by_turns, [0.5] * 20)
