"""Chains and public bodies: known ones tell their country, ordinary words and world brands do not."""

import math

import pytest

from geosleuth.tools.brands import brand_clues, load_brands
from geosleuth.tools.evidence import OverRegions
from geosleuth.tools.textline import TextLine

BOX = ((0.0, 0.0), (100.0, 0.0), (100.0, 20.0), (0.0, 20.0))


def line(text: str, score: float = 0.95) -> TextLine:
    return TextLine(text=text, box=BOX, script="Latn", script_confidence=1.0, score=score, recogniser="ppocr")


def ratios(text: str, score: float = 0.95) -> dict[str, float]:
    found = brand_clues([line(text, score)])
    assert len(found) <= 1
    return dict(found[0].likelihood.log_ratios) if found and isinstance(found[0].likelihood, OverRegions) else {}


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("MERCADONA", "ES"),
        ("Rossmann", "DE"),
        ("Biedronka", "PL"),
        ("Bunnings Warehouse", "AU"),
        ("Canadian Tire", "CA"),
        ("Turkcell", "TR"),
        ("Kaufland", "DE"),
        ("Commerzbank", "DE"),
    ],
)
def test_a_chain_tells_its_countries(text: str, country: str) -> None:
    found = ratios(text)
    assert found[country] > math.log(3)
    assert all(value > 0 for value in found.values())


def test_a_logo_without_blanks_is_known() -> None:
    assert ratios("CANADIANTIRE")["CA"] == pytest.approx(ratios("Canadian Tire")["CA"], abs=1.5)


@pytest.mark.parametrize("text", ["Coca-Cola", "SHELL", "Garage", "Parking", "Restaurant", "McDonald's", "STOP"])
def test_world_brands_and_ordinary_words_say_next_to_nothing(text: str) -> None:
    assert max(ratios(text).values(), default=0.0) < math.log(4)


def test_a_doubtful_reading_says_less_and_a_bad_one_nothing() -> None:
    assert ratios("MERCADONA", 0.5)["ES"] < ratios("MERCADONA", 0.95)["ES"]
    assert ratios("MERCADONA", 0.2) == {}


def test_the_same_name_twice_is_one_clue_and_has_its_box_and_source() -> None:
    found = brand_clues([line("Biedronka"), line("BIEDRONKA")])
    assert len(found) == 1
    assert found[0].support[0].box == BOX
    assert "name-suggestion-index" in (found[0].support[0].source or "")
    assert found[0].claim == '"Biedronka" is a chain, operator or public body of Poland, Slovakia'


def test_shares_of_a_country_leave_room_for_unlisted_chains() -> None:
    table = load_brands()
    total = sum(table.shares(key)["PL"] for key, (_, codes) in table.rows.items() if "PL" in codes)
    listed = table.signs["PL"]
    assert total == pytest.approx(listed / (listed + 10_000))  # the rest are chains that the index does not list
