from types import ModuleType
from typing import Any, NamedTuple

from geosleuth.agent.inquiry import Observation


class Suggested(NamedTuple):
    """As agent/dialogue/next_steps.py has them."""

    kind: str
    text: str
    copy: str | None
    why: str | None


def asked(count: int, key: str = "driving_side") -> dict[str, Any]:
    options = [{"key": f"o{i}", "text": f"Option :red[{i}]"} for i in range(count)]
    return {"key": key, "text": "Which :red[side]?", "options": options, "expected_bits": 0.94, "source": "a table"}


def script(answer):
    import streamlit as st

    from geosleuth.ui.view.questions import ask_person

    st.button("Again")
    st.session_state["said"] = ask_person(answer, key="ask")


def test_an_answer_is_returned_once(answers: ModuleType, page: Any) -> None:
    shown = page(script, answers.answer(questions=[asked(2), asked(2, "plates")]))
    assert shown.session_state["said"] is None
    assert ":red[" not in shown.get("button_group")[0].label
    shown.get("button_group")[1].set_value("o1").run()
    assert shown.session_state["said"] == Observation(question="plates", option="o1")
    shown.button[0].click().run()
    assert shown.session_state["said"] is None


def test_many_options_are_a_list(answers: ModuleType, page: Any) -> None:
    shown = page(script, answers.answer(questions=[asked(7)]))
    assert not shown.get("button_group")
    shown.selectbox[0].select_index(3).run()
    assert shown.session_state["said"] == Observation(question="driving_side", option="o3")


def test_what_an_answer_is_worth_and_its_source(answers: ModuleType, page: Any) -> None:
    shown = page(script, answers.answer(questions=[asked(2)]))
    assert shown.caption[0].value == "Worth about 0.9 bits. Source: a table"


def test_next_steps_can_be_copied_and_nothing_is_sent(page: Any) -> None:
    def steps_page(steps):
        from geosleuth.ui.view.questions import next_steps_list

        next_steps_list(steps)

    steps = [
        Suggested("search", "Search :red[x]", "Wurst Berlin", "it was *read*"),
        Suggested("look", "Look", None, None),
    ]
    shown = page(steps_page, steps)
    assert [one.value for one in shown.text] == ["Search :red[x]", "Look"]
    assert [one.value for one in shown.code] == ["Wurst Berlin"]
    assert shown.caption[0].value == "it was \\*read\\*"
    assert "sends none of this" in shown.caption[-1].value
    assert page(steps_page, []).caption[0].value == "There is nothing further to suggest."
