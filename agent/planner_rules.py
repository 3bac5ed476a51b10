"""The planner that needs no model: a LangChain chat model whose policy is the table `RULES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.tool import tool_call
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from geosleuth.agent.knowledge import call_name
from geosleuth.agent.prompts import Known, read_situation

_NARROW = 20  # countries: a belief that is wider than this has not been moved, and its submap is the world


@dataclass(frozen=True)
class Rule:
    """Call `tool`, once, when `when` holds: once by its name, or with `args`, once with these very arguments."""

    tool: str
    when: Callable[[Known], bool]
    why: str
    args: Mapping[str, Any] = field(default_factory=dict)

    def done(self, known: Known) -> bool:
        """Whether the call was made, by this planner or, without arguments, by any other."""
        return call_name(self.tool, self.args) in known.calls if self.args else self.tool in known.tools_called


def _always(_: Known) -> bool:
    return True


def _narrow_before_search(known: Known) -> bool:
    """Afterwards a submap would only repeat what a match has said."""
    return known.countries_holding_95 <= _NARROW and "retrieve" not in known.tools_called


def _unproven(known: Known) -> bool:
    """The last search brought candidates that nobody has verified."""
    return known.candidates > 0 and not known.verified


def _rejected(known: Known) -> bool:
    """Verification could judge, and held for no candidate. Where it does not apply, it has rejected nothing."""
    return known.verified and not known.matches and known.rejected > 0


def _left_out(known: Known) -> bool:
    """The place may be among the references that the last search left out."""
    return _rejected(known) and known.left_out > 0


def _worth_comparing(known: Known) -> bool:
    """Features can only order what they have matched; a model looks at any two."""
    return known.matches > 1 or (known.pairwise_by_model and known.candidates > 1)


# Each search that is rejected is followed by a wider one: it ends at the whole gallery, ordered by similarity alone,
# for then the belief itself is in doubt. More is verified each time, since the belief sorts out less and less.
_MOST_OF_THE_BELIEF = {"share": 0.999}
_WHOLE_GALLERY = {"by": "everything", "rerank": "none"}
# Read from the top: the first rule whose tool is there and was not called yet, and whose condition holds, is the step.
RULES: tuple[Rule, ...] = (
    Rule("metadata", _always, "a position in the file outweighs all else, and costs a millisecond"),
    Rule("prior", lambda known: known.prior_speaks, "predictions were recorded, or a model is there to be asked"),
    Rule("read_text", _always, "signs name places, and they check what the file states"),
    Rule("locatability", _always, "an empty answer needs a reason: was there anything to see?"),
    Rule("submap", _narrow_before_search, "the belief is narrow enough to list"),
    Rule("retrieve", _always, "references that look like the photo are where to look, in the submap first"),
    Rule("verify", _unproven, "a similar picture proves nothing until its features agree with the photo's"),
    Rule("retrieve", _left_out, "verification rejected: search where nearly all of the belief is", _MOST_OF_THE_BELIEF),
    Rule("verify", _unproven, "a search after a rejection is verified to a greater depth", {"top": 20}),
    Rule("retrieve", _rejected, "verification rejected: forget the belief, which may be wrong", _WHOLE_GALLERY),
    Rule("verify", _unproven, "the last search is verified deepest", {"top": 30}),
    Rule(
        "compare",
        _worth_comparing,
        "several references hold, or a model may tell them apart: which shows the place best",
    ),
    Rule("gleam_x", lambda known: known.candidates > 0, "a model judges the best from any side, and says why"),
)


class RulePlanner(BaseChatModel):
    """Choose the next tool by `RULES`; the same knowledge always gives the same call."""

    tool_names: tuple[str, ...] = ()

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return a planner that knows these tools; it leaves out rules for others."""
        del tool_choice, kwargs  # the table decides
        names = tuple(convert_to_openai_tool(tool)["function"]["name"] for tool in tools)
        return self.model_copy(update={"tool_names": names})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del stop, run_manager, kwargs  # one table, no sampling
        known = read_situation(messages)
        rule = next_rule(known, self.tool_names)
        if rule is None:
            message = AIMessage("No rule is left: conclude.")
        else:
            number = len(known.calls)  # two calls of one tool need two ids
            call = tool_call(name=rule.tool, args=dict(rule.args), id=f"rule-{rule.tool}-{number}")
            message = AIMessage(f"{rule.tool}: {rule.why}.", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=message)])

    @property
    def _llm_type(self) -> str:
        return "rules"


def next_rule(known: Known, tool_names: Sequence[str]) -> Rule | None:
    """Return the first rule that applies, or None when all is done."""
    for rule in RULES:
        if rule.tool in tool_names and not rule.done(known) and rule.when(known):
            return rule
    return None
