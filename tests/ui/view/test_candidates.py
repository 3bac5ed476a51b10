from types import ModuleType
from typing import Any

import numpy as np

from geosleuth.indexes.photo import load_photo
from geosleuth.ui.view.candidates import none_in_words, provenance, side_by_side, title

PIXELS = np.full((60, 80, 3), 128, dtype=np.uint8)


def script(answer, photos, gone):
    import numpy as np
    import streamlit as st

    from geosleuth.ui.view.candidates import candidates_list

    asked = []

    def picture(one):
        asked.append(one.rank)
        return None if one.rank in gone else np.full((60, 80, 3), 128, dtype=np.uint8)

    candidates_list(answer, photos, picture, key="candidates")
    st.session_state["asked"] = asked


def judged(**changes: Any) -> dict[str, Any]:
    explanation = {
        "agreeing": ["a red door", "![x](http://evil/)"],
        "disagreeing": [],
        "conclusion": "One street :red[x].",
        "language": "en",
        "contradicts": False,
        "weights": "model sha256:12",
    }
    return {"verdict": "match", "reason": "yes", "weights": "model", "explanation": explanation | changes}


def test_one_line_for_each(answers: ModuleType) -> None:
    found = answers.answer(candidates=[answers.compared(1, "match"), answers.compared(2, None, distance_km=None)])
    assert [title(one) for one in found.candidates] == [
        "Candidate 1: match, 111 m from the answer's point",
        "Candidate 2: not verified",
    ]
    assert provenance(found.candidates[0]) == [
        "walk/001.jpg",
        "ground view",
        "similarity 0.89",
        "licence: not stated",
    ]


def test_both_pictures_stand_side_by_side(answers: ModuleType) -> None:
    one = answers.answer(candidates=[answers.compared(1, "match")]).candidates[0]
    drawn = side_by_side(load_photo(PIXELS, name="grey.png"), PIXELS, one)
    assert drawn.width == 80 + 12 + 80
    assert drawn.getpixel((70, 30)) == drawn.getpixel((80 + 12 + 70, 30)) == (128, 128, 128)


def test_only_what_is_open_is_fetched(answers: ModuleType, page: Any) -> None:
    found = answers.answer(candidates=[answers.compared(i, "match") for i in (1, 2, 3)])
    shown = page(script, found, [load_photo(PIXELS, name="grey.png")], ())
    assert shown.session_state["asked"] == [1]
    assert len(shown.get("image")) == 1


def test_a_missing_picture_is_told_and_the_rest_still_shown(answers: ModuleType, page: Any) -> None:
    found = answers.answer(candidates=[answers.compared(1, "unreadable")])
    shown = page(script, found, [load_photo(PIXELS, name="grey.png")], (1,))
    assert shown.info[0].value == "The candidate's picture cannot be shown: it is gone, or cannot be read."
    assert "Verification: 10 of 40 feature matches agree" in [one.value for one in shown.text]
    missing = page(script, found, [], ())
    assert missing.info[0].value.startswith("The photo that it was compared with cannot be shown")


def test_a_models_words_are_marked_and_inert(answers: ModuleType, page: Any) -> None:
    found = answers.answer(candidates=[answers.compared(1, "match", judgement=judged())])
    shown = page(script, found, [load_photo(PIXELS, name="grey.png")], ())
    assert "The model concludes: One street :red[x]." in [one.value for one in shown.text]  # st.text: no Markdown
    assert [one.value for one in shown.markdown] == [
        "**Agree**\n- a red door\n- \\!\\[x\\]\\(http\\:\u2060\\/\u2060\\/evil\\/\\)"
    ]
    assert any("A model's words, no evidence" in one.value for one in shown.caption)
    assert not shown.warning


def test_reasons_that_contradict_the_verdict_are_warned_of(answers: ModuleType, page: Any) -> None:
    found = answers.answer(candidates=[answers.compared(1, "match", judgement=judged(contradicts=True))])
    shown = page(script, found, [load_photo(PIXELS, name="grey.png")], ())
    assert shown.warning[0].value == "The model's reasons contradict its verdict: trust neither."


def test_no_candidates_in_words(answers: ModuleType) -> None:
    assert none_in_words(answers.answer()).startswith("No gallery of reference pictures was searched")
    capped = none_in_words(answers.answer(precision_cap_km=25.0))
    assert capped == "Candidates are withheld under the precision cap of 25 km."
