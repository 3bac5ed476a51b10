"""The planner that is a model: what it is told, what of its words is kept, and that none of them is believed."""

import importlib.util
import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from geosleuth.agent.agent import Agent
from geosleuth.agent.conversation import shortened, text_tokens, tokens
from geosleuth.agent.planner_vlm import CONTEXT_TOKENS, VlmPlanner
from geosleuth.agent.prompts import KNOWN_PREFIX, SYSTEM_OF_MODEL, opening
from geosleuth.agent.settings import Settings
from geosleuth.agent.toolbox import DATA_PREFIX, Finding, ToolImage
from geosleuth.indexes.errors import InputError


def neighbour(name: str):
    """Tests are no package (import-mode importlib), so a neighbour is loaded by its path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = sys.modules.setdefault(name, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


scenes, speaking = neighbour("scenes"), neighbour("speaking_model")
call, conclude, planner, STUBS = speaking.call, speaking.conclude, speaking.planner, scenes.STUBS


class Blind(Agent):
    """An agent whose planner is shown no picture, as of a chat model that a user gave."""

    def investigation(self, photos, inquiry):
        run = super().investigation(photos, inquiry)
        run.views[0].sees = False
        return run


def agent(replies, tools=None, kind=Agent, **settings):
    return kind(Settings(**settings), planner=planner(*replies), tools=STUBS if tools is None else tools)


def heard(one):
    return one._given_planner.model.heard


READS = [
    call("read_text", words="Signs may tell."),
    call("submap", '{"share": 0.5}', "Now the map."),
    conclude("Done."),
]


def test_a_model_plans_and_its_words_are_kept_as_its_words():
    one = agent(READS)
    answer = one.localize(scenes.PICTURE)
    assert [(s.tool, s.args, s.by, s.ok, s.thought) for s in answer.trace] == [
        ("metadata", {}, "perceive", True, None),
        ("read_text", {}, "VlmPlanner(dir:speaking)", True, "Signs may tell."),
        ("submap", {"share": 0.5}, "VlmPlanner(dir:speaking)", True, "Now the map."),
    ]
    assert answer.country.code == "PT"
    assert answer.closing.model_dump() == {
        "words": "Done.",
        "by": "VlmPlanner(dir:speaking)",
        "unbacked": (),
        "unbacked_thoughts": (),
    }
    assert one._given_planner.model.tools == ["metadata", "read_text", "locatability", "submap", "conclude"]


def test_the_rules_have_reasons_and_no_thoughts():
    answer = Agent(Settings(), tools=STUBS).localize(scenes.PICTURE)
    assert answer.closing is None
    assert {step.thought for step in answer.trace} == {None}


def test_the_conversation_begins_with_the_same_words_and_ends_with_what_is_known():
    one = agent(READS)
    one.localize(scenes.PICTURE)
    told = heard(one)
    assert [len(messages) for messages in told] == [4, 6, 8]  # two more each time: the call and its result
    for messages in told:
        assert [type(m) for m in messages[:3]] == [SystemMessage, HumanMessage, HumanMessage]
        assert messages[0].content == SYSTEM_OF_MODEL
        assert messages[2].content.startswith(f'{DATA_PREFIX}{{"summary": ')  # what the file states, before it asks
        assert '"tool_called_already": "metadata"' in messages[2].content
        assert messages[-1].content.startswith(KNOWN_PREFIX)
    for before, after in pairwise(told):
        assert [m.content for m in after[: len(before) - 1]] == [m.content for m in before[:-1]]
    assert [type(m) for m in told[2][3:-1]] == [AIMessage, ToolMessage, AIMessage, ToolMessage]


def test_the_photo_stands_in_the_question_of_a_planner_that_sees_and_never_in_the_state():
    one = agent(READS)
    one.localize(scenes.PICTURE)
    for messages in heard(one):
        picture, words = messages[1].content
        assert picture["type"] in ("image", "image_url")
        assert words["text"] == "One photo of 60 x 40 pixels. Where was it taken?"
    blind = agent(READS, kind=Blind)
    blind.localize(scenes.PICTURE)
    assert heard(blind)[0][1].content == "One photo of 60 x 40 pixels. Where was it taken?"


def drawing(scene):
    """Draw."""
    return Finding("drawn", images=(ToolImage(scenes.PICTURE, "a sign"),))


@pytest.mark.parametrize("kind", [Agent, Blind])
def test_pictures_follow_the_results_of_all_calls_of_a_reply(kind):
    replies = [call("draw") + call("submap"), conclude()]
    one = agent(replies, {**STUBS, "draw": drawing}, kind)
    answer = one.localize(scenes.PICTURE)
    assert [s.ok for s in answer.trace] == [True, True, True]
    assert [s.note for s in answer.trace[1:]] == ["call 1 of 2 in one reply", "call 2 of 2 in one reply"]
    kinds = [type(m) for m in heard(one)[1][3:-1]]
    pictures = [] if kind is Blind else [HumanMessage]
    assert kinds == [AIMessage, ToolMessage, ToolMessage, *pictures]


def test_a_picture_that_cannot_be_made_does_not_end_the_run():
    def spoiled(scene):
        """Draw."""
        return Finding("drawn", images=("no picture",))

    answer = agent([call("draw"), conclude()], {**STUBS, "draw": spoiled}).localize(scenes.PICTURE)
    assert answer.trace[1].ok


def test_a_tool_called_conclude_is_refused():
    with pytest.raises(InputError, match="Rename it"):
        planner().bind_tools([{"type": "function", "function": {"name": "conclude", "parameters": {}}}])


PARIS = "This is certainly Paris."


def test_a_planner_that_is_certain_does_not_move_the_belief_by_one_bit_and_is_flagged():
    calls = [("read_text", "{}"), ("submap", '{"share": 0.5}')]
    sure = agent([*(call(*one, words=PARIS) for one in calls), conclude(f"{PARIS} 37 % sure, at 48.8566, 2.3522.")])
    silent = agent([*(call(*one) for one in calls), conclude()])
    loud, quiet = sure.localize(scenes.PICTURE), silent.localize(scenes.PICTURE)
    same = {"countries", "point", "radius_km", "entropy_bits", "status", "reason", "city", "regions", "contradictions"}
    assert loud.model_dump(include=same) == quiet.model_dump(include=same)
    assert [e.contribution_bits for e in loud.evidence] == [e.contribution_bits for e in quiet.evidence]
    assert loud.closing.unbacked == ("Paris", "48.8566, 2.3522", "37 %")
    assert "The planner's closing words say Paris, 48.8566, 2.3522, 37 %, which no tool's finding backs." in loud.notes
    assert [s.thought for s in loud.trace[1:]] == [PARIS, PARIS]
    assert quiet.closing is None


def test_thoughts_that_came_to_nothing_are_listed_apart_and_make_no_note():
    answer = agent([call("read_text", words="Brazil or Portugal?"), conclude("Portugal.")]).localize(scenes.PICTURE)
    assert (answer.closing.unbacked, answer.closing.unbacked_thoughts) == ((), ("Brazil",))
    assert not [note for note in answer.notes if "closing words" in note]


def test_with_a_cap_no_word_of_the_planner_is_told(caplog):
    words = "It is Montmartre, Paris."
    replies = [
        call("go_to_Montmartre", words=words),
        call("read_text", words=words),
        RuntimeError("no answer to Montmartre"),
        call("note", '{"place": "Montmartre"}', words),
        conclude(words),
    ]

    def note(scene, place: str):
        """Note a place."""
        return Finding("noted")

    def told(cap):
        caplog.clear()
        steps = list(agent(replies, {**STUBS, "note": note}, precision_cap_km=cap).stream(scenes.PICTURE))
        answer = steps[-1].localization
        return answer, repr(steps[:-1]) + answer.model_dump_json() + caplog.text

    free, text = told(None)
    assert text.count("Montmartre") > 10
    assert free.trace[1].tool == "go_to_Montmartre"
    capped, text = told(50.0)
    assert "Montmartre" not in text
    assert "Paris" not in text
    assert [(s.tool, s.failure and s.failure.kind) for s in capped.trace] == [
        ("metadata", None),
        ("?", "malformed"),
        ("read_text", None),
        ("?", "malformed"),
        ("note", None),
    ]
    assert capped.trace[4].args == {"place": "withheld"}
    assert capped.closing.words.startswith("Withheld")
    assert len(capped.closing.unbacked) == 1
    assert capped.country == free.country


# -- within the budget ------------------------------------------------------------------------------------------------

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AAAA"}}


def exchange(i, characters, pictures=0):
    name = f"tool{i}"
    made = AIMessage("why " * 30, tool_calls=[{"name": name, "args": {}, "id": name, "type": "tool_call"}])
    messages = [made, ToolMessage(f"{name} " + "x" * characters, tool_call_id=name)]
    shown = [{"type": "text", "text": f"Picture of {name}"}, *[IMAGE] * pictures]
    return [*messages, HumanMessage(shown)] if pictures else messages


def conversation(steps, characters=3000, pictures=2):
    middle = [m for i in range(steps) for m in exchange(i, characters, pictures)]
    return [*opening((640, 480), of_model=True), *middle, HumanMessage(KNOWN_PREFIX + "{}")]


def size(messages):
    return sum(tokens(m, 768) for m in messages)


def test_tokens_are_counted_by_bytes_and_pictures():
    assert text_tokens("abc" * 10) == 11
    assert text_tokens("北京") == 3  # 6 bytes
    assert tokens(HumanMessage("abc" * 10), 768) == 11 + 8
    assert tokens(HumanMessage([IMAGE, {"type": "text", "text": "abc"}]), 768) == 768 + 2 + 8


def test_a_conversation_within_the_budget_stays_as_it_is():
    messages = conversation(3)
    assert shortened(messages, size(messages) + 1000, image_tokens=768) == messages


@pytest.mark.parametrize("steps", [4, 8, 16, 60])
@pytest.mark.parametrize(("characters", "pictures"), [(3000, 2), (30_000, 6), (200, 0)])
def test_a_long_conversation_stays_within_the_budget_and_whole_where_it_matters(steps, characters, pictures):
    messages = conversation(steps, characters, pictures)
    kept = shortened(messages, 10_000, image_tokens=768)
    assert size(kept) <= 10_000
    assert kept[:2] == messages[:2]
    assert kept[-1] == messages[-1]
    calls = [c["id"] for m in kept if isinstance(m, AIMessage) for c in m.tool_calls]
    assert calls == [m.tool_call_id for m in kept if isinstance(m, ToolMessage)]  # every call with its result
    assert calls[-1:] == [f"tool{steps - 1}"]


def test_old_pictures_go_first_and_are_named():
    kept = shortened(conversation(6, characters=600), 10_000, image_tokens=768)
    texts = [m.content for m in kept if isinstance(m, HumanMessage) and isinstance(m.content, str)]
    assert "(Pictures shown earlier, left out now.) Picture of tool0" in texts
    assert isinstance(kept[-2].content, list)  # the newest are still pictures
    assert all(len(m.content) > 600 for m in kept if isinstance(m, ToolMessage))


def test_the_beginning_seldom_changes_so_that_its_cache_holds():
    changes = 0
    before = []
    for steps in range(1, 41):
        now = shortened(conversation(steps, characters=1200, pictures=1), 10_000, image_tokens=768)[:-1]
        changes += now[: len(before)] != before
        before = now
    assert 1 <= changes <= 12  # of 40: about one step in four


def test_sixteen_steps_stay_within_the_budget_of_the_planner():
    def talkative(scene, share: float = 0.5):
        """Say much."""
        return Finding("found", figures={"words": ["шум"] * 800}, images=(ToolImage(scenes.PICTURE, "x"),) * 3)

    replies = [call("talk", json.dumps({"share": i / 100}), "I think. " * 100) for i in range(16)]
    one = agent(replies, {"metadata": scenes.metadata, "talk": talkative})
    answer = one.localize(scenes.PICTURE)
    assert [s.tool for s in answer.trace[1:]] == ["talk"] * 16
    schemas = sum(text_tokens(str(schema)) for schema in one._planners._bound.tools)
    most = max(size(messages) for messages in heard(one)) + schemas + one._given_planner.reply_tokens
    assert CONTEXT_TOKENS / 2 < most <= CONTEXT_TOKENS == 12_000


# -- a true model -----------------------------------------------------------------------------------------------------


def test_the_gibberish_of_a_model_of_random_weights_ends_in_the_answer_of_the_rules(tiny_models):
    from geosleuth.tools.vlm.load import load_vlm

    model = load_vlm(f"dir:{tiny_models.tiny_qwen()}").for_photo()
    mad = Agent(Settings(), planner=VlmPlanner(model=model, reply_tokens=24), tools=STUBS)
    answer = mad.localize(scenes.PICTURE)
    rules = Agent(Settings(), tools=STUBS).localize(scenes.PICTURE)
    assert answer.point == rules.point
    assert answer.countries == rules.countries
    assert [s.tool for s in answer.trace if s.ok] == [s.tool for s in rules.trace]
    assert {s.by for s in answer.trace if s.failure} == {f"VlmPlanner({model.spec})"}
    assert {s.failure.kind for s in answer.trace if s.failure} == {"malformed"}
    assert any("the rule planner planned" in note for note in answer.notes)
