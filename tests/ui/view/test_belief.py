from types import ModuleType
from typing import Any

import pytest

from geosleuth.ui.view.belief import bars, likely
from geosleuth.ui.view.colours import LIGHT


def script(answer):
    from geosleuth.ui.view.belief import countries_chart

    countries_chart(answer)


def test_countries_that_would_print_as_nothing_have_no_row(answers: ModuleType) -> None:
    shares = [{"code": "FJ", "name": "Fiji", "probability": 0.9991}, {"code": "TO", "name": "T", "probability": 4e-4}]
    assert [one.code for one in likely(answers.answer(countries=shares))] == ["FJ"]
    assert [one.code for one in likely(answers.answer(countries=shares[1:]))] == ["TO"]


def test_bars_carry_their_percentages_and_ask_no_host(answers: ModuleType) -> None:
    pytest.importorskip("altair")
    spec = bars(likely(answers.answer()), LIGHT).to_dict()
    rows = next(iter(spec["datasets"].values())) if "datasets" in spec else spec["data"]["values"]
    assert [(row["country"], row["words"]) for row in rows] == [("Fiji", "91.0%"), ("Tonga", "5.0%")]
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["bar", "text"]
    assert spec["layer"][0]["encoding"]["x"]["scale"] == {"domain": [0, 0.91 * 1.25]}  # linear, from 0
    assert "url" not in str(spec["layer"])


def test_the_table_says_the_same(answers: ModuleType, page: Any) -> None:
    shown = page(script, answers.answer())
    table = shown.table[0].value
    assert list(table["Country"]) == ["Fiji", "Tonga"]
    assert list(table["Share of the belief"]) == ["91.0%", "5.0%"]
    assert not shown.caption


def test_a_belief_without_evidence_is_told_as_such(answers: ModuleType, page: Any) -> None:
    shown = page(script, answers.nowhere())
    assert shown.caption[0].value == "These shares say little more than where photos are taken."
