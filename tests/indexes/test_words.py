from __future__ import annotations

import subprocess
import sys

import pytest

from geosleuth.indexes.words import Words, load_words
from geosleuth.indexes.words_source import word_key

LOAD = """
import time
import marisa_trie, numpy
from geosleuth.indexes import words
started = time.process_time()
assert words.load_words().frequencies("barangay")
print(time.process_time() - started)
"""


@pytest.fixture(scope="module")
def words() -> Words:
    return load_words()


def test_a_later_start_is_quick(words: Words) -> None:
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True, timeout=60)
    assert float(done.stdout) < 0.3


def test_has_all_languages_and_says_where_their_lists_end(words: Words) -> None:
    assert len(words.languages) == 42
    assert words.floors["en"] == 2.0
    assert words.floors["bg"] == pytest.approx(3.0, abs=0.05)  # a `small` list: one in a million


@pytest.mark.parametrize(
    ("word", "language", "zipf"),
    [
        ("barangay", "fil", 5.3),
        ("barangay", "en", 2.4),
        ("traduceri", "ro", 4.1),
        ("kiralık", "tr", 4.6),
        ("toko", "id", 5.1),
        ("вулиця", "uk", 4.6),
        ("cash", "en", 4.9),
        ("kebab", "sv", 3.9),
        ("薬局", "ja", 3.8),
        ("药局", "zh", 2.8),
    ],
)
def test_figures_are_those_of_the_source(words: Words, word: str, language: str, zipf: float) -> None:
    assert words.frequencies(word)[language] == pytest.approx(zipf, abs=0.06)


def test_every_list_agrees_with_the_package(words: Words) -> None:
    from wordfreq import available_languages, read_cBpack

    for language in ("is", "vi"):
        buckets = read_cBpack(available_languages("best")[language])
        for rarity in (400, 500, 590):
            for word in buckets[rarity][:5]:
                key = word_key(word)
                if key.isalpha() and len(key) > 1:
                    assert words.frequencies(word)[language] >= (900 - rarity) / 100


def test_case_and_lost_accents_do_not_matter(words: Words) -> None:
    assert words.frequencies("TRADUCERI") == words.frequencies("traduceri")
    # ln 0.43 / ln 10 = 0.43 Zipf below the word with its dotless i
    assert words.frequencies("KIRALIK")["tr"] == pytest.approx(words.frequencies("kiralık")["tr"] - 0.4343, abs=0.05)
    assert words.frequencies("ΟΔΟΣ")["el"] == words.frequencies("οδος")["el"]
    assert set(words.frequencies("asigurari")) == {"ro"}


def test_other_spellings_of_a_language_are_found(words: Words) -> None:
    assert words.frequencies("藥局")["zh"] == words.frequencies("药局")["zh"]  # traditional
    assert words.frequencies("продавница")["sh"] == words.frequencies("prodavnica")["sh"]  # Serbian
    assert "sh" not in words.frequencies("улица́")  # no letter of Vuk's alphabet


def test_noise_is_in_no_language(words: Words) -> None:
    assert words.frequencies("qxzqxzq") == {}
    assert words.frequencies("2023") == {}
    assert words.frequencies("x") == {}
    assert words.frequencies("") == {}
    assert "道" in words  # one Han sign is a word


def test_confusable_words_come_with_prices(words: Words) -> None:
    found = dict(words.confusable("CRADUCERI", 8.0))
    assert "traduceri" in found
    assert 0 < found["traduceri"] <= 8.0
    assert words.confusable("traduceri", 3.0)[0] == ("traduceri", 0.0)
