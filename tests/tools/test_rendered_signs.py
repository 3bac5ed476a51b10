"""Signs drawn by the test, read by the whole chain: detector, script, recogniser, language, countries.

Each string is judged alone, though the signs of four languages share a picture to save time. "The evidence" of a
string is the sum of its log-likelihood ratios per country, with no prior.
"""

import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, features

from geosleuth.indexes.countries import country_codes
from geosleuth.indexes.languages import official_area, script_probability
from geosleuth.indexes.photo import load_photo
from geosleuth.tools import tesseract
from geosleuth.tools.reading import clues
from geosleuth.tools.recognition import recognise

# Language: script, three things that stand on signs (a shop, a street, a notice).
SIGNS = {
    "de": ("Latn", "Bäckerei und Konditorei", "Durchfahrt verboten", "Zimmer frei"),
    "fr": ("Latn", "Boulangerie pâtisserie", "Défense de stationner", "Sortie de secours"),
    "es": ("Latn", "Panadería y pastelería", "Prohibido estacionar", "Cuidado con el perro"),
    "pt": ("Latn", "Padaria e confeitaria", "Proibido estacionar", "Aluga-se sala comercial"),
    "it": ("Latn", "Panificio e pasticceria", "Divieto di sosta", "Vendesi appartamento"),
    "nl": ("Latn", "Fietsen niet toegestaan", "Verboden toegang", "Te koop: huis met tuin"),
    "pl": ("Latn", "Sklep spożywczy", "Zakaz wjazdu", "Usługi fryzjerskie"),
    "cs": ("Latn", "Potraviny a nápoje", "Zákaz vjezdu", "Prodej a servis počítačů"),
    "hu": ("Latn", "Élelmiszer bolt", "Belépni tilos", "Eladó ház"),
    "ro": ("Latn", "Asigurări auto", "Acte și traduceri", "Intrarea interzisă"),
    "tr": ("Latn", "Eczane ve kuaför", "Giriş yasaktır", "Kiralık daire"),
    "sv": ("Latn", "Livsmedel och godis", "Förbjudet att parkera", "Öppet alla dagar"),
    "da": ("Latn", "Frisør og skønhed", "Adgang forbudt", "Åbent alle dage"),
    "fi": ("Latn", "Ruokakauppa ja kahvila", "Pääsy kielletty", "Vuokrataan toimisto"),
    "lt": ("Latn", "Maisto prekės", "Eiti draudžiama", "Parduodamas butas"),
    "id": ("Latn", "Toko makanan dan minuman", "Dilarang parkir", "Rumah dijual"),
    "fil": ("Latn", "Bahay na paupahan", "Bawal tumawid dito", "Bawal magtapon ng basura"),
    "en": ("Latn", "House for sale", "No parking at any time", "Beware of the dog"),
    "ja": ("Jpan", "クリーニング店", "駐車禁止です", "お食事処"),
    "zh": ("Hani", "便利商店", "禁止停车", "出租房屋"),
    "ru": ("Cyrl", "Продукты и хлеб", "Вход запрещён", "Ремонт обуви"),
    "uk": ("Cyrl", "Продукти та хліб", "Вхід заборонено", "Ремонт взуття"),
    "bg": ("Cyrl", "Хранителни стоки", "Паркирането забранено", "Продава се къща"),
    "el": ("Grek", "Φαρμακείο", "Απαγορεύεται η στάθμευση", "Πωλείται οικόπεδο"),
    "he": ("Hebr", "בית מרקחת", "חניה אסורה", "דירה להשכרה"),
    "ar": ("Arab", "صيدلية المدينة", "ممنوع الوقوف", "شقق للإيجار"),
    "hi": ("Deva", "दवा की दुकान", "गाड़ी खड़ी करना मना है", "किराये के लिए मकान"),
    "th": ("Thai", "ร้านขายยา", "ห้ามจอดรถ", "บ้านให้เช่า"),
    "ko": ("Hang", "동네 약국", "주차 금지", "부동산 임대"),
    "ka": ("Geor", "აფთიაქი", "პარკირება აკრძალულია", "ქირავდება ბინა"),
}
BY_PPOCR = {"Latn", "Jpan", "Hani"}  # what the recogniser in the package reads; Tesseract reads the others
PAIRS = [(language, text) for language, (_, *texts) in SIGNS.items() for text in texts]

_FONTS = {
    "Hebr": "NotoSansHebrew-Regular.ttf",
    "Arab": "NotoSansArabic-Regular.ttf",
    "Deva": "NotoSansDevanagari-Regular.ttf",
    "Thai": "NotoSansThai-Regular.ttf",
    "Geor": "NotoSansGeorgian-Regular.ttf",
    "Jpan": "NotoSansCJK-Regular.ttc",
    "Hani": "NotoSansCJK-Regular.ttc",
    "Hang": "NotoSansCJK-Regular.ttc",
}
_FOLDERS = (Path("/usr/share/fonts/truetype/noto"), Path("/usr/share/fonts/opentype/noto"))
_COLOURS = [((255, 255, 255), (20, 20, 20)), ((250, 220, 60), (30, 20, 10)), ((20, 60, 140), (250, 250, 250))]
_COLUMN, _ROW, _ROWS = 640, 120, 6


def font_of(script):
    name = _FONTS.get(script, "NotoSans-Regular.ttf")
    return next((folder / name for folder in _FOLDERS if (folder / name).exists()), None)


pytestmark = [
    pytest.mark.skipif(
        any(font_of(script) is None for script, *_ in SIGNS.values()),
        reason="Noto fonts are missing: apt-get install fonts-noto-core fonts-noto-cjk",
    ),
    pytest.mark.skipif(not features.check("raqm"), reason="this Pillow cannot shape Arabic and Devanagari (no raqm)"),
]


def draw(pairs):
    """Draw up to twelve signs in two columns; return the picture and the rectangle of each sign."""
    picture = Image.new("RGB", (2 * _COLUMN, _ROWS * _ROW), (128, 134, 128))
    pen = ImageDraw.Draw(picture)
    cells = []
    for number, (language, text) in enumerate(pairs):
        script = SIGNS[language][0]
        left, top = number // _ROWS * _COLUMN, number % _ROWS * _ROW
        ground, ink = _COLOURS[number % len(_COLOURS)]
        font = ImageFont.truetype(str(font_of(script)), 40)
        pen.rectangle((left + 12, top + 12, left + _COLUMN - 12, top + _ROW - 12), fill=ground)
        pen.text((left + _COLUMN // 2, top + _ROW // 2), text, font=font, fill=ink, anchor="mm")
        cells.append((left, top))
    return picture, cells


def read_all(pairs):
    """Return the evidence of each string, summed per country, in nats."""
    totals = {}
    for start in range(0, len(pairs), 2 * _ROWS):
        some = pairs[start : start + 2 * _ROWS]
        picture, cells = draw(some)
        # Drawn signs hang as level as captions; what they say is judged here, see test_overlay_text.py for where.
        lines = [line.model_copy(update={"overlay": 0.0}) for line in recognise(load_photo(picture))]
        for pair, (left, top) in zip(some, cells, strict=True):
            own = [line for line in lines if inside(line, left, top)]
            totals[pair] = total(clues(own, picture.size))
    return totals


def inside(line, left, top):
    x, y = np.mean(line.box, axis=0)
    return left <= x < left + _COLUMN and top <= y < top + _ROW


def total(evidence):
    out = np.zeros(len(country_codes()))
    for piece in evidence:
        if piece.likelihood.kind == "over_regions":
            ratios, otherwise = piece.likelihood.log_ratios, piece.likelihood.otherwise
            out += [ratios.get(code, otherwise) for code in country_codes()]
    return out


def area(language):
    """The countries where a language is official, in all of it or in a region."""
    return official_area(language, regional=True)


@cache
def script_area(script):
    """The countries where a script has a part in the streets: it is right to think of them when it is seen."""
    return frozenset(code for code in country_codes() if script_probability(code).get(script, 0.0) > 0.02)


@pytest.fixture(scope="module")
def with_all_recognisers():
    return read_all(PAIRS)


@pytest.fixture(scope="module")
def without_tesseract():
    patch = pytest.MonkeyPatch()
    patch.setattr(tesseract, "installed_languages", lambda: frozenset())
    try:
        yield read_all([pair for pair in PAIRS if SIGNS[pair[0]][0] not in BY_PPOCR])
    finally:
        patch.undo()


def wrong(totals):
    """List the strings whose best country is not one of the language's."""
    found = []
    for (language, text), values in totals.items():
        best = country_codes()[int(np.argmax(values))]
        if not values.any() or best not in area(language):
            found.append((language, text, best))
    return found


def test_the_set_is_as_wide_as_promised():
    assert len(SIGNS) >= 25
    assert len({script for script, *_ in SIGNS.values()}) >= 8
    assert all(len(texts) == 3 for _, *texts in SIGNS.values())


def test_latin_han_and_kana_without_any_installed_program(with_all_recognisers):
    own = {pair: values for pair, values in with_all_recognisers.items() if SIGNS[pair[0]][0] in BY_PPOCR}
    assert len(wrong(own)) <= 0.1 * len(own), wrong(own)


@pytest.mark.skipif(
    not {"Cyrillic", "Greek", "Hebrew", "Arabic", "Thai", "Georgian"} <= tesseract.installed_languages(),
    reason="Tesseract or its script models are not installed",
)
def test_all_scripts_with_tesseract(with_all_recognisers):
    assert len(wrong(with_all_recognisers)) <= 0.1 * len(with_all_recognisers), wrong(with_all_recognisers)


def test_no_wrong_country_where_a_script_cannot_be_read(without_tesseract):
    """Without Tesseract no country outside the script's and the language's may gain over 3 bits, or lead by 3 bits.

    The gain is over the average country; the lead is over the best country of the language.
    """
    for (language, text), values in without_tesseract.items():
        right = np.array([code in area(language) for code in country_codes()])
        fair = right | np.array([code in script_area(SIGNS[language][0]) for code in country_codes()])
        gain = (values[~fair].max() - math.log(np.exp(values).mean())) / math.log(2)
        lead = (values[~right].max() - values[right].max()) / math.log(2)
        assert gain <= 3.0, (language, text, gain)
        assert lead <= 3.0, (language, text, lead)


def test_an_unread_script_is_reported_not_misread(without_tesseract):
    """Nearly all such strings still point at the script's countries, since the script alone is seen."""
    hits = sum(
        country_codes()[int(np.argmax(values))] in script_area(SIGNS[language][0]) and bool(values.any())
        for (language, _), values in without_tesseract.items()
    )
    assert hits >= 0.8 * len(without_tesseract)
