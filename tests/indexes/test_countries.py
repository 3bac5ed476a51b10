"""Facts from the atlas and from ISO; shares follow from CLDR's numbers by hand where a number is asserted."""

import re

import pytest

from geosleuth.indexes import countries, currencies, languages, scripts
from geosleuth.indexes.spoken import base_language


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Deutschland", "DE"), ("DEU", "DE"), ("de", "DE"), ("Brasil", "BR"), ("Cote d'Ivoire", "CI"),
        ("CÔTE D’IVOIRE", "CI"), ("Россия", "RU"), ("日本", "JP"), ("भारत", "IN"), ("ישראל", "IL"), ("العراق", "IQ"),
        ("Ελλάδα", "GR"), ("대한민국", "KR"), ("England", "GB"), ("UK", "GB"), ("Holland", "NL"), ("Niger", "NE"),
        ("Nigeria", "NG"), ("Guinea", "GN"), ("Georgia", "GE"), ("  Kosovo ", "XK"), ("Macedonia", "MK"),
        ("Burma", "MM"), ("South Korea", "KR"), ("Türkiye", "TR"), ("Atlantis", None), ("", None), ("ZZ", None),
    ],
)  # fmt: skip
def test_find_country(text, code):
    assert countries.find_country(text) == code


def test_every_english_name_and_code_finds_its_country():
    for code in countries.country_codes():
        row = countries.country(code)
        assert countries.find_country(row.name) == code
        assert countries.find_country(row.iso3) == code
    assert len(countries.country_codes()) == 250


def test_names():
    assert countries.country_name("DE") == "Germany"
    assert countries.country_name("DE", "ja") == "ドイツ"
    assert countries.country_name("QQ") == "QQ"


def test_facts():
    assert {c for c in ("GB", "IE", "JP", "TH", "ZA", "CY", "HK", "VI") if countries.driving_side(c) == "left"} == {
        "GB", "IE", "JP", "TH", "ZA", "CY", "HK", "VI",
    }  # fmt: skip
    assert {countries.driving_side(c) for c in ("DE", "US", "CN", "GI", "PR", "KR")} == {"right"}
    assert [c for c in ("GB", "US", "IE", "CA", "DE") if countries.country(c).speed_unit == "mph"] == ["GB", "US"]
    assert countries.country("RE").parent == "FR"
    assert countries.country("PT").neighbours == ("ES",)
    assert "002" in countries.country("KE").regions
    assert "002" not in countries.country("ES").regions


def test_postcodes_match_and_refuse():
    assert re.match(countries.postal_regex("DE"), "10115")
    assert not re.match(countries.postal_regex("DE"), "1011")
    assert re.match(countries.postal_regex("CA"), "H2Y 1C6")
    assert countries.postal_regex("JM") is None
    for code in countries.country_codes():
        pattern = countries.postal_regex(code)
        assert pattern is None or re.compile(pattern).search("#") is None


def test_domains():
    assert countries.country_of_tld("de") == "DE"
    assert countries.country_of_tld(".co.uk") == "GB"
    assert countries.country_of_tld("com") is None
    assert countries.country_of_tld("eu") is None
    assert countries.is_generic_tld(".tv")
    assert not countries.is_generic_tld(".pl")


def test_calling_codes():
    assert countries.countries_of_calling_code("+44") == ("GB", "GG", "IM", "JE")
    assert countries.countries_of_calling_code("0049") == ("DE",)
    assert countries.countries_of_calling_code("1")[0] == "US"
    assert countries.countries_of_calling_code("abc") == ()
    assert countries.calling_code("XK") == "383"
    assert countries.calling_code("AQ") is None


def test_currencies_and_symbols():
    assert [currencies.currency(code) for code in ("PL", "XK", "EC", "BG", "AQ")] == ["PLN", "EUR", "USD", "EUR", None]
    assert currencies.currencies_of_symbol("zł") == {"PLN"}
    assert currencies.countries_of_symbol("₴") == {"UA"}
    assert currencies.currencies_of_symbol("￥") == {"CNY", "JPY"}
    assert {"DKK", "ISK", "NOK", "SEK"} == currencies.currencies_of_symbol("KR")
    assert len(currencies.currencies_of_symbol("$")) > 20
    assert currencies.currencies_of_symbol("foo") == frozenset()
    assert all(symbol == symbol.strip() != "" for symbol in currencies.known_symbols())


def test_base_languages():
    tags = ["zh-Hant", "yue", "nb", "nn", "tl", "sr-Latn", "arz", "de_CH", "hr"]
    assert [base_language(tag) for tag in tags] == ["zh", "zh", "no", "no", "fil", "sr", "ar", "de", "hr"]


def test_official_languages():
    assert languages.official_languages("CH") == ("de", "fr", "it")
    assert languages.official_languages("FJ")[0] in {"hif", "fj", "en"}
    assert languages.official_area("no") == {"NO", "SJ"}
    assert {"PT", "BR", "AO", "MZ", "CV", "GW", "ST", "TL", "MO"} <= languages.official_area("pt")
    assert "US" in languages.official_area("en")  # in fact, though not by law
    assert "ES" not in languages.official_area("ca")
    assert "ES" in languages.official_area("ca", regional=True)


def test_language_population_is_cldrs():
    shares = languages.language_population("RS")
    assert shares["sr"] == pytest.approx(0.99)  # Cyrillic and Latin readers are the same people, not 1.98
    assert list(shares.values()) == sorted(shares.values(), reverse=True)


def test_sign_languages_by_hand():
    # Monaco: French only in CLDR, so all of the text but the 6 % of English
    assert languages.sign_languages("MC") == pytest.approx({"fr": 0.94, "en": 0.06})
    # Kuwait: Arabic 1.0 official; English known to 0.5, weighed by 0.25; then 15 % English beside another script
    shares = languages.sign_languages("KW")
    assert shares == pytest.approx({"ar": 0.85 / 1.125, "en": 0.85 * 0.125 / 1.125 + 0.15})
    # of which Arabic script has all of the Arabic but the transcripts, 8 % of the text
    assert languages.script_probability("KW")["Arab"] == pytest.approx(0.85 / 1.125 * 0.92)


@pytest.mark.parametrize(
    ("code", "first", "among"),
    [
        ("PH", "en", {"fil"}), ("NG", "en", set()), ("GH", "en", {"ak"}), ("KE", "en", {"sw"}), ("SN", "fr", {"wo"}),
        ("IN", "en", {"hi", "ta", "bn"}), ("AE", "ar", {"en"}), ("QA", "ar", {"en"}), ("BE", "nl", {"fr", "en"}),
        ("IL", "he", {"en", "ar"}), ("UA", "uk", {"ru", "en"}), ("KZ", "ru", {"kk"}), ("HK", "zh", {"en"}),
        ("US", "en", {"es"}), ("CA", "en", {"fr"}), ("CH", "de", {"fr", "it"}), ("BY", "ru", {"be"}),
        ("NO", "no", {"en"}), ("RS", "sr", {"en"}), ("ES", "es", {"ca"}), ("FI", "fi", {"sv"}),
    ],
)  # fmt: skip
def test_sign_languages_order(code, first, among):
    shares = languages.sign_languages(code)
    assert next(iter(shares)) == first
    assert all(shares[language] > 0.01 for language in among)


def test_tunisia_writes_arabic_and_french_alike():
    shares = languages.sign_languages("TN")
    # School language lifted to 0.9 beside Arabic 0.9, then 6 to 15 % English: 0.40 to 0.50 each
    assert 0.40 <= shares["ar"] <= 0.50
    assert 0.40 <= shares["fr"] <= 0.50


def test_shares_are_distributions_with_english_everywhere():
    for code in countries.country_codes():
        shares = languages.sign_languages(code)
        assert sum(shares.values()) == pytest.approx(1.0)
        assert shares["en"] >= 0.05
        by_script = languages.script_probability(code)
        assert sum(by_script.values()) == pytest.approx(1.0)
        assert not {"Hans", "Hant", "Kore"} & set(by_script)


def test_scripts():
    assert scripts.scripts_of("ru") == {"Cyrl": 1.0}
    assert scripts.scripts_of("zh-Hant", "TW") == {"Hani": 1.0}
    assert scripts.scripts_of("ko", "KR")["Hang"] == 0.98
    assert scripts.scripts_of("pa", "IN")["Guru"] > 0.99
    assert scripts.scripts_of("pa", "PK") == {"Arab": 1.0}
    assert set(scripts.scripts_of("sr", "RS")) == {"Cyrl", "Latn"}
    assert scripts.scripts_of("kk", "KZ")["Cyrl"] == 0.9
    assert (scripts.han_form("CN"), scripts.han_form("HK"), scripts.han_form("SG")) == ("Hans", "Hant", "Hans")


def test_script_probability():
    assert next(iter(languages.script_probability("GE"))) == "Geor"
    assert languages.script_probability("DE")["Latn"] > 0.99
    japan = languages.script_probability("JP")
    # Japanese is 0.85 of the text, 0.65 of its lines show kana; 0.92 is left beside transcripts
    assert japan["Jpan"] == pytest.approx(0.85 * 0.65 * 0.92, abs=0.01)
    assert japan["Latn"] > 0.15
    assert 0.1 < languages.script_probability("RU")["Latn"] < 0.3


def test_unknown_codes_raise():
    with pytest.raises(KeyError):
        countries.country("QQ")
