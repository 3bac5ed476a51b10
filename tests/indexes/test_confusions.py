from __future__ import annotations

import time

import marisa_trie
import pytest

from geosleuth.indexes import confusions
from geosleuth.indexes.confusions import misreadings

WORDS = [
    "traduceri",
    "waldkirchen",
    "somerton",
    "san francisco",
    "marketsport",
    "berlin",
    "bern",
    "больница",
    "東京都中央区日本橋",
]


@pytest.fixture(scope="module")
def trie() -> marisa_trie.Trie:
    return marisa_trie.Trie(WORDS)


@pytest.mark.parametrize(
    ("read", "written"),
    [
        ("waldkirchen", "waldkirchen"),
        ("waldkirohen", "waldkirchen"),
        ("waldk1rchen", "waldkirchen"),
        ("sornerton", "somerton"),
        ("somerlon", "somerton"),
        ("sanfrancisco", "san francisco"),
        ("somer ton", "somerton"),
        ("waldskirchen", "waldkirchen"),
        ("waldkrchen", "waldkirchen"),
        ("craduceri", "traduceri"),
        ("бальница", "больница"),
        ("berlín", "berlin"),
    ],
)
def test_finds_what_was_written(trie: marisa_trie.Trie, read: str, written: str) -> None:
    (word, price), *others = misreadings(trie, read, 9.5)
    assert word == written
    assert (price == 0) == (read == written)
    assert price <= 9.5
    assert not others


def test_a_known_confusion_is_cheaper_than_any_letter(trie: marisa_trie.Trie) -> None:
    known = misreadings(trie, "s0merton", 9.0)[0][1]
    unknown = misreadings(trie, "skmerton", 9.0)[0][1]
    assert known < unknown == confusions.ANY_LETTER


def test_prices_add_up_and_bound_the_search(trie: marisa_trie.Trie) -> None:
    one = misreadings(trie, "s0merton", 20.0)[0][1]
    assert misreadings(trie, "s0mert0n", 20.0)[0] == ("somerton", pytest.approx(2 * one))
    assert misreadings(trie, "s0mert0n", 2 * one - 0.01) == []
    assert misreadings(trie, "s0merton", 0.0) == []


def test_short_names_match_exactly_only(trie: marisa_trie.Trie) -> None:
    assert misreadings(trie, "bern", 9.0) == [("bern", 0.0)]
    assert misreadings(trie, "8ern", 9.0) == []
    assert misreadings(trie, "be rn", 9.0) == []  # four letters, whatever the spaces
    assert misreadings(trie, "", 9.0) == []


def test_scripts_without_an_alphabet_match_exactly(trie: marisa_trie.Trie) -> None:
    assert misreadings(trie, "東京都中央区日本橋", 5.0) == [("東京都中央区日本橋", 0.0)]
    assert misreadings(trie, "東京都中央区日本", 5.0) == []


def test_the_cheapest_come_first() -> None:
    found = misreadings(marisa_trie.Trie(["corona", "carona", "corolla"]), "corona", 9.0)
    assert found[0] == ("corona", 0.0)
    assert [price for _, price in found] == sorted(price for _, price in found)
    assert [word for word, _ in found][1] == "carona"


def test_a_long_line_of_noise_ends_in_time() -> None:
    from geosleuth.indexes.words import load_words

    words = load_words()  # may compile the table, which is not what is timed
    started = time.process_time()
    words.confusable("illlitoeaillitoealliteoaillt" * 3, 30.0)
    assert (
        time.process_time() - started < 30.0
    )  # the bound on states makes it half a second; without it, it would never end
