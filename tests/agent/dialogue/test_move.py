"""Moves change an inquiry as they say, and nothing else."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from geosleuth.agent.dialogue.move import (
    AddHint,
    BringBack,
    CompareWith,
    LeaveOut,
    Move,
    NotUnderstood,
    Observe,
    SearchEverything,
    StateSun,
    Understood,
    Undo,
    WhyNot,
    after,
)
from geosleuth.agent.inquiry import Hint, Inquiry, Observation, RequestedCall, Sun
from geosleuth.tools.observations import QUESTIONS

NOON = datetime(2024, 6, 1, 12, 30, tzinfo=UTC)
EARLIER = Inquiry(
    statements=(Hint(text="in Portugal"), Observation(question="driving_side", option="left")),
    left_out=("aa", "bb"),
    calls=(RequestedCall(tool="verify", args={"rank": 2}),),
    language="zh",
)
ids = st.lists(st.sampled_from(["aa", "bb", "cc"]), min_size=1, max_size=3).map(tuple)
moves = st.one_of(
    st.builds(AddHint, text=st.sampled_from(["in Portugal", "In  portugal.", "not Portugal", "Lisbon"])),
    st.builds(Observe, question=st.sampled_from(sorted(QUESTIONS)), option=st.sampled_from(["left", "right"])),
    st.builds(StateSun, taken=st.just(NOON), elevation_deg=st.floats(1, 89)),
    st.builds(CompareWith, rank=st.integers(1, 40)),
    st.just(WhyNot(codes=("ES",), name="Spain")),
    st.just(SearchEverything()),
    st.builds(LeaveOut, ids=ids),
    st.builds(BringBack, ids=ids),
    st.just(Undo()),
    st.just(NotUnderstood(reason="?")),
)


def test_hints_are_kept_once_and_contradictions_stay():
    inquiry = after(after(EARLIER, AddHint(text="In  portugal.")), AddHint(text="not Portugal"))
    assert [one.text for one in inquiry.statements if isinstance(one, Hint)] == ["in Portugal", "not Portugal"]


def test_an_observation_replaces_the_one_of_its_question():
    inquiry = after(EARLIER, Observe(question="driving_side", option="right"))
    assert inquiry.statements == (Hint(text="in Portugal"), Observation(question="driving_side", option="right"))
    assert len(after(EARLIER, Observe(question="script", option="Cyrl")).statements) == 3


def test_the_sun_replaces_the_sun():
    once = after(EARLIER, StateSun(taken=NOON, elevation_deg=45))
    twice = after(once, StateSun(taken=NOON, azimuth_deg=180))
    assert twice.statements[-1] == Sun(taken=NOON, azimuth_deg=180)
    assert sum(isinstance(one, Sun) for one in twice.statements) == 1


def test_calls_are_this_turns_alone():
    assert after(EARLIER, AddHint(text="Lisbon")).calls == ()
    assert after(EARLIER, CompareWith(rank=3)).calls == (RequestedCall(tool="verify", args={"rank": 3}),)
    assert after(EARLIER, SearchEverything()).calls == (
        RequestedCall(tool="retrieve", args={"by": "everything", "rerank": "none"}),
        RequestedCall(tool="verify", args={"top": 30}),
    )


def test_clues_go_and_come_back():
    without = after(EARLIER, LeaveOut(ids=("bb", "cc")))
    assert without.left_out == ("aa", "bb", "cc")
    assert after(without, BringBack(ids=("cc", "bb"))).left_out == ("aa",)


@pytest.mark.parametrize("move", [Undo(), WhyNot(codes=("ES",), name="Spain"), NotUnderstood(reason="?")])
def test_what_only_asks_changes_nothing(move):
    assert after(EARLIER, move) is EARLIER


@given(st.lists(moves, max_size=8))
def test_any_talk_gives_a_sound_inquiry(said):
    inquiry = EARLIER
    for move in said:
        before = inquiry.model_dump_json()
        again = after(inquiry, move)
        assert inquiry.model_dump_json() == before
        assert after(again, move) == again  # saying it twice says no more
        inquiry = again
    assert Inquiry.model_validate_json(inquiry.model_dump_json()) == inquiry
    assert inquiry.language == "zh"
    assert len(set(inquiry.left_out)) == len(inquiry.left_out)
    questions = [one.question for one in inquiry.statements if isinstance(one, Observation)]
    assert len(set(questions)) == len(questions)


@given(moves)
def test_moves_survive_being_written(move):
    told = Understood(move=move, words="said")
    assert Understood.model_validate_json(told.model_dump_json()) == told
    assert TypeAdapter(Move).validate_python(move.model_dump()) == move
