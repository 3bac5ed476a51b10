import math

import numpy as np
import pytest

from geosleuth.indexes.countries import country_codes
from geosleuth.tools.han_forms import form_ratios, han_forms
from geosleuth.tools.language import language_clues, over_countries, script_of
from geosleuth.tools.sign_shares import shares_of_script
from geosleuth.tools.textline import TextLine
from geosleuth.tools.word_model import garbage, split_words, word_probabilities

BOX = ((100.0, 100.0), (300.0, 100.0), (300.0, 130.0), (100.0, 130.0))


def line(text, script="Latn", score=0.9, confidence=0.95, readable=True):
    return TextLine(
        text=text, box=BOX, script=script, script_confidence=confidence, score=score if readable else 0.0,
        recogniser="test" if readable else "none", readable=readable,
    )  # fmt: skip


def totals(evidence):
    out = dict.fromkeys(country_codes(), 0.0)
    for piece in evidence:
        for code in out:
            out[code] += piece.likelihood.log_ratios.get(code, piece.likelihood.otherwise)
    return out


def bits(evidence, country, other):
    both = totals(evidence)
    return (both[country] - both[other]) / math.log(2)


def test_a_word_of_one_language_speaks_for_its_countries():
    found = language_clues([line("ASIGURARI"), line("TRADUCERI")])
    ranked = sorted(totals(found).items(), key=lambda row: -row[1])
    assert {code for code, _ in ranked[:2]} == {"RO", "MD"}
    assert bits(found, "RO", "FR") > 5
    claim = next(piece.claim for piece in found if piece.type == "reading.language")
    assert claim == 'Lines "ASIGURARI", "TRADUCERI" are Romanian: official in Romania, Moldova'


def test_words_of_all_languages_and_garbage_weigh_little():
    for text in ("cash", "CHTEM", "BOHMANT", "xqzkv"):
        values = list(totals(language_clues([line(text, score=0.6)])).values())
        assert (max(values) - np.median(values)) / math.log(2) < 1.5, text


def test_a_doubtful_reading_says_less():
    sure, doubtful = (language_clues([line("mit", score=s)]) for s in (0.95, 0.1))
    assert bits(sure, "DE", "FR") > 2 * bits(doubtful, "DE", "FR") > 0


def test_a_long_word_is_not_read_by_chance():
    # 9 letters of noise make this very word once in 12^9 lines: doubt in the reading hardly matters.
    sure, doubtful = (language_clues([line("ASIGURARI", score=s)]) for s in (0.95, 0.2))
    assert bits(doubtful, "RO", "FR") > 0.8 * bits(sure, "RO", "FR")


def test_ten_lines_of_one_language_are_one_witness():
    texts = ["Bäckerei", "Zimmer", "Durchfahrt", "verboten", "Schlüssel", "Werkstatt", "Feuerwehr", "Sparkasse"]
    one, many = language_clues([line(texts[0])]), language_clues([line(text) for text in texts])
    # The share of German text in Romania is a floor of about 1/5000, so that eight words cannot cost more than it.
    assert bits(one, "DE", "RO") < bits(many, "DE", "RO") < 14
    assert language_clues([line("Zimmer")] * 5)[-1].likelihood == language_clues([line("Zimmer")])[-1].likelihood


def test_a_second_language_counts_too():
    both = language_clues([line("صيدلية المدينة", "Arab"), line("Pharmacie de la gare")])
    ranked = sorted(totals(both), key=lambda code: -totals(both)[code])
    assert {"MA", "DZ", "TN"} <= set(ranked[:12])
    assert bits(both, "MA", "SA") > 1.5
    assert bits(both, "MA", "FR") > 3


def test_an_unreadable_script_is_evidence():
    found = language_clues([line("", "Thai", readable=False, confidence=0.9)])
    assert [piece.type for piece in found] == ["reading.script"]
    assert found[0].claim == "A line in Thai script, which could not be read"
    assert max(totals(found), key=lambda code: totals(found)[code]) == "TH"
    assert bits(found, "TH", "US") > 3
    weak = language_clues([line("", "Thai", readable=False, confidence=0.2)])
    assert bits(weak, "TH", "US") < bits(found, "TH", "US")


def test_a_restaurant_abroad_does_not_move_the_country_without_bound():
    found = language_clues([line("", "Thai", readable=False, confidence=1.0)])
    assert bits(found, "TH", "US") < 13


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Straße", "Latn"),
        ("вулиця", "Cyrl"),
        ("クリーニング店", "Jpan"),
        ("药店", "Hani"),
        ("약국", "Hang"),
        ("12:30", "Zyyy"),
    ],
)
def test_script_of_a_text(text, script):
    assert script_of(text) == script


def test_one_kana_among_latin_letters_is_a_misreading():
    assert script_of("AHBOKATアPA") == "Latn"


def test_traditional_and_simplified_characters():
    assert han_forms("國語台灣") == (3, 0)  # 國 語 灣; 台 is in both
    assert han_forms("汉语国家") == (0, 3)  # 汉 语 国
    ratios = dict(
        zip(("TW", "CN", "US"), form_ratios("Hani", [line("國語", "Hani", score=1.0)], ("TW", "CN", "US")), strict=True)
    )
    assert ratios["TW"] == pytest.approx(math.log(0.95))
    assert ratios["CN"] == pytest.approx(math.log(0.05))
    assert ratios["US"] == pytest.approx(math.log(0.5))


def test_shares_add_up_and_foreign_languages_have_a_floor():
    shares = shares_of_script("Latn")
    assert shares.of.sum(axis=1) == pytest.approx(np.ones(len(shares.countries)))
    assert shares.of.min() > 0


def test_split_words_keeps_marks_and_cuts_han():
    assert split_words("L'église, 2x Straße!") == ["L'église", "x", "Straße"]
    assert split_words("दवा की दुकान") == ["दवा", "की", "दुकान"]
    assert "駐車" in split_words("駐車禁止")


def test_word_probability_by_hand():
    # 8 letters of garbage: 12^-8; a word that no table has and no mark is in has the same probability everywhere.
    assert garbage("qwxzvkjy") == pytest.approx(12.0**-8)
    same = word_probabilities("qwxzvkjy", ("de", "fr", "ro"), 0.9)
    assert same[0] == same[1] == same[2]


def test_over_countries_is_silent_when_nothing_differs():
    assert over_countries(("DE", "FR"), np.array([1.0, 1.0])) is None
    likelihood = over_countries(("DE", "FR"), np.log(np.array([0.9, 0.3])))
    assert likelihood.log_ratios["DE"] - likelihood.log_ratios["FR"] == pytest.approx(math.log(3), abs=0.002)
