import math

import pytest

from geosleuth.tools.conventions import convention_clues
from geosleuth.tools.textline import TextLine

BOX = ((100.0, 100.0), (300.0, 100.0), (300.0, 130.0), (100.0, 130.0))


def line(text, score=0.9):
    return TextLine(text=text, box=BOX, script="Latn", script_confidence=0.95, score=score, recogniser="test")


def named(text, kind):
    found = [piece for piece in convention_clues([line(text)]) if piece.type == f"reading.{kind}"]
    return set(found[0].likelihood.log_ratios) if found else set()


@pytest.mark.parametrize(
    ("text", "code", "at_most"),
    [
        ("Rp 35.000", "ID", 1),
        ("R$ 9,90", "BR", 1),
        ("12,50 zł", "PL", 1),
        ("₱ 99", "PH", 1),
        ("€ 2,50", "DE", 45),
        ("₹500", "IN", 2),
    ],
)
def test_prices(text, code, at_most):
    assert code in named(text, "currency")
    assert len(named(text, "currency")) <= at_most


def test_a_price_by_hand():
    # sure 0.9, seen abroad 0.03: ln((0.9 + 0.1 * 0.03) / 0.03)
    ratio = convention_clues([line("12,50 zł")])[0].likelihood.log_ratios["PL"]
    assert ratio == pytest.approx(math.log(0.903 / 0.03), abs=1e-3)


def test_letters_beside_numbers_are_no_money():
    for text in ("RP 12", "KR 12", "35.000", "M2 50", "2R7"):
        assert named(text, "currency") == set(), text
    weak = convention_clues([line("K 12")])
    assert all(max(piece.likelihood.log_ratios.values()) < 1.0 for piece in weak)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SW1A 1AA", "GB"),
        ("REGINA, SK S4P 3Y2", "CA"),
        ("90-001 Łódź", "PL"),
        ("97070 Würzburg", "DE"),
        ("Recife 50030-230", "BR"),
    ],
)
def test_postcodes(text, code):
    assert code in named(text, "postcode")


def test_plain_numbers_are_no_postcodes():
    for text in ("12345", "35.000", "1998", "AB 12"):
        assert named(text, "postcode") == set(), text


@pytest.mark.parametrize(
    ("text", "kind", "code", "other"),
    [("ALTO", "road_sign", "MX", "ES"), ("PARE", "road_sign", "BR", "MX"), ("ARRÊT", "road_sign", "CA", "FR"),
     ("GIVE WAY", "road_sign", "GB", "US"), ("SPEED LIMIT 35", "road_sign", "US", "GB"),
     ("BARANGAY SAN JOSE", "street_word", "PH", "ES"), ("Jl. Sudirman 12", "street_word", "ID", "PH"),
     ("Carrera 7 # 12-30", "street_word", "CO", "ES"), ("P.O. Box 123", "street_word", "KE", "DE")],
)  # fmt: skip
def test_wording(text, kind, code, other):
    assert code in named(text, kind)
    assert other not in named(text, kind)


def test_every_row_of_the_table_names_real_countries_and_a_source():
    from geosleuth.indexes.countries import country_codes
    from geosleuth.tools.conventions import _wording_table

    for row in _wording_table():
        assert set(row.countries) <= set(country_codes())
        assert row.source
        assert row.kind in {"road_sign", "street_word", "unit"}
