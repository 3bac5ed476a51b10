from types import ModuleType
from typing import Any

import pytest

from geosleuth.ui.view.card import facts, headline


def script(answer):
    from geosleuth.ui.view.card import answer_card

    answer_card(answer)


def test_the_card_says_where_how_sure_and_how_far(answers: ModuleType) -> None:
    assert headline(answers.answer()) == "Fiji"
    assert facts(answers.answer()) == [
        "Fiji: 91.0% of the belief",
        "Half of the belief lies within 42 km of the point",
        "50% region 1,235 km²; 90% region 1,235 km²",
    ]


def test_the_page_of_a_card(answers: ModuleType, page: Any) -> None:
    shown = page(script, answers.answer(notes=["A note with ![x](http://evil/)"]))
    assert shown.header[0].value == "Fiji"
    assert shown.code[0].value == "-17.80, 178.00"
    assert "The country's probability is 0.91." in [one.value for one in shown.text]
    assert shown.caption[-1].value.startswith("A hypothesis with a probability")
    assert "![x](" not in "".join(one.value for one in shown.caption)
    assert not shown.info


def test_a_coarse_answer_says_perhaps(answers: ModuleType, page: Any) -> None:
    shown = page(script, answers.answer(status="coarse"))
    assert shown.header[0].value == "Perhaps Fiji"
    assert "Coarse: a direction to look in" in shown.markdown[0].value


def test_nowhere_has_no_coordinates(answers: ModuleType, page: Any) -> None:
    shown = page(script, answers.nowhere())
    assert shown.header[0].value == "No place can be told from this photo"
    assert not shown.code
    assert "No clue was found." in [one.value for one in shown.text]


def test_a_point_of_an_answer_that_is_not_locatable_is_not_shown(answers: ModuleType, page: Any) -> None:
    """The belief has a peak even when nothing was found: the largest city of all, which would mislead."""
    shown = page(script, answers.answer(status="not_locatable"))
    assert not shown.code
    assert shown.header[0].value == "No place can be told from this photo"


def test_a_cap_is_told(answers: ModuleType, page: Any) -> None:
    shown = page(script, answers.answer(precision_cap_km=25.0))
    assert shown.info[0].value.startswith("Coarsened on purpose to 25 km (precision cap).")


@pytest.mark.parametrize("city", ["Suva", ":red[Suva]"])
def test_a_city_is_named_where_most_of_the_belief_is_near_it(answers: ModuleType, page: Any, city: str) -> None:
    named = {"name": city, "country": "FJ", "lat": -18.1, "lon": 178.4, "probability": 0.7}
    shown = page(script, answers.answer(city=named))
    assert shown.header[0].value.replace("\\", "").replace("\u2060", "") == f"{city}, Fiji"
    assert ":red[" not in shown.header[0].value
