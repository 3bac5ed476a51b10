import math

import pytest

from geosleuth.indexes.geodesy import distance_km
from geosleuth.tools.place_names import place_clues, spread_km
from geosleuth.tools.textline import TextLine

BOX = ((100.0, 100.0), (300.0, 100.0), (300.0, 130.0), (100.0, 130.0))


def line(text, script="Latn", score=0.9):
    return TextLine(text=text, box=BOX, script=script, script_confidence=0.95, score=score, recogniser="test")


def log2_at(pieces, lat, lon):
    total = 0.0
    for piece in pieces:
        if piece.likelihood.kind == "near_points":
            value = piece.likelihood.floor
            for place in piece.likelihood.places:
                d = float(distance_km(lat, lon, place.lat, place.lon))
                value += place.weight * math.exp(-((d / place.spread_km) ** 2) / 2)
            total += math.log2(value / piece.likelihood.floor)
    return total


NAIROBI, LONDON, WUERZBURG = (-1.286, 36.817), (51.507, -0.128), (49.794, 9.951)


def test_a_rare_name_is_strong_and_an_ordinary_word_weak():
    assert log2_at(place_clues([line("NAIROBI")]), *NAIROBI) > 6
    for word in ("Nice", "Bar", "Orange", "Cafe"):
        pieces = place_clues([line(word)])
        strongest = max((p.weight for e in pieces for p in getattr(e.likelihood, "places", ())), default=0.0)
        assert math.log2(1 + strongest) < 4.2, word


def test_a_shop_called_paris_is_weak():
    assert log2_at(place_clues([line("Paris")]), 48.857, 2.352) < 3


def test_ambiguity_is_kept():
    places = place_clues([line("Springfield")])[0].likelihood.places
    states = {(round(p.lat, 1), round(p.lon, 1)) for p in places}
    assert len(states) >= 20
    weights = sorted(p.weight for p in places if p.spread_km < 20)
    assert weights[-10] == weights[-1]  # a sign near any Springfield is as likely, wherever the name is the main one


def test_two_names_near_each_other_are_strong_together():
    both = place_clues([line("Halle"), line("Merseburg")])
    there, elsewhere = log2_at(both, 51.48, 11.97), log2_at(both, 50.73, 4.24)  # Halle on the Saale; in Brabant
    alone = log2_at(place_clues([line("Halle")]), 51.48, 11.97)
    assert there > alone
    assert there > elsewhere + 2


def test_short_names_and_numbers_say_nothing():
    assert place_clues([line("Ely"), line("Ii"), line("12345"), line("3D")]) == []


def test_names_in_other_scripts_are_found():
    pieces = place_clues([line("Саратов", "Cyrl")])
    assert any(e.likelihood.kind == "near_points" for e in pieces)
    assert "Russia" in pieces[0].claim


def test_a_division_speaks_for_itself_and_a_country_weakly():
    kinds = {piece.type: piece for piece in place_clues([line("REGINA, SASKATCHEWAN"), line("CANADA")])}
    assert kinds["reading.division_name"].likelihood.log_ratios.keys() == {"CA-SK"}
    country = kinds["reading.country_name"].likelihood.log_ratios
    assert set(country) == {"CA"}
    assert 0 < country["CA"] < math.log(100)


def test_a_doubtful_reading_says_less():
    strong, weak = (log2_at(place_clues([line("WÜRZBURG", score=s)]), *WUERZBURG) for s in (0.95, 0.2))
    assert strong > weak + 1.5


def test_far_away_nothing_changes():
    assert log2_at(place_clues([line("NAIROBI")]), *LONDON) == pytest.approx(0.0, abs=1e-6)


def test_spread_grows_with_the_town():
    assert spread_km(0) == 3.0
    assert spread_km(1_000_000) == pytest.approx(23.0)
    assert spread_km(30_000_000) == 30.0


def test_unreadable_lines_are_left_out():
    unread = TextLine(
        text="", box=BOX, script="Thai", script_confidence=0.9, score=0.0, recogniser="none", readable=False
    )
    assert place_clues([unread]) == []


def test_claims_quote_and_cut_what_was_read():
    pieces = place_clues([line("\u202eNAIROBI" + " x" * 100)])
    assert pieces
    for piece in pieces:
        assert "\u202e" not in piece.claim
        assert len(piece.support[0].text) <= 80
