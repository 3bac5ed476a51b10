from types import ModuleType
from typing import Any

from geosleuth.ui.view.evidence import effect, origin
from geosleuth.ui.view.numbered import numbered


def clues(answers: ModuleType, **changes: Any) -> Any:
    """Three clues of photo 1, worth 4.2 and -0.5 bits and nothing known, and a hint of the investigator's."""
    given = [
        answers.evidence("Dollars", -0.5) | {"id": "b" * 12, "photo": 0},
        answers.evidence("Fijian", 4.2) | {"id": "a" * 12, "photo": 0},
        answers.evidence("No number plate", 0.0, "nothing") | {"id": "c" * 12, "photo": 0},
        answers.evidence("in Fiji :red[x]", 3.0) | {"id": "d" * 12, "tool": "hint", "type": "hint.country"},
    ]
    return answers.answer(**({"evidence": given} | changes))


def script(answer):
    import streamlit as st

    from geosleuth.ui.view.evidence import evidence_list

    st.session_state["off"] = evidence_list(answer, key="evidence")


def test_numbers_go_by_what_a_clue_is_worth_and_what_is_left_out_comes_last(answers: ModuleType) -> None:
    assert [clue.item.claim for clue in numbered(clues(answers))] == ["Fijian", "in Fiji :red[x]", "Dollars"]
    out = [item.model_copy(update={"left_out": item.claim == "Fijian"}) for item in clues(answers).evidence]
    assert [clue.item.claim for clue in numbered(clues(answers, evidence=out))][-1] == "Fijian"


def test_effects_in_words(answers: ModuleType) -> None:
    one, hint, other = (clue.item for clue in numbered(clues(answers)))
    assert effect(one) == "**+4.2 bits** speaks for the answer"
    assert effect(other) == "**−0.5 bits** speaks against the answer"
    assert effect(one.model_copy(update={"contribution_bits": -0.04})) == "makes no difference by itself"
    assert effect(hint.model_copy(update={"left_out": True})) == ":gray[left out: the answer is without it]"


def test_origin_names_tool_rule_source_and_boxes(answers: ModuleType) -> None:
    box = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    support = [{"box": box, "source": name, "rule": "letters"} for name in ("CLDR", "wordfreq", "CLDR", "C", "D")]
    given = answers.evidence("x", 1.0) | {"photo": 1, "support": support, "weights": "ppocr 1a2b"}
    item = answers.answer(evidence=[given]).evidence[0]
    expected = "source: CLDR; wordfreq; C and 1 more · weights: ppocr 1a2b · 5 boxes in photo 2"
    assert origin(item) == f"reading · rule: letters · {expected}"


def test_the_page_lists_by_photo_and_nothing_is_off_at_first(answers: ModuleType, page: Any) -> None:
    shown = page(script, clues(answers))
    assert [toggle.label for toggle in shown.toggle] == ["Clue 2 counts", "Clue 1 counts", "Clue 3 counts"]
    assert shown.session_state["off"] == frozenset()
    headings = [one.value for one in shown.markdown if one.value.startswith("**") and "·" not in one.value]
    assert headings == ["**The investigator's words**", "**Photo 1\\: fiji\\.jpg**"]
    assert "in Fiji :red[x]" in [one.value for one in shown.text]  # as text, which is no Markdown
    assert shown.expander[0].label == "Tools that looked and learned nothing (1)"


def test_a_switch_leaves_its_clue_out(answers: ModuleType, page: Any) -> None:
    shown = page(script, clues(answers))
    shown.toggle[1].set_value(False).run()
    assert shown.session_state["off"] == {"a" * 12}
    shown.toggle[1].set_value(True).run()
    assert shown.session_state["off"] == frozenset()


def test_switches_begin_as_the_answer_has_them(answers: ModuleType, page: Any) -> None:
    """After "undo" the answer is another one: what was switched before must not come back by itself."""
    before = clues(answers)
    out = [item.model_copy(update={"left_out": item.claim == "Fijian"}) for item in before.evidence]
    after = clues(answers, evidence=out)

    def both(before, after):
        import streamlit as st

        from geosleuth.ui.view.evidence import evidence_list

        undone = st.button("Undo")
        st.session_state["off"] = evidence_list(before if undone else after, key="evidence")

    shown = page(both, before, after)
    assert shown.session_state["off"] == {"a" * 12}
    shown.button[0].click().run()
    assert shown.session_state["off"] == frozenset()


def test_an_answer_without_ids_cannot_be_switched(answers: ModuleType, page: Any) -> None:
    shown = page(script, answers.answer())
    assert [toggle.disabled for toggle in shown.toggle] == [True, True]


def test_contradictions_come_first_with_the_numbers_of_their_clues(answers: ModuleType, page: Any) -> None:
    told = [{"claim": "Fijian, but :red[dollars]", "bits": 0.5, "evidence": [0, 1]}]
    shown = page(script, clues(answers, contradictions=told))
    assert shown.warning[0].value.startswith("Contradiction (clues 1, 3): Fijian, but ")
    assert ":red[" not in shown.warning[0].value


def test_no_evidence_in_words(answers: ModuleType, page: Any) -> None:
    shown = page(script, answers.nowhere())
    assert shown.caption[0].value == "No tool found anything that tells of a place."
    assert shown.session_state["off"] == frozenset()
