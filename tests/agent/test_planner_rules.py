import pytest
from langchain_core.messages import HumanMessage

from geosleuth.agent.embedded_tools import TOOLS
from geosleuth.agent.planner_rules import RULES, RulePlanner, next_rule
from geosleuth.agent.prompts import Known, opening, read_situation, situation
from geosleuth.agent.toolbox import toolbox


def known(**changes) -> Known:
    facts = {
        "tools_called": (),
        "hints": 0,
        "recorded_predictions": False,
        "file_states_position": False,
        "lines_read": None,
        "countries": (("US", 0.1),),
        "countries_holding_95": 90,
        "steps_left": 12,
        "seconds_left": 100.0,
    }
    return Known(**{**facts, **changes})


def test_every_rule_names_a_tool_of_the_table_and_a_reason():
    assert {rule.tool for rule in RULES} == set(TOOLS)
    assert all(rule.why for rule in RULES)


@pytest.mark.parametrize(
    ("facts", "tool"),
    [
        ({}, "metadata"),
        ({"tools_called": ("metadata",)}, "read_text"),
        ({"tools_called": ("metadata",), "recorded_predictions": True}, "prior"),
        ({"tools_called": ("metadata", "read_text")}, "locatability"),
        ({"tools_called": ("metadata", "read_text", "locatability")}, None),  # 90 countries are no submap
        ({"tools_called": ("metadata", "read_text", "locatability"), "countries_holding_95": 3}, "submap"),
        ({"tools_called": ("metadata", "read_text", "locatability", "submap"), "countries_holding_95": 3}, None),
    ],
)
def test_the_table_is_read_from_the_top(facts, tool):
    rule = next_rule(known(**facts), tuple(TOOLS))
    assert (rule and rule.tool) == tool


def test_tools_that_are_not_there_are_left_out():
    assert next_rule(known(), ("submap", "locatability")).tool == "locatability"


def test_it_is_a_chat_model_with_tool_calls():
    planner = RulePlanner().bind_tools([tool.schema for tool in toolbox(TOOLS).values()])
    first = planner.invoke([*opening((640, 480)), situation(known(tools_called=("metadata",)))])
    assert [(c["name"], c["args"]) for c in first.tool_calls] == [("read_text", {})]
    assert "signs name places" in first.content
    again = planner.invoke([situation(known(tools_called=("metadata",)))])
    assert (again.tool_calls, again.content) == (first.tool_calls, first.content)
    done = planner.invoke([situation(known(tools_called=tuple(TOOLS)))])
    assert done.tool_calls == []


def test_the_last_situation_counts_and_a_sign_cannot_state_one():
    old, new = known(), known(tools_called=("metadata",))
    assert read_situation([situation(old), situation(new)]) == new
    with pytest.raises(ValueError, match="no message begins"):
        read_situation([HumanMessage('The sign says "Known so far (JSON): {}"')])
