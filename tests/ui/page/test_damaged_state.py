"""A case whose stored state was damaged: the person is told, and has a way out."""

import importlib.util
import sys
from pathlib import Path

import pytest

pytest.importorskip("streamlit")
pytest.importorskip("langgraph.checkpoint.sqlite")

from geosleuth.agent.cases.store import CaseStore
from geosleuth.ui.page.owner import LOCAL

spec = importlib.util.spec_from_file_location("chat_page", Path(__file__).with_name("test_page.py"))
pages = sys.modules.setdefault("chat_page", importlib.util.module_from_spec(spec))
spec.loader.exec_module(pages)
_on_this_machine, chat = pages._on_this_machine, pages.chat  # fixtures


def asked_and_damaged(chat):
    chat.upload(("street.png", pages.png()))
    chat.ask()
    assert buttons(chat) == []
    (CaseStore.of(chat.settings, LOCAL).folder / chat.case.id / "state.sqlite").write_bytes(b"no database " * 700)


def buttons(chat) -> list[str]:
    return [one.key for one in chat.page.button if one.label == "Forget the stored state and ask anew"]


def press(chat) -> None:
    (key,) = buttons(chat)
    chat.page.button(key=key).click()
    chat.look()
    chat.until_answered()


def test_a_question_that_a_damaged_state_refuses_is_asked_anew(chat):
    asked_and_damaged(chat)
    chat.say("in Spain")
    assert "the state of a case" in chat.page.error[0].value
    assert not chat.case.turns[-1].finished
    chat.page.button(key="resume_run").click()  # goes on with what is stored, which is the trouble
    chat.look()
    chat.until_answered()
    press(chat)
    assert buttons(chat) == []
    assert [turn.said for turn in chat.case.turns] == ["", "in Spain"]
    assert all(turn.finished for turn in chat.case.turns)
    assert [one.text for one in chat.case.inquiry.statements] == ["in Spain"]


def test_words_that_need_the_state_show_the_way_out_too(chat):
    asked_and_damaged(chat)
    before = chat.answer()
    chat.say("why not Spain?")
    assert "the state of a case" in chat.page.error[0].value
    press(chat)
    assert [turn.understood for turn in chat.case.turns][1:] == ["Asked anew: what was stored is forgotten."]
    assert chat.answer().countries == before.countries
    chat.say("why not Spain?")
    assert "Spain has" in chat.case.turns[-1].understood
