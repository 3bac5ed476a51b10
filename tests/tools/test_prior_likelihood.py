import csv
import math
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from geosleuth.indexes.countries import country_codes, find_country
from geosleuth.tools.named_places import population_shares
from geosleuth.tools.prior_likelihood import (
    Point,
    countries_likelihood,
    country_likelihood,
    place_likelihood,
    places_likelihood,
)

STREET = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "street-dev"


def test_ratio_of_a_country_by_hand():
    # Named rightly 0.5; wrongly 0.5 * (half by people + half evenly over the countries).
    rate = 0.5 * population_shares()["PT"] + 0.5 / 250
    ratio = math.exp(country_likelihood("PT").log_ratios["PT"])
    assert ratio == pytest.approx(1 / rate, rel=0.02)
    assert ratio > math.exp(country_likelihood("CN").log_ratios["CN"])  # a wrong China is commoner


def test_density_of_a_place_by_hand():
    places = {p.spread_km: p.weight for p in place_likelihood(1.0, 2.0).places}  # at sea: nobody lives near
    # 0.1 / (2 pi 144 km2) over 0.5 * 0.5 / 134,900,000 km2: 1.1052e-4 / 1.8532e-9
    assert places[12.0] == pytest.approx(59_640, rel=0.01)
    assert sorted(places) == [12.0, 90.0, 500.0]


def test_a_point_in_a_crowd_says_less_than_one_in_the_wild():
    def peak(lat, lon):
        return place_likelihood(lat, lon).places[0].weight

    assert peak(35.68, 139.69) < peak(45.0, 75.0) / 5  # Tokyo; the Kazakh steppe


def ratios(shares, **options):
    return {code: math.exp(value) for code, value in countries_likelihood(shares, **options).log_ratios.items()}


def test_a_sure_model_moves_the_belief_by_its_hit_rate_and_no_further():
    # hit 0.5, named wrongly in 0.02 of its errors: 0.5 / (0.5 * 0.02) = 50
    found = ratios({"PT": 1.0}, wrong_shares={"PT": 0.02})
    assert found == pytest.approx({"PT": 50.0})
    assert countries_likelihood({"PT": 1.0}) == country_likelihood("PT")


def test_a_wavering_model_by_hand():
    # 1 + 0.6 (50 - 1) = 30.4; 1 + 0.3 (10 - 1) = 3.7; the tenth that went to no country counts for nobody
    found = ratios({"PT": 0.6, "ES": 0.3}, wrong_shares={"PT": 0.02, "ES": 0.1})
    assert found == pytest.approx({"PT": 30.4, "ES": 3.7})


def test_a_better_model_says_more():
    # odds 0.8 / 0.2 = 4: 4 / 0.02 = 200
    assert ratios({"PT": 1.0}, wrong_shares={"PT": 0.02}, hit_rate=0.8) == pytest.approx({"PT": 200.0})


def test_a_model_that_answers_as_its_errors_fall_says_nothing():
    # 1 + w (odds / w - 1) = 1 + odds - w: the same for every country but for w, of which China has most
    people = population_shares()
    wrong = {code: 0.5 * people.get(code, 0.0) + 0.5 / len(country_codes()) for code in country_codes()}
    found = ratios(wrong)
    assert max(found.values()) / min(found.values()) < 1.06
    assert found["CN"] == pytest.approx(2.0 - wrong["CN"])


def test_silence_says_nothing():
    assert countries_likelihood({"PT": 0.0}).log_ratios == {}


def test_places_are_averaged_by_their_shares():
    one, other = place_likelihood(40.64, -8.65), place_likelihood(-33.87, 151.21)
    both = places_likelihood([Point(40.64, -8.65, 0.75, "Aveiro"), Point(-33.87, 151.21, 0.25)])
    expected = [0.75 * place.weight for place in one.places] + [0.25 * place.weight for place in other.places]
    assert [place.weight for place in both.places] == pytest.approx(expected)
    assert both.places[0].name == "Aveiro"
    assert both.floor == 1.0


def bits_left(truth, guesses):
    """Mean surprise at the true country in bits, from an even start, after likelihoods made of several guesses."""
    surprise = []
    for name, code in truth.items():
        shares = {c: n / (len(guesses[name]) + 1) for c, n in Counter(guesses[name]).items() if c}
        found = ratios(shares)
        total = sum(found.values()) + len(country_codes()) - len(found)
        surprise.append(-math.log2(found.get(code, 1.0) / total))
    return sum(surprise) / len(surprise)


@pytest.mark.skipif(not STREET.is_dir(), reason="the shared street-dev predictions are not on this machine")
def test_probabilities_leave_less_doubt_than_one_guess():
    def rows(name):
        with (STREET / name).open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    truth = {row["source_file"]: row["iso2"] for row in rows("labels.csv")}
    by_model, together = defaultdict(dict), defaultdict(list)
    for row in rows("predictions.csv"):
        code = find_country(row["predicted_country"])
        by_model[row["model"]][row["source_file"]] = [code]
        together[row["source_file"]].append(code)
    alone = sorted(bits_left(truth, {name: guesses.get(name, []) for name in truth}) for guesses in by_model.values())
    assert len(alone) == 8
    assert bits_left(truth, together) < alone[0] < alone[4]
