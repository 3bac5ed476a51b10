"""The planner that is a vision-language model: a LangChain chat model over `VisionLanguageModel.chat`.

from geosleuth.agent.planner_vlm import VlmPlanner
planner = VlmPlanner(model=load_vlm("hf:Qwen/Qwen2.5-VL-7B-Instruct").for_photo()).bind_tools(schemas)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from geosleuth.agent.conversation import shortened, text_tokens
from geosleuth.agent.prompts import CONCLUDE, CONCLUDE_SCHEMA
from geosleuth.indexes.errors import InputError

CONTEXT_TOKENS = 12_000  # of the whole conversation: 16 steps with pictures, and a cache of 0.7 GB at 7B
REPLY_TOKENS = 1024  # a thought of a few sentences and a call have about 200
PIXELS_OF_A_TOKEN = 28 * 28  # of Qwen2.5-VL's image tokens
IMAGE_TOKENS = 768  # of one image at most: the default of the setting vlm_max_pixels


class VlmPlanner(BaseChatModel):
    """Ask a vision-language model for the next call.

    It holds one photo's view of the model, so that each photo has a planner of its own. It ends by calling `conclude`,
    and not by calling nothing: small models forget the call as often as they mean to end.
    """

    model: Any  # VisionLanguageModel; pydantic cannot check a protocol
    tools: tuple[dict[str, Any], ...] = ()  # schemas, `conclude` among them
    context_tokens: int = CONTEXT_TOKENS
    image_tokens: int = IMAGE_TOKENS
    reply_tokens: int = REPLY_TOKENS

    @property
    def model_name(self) -> str:
        """The spec string: what traces and the answer's `backends` name."""
        return str(self.model.spec)

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return a planner that knows these tools and `conclude`.

        Raises:
            InputError: A tool is called `conclude`.
        """
        del tool_choice, kwargs  # it must think before it calls, so no call is forced
        schemas = [convert_to_openai_tool(tool) for tool in tools]
        if any(schema["function"]["name"] == CONCLUDE for schema in schemas):
            raise InputError("tools of other names", f"one called {CONCLUDE!r}", "Rename it: the planner ends by it.")
        return self.model_copy(update={"tools": (*schemas, CONCLUDE_SCHEMA)})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del stop, run_manager, kwargs  # a turn ends where the model ends it
        left = self.context_tokens - self.reply_tokens - sum(text_tokens(str(schema)) for schema in self.tools)
        told = shortened(messages, left, image_tokens=self.image_tokens)
        reply = self.model.chat(told, self.tools, max_tokens=self.reply_tokens)
        return ChatResult(generations=[ChatGeneration(message=reply)])

    @property
    def _llm_type(self) -> str:
        return "vlm"
