"""What a person is told to check."""

import pytest

from geosleuth.agent.dialogue.local_names import city_in, country_in
from geosleuth.agent.dialogue.next_steps import next_steps
from geosleuth.agent.localization import City
from geosleuth.agent.precision import coarsen

CITIES = [  # name, country, position, language, as written there
    ("Lisbon", "PT", 38.725, -9.15, "pt", "Lisboa"),
    ("Athens", "GR", 37.984, 23.728, "el", "Αθήνα"),
    ("Moscow", "RU", 55.752, 37.618, "ru", "Москва"),
    ("Tokyo", "JP", 35.69, 139.69, "ja", "東京"),
    ("Cairo", "EG", 30.063, 31.25, "ar", "القاهرة"),
    ("Munich", "DE", 48.137, 11.575, "de", "München"),
    ("Berlin", "DE", 52.524, 13.411, "de", "Berlin"),
    ("Vienna", "AT", 48.208, 16.372, "de", "Wien"),  # "bin" is among its names, and a frequent word
    ("Athens", "US", 33.961, -83.378, "en", "Athens"),
    ("Bangkok", "TH", 13.754, 100.501, "th", "Bangkok"),  # no word list of Thai is shipped
    ("Nowhere", "PT", 0.0, 0.0, "pt", "Nowhere"),
]


@pytest.mark.parametrize(("name", "country", "lat", "lon", "language", "written"), CITIES)
def test_cities_as_they_are_written_there(name, country, lat, lon, language, written):
    assert city_in(City(name=name, country=country, lat=lat, lon=lon, probability=1.0), language) == written


def test_countries_as_they_are_written_there():
    assert (country_in("GR", "el"), country_in("FJ", "hif")) == ("Ελλάδα", "Fiji")


def of_kind(steps, kind):
    return [step for step in steps if step.kind == kind]


def test_coordinates_to_copy(lisbon):
    decimal, minutes = of_kind(next_steps(lisbon), "coordinates")
    assert decimal.copy == "38.710, -9.140"  # 4 km: three digits, about 100 m
    assert minutes.copy == "38°42'36\"N 9°08'24\"W"  # 0.71 * 60 = 42.6; 0.14 * 60 = 8.4


def test_search_terms_are_what_was_read_with_the_city_as_written_there(lisbon):
    steps = of_kind(next_steps(lisbon), "search")
    assert [step.copy for step in steps] == ['"ROSSIO" Lisboa', '"Tel. +351 21 342" Lisboa', "Lisboa"]  # by bits


def test_an_improbable_city_is_not_searched_in(lisbon):
    doubtful = lisbon.model_copy(update={"city": lisbon.city.model_copy(update={"probability": 0.2})})
    assert of_kind(next_steps(doubtful), "search")[0].copy == '"ROSSIO" Portugal'


def test_signs_are_data(answers):
    sign = 'Bar "X"\x1b[31m\n' + "y" * 200
    shown = answers.evidence("c", 1.0) | {"type": "reading.place", "support": [{"text": sign}]}
    [step] = of_kind(next_steps(answers.answer(evidence=[shown])), "search")
    assert "\x1b" not in step.copy + step.text
    assert "\n" not in step.copy
    assert step.copy.count('"') == 2  # none that ends the quotation early
    assert len(step.copy) < 90


def test_left_out_clues_are_no_search_terms(lisbon):
    evidence = tuple(one.model_copy(update={"left_out": True}) for one in lisbon.evidence)
    steps = of_kind(next_steps(lisbon.model_copy(update={"evidence": evidence})), "search")
    assert [step.copy for step in steps] == ["Lisboa"]


def test_the_match_is_looked_at_and_contradictions_come_first(lisbon, answers):
    facts = {"claim": "The sign is French, but the number is not", "bits": 5.2, "evidence": [0, 1]}
    answer = answers.answer(
        contradictions=[facts], candidates=[answers.compared(1, None), answers.compared(2, "match")]
    )
    steps = next_steps(answer)
    assert steps[0].kind == "contradiction"
    assert (
        steps[0].text == "Check by eye which of the clues 1 and 2 is right: The sign is French, but the number is not"
    )
    [candidate] = of_kind(next_steps(lisbon), "candidate")
    assert "candidate 1" in candidate.text  # the match leads the list
    assert candidate.copy == "-17.79800, 178.00000"
    assert of_kind(steps, "candidate")[0].why.startswith("The most similar")


def test_a_time_asks_for_the_shadows(answers, lisbon):
    assert not of_kind(next_steps(lisbon), "sun")
    timed = answers.evidence("The clock was at UTC+01:00.", 1.0) | {"tool": "metadata", "type": "metadata.time"}
    assert of_kind(next_steps(answers.answer(evidence=[timed])), "sun")
    stated = answers.evidence("The sun", 1.0) | {"tool": "sun", "type": "sun.position"}
    assert not of_kind(next_steps(answers.answer(evidence=[timed, stated])), "sun")


def test_where_nothing_was_found_questions_would_help(answers, lisbon):
    asked = answers.nowhere().model_copy(update={"questions": lisbon.questions})
    steps = next_steps(asked)
    assert [step.kind for step in steps] == ["photo", "question"]
    assert steps[1].text == "Look in the photo: Which side do cars keep to? (left, right)"
    assert steps[1].why == "An answer is worth about 0.4 bits."


def test_a_cap_holds(lisbon):
    capped = coarsen(lisbon, 25.0)
    told = " ".join(f"{step.text} {step.copy} {step.why}" for step in next_steps(capped))
    for finer in ("ROSSIO", "Rossio", "Lisb", "38.71", "351", "walk/"):
        assert finer not in told
    decimal, minutes = of_kind(next_steps(capped), "coordinates")
    assert '"' not in minutes.copy  # no seconds
    lat, lon = map(float, decimal.copy.split(", "))
    assert (abs(lat - capped.point.lat) < 0.01, abs(lon - capped.point.lon) < 0.01) == (True, True)
