"""Thousands of corrupted replies of a planner: the loop ends within its limits with an answer, and the trace tells why.

The replies go the way of a model's: text, `parse_reply`, `VlmPlanner`, the graph. Tools and belief are the small real
ones of scenes.py; what the belief computed once is remembered, so that one run takes some 20 ms.
"""

import importlib.util
import json
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from geosleuth.agent.agent import Agent
from geosleuth.agent.belief import Belief
from geosleuth.agent.localization import Localization
from geosleuth.agent.planner_reply import LONGEST_THOUGHT, LONGEST_WORDS, MOST_CALLS, read_reply
from geosleuth.agent.settings import Settings
from geosleuth.tools.vlm.tool_calls import parse_reply


def neighbour(name: str):
    """Tests are no package (import-mode importlib), so a neighbour is loaded by its path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = sys.modules.setdefault(name, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


scenes, speaking = neighbour("scenes"), neighbour("speaking_model")
replies_of = neighbour("corrupted_replies")
REPLIES = 2000  # corrupted ones that must reach the loop, at least
TOOLS = {**scenes.STUBS, "torn": scenes.broken}


class Remembered:
    """A belief that answers each question once: the runs find the same evidence over and over."""

    def __init__(self, belief):
        self._belief, self._known = belief, {}

    def update(self, evidence):
        key = tuple(one.model_dump_json(exclude={"seconds"}) for one in evidence)
        if key not in self._known:
            self._known[key] = Remembered(self._belief.update(evidence))
        return self._known[key]

    def __getattr__(self, name):
        value = getattr(self._belief, name)

        def asked(*args):
            if (name, args) not in self._known:
                self._known[name, args] = value(*args)
            return self._known[name, args]

        return asked if callable(value) else value


START: list[Remembered] = []


def start():
    START.extend([Remembered(Belief.start())] if not START else [])
    return START[0]


# -- the loop ---------------------------------------------------------------------------------------------------------


def check_answer(answer: Localization, max_steps: int) -> None:
    """It is an answer by the published format, it can be written, and nothing in it is endless."""
    written = answer.model_dump_json()
    assert Localization.model_validate(answer.model_dump()) == answer
    assert Localization.model_validate_json(written).trace == answer.trace
    assert len(answer.trace) <= 1 + max_steps + MOST_CALLS
    assert [step.step for step in answer.trace] == list(range(1, len(answer.trace) + 1))
    for step in answer.trace:
        assert step.ok == (step.failure is None)
        assert len(step.thought or "") <= LONGEST_THOUGHT
        assert len(step.result) < 400
        assert len(step.tool) <= 60
        assert len(json.dumps(step.args)) <= 2000
    if answer.closing is not None:
        assert len(answer.closing.words) <= LONGEST_WORDS
        assert all(one in answer.closing.words for one in answer.closing.unbacked)
    read = any(step.tool == "read_text" and step.ok for step in answer.trace)
    assert (answer.country.code if answer.country else None) == ("PT" if read else None)  # by the signs, and no words


def test_thousands_of_corrupted_replies_end_in_a_valid_answer():
    counts: Counter[str] = Counter()
    agent = Agent(Settings(), tools=TOOLS, start=start)

    @settings(max_examples=240, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(replies_of.conversations(), st.sampled_from([100, 40, 100, 16, 3]))
    def run(replies, max_steps):
        planner = speaking.planner(*((text, finished) for text, finished, _ in replies))
        agent = Agent(Settings(max_steps=max_steps), planner=planner, tools=TOOLS, start=start)
        answer = agent.localize(scenes.PICTURE)
        check_answer(answer, max_steps)
        said = planner.model.said
        read = [
            read_reply(parse_reply(text, finished=finished), agent.tools, must_conclude=True)
            for text, finished, _ in replies[:said]
        ]
        by_planner = [step for step in answer.trace if step.by == agent.planner_name]
        malformed = [step for step in by_planner if step.failure and step.failure.kind == "malformed"]
        told = [step.failure.reason for step in malformed]
        out_of_replies = sum("StopIteration" in reason for reason in told)
        # Each malformed reply has an entry with its reason, and each reply has an entry unless it concluded.
        assert told[: len(told) - out_of_replies] == [one.problem for one in read if one.problem]
        assert len(by_planner) - out_of_replies >= said - sum(one.concluded for one in read)
        counts["corrupted"] += sum(spoilt for *_, spoilt in replies[:said])
        counts["corrected"] += sum(a.failure is not None and b.ok for a, b in pairwise(by_planner))
        counts["concluded"] += sum(one.concluded for one in read)
        counts["malformed"] += len(told) - out_of_replies
        counts["runs"] += 1
        for step in answer.trace:
            counts[f"step {step.failure.kind if step.failure else 'ok'}"] += 1

    assert agent.localize(scenes.PICTURE).country.code == "PT"  # the tables are loaded, and the rules can
    run()
    assert counts["corrupted"] >= REPLIES, counts
    assert counts["malformed"] >= REPLIES, counts
    met = ("concluded", "corrected", "step refused", "step limit", "step raised", "step ok")
    assert min(counts[kind] for kind in met) > 0, counts


def raw(fields):
    """A message that nobody validated, as foreign code may make it."""
    message = AIMessage("")
    for name, value in fields.items():
        object.__setattr__(message, name, value)
    return message


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=9)
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=8,
)
odd_call = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from([*TOOLS, "nonsense"]) | anything,
        "args": st.just({}) | anything,
        "id": st.just("1") | anything,
        "error": anything,
    },
)
odd = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "content": anything,
            "tool_calls": st.lists(odd_call | anything, max_size=3) | anything,
            "invalid_tool_calls": st.lists(odd_call | anything, max_size=2) | anything,
            "response_metadata": anything,
        },
    ).map(raw),
    st.just(ValueError("broken")),
)


@settings(max_examples=150, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(odd, min_size=1, max_size=8))
def test_messages_of_any_form_from_a_planner_of_others_end_in_a_valid_answer(replies):
    agent = Agent(Settings(), planner=scenes.scripted(*replies), tools=TOOLS, start=start)
    check_answer(agent.localize(scenes.PICTURE), 16)
