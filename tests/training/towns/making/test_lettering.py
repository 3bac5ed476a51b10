import numpy as np
import pytest
from PIL import ImageFont

from geosleuth.agent.report import fonts
from geosleuth.indexes.words import load_words
from geosleuth.training.towns.making.lettering import font_file, sign_picture, unreadable_picture
from geosleuth.training.towns.making.sign_words import base_of, shop_text, shop_words, street_names
from geosleuth.training.towns.making.styles import STYLES

LANGUAGES = sorted({style.language for style in STYLES})
BLUE, WHITE = (20, 40, 160), (250, 250, 250)


def test_shop_words_are_words_of_their_language():
    listed = load_words()
    known = [language for language in LANGUAGES if base_of(language) in listed.languages]
    assert len(known) >= 16
    for language in known:
        for words in shop_words(language):
            assert all(base_of(language) in listed.frequencies(word) for word in words.split()), (language, words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shipped_font_draws_every_letter(language):
    font = ImageFont.truetype(str(fonts.folder() / font_file(language)), 24)
    missing = bytes(font.getmask("\uffff"))
    rng = np.random.default_rng(0)
    texts = [*street_names(language, 40, rng), *shop_words(language), *(shop_text(language, rng) for _ in range(40))]
    assert len(set(texts)) > 60
    for letter in set("".join(texts)) - {" "}:
        assert bytes(font.getmask(letter)) != missing, (language, letter)


def test_names_of_streets_are_all_different_and_drawn_from_the_generator():
    names = street_names("de", 80, np.random.default_rng(1))
    assert len(set(names)) == 80
    assert names == street_names("de", 80, np.random.default_rng(1)) != street_names("de", 80, np.random.default_rng(2))


def test_no_name_is_a_real_countrys():
    names = {name.split()[-1] for name in street_names("es", 200, np.random.default_rng(0))}
    assert not names & {"Perú", "Chile", "España", "México", "Francia", "Brasil", "China", "Cuba", "India"}


def test_a_sign_has_the_boards_colour_and_the_letters():
    picture = sign_picture("Bakery", "en", BLUE, WHITE, 40)
    assert picture.shape[0] == 40
    assert picture.shape[1] > 80  # six letters at two thirds of the height
    assert picture[0, 0].tolist() == list(BLUE)
    assert (picture == WHITE).all(-1).mean() > 0.05
    assert not np.array_equal(picture, sign_picture("Market", "en", BLUE, WHITE, 40)[:, : picture.shape[1]])
    with pytest.raises(ValueError, match="read-only"):
        picture[0, 0] = 0


def test_a_sign_one_pixel_high_is_a_stripe():
    assert sign_picture("Bakery", "en", BLUE, WHITE, 1).shape[0] == 1


def test_joined_letters_are_joined():
    """Beh takes another form within a word: three in a row are narrower than three alone."""
    together = sign_picture("ببب", "ar", BLUE, WHITE, 48)
    alone = sign_picture("ب ب ب", "ar", BLUE, WHITE, 48)
    columns = (together != BLUE).any((0, 2))
    inked = np.flatnonzero(columns)
    assert columns[inked[0] : inked[-1]].all()  # one stroke from end to end
    assert together.shape[1] < alone.shape[1]


def test_strokes_that_are_no_writing_have_a_signs_make():
    real, false = (draw("Bakery", "en", BLUE, WHITE, 40) for draw in (sign_picture, unreadable_picture))
    assert false.shape[0] == 40
    assert false[0, 0].tolist() == list(BLUE)
    ink = [(picture == WHITE).all(-1).mean() for picture in (real, false)]
    assert 0.3 < ink[1] / ink[0] < 3.0
    assert not np.array_equal(false, unreadable_picture("Market", "en", BLUE, WHITE, 40))


def test_greek_capitals_bear_no_accent_and_others_keep_theirs():
    rng = np.random.default_rng(0)
    greek = {shop_text("el", rng).split(" ")[0] for _ in range(300)}
    assert {"ΦΟΥΡΝΟΣ", "Φούρνος", "ΤΡΑΠΕΖΑ"} <= greek
    assert "ΦΟΎΡΝΟΣ" not in greek
    assert "LIBRERÍA" in {shop_text("es", rng).split(" ")[0] for _ in range(300)}
