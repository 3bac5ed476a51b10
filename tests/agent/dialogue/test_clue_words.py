"""Which clues the investigator's words mean, where a caption names what a sign may name, too."""

import pytest

from geosleuth.agent.dialogue.clue_words import clues_meant
from geosleuth.tools.captions import CAPTION


def types_meant(words, *kinds, lisbon):
    like = lisbon.evidence[0]
    evidence = tuple(like.model_copy(update={"type": kind, "claim": f"said by {kind}"}) for kind in kinds)
    return [one.type for one in clues_meant(words, lisbon.model_copy(update={"evidence": evidence}))]


@pytest.mark.parametrize(
    ("words", "own"),
    [
        ("the phone number", "reading.phone"),
        ("the town", "reading.place"),
        ("the domain", "reading.domain"),
        ("the website", "reading.domain"),
    ],
)
def test_what_a_caption_alone_names_is_meant_by_its_kind(words, own, lisbon):
    assert types_meant(words, CAPTION, "reading.language", lisbon=lisbon) == [CAPTION]
    assert types_meant(words, CAPTION, own, lisbon=lisbon) == [own]


def test_what_no_caption_names_means_none(lisbon):
    assert types_meant("the language", CAPTION, lisbon=lisbon) == []
    assert types_meant("the phone number 351", CAPTION, lisbon=lisbon) == []
