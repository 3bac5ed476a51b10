import pytest
from langchain_core.messages import HumanMessage

from geosleuth.agent.embedded_tools import TOOLS
from geosleuth.agent.gallery_tools import GALLERY_TOOLS
from geosleuth.agent.knowledge import call_name
from geosleuth.agent.model_tools import MODEL_TOOLS
from geosleuth.agent.planner_rules import RULES, RulePlanner, next_rule
from geosleuth.agent.prompts import Known, opening, read_situation, situation
from geosleuth.agent.toolbox import toolbox


def known(**changes) -> Known:
    facts = {
        "tools_called": (),
        "calls": (),
        "hints": 0,
        "prior_speaks": False,
        "pairwise_by_model": False,
        "file_states_position": False,
        "lines_read": None,
        "countries": (("US", 0.1),),
        "countries_holding_95": 90,
        "candidates": 0,
        "verified": False,
        "matches": 0,
        "rejected": 0,
        "left_out": 0,
        "steps_left": 12,
        "seconds_left": 100.0,
    }
    return Known(**{**facts, **changes})


def test_every_rule_names_a_tool_of_the_table_and_a_reason():
    assert {rule.tool for rule in RULES} == set(TOOLS) | set(GALLERY_TOOLS) | set(MODEL_TOOLS)
    assert all(rule.why for rule in RULES)


def test_the_arguments_of_every_rule_are_those_of_its_tool():
    tools = toolbox(TOOLS | GALLERY_TOOLS | MODEL_TOOLS)
    assert [tools[rule.tool].complaint(rule.args) for rule in RULES] == [None] * len(RULES)


LOOKED = ("metadata", "read_text", "locatability")
NARROWEST = "retrieve {}"
WIDER = 'retrieve {"share": 0.999}'
EVERYTHING = 'retrieve {"by": "everything", "rerank": "none"}'


class Search:
    """A gallery of 100 references, of which the searches reach 60, 90 and 100; `verdicts` per verification."""

    def __init__(self, *verdicts: str, reached=(60, 90, 100)):
        self.verdicts = list(verdicts)
        self.reached = dict(zip((NARROWEST, WIDER, EVERYTHING), reached, strict=True))

    def calls(self) -> list[str]:
        tools = (*TOOLS, *GALLERY_TOOLS)
        facts = {"tools_called": LOOKED}
        made = []
        while rule := next_rule(known(**facts, calls=tuple(made)), tools):
            name = call_name(rule.tool, rule.args)
            made.append(name)
            facts["tools_called"] = (*facts["tools_called"], rule.tool)
            if rule.tool == "retrieve":
                facts |= {"candidates": 20, "verified": False, "left_out": 100 - self.reached[name]}
            if rule.tool == "verify":
                verdict = self.verdicts.pop(0)
                facts |= {"verified": True}
                facts |= {"matches": int(verdict.partition(" ")[2] or 1)} if verdict.startswith("match") else {}
                facts |= {"rejected": 10} if verdict == "no_match" else {}
        return made


def test_a_belief_that_a_match_has_narrowed_needs_no_submap():
    facts = {"tools_called": (*LOOKED, "retrieve", "verify"), "verified": True, "matches": 1}
    assert next_rule(known(**facts, countries_holding_95=1), (*TOOLS, *GALLERY_TOOLS)) is None


def test_a_match_at_once_ends_the_search():
    assert Search("match").calls() == ["retrieve {}", "verify {}"]


def test_several_matches_are_compared():
    assert Search("match 3").calls() == ["retrieve {}", "verify {}", "compare {}"]


def test_rejections_widen_the_search_to_the_whole_gallery_and_no_call_is_made_twice():
    made = Search("no_match", "no_match", "no_match").calls()
    assert made == [NARROWEST, "verify {}", WIDER, 'verify {"top": 20}', EVERYTHING, 'verify {"top": 30}']
    assert len(set(made)) == len(made)


def test_a_match_after_widening_ends_it():
    assert Search("no_match", "match").calls()[-2:] == [WIDER, 'verify {"top": 20}']


def test_where_nothing_was_left_out_the_whole_gallery_is_still_ordered_without_the_belief():
    made = Search("no_match", "no_match", reached=(100, 100, 100)).calls()
    assert made == [NARROWEST, "verify {}", EVERYTHING, 'verify {"top": 20}']


def test_views_that_cannot_be_verified_are_no_rejection():
    assert Search("not_applicable").calls() == ["retrieve {}", "verify {}"]


def test_a_rule_with_arguments_is_done_once_with_these_and_others_do_not_count():
    facts = {"tools_called": (*LOOKED, "retrieve", "verify"), "verified": True, "rejected": 3, "left_out": 5}
    rule = next_rule(known(**facts, calls=("retrieve {}", "verify {}")), tuple(GALLERY_TOOLS))
    assert (rule.tool, dict(rule.args)) == ("retrieve", {"share": 0.999})
    rule = next_rule(known(**facts, calls=("retrieve {}", "verify {}", WIDER)), tuple(GALLERY_TOOLS))
    assert dict(rule.args) == {"by": "everything", "rerank": "none"}


@pytest.mark.parametrize(
    ("facts", "tool"),
    [
        ({}, "metadata"),
        ({"tools_called": ("metadata",)}, "read_text"),
        ({"tools_called": ("metadata",), "prior_speaks": True}, "prior"),
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
    assert [(c["name"], c["args"], c["id"]) for c in first.tool_calls] == [("read_text", {}, "rule-read_text-0")]
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


def test_a_model_compares_candidates_that_nothing_has_matched_and_has_the_last_word_on_them():
    searched = {"tools_called": (*LOOKED, "submap", "retrieve", "verify"), "calls": (NARROWEST,), "candidates": 9}
    tools = (*TOOLS, *GALLERY_TOOLS, *MODEL_TOOLS)
    facts = {**searched, "verified": True}  # other views: verification has rejected nothing, and matched nothing
    assert next_rule(known(**facts), tools).tool == "gleam_x"
    assert next_rule(known(**facts, pairwise_by_model=True), tools).tool == "compare"
    done = {**facts, "tools_called": (*searched["tools_called"], "compare", "gleam_x")}
    assert next_rule(known(**done, pairwise_by_model=True), tools) is None
