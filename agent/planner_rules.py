"""The planner that needs no model: a LangChain chat model whose policy is the table `RULES`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.tool import tool_call
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from geosleuth.agent.prompts import Known, read_situation

_NARROW = 20  # countries: a belief that is wider than this has not been moved, and its submap is the world


@dataclass(frozen=True)
class Rule:
    """Call `tool`, once, when `when` holds."""

    tool: str
    when: Callable[[Known], bool]
    why: str


def _always(_: Known) -> bool:
    return True


# Read from the top: the first rule whose tool is there and was not called yet, and whose condition holds, is the step.
RULES: tuple[Rule, ...] = (
    Rule("metadata", _always, "a position in the file outweighs all else, and costs a millisecond"),
    Rule("prior", lambda known: known.recorded_predictions, "a recorded prediction is there to be used"),
    Rule("read_text", _always, "signs name places, and they check what the file states"),
    Rule("locatability", _always, "an empty answer needs a reason: was there anything to see?"),
    Rule("submap", lambda known: known.countries_holding_95 <= _NARROW, "the belief is narrow enough to list"),
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
        rule = next_rule(read_situation(messages), self.tool_names)
        if rule is None:
            message = AIMessage("No rule is left: conclude.")
        else:
            call = tool_call(name=rule.tool, args={}, id=f"rule-{rule.tool}")
            message = AIMessage(f"{rule.tool}: {rule.why}.", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=message)])

    @property
    def _llm_type(self) -> str:
        return "rules"


def next_rule(known: Known, tool_names: Sequence[str]) -> Rule | None:
    """Return the first rule that applies, or None when all is done."""
    for rule in RULES:
        if rule.tool in tool_names and rule.tool not in known.tools_called and rule.when(known):
            return rule
    return None
