import json
import math

import h3
import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo
from geosleuth.tools.evidence import Nothing
from geosleuth.tools.georeasoner import ask_prior
from geosleuth.tools.georeasoner_reply import BEGUN, GeoAnswer, country_of, written_names
from geosleuth.tools.prior_likelihood import Point, countries_likelihood, places_likelihood
from geosleuth.tools.vlm.model import Reply, Scores

PORTO = {"country": "Portugal", "city": "Porto", "reasons": ["Signs in Portuguese.", "Azulejos on the walls."]}


class Scripted:
    """A model that says what it is told to, and has its probabilities from a table of beginnings."""

    spec = "dir:scripted"
    weights = "scripted (sha256 000000000000)"

    def __init__(self, replies, probabilities=None):
        self.replies = [one if isinstance(one, str) else json.dumps(one) for one in replies]
        self.probabilities = probabilities
        self.asked = []

    def score(self, prompts, answers):
        if self.probabilities is None:
            raise InputError("probabilities", "a server that gives none", "Draw samples.")
        assert [one.begun for one in prompts] == [BEGUN]
        row = [math.log(self.probabilities.get(answer, 1e-9)) for answer in answers]
        return Scores(np.array([row]))

    def generate(self, prompts, *, samples=1, temperature=0.0, **_):
        if any(len(one.turns) > 1 for one in prompts):  # asked to mend a reply
            return [[Reply("still no JSON", True)] for _ in prompts]
        self.asked.append((len(prompts), samples, temperature))
        texts = self.replies if samples > 1 else self.replies[:1]
        return [[Reply(texts[i % len(texts)], True) for i in range(samples)] for _ in prompts]


@pytest.fixture(scope="module")
def photo():
    return load_photo(np.zeros((32, 48, 3), np.uint8))


def test_probabilities_are_read_off_over_all_names_of_a_country(photo):
    model = Scripted([PORTO], {"Portugal": 0.6, "Brazil": 0.2, 'United States", "': 0.05, 'U.S.",\n': 0.1})
    country, place = ask_prior(photo, model)
    expected = countries_likelihood({"PT": 0.6, "BR": 0.2, "US": 0.15}).log_ratios
    assert country.likelihood.log_ratios == pytest.approx(expected, abs=1e-3)
    assert country.claim.startswith("dir:scripted says the country is Portugal 60%, Brazil 20%, United States 15%")
    assert (country.type, place.type) == ("prior.country", "prior.place")
    assert country.group == place.group == "prior:dir:scripted"
    assert country.weights == model.weights
    assert model.asked == [(1, 1, 0.0)]


def test_reasons_are_quoted_as_the_models_words(photo):
    long = "The writing on the shop is Portuguese " * 20
    model = Scripted([PORTO | {"reasons": ['A sign says "RUA"\u202e.', long]}], {"Portugal": 0.9})
    country, _ = ask_prior(photo, model)
    first, second = country.support
    assert first.text == "A sign says 'RUA' ."
    assert "model's own words" in first.rule
    assert second.text.endswith("…")
    assert len(second.text) < 340


def test_what_goes_to_no_country_is_silence(photo):
    # Of the probability a tenth covers Portugal and nothing else does: 1 + 0.1 (ratio - 1), not the ratio.
    country, _ = ask_prior(photo, Scripted([PORTO], {"Portugal": 0.1}))
    sure, _ = ask_prior(photo, Scripted([PORTO], {"Portugal": 1.0}))
    ratio = math.exp(sure.likelihood.log_ratios["PT"])
    assert math.exp(country.likelihood.log_ratios["PT"]) == pytest.approx(1 + 0.1 * (ratio - 1), rel=1e-3)


def test_a_model_that_does_not_answer_says_nothing(photo):
    (country,) = ask_prior(photo, Scripted(["I cannot help with that."], {"Portugal": 0.001}))
    assert isinstance(country.likelihood, Nothing)
    assert "0.1% of the model's probability" in country.likelihood.reason


def test_replies_are_counted_where_nothing_can_be_scored(photo):
    lisbon = {"country": "Portugal", "city": "Lisbon", "reason": "trams"}
    model = Scripted([PORTO, lisbon, {"country": "Brazil", "city": "unknown"}, "no JSON at all"])
    country, place = ask_prior(photo, model, samples=8)
    # Of 8 replies 4 say Portugal and 2 Brazil; one more is reckoned for what was not drawn.
    assert country.likelihood.log_ratios == countries_likelihood({"PT": 4 / 9, "BR": 2 / 9}).log_ratios
    assert "counted over 8 replies, of which 6 name a country" in country.claim
    sharp = {one.name: one.weight for one in place.likelihood.places if one.spread_km == 12.0 and one.name}
    assert sharp["Porto"] > 0
    assert sharp["Lisbon"] > 0
    assert (1, 8, 1.0) in model.asked


def test_a_model_without_probabilities_is_sampled_eight_times(photo):
    model = Scripted([PORTO])
    country, _ = ask_prior(photo, model)
    assert country.likelihood.log_ratios == countries_likelihood({"PT": 8 / 9}).log_ratios
    assert (1, 8, 1.0) in model.asked


def test_a_city_in_every_reply_counts_whole_and_in_one_of_four_a_quarter(photo):
    def peak(replies):
        _, place = ask_prior(photo, Scripted(replies), samples=4)
        return max(one.weight for one in place.likelihood.places if one.name == "Porto")

    silent = PORTO | {"city": "unknown"}
    assert peak([PORTO]) == pytest.approx(4 * peak([PORTO, silent, silent, silent]))


def test_a_city_is_no_likelier_than_its_country(photo):
    def peak(probability):
        _, place = ask_prior(photo, Scripted([PORTO], {"Portugal": probability}))
        return max(one.weight for one in place.likelihood.places if one.name == "Porto")

    assert peak(0.8) == pytest.approx(4 * peak(0.2))


def test_a_known_city_counts_beside_an_unknown_one(photo):
    model = Scripted([PORTO, PORTO | {"city": "Xyzzyville"}])
    _, place = ask_prior(photo, model, samples=2)
    assert place.claim.endswith('The gazetteer knows no place named "Xyzzyville".')
    assert {one.name for one in place.likelihood.places} >= {"Porto"}


def test_an_unknown_city_is_said_and_counts_for_nothing(photo):
    _, place = ask_prior(photo, Scripted([PORTO | {"city": "Xyzzyville"}], {"Portugal": 0.9}))
    assert place.likelihood == Nothing(reason='the gazetteer knows no place named "Xyzzyville"')


def test_no_city_is_no_finding(photo):
    assert len(ask_prior(photo, Scripted([PORTO | {"city": "unknown"}], {"Portugal": 0.9}))) == 1


def test_what_was_scored_stands_when_the_reasons_fail(photo, caplog):
    class Spent(Scripted):
        def generate(self, *_, **__):
            raise InputError("a request", "a budget that is spent", "Raise it.")

    (country,) = ask_prior(photo, Spent([], {"Portugal": 0.9}))
    assert "PT" in country.likelihood.log_ratios
    assert "The model's reasons are missing: InputError" in caplog.text
    assert "budget" not in caplog.text  # words of errors are for --verbose
    with pytest.raises(InputError, match="budget that is spent"):
        ask_prior(photo, Spent([]), samples=2)


def test_people_read_the_name_of_a_model_without_its_folders(photo):
    model = Scripted([PORTO], {"Portugal": 0.9})
    model.spec = "dir:/home/alice/secret-case/qwen+dir:/home/alice/lora"
    for piece in ask_prior(photo, model):
        assert "alice" not in piece.model_dump_json()
        assert piece.claim.startswith("dir:qwen+dir:lora says")
        assert piece.group == "prior:dir:qwen+dir:lora"


def test_a_real_model_of_random_weights_runs(photo, tiny_models):
    from geosleuth.tools.vlm.load import load_vlm

    model = load_vlm(f"dir:{tiny_models.tiny_qwen()}").for_photo()
    (country, *_) = ask_prior(photo, model)
    assert country.type == "prior.country"
    assert country.weights == model.weights
    assert isinstance(country.likelihood, Nothing)  # no name of a country has a thousandth of its probability
    (drawn, *_) = ask_prior(photo, model, samples=2)
    assert "counted over 2 replies" in drawn.likelihood.reason


@pytest.mark.parametrize(
    ("written", "country", "city", "reasons"),
    [
        ({"country": "France", "city": "Paris", "reasons": ["a", "b"]}, "FR", "Paris", ["a", "b"]),
        ({"Country": "FRANCE", "City": "Paris", "reason": "a"}, "FR", "Paris", ["a"]),
        ({"country": "Deutschland", "city": None, "reasons": {"language": "German"}}, "DE", None, ["language: German"]),
        ({"country": "日本", "city": "n/a", "reasons": []}, "JP", None, []),
        ({"country": "Lisbon, Portugal", "reasons": "x"}, "PT", "Lisbon", ["x"]),
        ({"city": "Porto, Portugal"}, "PT", "Porto", []),
        ({"country": "unknown", "city": "Unknown (a rural area)"}, None, None, []),
        ({"country": ["Spain", "Portugal"], "city": ["Madrid"]}, "ES", "Madrid", []),
        ([{"country": "the United States of America.", "city": "Boston", "reason": None}], "US", "Boston", []),
        ({"country": "Middle Earth", "city": "Bree", "confidence": 3}, None, "Bree", []),
    ],
)
def test_answers_are_read_leniently(written, country, city, reasons):
    answer = GeoAnswer.model_validate(written)
    assert (answer.country_code, answer.city_name, answer.reasons) == (country, city, reasons)


def test_an_answer_without_either_key_is_refused():
    with pytest.raises(ValueError, match='neither "country" nor "city"'):
        GeoAnswer.model_validate({"location": "somewhere"})


def test_every_scored_name_is_read_as_its_own_country():
    assert {name: country_of(name) for name, _ in written_names()} == dict(written_names())
    assert len({code for _, code in written_names()}) == 250


@pytest.mark.parametrize(
    ("written", "code"),
    [("Niger", "NE"), ("Nigeria", "NG"), ("UK", "GB"), ("in", None), ("no", None), ("NA", None), ("DE", "DE")],
)
def test_countries_that_are_easily_confused(written, code):
    assert country_of(written) == code


# --- the street level, which adapters may have been taught


def positioned(**keys):
    return PORTO | keys


def test_a_position_in_the_reply_is_a_finding_of_its_own(photo):
    model = Scripted([positioned(lat=41.1496, lon=-8.611)], {"Portugal": 0.8})
    country, city, place = ask_prior(photo, model)
    assert place.claim == "dir:scripted puts the photo at 41.1496, -8.6110 (80%)."
    assert place.likelihood == places_likelihood([Point(41.1496, -8.611, 0.8)])
    assert (place.type, place.group) == ("prior.place", country.group)
    assert "12 to 500 km" in place.support[0].rule
    assert [country, city] == [
        piece.model_copy(update={"seconds": mine.seconds})
        for piece, mine in zip(ask_prior(photo, Scripted([PORTO], {"Portugal": 0.8})), (country, city), strict=True)
    ]


def test_a_cell_is_its_middle(photo):
    cell = h3.latlng_to_cell(41.1496, -8.611, 8)
    *_, place = ask_prior(photo, Scripted([positioned(cell=cell)], {"Portugal": 0.8}))
    assert place.likelihood == places_likelihood([Point(*h3.cell_to_latlng(cell), 0.8)])


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"lat": 48.85, "lon": 2.35}, "it is not in Portugal, which the reply names"),
        ({"lat": 91, "lon": 2.35}, "it is no position"),
        ({"lat": 41.1}, "it is no position"),
        ({"cell": "somewhere"}, "it is no position"),
        ({"cell": "8009fffffffffff"}, "it is no position"),  # as large as a country
        ({"country": "unknown", "lat": 41.1496, "lon": -8.611}, "the reply names no country that it could lie in"),
    ],
)
def test_a_position_that_contradicts_the_reply_does_not_count(photo, keys, reason):
    *_, place = ask_prior(photo, Scripted([positioned(**keys)], {"Portugal": 0.8}))
    assert place.claim == "dir:scripted gives a position that does not count."
    assert place.likelihood == Nothing(reason=reason)


def test_positions_of_drawn_replies_are_counted_like_cities(photo):
    here = positioned(lat=41.1496, lon=-8.611)
    elsewhere = positioned(lat=48.85, lon=2.35)
    *_, place = ask_prior(photo, Scripted([here, PORTO, elsewhere, here]), samples=4)
    assert place.likelihood == places_likelihood([Point(41.1496, -8.611, 2 / 5)])
    assert place.claim.endswith("(40%) (1 left out: it is not in Portugal, which the reply names).")


@pytest.mark.parametrize(
    ("written", "position"),
    [
        ({"lat": "41.15", "lon": "-8.61"}, (41.15, -8.61)),
        ({"Latitude": 41, "lng": -8}, (41.0, -8.0)),
        ({"lat": [41.5], "longitude": -8.5}, (41.5, -8.5)),
        ({"lat": "north", "lon": 3}, None),
        ({"lat": True, "lon": 3}, None),
        ({"lat": math.nan, "lon": 3}, None),
        ({"lat": 10**400, "lon": 3}, None),
        ({"cell": "9" * 40}, None),
        ({"cell": 613}, None),
        ({"cell": "8839220F03FFFFF "}, h3.cell_to_latlng("8839220f03fffff")),
        ({}, None),
    ],
)
def test_positions_are_read_leniently(written, position):
    assert GeoAnswer.model_validate(PORTO | written).position == position


def test_servers_need_not_write_a_position():
    schema = GeoAnswer.model_json_schema()
    assert schema["required"] == ["country", "city", "reasons"]
    assert schema["properties"]["lat"] == {"title": "Lat", "type": "number"}
    assert list(schema["properties"]) == ["country", "city", "lat", "lon", "cell", "reasons"]
