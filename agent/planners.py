"""Who plans: the chat model that was given, the one that the settings name, or the rules; each bound to the tools."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from geosleuth.agent.toolbox import Tool
from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from geosleuth.agent.models import Models, PhotoModels


@dataclass(frozen=True)
class Planners:
    """Makes the planner of each photo.

    Raises:
        InputError: The planner that was given cannot call tools.
    """

    tools: Mapping[str, Tool]
    models: Models
    given: BaseChatModel | None

    def __post_init__(self) -> None:
        if self.given is None:
            return
        try:
            _ = self._bound
        except NotImplementedError as error:
            found = f"{type(self.given).__name__}, which has no bind_tools"
            remedy = "Use a chat model that supports tool calls, or leave the planner out."
            raise InputError("a planner that can call tools", found, remedy) from error

    @property
    def name(self) -> str:
        """The planner's name in traces."""
        if self.given is None:
            spec = self.models.spec("planner")
            return "RulePlanner" if spec is None else f"VlmPlanner({parse_backend(spec).short})"
        model = getattr(self.given, "model_name", None) or getattr(self.given, "model", None)
        return f"{type(self.given).__name__}({model})" if isinstance(model, str) else type(self.given).__name__

    @cached_property
    def _schemas(self) -> list[dict[str, Any]]:
        return [tool.schema for tool in self.tools.values()]

    @cached_property
    def rules(self) -> Any:
        """The rule planner, bound to the tools."""
        from geosleuth.agent.planner_rules import RulePlanner

        return RulePlanner().bind_tools(self._schemas)

    @cached_property
    def _bound(self) -> Any:
        """The planner that was given, bound to the tools."""
        return None if self.given is None else self.given.bind_tools(self._schemas)

    def for_photo(self, models: PhotoModels) -> Any:
        """The planner of one photo: a model's has the photo's own view of it."""
        if self._bound is not None:
            return self._bound
        if models.spec("planner") is None:
            return self.rules
        from geosleuth.agent.planner_vlm import PIXELS_OF_A_TOKEN, VlmPlanner

        image_tokens = math.ceil(models.settings.vlm_max_pixels / PIXELS_OF_A_TOKEN)
        return VlmPlanner(model=models.vlm("planner"), image_tokens=image_tokens).bind_tools(self._schemas)


def sees(planner: Any) -> bool:
    """Whether the planner is shown images: ours is; of a given chat model nobody knows whether it takes them."""
    from geosleuth.agent.planner_vlm import VlmPlanner

    return isinstance(planner, VlmPlanner)
