import math

import pytest

from geosleuth.tools.contacts import contact_clues, without_addresses
from geosleuth.tools.textline import TextLine

BOX = ((100.0, 100.0), (300.0, 100.0), (300.0, 130.0), (100.0, 130.0))


def line(text, score=0.9):
    return TextLine(text=text, box=BOX, script="Latn", script_confidence=0.95, score=score, recogniser="test")


def ratios(text, score=0.9):
    found = contact_clues([line(text, score)])
    return found[0].likelihood.log_ratios if found else {}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("www.firma.ro", "RO"),
        ("loja.com.br", "BR"),
        ("info@shop.co.za", "ZA"),
        ("WWW.SHOP.CO.UK", "GB"),
        ("www,firma.pl", "PL"),
    ],
)
def test_country_domains(text, code):
    found = ratios(text)
    assert max(found, key=lambda c: found[c]) == code
    assert found[code] > math.log(20)


def test_a_certain_domain_by_hand():
    # sure = 1: ln(1 / 0.01); the overseas part of France at 0.7: ln((0.7 + 0.3 * 0.01) / 0.01)
    found = ratios("www.firma.fr", 1.0)
    assert found["FR"] == pytest.approx(math.log(100), abs=1e-3)
    assert found["RE"] == pytest.approx(math.log(70.3), abs=1e-3)


def test_generic_and_vanity_domains_say_little():
    for text in ("www.shop.com", "www.shop.eu", "www.shop.org"):
        assert ratios(text) == {}
    for text in ("www.live.tv", "www.tech.io", "www.shop.co", "www.click.me"):
        assert max(ratios(text).values()) < 1.0


def test_abbreviations_are_no_domains():
    for text in ("Ph.No. 12", "Lic.no", "Shop.no.12", "a.m", "P.O.Box"):
        assert not [piece for piece in contact_clues([line(text)]) if piece.type == "reading.domain"], text


def test_a_dot_in_a_word_is_hardly_a_domain():
    assert max(ratios("Sport.de", 0.5).values()) < ratios("www.sport.de", 0.5)["DE"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("+49 30 901820", "DE"), ("Tel: +40 21 312 1234", "RO"), ("+55 (11) 4444-3333", "BR"), ("+254 722 123456", "KE")],
)
def test_international_numbers(text, code):
    found = ratios(text)
    assert max(found, key=lambda c: found[c]) == code
    assert found[code] > math.log(20)


def test_a_national_number_is_weak_and_real():
    found = contact_clues([line("Tel. (11) 4444-3333")])[0]
    best = found.likelihood.log_ratios["BR"]
    assert best == max(found.likelihood.log_ratios.values())
    assert 1.0 < best - found.likelihood.otherwise < 4.0
    assert best - found.likelihood.log_ratios["AR"] > 0.5  # valid there, but grouped otherwise


def test_a_prefix_names_its_town():
    area = next(piece for piece in contact_clues([line("+49 30 901820", 1.0)]) if piece.type == "reading.phone_area")
    (near,) = area.likelihood.places
    assert near.name == "Berlin"
    assert near.weight == pytest.approx(0.6 / 0.02)  # sure of the reading
    assert not [piece for piece in contact_clues([line("+254 722 123456")]) if piece.type == "reading.phone_area"]


def test_numbers_that_are_no_telephone_numbers():
    for text in ("12/03/2020", "2019-2021", "1.250.000", "35.000", "9.99", "1000000", "08:00 - 20:00"):
        assert contact_clues([line(text)]) == [], text


def test_addresses_leave_the_owners_name_to_the_word_tables():
    assert without_addresses(line("Visit www.bluebakery.com today")).text == "Visit bluebakery today"
    assert without_addresses(line("No address.")).text == "No address."
