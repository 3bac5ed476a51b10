"""The loop as LangGraph Studio opens it."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver

from geosleuth.agent import studio
from geosleuth.agent.agent import Agent
from geosleuth.agent.graph import build_graph
from geosleuth.agent.localization import Localization
from geosleuth.agent.settings import Settings
from geosleuth.indexes.errors import InputError
from geosleuth.ui.demo_scene import draw_scene

CONFIG = json.loads((Path(__file__).parents[2] / "langgraph.json").read_text())


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "street.jpg"
    draw_scene().save(path, quality=92)
    return str(path)


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(studio, "_runs", {})
    studio._agent.cache_clear()


def named(path, sep):
    module, _, name = path.rpartition(sep)
    return getattr(import_module(module), name)


def with_memory():
    """The graph with the checkpointer that langgraph.json names, as the server of Studio puts them together."""
    graph = named(CONFIG["graphs"]["geosleuth"], ":")()
    graph.checkpointer = named(CONFIG["checkpointer"]["path"], ".")()
    return graph


def test_langgraph_json_names_a_graph_a_checkpointer_that_unpickles_nothing_and_no_tracing():
    assert named(CONFIG["graphs"]["geosleuth"], ":") is studio.graph
    saver = named(CONFIG["checkpointer"]["path"], ".")()
    assert isinstance(saver, BaseCheckpointSaver)
    assert saver.serde.pickle_fallback is False
    # The server sends traces where a key is set, and how often it ran to whom the key belongs to.
    sent = ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "LANGSMITH_API_KEY", "LANGSMITH_CONTROL_PLANE_API_KEY")
    assert [CONFIG["env"][name] for name in sent] == ["false", "false", "", ""]


def test_it_draws_the_real_loop_behind_one_node_more():
    drawn, loop = studio.graph().get_graph(), build_graph().get_graph()
    assert set(drawn.nodes) == {*loop.nodes, "begin"}
    ways = {(one.source, one.target) for one in drawn.edges}
    assert ways - {("__start__", "begin"), ("begin", "perceive")} == {
        (one.source, one.target) for one in loop.edges
    } - {("__start__", "perceive")}
    assert "begin --> perceive;" in drawn.draw_mermaid()
    assert studio.graph().get_input_jsonschema()["required"] == ["image"]


def test_a_drawn_scene_runs_node_by_node_and_a_hint_later_reads_nothing_again(photo):
    graph = with_memory()
    config = {"configurable": {"thread_id": "1"}}
    visited = [name for update in graph.stream({"image": photo}, config, stream_mode="updates") for name in update]
    assert visited[:3] == ["begin", "perceive", "plan"]
    assert visited[-1] == "conclude"
    assert visited.count("act") == 3  # read_text, locatability, submap
    first = Localization.model_validate(graph.get_state(config).values["answer"])
    assert (first.status, first.country.code) == ("localized", "FR")
    answer = graph.invoke({"image": photo, "hints": ["in Japan"]}, config)["answer"]
    assert [(step["tool"], step["turn"]) for step in answer["trace"]][-1] == ("hint", 2)
    assert [step["tool"] for step in answer["trace"]].count("read_text") == 1
    assert answer["contradictions"]


def test_after_a_restart_a_thread_goes_on_from_what_was_typed_in(photo):
    graph = with_memory()
    config = {"configurable": {"thread_id": "1"}}
    for _ in graph.stream({"image": photo, "hints": ["not Spain"]}, config, interrupt_before=["conclude"]):
        pass
    assert graph.get_state(config).next == ("conclude",)
    studio._runs.clear()  # what the server had in memory is gone
    answer = Localization.model_validate(graph.invoke(None, config)["answer"])
    assert answer.country.code == "FR"
    assert [item.tool for item in answer.evidence].count("hint") == 1


def test_what_cannot_be_is_said_in_words(photo, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no such file"):
        studio.graph().invoke({"image": str(tmp_path / "none.jpg")})
    graph = with_memory()
    config = {"configurable": {"thread_id": "1"}}
    for _ in graph.stream({"image": photo}, config, interrupt_after=["begin"]):
        pass
    draw_scene().save(tmp_path / "other.png")
    with pytest.raises(InputError, match="Begin a new thread"):
        graph.invoke({"image": str(tmp_path / "other.png")}, config)
    monkeypatch.setattr(studio, "_agent", lambda: Agent(Settings(precision_cap_km=100.0)))
    with pytest.raises(InputError, match="without a cap on precision"):
        studio.graph().invoke({"image": photo})
