"""What the signs of a town say: words of shops and streets in the country's language, and invented names.

The few words of trades and streets are typed here (a test finds them in wordfreq's lists, where it has the language).
Names are made of the letter sequences of CLDR's words, so that they look like the language and mean nothing.
"""

from __future__ import annotations

import zlib
from functools import cache
from unicodedata import category, normalize

import numpy as np

_START, _END = "\x02", "\x03"
_LENGTHS = (4, 9)  # of a name, in code points: short enough for a sign
_NAMES = 240  # of a language: three times the streets of a town
_MOST_WALKS = 20_000  # a language of few words may have fewer names
_TONOS = "\u0301"  # once it stands apart from its letter

# Words of trades, then how a street is named: {} stands for the name.
_WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "en": ("bakery pharmacy bank hotel cafe books market school clinic garage", ("{} street", "{} road", "{} lane")),
    "es": ("panadería farmacia banco hotel café librería mercado escuela taller zapatos", ("calle {}", "avenida {}")),
    "pt": ("padaria farmácia banco hotel café livraria mercado escola oficina sapatos", ("rua {}", "avenida {}")),
    "fr": ("boulangerie pharmacie banque hôtel café librairie marché école garage fleurs", ("rue {}", "avenue {}")),
    "it": ("panificio farmacia banca albergo caffè libreria mercato scuola officina fiori", ("via {}", "viale {}")),
    "de": (
        "bäckerei apotheke bank hotel café bücher markt schule werkstatt blumen",
        ("straße {}", "platz {}", "weg {}"),
    ),
    "nl": ("bakkerij apotheek bank hotel café boeken markt school garage bloemen", ("straat {}", "laan {}")),
    "sv": ("bageri apotek bank hotell kafé böcker marknad skola verkstad blommor", ("{} gata", "{} väg")),
    "pl": ("piekarnia apteka bank hotel kawiarnia księgarnia rynek szkoła warsztat kwiaty", ("ulica {}", "aleja {}")),
    "uk": ("пекарня аптека банк готель кафе книги ринок школа майстерня квіти", ("вулиця {}", "проспект {}")),
    "el": ("φούρνος φαρμακείο τράπεζα ξενοδοχείο καφέ βιβλία αγορά σχολείο συνεργείο", ("οδός {}", "λεωφόρος {}")),
    "tr": ("fırın eczane banka otel kahve kitap pazar okul tamir çiçek", ("{} sokak", "{} caddesi")),
    "ka": ("პური აფთიაქი ბანკი სასტუმრო კაფე წიგნები ბაზარი სკოლა ყვავილები", ("{} ქუჩა",)),
    "hy": ("հաց դեղատուն բանկ հյուրանոց սրճարան գրքեր շուկա դպրոց ծաղիկներ", ("{} փողոց",)),
    "he": ("מאפייה בנק מלון קפה ספרים שוק פרחים נעליים", ("רחוב {}", "שדרות {}")),
    "ar": ("مخبز صيدلية بنك فندق مقهى مكتبة سوق مدرسة زهور", ("شارع {}", "طريق {}")),
    "am": ("ዳቦ ፋርማሲ ባንክ ሆቴል ካፌ ገበያ ሱቅ", ("{} መንገድ",)),
    "sw": ("duka mkate benki hoteli soko shule kahawa vitabu maua", ("barabara ya {}", "mtaa wa {}")),
    "hi": ("दुकान दवा बैंक होटल चाय किताब बाजार स्कूल मिठाई", ("{} मार्ग", "{} रोड")),
    "bn": ("দোকান ব্যাংক হোটেল বই বাজার স্কুল মিষ্টি", ("{} সড়ক", "{} রোড")),
    "th": ("ร้าน อาหาร ยา ธนาคาร โรงแรม กาแฟ หนังสือ ตลาด ดอกไม้", ("ถนน{}",)),
    "id": ("toko apotek bank hotel kopi buku pasar sekolah bengkel bunga", ("jalan {}",)),
    "vi": ("nhà thuốc, ngân hàng, khách sạn, cà phê, sách, chợ, hoa, quán ăn", ("đường {}", "phố {}")),
}


def base_of(language: str) -> str:
    """Return the language without its region: pt-BR is pt."""
    return language.partition("-")[0]


@cache
def shop_words(language: str) -> tuple[str, ...]:
    """Words that stand over shops.

    Raises:
        KeyError: The language is not among those of the styles.
    """
    words = _WORDS[base_of(language)][0]
    return tuple(words.split(", ") if "," in words else words.split())


@cache
def _names(language: str) -> tuple[str, ...]:
    """Invented names: chains of letters in which each three stand together in CLDR's words of the language.

    The words themselves are left out: a real country's name on a sign would be evidence for that country.
    """
    words = _cldr_words(base_of(language))
    follows: dict[str, list[str]] = {}
    for word in sorted(words):
        marked = f"{_START * 2}{word}{_END}"
        for at in range(2, len(marked)):
            follows.setdefault(marked[at - 2 : at], []).append(marked[at])
    rng = np.random.default_rng(zlib.crc32(language.encode()))
    found: dict[str, None] = {}
    for _ in range(_MOST_WALKS):
        name = _START * 2
        while not name.endswith(_END) and len(name) < 2 + _LENGTHS[1] + 1:
            choices = follows[name[-2:]]
            name += choices[int(rng.integers(len(choices)))]
        made = name[2:-1]
        if name.endswith(_END) and _LENGTHS[0] <= len(made) <= _LENGTHS[1] and made not in words:
            found[made] = None
        if len(found) == _NAMES:
            break
    return tuple(found)


def _cldr_words(language: str) -> frozenset[str]:
    """Words of countries', months' and languages' names, in small letters, of letters and their marks alone."""
    from babel import Locale

    locale = Locale.parse(language)
    texts = [*locale.territories.values(), *locale.months["format"]["wide"].values(), *locale.languages.values()]
    words = {word.lower() for text in texts for word in str(text).split()}
    letters = {word for word in words if len(word) >= 3 and all(category(char)[0] in "LM" for char in word)}
    return frozenset(letters)


def street_names(language: str, count: int, rng: np.random.Generator) -> list[str]:
    """Draw invented names of streets, all different."""
    names, forms = _names(language), _WORDS[base_of(language)][1]
    picked = rng.permutation(len(names))[:count]
    return [_capital(forms[int(rng.integers(len(forms)))].format(_capital(names[k]))) for k in picked]


def shop_text(language: str, rng: np.random.Generator) -> str:
    """Draw what a shop's sign says: a trade, or a trade and an invented name."""
    words, names = shop_words(language), _names(language)
    word = words[int(rng.integers(len(words)))]
    if rng.random() < 0.45:
        word = f"{word} {_capital(names[int(rng.integers(len(names)))])}"
    return _upper(word, language) if base_of(language) != "ka" and rng.random() < 0.5 else _capital(word)


def _upper(text: str, language: str) -> str:
    """Write in capitals; Greek ones bear no accent."""
    capitals = text.upper()
    if base_of(language) != "el":
        return capitals
    return normalize("NFC", normalize("NFD", capitals).replace(_TONOS, ""))


def _capital(text: str) -> str:
    return text[:1].title() + text[1:]  # title, not upper: Georgian capitals are not on signs
