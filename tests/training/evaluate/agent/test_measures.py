"""Figures of scored photos against hand-made cases, and two runs beside each other. All rows are invented."""

import json
from math import exp, log2
from typing import Any

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.agent.measures import measures
from geosleuth.training.evaluate.agent.paired import MEDIAN_CHANGE, paired, pooled
from geosleuth.training.evaluate.agent.regions import by_region, region_of_world
from geosleuth.training.evaluate.agent.scored import Scored, Truth
from geosleuth.training.evaluate.agent.selective import aurc, risk_coverage
from geosleuth.training.evaluate.agent.table import interval_words, lead, region_rows, rows_of, words
from geosleuth.training.evaluate.vlm.intervals import Figure


def row(number: int, error_km: float | None = 10.0, country: str | None = "FR", **changes: Any) -> Scored:
    """An invented photo in France, a degree from the next: each is a place of its own."""
    truth = {"file": f"{number}.jpg", "sha256": f"{number:064x}", "lat": 40.0 + number, "lon": 0.0, "country": "FR"}
    filled = {
        "truth": Truth.model_validate(truth | changes.pop("truth", {})),
        "status": "localized",
        "point": None if error_km is None else (40.0, 0.0),
        "error_km": error_km,
        "point_country": None if error_km is None else country,
        "named_country": country,
    }
    return Scored.model_validate(filled | changes)


def values(rows: list[Scored]) -> dict[str, float | None]:
    return {name: figure.value for name, figure in measures(rows).items()}


def test_distances_are_shares_of_all_and_a_limit_is_included():
    found = values([row(0, 1.0), row(1, 25.0), row(2, 25.001), row(3, 2500.0), row(4, None)])
    assert [found[f"accuracy@{km}km"] for km in (1, 25, 200, 750, 2500)] == [0.2, 0.4, 0.6, 0.6, 0.8]
    assert found["median km"] == 25.001  # the missing point is the farthest
    assert found["median km, of the placed"] == pytest.approx(12.5 + 25.001 / 2)
    expected = sum(5000 * exp(-km / 1492.7) for km in (1, 25, 25.001, 2500)) / 5
    assert found["GeoGuessr score"] == pytest.approx(expected)


def test_a_median_among_missing_points_is_none_and_its_interval_open():
    assert measures([row(0, 5.0), *(row(i, None) for i in range(1, 4))])["median km"] == Figure(value=None)
    found = measures([*(row(i, 10.0 + i) for i in range(6)), *(row(i, None) for i in range(6, 11))])["median km"]
    assert found.value == 15.0  # the sixth of eleven
    assert found.low is not None
    assert found.high is None  # half of the draws have six missing ones and more
    assert words("median km", found) == f"15 [{found.low:.0f}, ∞]"


def test_countries_named_and_pointed_at():
    rows = [
        row(0),
        row(1, 900.0, "DE"),
        row(2, None, "FR"),  # named, without a point
        row(3, status="coarse"),
        row(4, None, None, status="not_locatable"),
        row(5, 3.0, None, truth={"country": None}),  # in no country: judged by distance alone
    ]
    found = values(rows)
    assert found["country accuracy"] == 2 / 5
    assert found["country accuracy, as named"] == 3 / 5
    assert found["country accuracy, unanswered wrong"] == 1 / 5
    assert found["answer rate"] == 4 / 6
    assert found["country accuracy, of the answered"] == 1 / 3
    assert found["accuracy@25km"] == 3 / 6
    assert "AURC" not in found  # no answer has a probability, a region or a city
    assert not {name for name in found if "region" in name or "city" in name or "ECE" in name}


def test_all_right_has_wilsons_interval():
    figure = measures([row(i) for i in range(10)])["country accuracy"]
    assert figure.high == 1.0
    assert figure.low == pytest.approx(10 / (10 + 1.959964**2))


def test_cities_by_name():
    rows = [
        row(0, truth={"city": "Lyon"}, named_city="lyon"),
        row(1, truth={"city": "Lyon"}, named_city="Marseille"),
        row(2, truth={"city": "Lyon"}),  # names none: not judged
        row(3, named_city="Lyon"),
    ]
    assert values(rows)["city accuracy, by name where both are known"] == 1 / 2


def test_regions_probabilities_and_work():
    rows = [
        row(i, country=country, probability=p, truth_probability=true, in_50=inside, in_90=True, seconds=i, calls=2 * i)
        for i, (country, p, true, inside) in enumerate(
            [("FR", 0.95, 0.95, True), ("FR", 0.85, 0.85, False), ("DE", 0.75, 0.25, False), ("DE", 0.65, 0.0, True)]
        )
    ]
    rows = [one.model_copy(update={"area_90_km2": 1e6 * 2**i}) for i, one in enumerate(rows)]
    found = values(rows)
    assert found["in the 50 % region"] == 0.5
    assert found["in the 90 % region"] == 1.0
    assert found["median km2 of the 90 % region"] == 3e6
    assert found["ECE of the named country"] == pytest.approx((0.05 + 0.15 + 0.75 + 0.65) / 4)
    assert found["AURC"] == pytest.approx((0 + 0 + 1 / 3 + 2 / 4) / 4)
    lost = (-log2(0.95) - log2(0.85) - log2(0.25) - log2(1e-12)) / 4
    assert found["bits lost on the true country"] == pytest.approx(lost)
    assert (found["seconds per photo"], found["calls per photo"]) == (1.5, 3.0)


def test_risk_grows_with_coverage_and_equals_are_in_no_order():
    sure, wrong = np.array([0.6, 0.9, 0.7, 0.8]), np.array([True, False, False, True])
    everywhere = np.ones(4, dtype=bool)
    assert risk_coverage(sure, wrong, everywhere) == [(0.25, 0.0), (0.5, 0.5), (0.75, pytest.approx(1 / 3)), (1.0, 0.5)]
    equal = np.full(4, 0.5)
    assert [risk for _, risk in risk_coverage(equal, wrong, everywhere)] == [0.5] * 4
    # One that is drawn twice counts twice: risks 0, 0 (the same photo), 1/3.
    assert aurc(sure, wrong, everywhere)(np.array([[0.0, 2.0, 0.0, 1.0]]))[0] == pytest.approx(1 / 9)
    unsure = np.array([np.nan, 0.9, 0.7, 0.8])  # without a probability: the last
    assert risk_coverage(unsure, wrong, everywhere)[-1] == (1.0, 0.5)
    assert risk_coverage(sure, wrong, ~everywhere) == []
    assert np.isnan(aurc(sure, wrong, ~everywhere)(np.ones((1, 4)))[0])


def test_a_long_curve_is_thinned_to_its_ends():
    n = 5000
    curve = risk_coverage(np.linspace(1, 0, n), np.arange(n) % 2 == 1, np.ones(n, dtype=bool))
    assert len(curve) == 400
    assert curve[0] == (1 / n, 0.0)
    assert curve[-1] == (1.0, 0.5)


@pytest.mark.parametrize(
    ("code", "region"),
    [
        ("FR", "Europe"),
        ("RU", "Europe"),
        ("JP", "Asia"),
        ("KE", "Africa"),
        ("MX", "Latin America and the Caribbean"),
        ("CA", "Northern America"),
        ("FJ", "Oceania"),
        ("AQ", "no region"),
        ("ZZ", "no region"),
        (None, "no region"),
    ],
)
def test_regions_of_the_world(code, region):
    assert region_of_world(code) == region


def test_every_country_but_antarctica_is_of_a_region():
    from geosleuth.indexes.countries import country_codes

    alone = [code for code in country_codes() if region_of_world(code) == "no region"]
    assert alone == ["AQ"]


def test_rows_by_region_lose_none():
    rows = [row(0), row(1, truth={"country": "JP"}), row(2, truth={"country": None}), row(3)]
    found = by_region(rows)
    assert {name: len(some) for name, some in found.items()} == {"Asia": 1, "Europe": 2, "no region": 1}
    head, lines = region_rows(
        {name: measures(some) for name, some in found.items()}, {"Asia": 1, "Europe": 2, "no region": 1}
    )
    assert head[:3] == ["region", "photos", "accuracy@25km"]
    assert lines[1][:2] == ["Europe", "2"]
    assert lines[2][head.index("country accuracy")] == "-"


def test_a_run_less_itself_is_nothing_and_order_is_free():
    rows = [row(i, 10.0 * i, "FR" if i % 2 else "DE", probability=0.5 + i / 20) for i in range(8)]
    found = paired(rows, rows[::-1])
    assert found.photos == 8
    assert {figure.value for figure in found.differences.values()} == {0.0}
    assert (found.gained, found.lost) == (0, 0)


def test_differences_are_paired():
    here = [row(i, 80.0 if i < 6 else 100.0) for i in range(40)]
    there = [row(i, 160.0 if i < 6 else 200.0, "DE" if i < 6 else "FR") for i in range(40)]
    found = paired(here, there)
    gain = found.differences["country accuracy"]
    assert gain.value == pytest.approx(0.15)
    assert gain.low is not None
    assert gain.low > 0  # six gained, none lost
    assert found.differences["median km"].value == -100.0
    # Every error is half of the other's in every draw.
    assert found.differences[MEDIAN_CHANGE] == Figure(value=-0.5)
    assert (found.gained, found.lost) == (6, 0)
    back = paired(there, here)
    assert back.differences["country accuracy"].value == pytest.approx(-0.15)
    assert (back.gained, back.lost) == (0, 6)
    assert back.differences[MEDIAN_CHANGE].value == 1.0


def test_medians_that_are_both_infinite_have_no_difference():
    rows = [row(i, None) for i in range(5)]
    assert paired(rows, rows).differences["median km"] == Figure(value=None)
    assert paired(rows, rows).differences[MEDIAN_CHANGE] == Figure(value=None)
    near = [row(i, 5.0) for i in range(5)]
    assert paired(near, rows).differences["median km"] == Figure(value=None)
    assert paired(near, rows).differences["accuracy@25km"].value == 1.0
    for one, other in ((near, rows), (rows, near)):  # 5 km are no share of infinitely many, and not 100 % less
        assert paired(one, other).differences[MEDIAN_CHANGE] == Figure(value=None)


def test_several_pairs_are_pooled_and_a_photo_is_drawn_with_itself():
    one, other = [row(i) for i in range(20)], [row(i, country="DE" if i < 5 else "FR") for i in range(20)]
    alone, twice = paired(one, other), pooled([(one, other), (one[::-1], other)])
    assert (twice.photos, twice.gained, twice.lost) == (40, 10, 0)
    # Twice the same rows are no more witnesses: the interval is as wide.
    assert twice.differences["country accuracy"] == alone.differences["country accuracy"]


def test_runs_over_other_photos_are_refused():
    rows = [row(i) for i in range(3)]
    with pytest.raises(InputError, match=r"the first that the two do not share is 2\.jpg") as caught:
        paired(rows, rows[:2])
    assert "the same 3 photos" in caught.value.wanted
    with pytest.raises(InputError, match=r"do not share is 0\.jpg"):
        paired([row(0, truth={"sha256": "f" * 64})], rows[:1])
    with pytest.raises(InputError, match=r"others for 1\.jpg"):
        paired(rows, [rows[0], row(1, truth={"country": "DE"}), rows[2]])
    with pytest.raises(InputError, match=r"others for 0\.jpg"):
        paired([rows[0]], [row(0, truth={"lon": 0.01})])
    with pytest.raises(InputError, match="1 more rows than photos"):
        paired([rows[0], rows[0]], rows[:1])


def test_figures_are_written_in_their_units():
    assert words("accuracy@25km", Figure(value=0.125, low=0.1, high=0.15)) == "12.5 % [10.0, 15.0]"
    assert words("accuracy@25km", Figure(value=0.125, low=0.1, high=0.15), signed=True) == "+12.5 points [+10.0, +15.0]"
    assert words("median km", Figure(value=2228.3)) == "2,228"
    assert words(MEDIAN_CHANGE, Figure(value=-0.1), signed=True) == "-10.0 %"
    assert words("median km2 of the 90 % region", Figure(value=1234567.0)) == "1.2e+06"
    assert words("AURC", Figure(value=0.1234)) == "0.123"
    assert words("GeoGuessr score", Figure(value=3210.5)) == "3,210"
    assert words("seconds per photo", Figure(value=2.25)) == "2.2"
    assert words("median km", Figure(value=None)) == "-"
    assert interval_words("median km", Figure(value=1.0, low=None, high=2.0), signed=True) == "[-∞, +2.0]"


def test_rows_of_a_table_and_its_sentence():
    table = measures([row(0), row(1, 900.0, "DE")])
    head, rows = rows_of(table)
    assert head == ["figure", "value", "95 % interval"]
    assert rows[1][:2] == ["accuracy@25km", "50.0 %"]
    assert lead(table, 2).startswith("2 photos: accuracy@25km 50.0 % [")
    assert json.loads(table["accuracy@25km"].model_dump_json())["value"] == 0.5


def test_no_photos_have_no_figures():
    assert {figure.value for figure in measures([]).values()} == {None}
