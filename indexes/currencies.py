"""Currencies of countries (ISO 4217) and the symbols that prices carry, from CLDR."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from functools import cache

from geosleuth.indexes.countries import country_codes
from geosleuth.indexes.languages import official_languages

# Symbols on price tags that CLDR writes otherwise or gives to no local language.
CUSTOMARY_SYMBOLS: Mapping[str, tuple[str, ...]] = {
    "INR": ("Rs", "Rs."), "PKR": ("Rs", "Rs."), "LKR": ("Rs", "Rs.", "රු"), "NPR": ("Rs", "Rs.", "रु"),
    "MUR": ("Rs",), "SCR": ("SR",), "BDT": ("Tk", "Tk."), "JPY": ("円",), "CNY": ("元",), "TWD": ("NT$", "元"),
    "HKD": ("HK$",), "KRW": ("원",), "RUB": ("руб", "руб.", "р."), "UAH": ("грн", "грн."), "THB": ("บาท",),
    "PLN": ("zł",), "TRY": ("TL",), "IDR": ("Rp", "Rp."), "PHP": ("Php", "P"), "VND": ("đ", "VNĐ"), "BRL": ("R$",),
    "ILS": ("ש״ח",), "KES": ("Ksh", "KSh"), "UGX": ("USh", "Ush"), "TZS": ("TSh", "Tsh"), "GHS": ("GH¢", "GHC"),
    "NGN": ("N",), "NOK": ("kr", "kr."), "DKK": ("kr",), "ISK": ("kr",), "SEK": ("kr.",), "RON": ("lei",),
    "MDL": ("lei",), "RSD": ("din", "din.", "дин", "дин."), "DZD": ("دج", "DA"), "TND": ("د.ت", "DT"),
    "MKD": ("ден",), "BAM": ("KM",),
    "BGN": ("лв",), "IRR": ("تومان",), "EUR": ("EURO",),
    "MYR": ("RM",), "SGD": ("S$",), "AED": ("Dhs", "Dh"), "MAD": ("DH", "Dhs"), "XAF": ("FCFA", "F CFA"),
    "XOF": ("FCFA", "F CFA"), "CHF": ("Fr.", "SFr."), "AUD": ("A$",), "CAD": ("C$",), "NZD": ("NZ$",),
}  # fmt: skip


CHANGED: Mapping[str, tuple[str, ...]] = {"BG": ("EUR", "BGN")}  # euro since 2026-01-01, later than CLDR's table


@cache
def currencies(code: str) -> tuple[str, ...]:
    """Return the currencies in legal use in a country now, the first one first (Panama: PAB, USD)."""
    from babel.numbers import get_territory_currencies

    if code in CHANGED:
        return CHANGED[code]
    return tuple(str(name) for name in get_territory_currencies(code))


def currency(code: str) -> str | None:
    """Return the main currency of a country (ISO 4217); None where there is none (Antarctica)."""
    found = currencies(code)
    return found[0] if found else None


@cache
def countries_of_currency(name: str) -> frozenset[str]:
    """Return the countries in which a currency is legal tender."""
    return frozenset(code for code in country_codes() if name in currencies(code))


@cache
def _symbols() -> dict[str, frozenset[str]]:
    """Collect, per currency, the symbol that the locales of its own countries write, and the customary ones."""
    from babel import Locale, UnknownLocaleError

    symbols: dict[str, set[str]] = defaultdict(set)
    for code in country_codes():
        for language in official_languages(code):
            try:
                locale = Locale.parse(f"{language}_{code}")
            except UnknownLocaleError:
                continue  # CLDR has no locale for the language (Nauruan)
            for name in currencies(code):
                symbols[name].add(locale.currency_symbols.get(name, name))
    for name, customary in CUSTOMARY_SYMBOLS.items():
        symbols[name].update(customary)
    plain = {name: {_plain(symbol) for symbol in found} for name, found in symbols.items()}
    return {name: frozenset((found | {name}) - {""}) for name, found in plain.items()}


def _plain(symbol: str) -> str:
    """Drop invisible marks (direction, CLDR's zero-width stand-in for the escudo) and widths (￥ is ¥)."""
    visible = "".join(char for char in symbol if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", visible).strip()


def symbols_of_currency(name: str) -> frozenset[str]:
    """Return what stands for a currency on price tags, its ISO code included: zł and PLN."""
    return _symbols().get(name, frozenset({name}))


@cache
def _by_symbol() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for name, symbols in _symbols().items():
        for symbol in symbols:
            found[symbol.casefold()].add(name)
    return {symbol: frozenset(names) for symbol, names in found.items()}


def currencies_of_symbol(symbol: str) -> frozenset[str]:
    """Return the currencies that a symbol may stand for; more than one means that it is ambiguous ($, kr, Rs, ¥)."""
    return _by_symbol().get(_plain(symbol).casefold(), frozenset())


def countries_of_symbol(symbol: str) -> frozenset[str]:
    """Return the countries whose prices may carry a symbol. Single letters (R, K, L) count beside a number only."""
    return frozenset().union(*(countries_of_currency(name) for name in currencies_of_symbol(symbol)))


def known_symbols() -> tuple[str, ...]:
    """Return all symbols, casefolded, longest first, so that a pattern tries "NT$" before "$"."""
    return tuple(sorted(_by_symbol(), key=lambda symbol: (-len(symbol), symbol)))
