"""Priors: simulated with a stated accuracy, recorded, and corrupted on purpose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon, distance_km
from geosleuth.training.evaluate.ablations.prior import (
    exact,
    moved,
    opinion_of,
    query_rng,
    recorded,
    shifted,
    simulated,
    uniform,
    wrong_country,
)
from geosleuth.training.evaluate.ablations.query import Query

PARIS, BERLIN, ROME = LatLon(48.85, 2.35), LatLon(52.52, 13.40), LatLon(41.9, 12.5)
PLACES = [(PARIS, "FR"), (BERLIN, "DE"), (BERLIN, "DE"), (ROME, "IT")]


def asked(name: str = "a.jpg") -> Query:
    return Query(Path(name), name, PARIS, "FR", "paris")


def km(position: tuple[float, float], other: LatLon = PARIS) -> float:
    return float(distance_km(*position, *other))


@pytest.mark.parametrize("far_km", [0.0, 500.0, 5000.0])
def test_moves_exactly_so_far_in_any_direction(far_km: float) -> None:
    for seed in range(20):
        assert km(moved(PARIS, far_km, np.random.default_rng(seed))) == pytest.approx(far_km, abs=1e-3)


def test_nothing_is_simulated_for_one_country() -> None:
    with pytest.raises(InputError) as error:
        simulated([(BERLIN, "DE"), (BERLIN, "DE")], seed=0)
    assert error.value.found == "2 places in DE"
    assert "several countries" in error.value.remedy


def test_a_simulated_prior_is_as_right_as_it_says() -> None:
    prior = simulated(PLACES, seed=3, accuracy=0.7)
    said = [prior.predict(asked(f"{i}.jpg")) for i in range(1000)]
    right = [one for one in said if one.country == "FR"]
    # Of 1,000 draws the standard deviation is 1.4 points.
    assert len(right) / 1000 == pytest.approx(0.7, abs=0.06)
    away = np.array([km(one.position) for one in right])
    # A quarter with 15 km per axis: 1 - exp(-25^2 / 2 / 15^2) = 75 % of them within 25 km, and 1 % of the others.
    assert (away <= 25.0).mean() == pytest.approx(0.25 * 0.75 + 0.75 * 0.01, abs=0.06)
    assert {one.country for one in said} == {"FR", "DE", "IT"}
    assert "70%" in prior.name
    assert "simulated" in prior.name


def test_a_simulated_prior_says_the_same_again_and_another_with_another_seed() -> None:
    one, again, other = (simulated(PLACES, seed=seed) for seed in (1, 1, 2))
    names = [f"{i}.jpg" for i in range(8)]
    assert [one.predict(asked(n)) for n in names] == [again.predict(asked(n)) for n in reversed(names)][::-1]
    assert [one.predict(asked(n)) for n in names] != [other.predict(asked(n)) for n in names]


def test_a_wrong_country_is_one_of_the_gallery_and_each_as_likely() -> None:
    drawn = [wrong_country(asked(), PLACES, np.random.default_rng(i)).country for i in range(200)]
    assert set(drawn) == {"DE", "IT"}
    assert drawn.count("DE") == pytest.approx(100, abs=30)  # though it has twice the references


def test_a_gallery_of_one_country_has_no_wrong_one() -> None:
    with pytest.raises(InputError) as error:
        wrong_country(asked(), [(PARIS, "FR")], np.random.default_rng(0))
    assert "two countries" in error.value.wanted


def test_a_shifted_prior_names_the_country_it_falls_in() -> None:
    said = [shifted(asked(), 500.0, query_rng(asked(), seed, "x")) for seed in range(30)]
    assert {round(km(one.position)) for one in said} == {500}
    assert len({one.country for one in said}) > 2
    assert "FR" in {one.country for one in said}


def test_the_truth_is_believed_and_uniform_is_not() -> None:
    opinion = opinion_of(exact(asked()))
    assert next(iter(opinion.countries)) == "FR"
    assert opinion.point == PARIS
    near, far = opinion.log_density(np.array([48.85, -30.0]), np.array([2.35, 140.0]))
    assert near > far
    flat = uniform(np.random.default_rng(0))
    assert len(set(flat.countries.values())) == 1
    assert len(set(flat.log_density(np.array([1.0, 50.0]), np.array([2.0, 60.0])).tolist())) == 1


def test_without_a_prediction_photos_are_where_photos_are_taken() -> None:
    opinion = opinion_of(None)
    assert opinion.evidence == ()
    assert sum(opinion.countries.values()) == pytest.approx(1.0, abs=0.05)  # the rest is open water


def test_recorded_predictions_are_found_by_the_file_s_name(tmp_path: Path) -> None:
    table = tmp_path / "said.csv"
    header = "model,source_file,predicted_country,predicted_city,lat,lon"
    table.write_text(f"{header}\none,a.jpg,France,,,\ntwo,a.jpg,Germany,Berlin,52.5,13.4\n", encoding="utf-8")
    prior = recorded(f"file:{table}#two")
    query = Query(Path("folder/a.jpg"), "folder/a.jpg", PARIS, "FR", "paris")
    assert prior.predict(query).country == "DE"
    assert prior.predict(asked("b.jpg")) is None
    assert prior.name.startswith("two, recorded in said.csv")


def test_other_specs_are_refused() -> None:
    with pytest.raises(InputError) as error:
        recorded("geoclip")
    assert "'geoclip'" in error.value.found
    assert "file:PATH#MODEL" in error.value.remedy
