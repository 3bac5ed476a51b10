"""The models behind the roles: weights load on first use and are shared by all photos; each photo has its own view."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Literal, cast

from geosleuth.indexes.backend import parse_backend
from geosleuth.tools.vlm.requests_budget import RequestsBudget

if TYPE_CHECKING:
    from geosleuth.agent.settings import Settings
    from geosleuth.tools.vlm.endpoint import Endpoint
    from geosleuth.tools.vlm.load import SharedModel
    from geosleuth.tools.vlm.model import VisionLanguageModel

VlmRole = Literal["planner", "prior", "locatability", "pairwise", "gleam_x"]


@dataclass(frozen=True)
class Models:
    """An agent's models, kept as long as the agent is: else the weights would be read again for each photo."""

    settings: Settings
    _shared: dict[str, SharedModel] = field(default_factory=dict)  # by spec
    _lock: Lock = field(default_factory=Lock)

    def spec(self, role: VlmRole) -> str | None:
        """Return the spec of a role that a model plays; None: the embedded backend, or recorded predictions."""
        spec: str = getattr(self.settings.backends, role)
        return None if parse_backend(spec).base in ("embedded", "file") else spec

    def shared(self, spec: str) -> SharedModel:
        """Return a model; it loads now if no photo has asked for it before.

        Raises:
            InputError: It cannot be loaded.
        """
        from geosleuth.tools.vlm.load import VlmOptions, load_vlm

        with self._lock:
            if spec not in self._shared:
                options = VlmOptions(
                    max_pixels=self.settings.vlm_max_pixels,
                    timeout_s=self.settings.endpoint_timeout_s,
                    requests=self.settings.endpoint_requests,
                    bits=self.settings.vlm_bits,
                )
                self._shared[spec] = load_vlm(spec, options)
            return self._shared[spec]

    def for_photo(self) -> PhotoModels:
        """Open what one photo's tools may ask."""
        return PhotoModels(self, RequestsBudget(self.settings.endpoint_requests))


@dataclass(frozen=True)
class PhotoModels:
    """What one photo's tools may ask. Roles of one spec share a view, and so what was computed about the photo."""

    models: Models
    budget: RequestsBudget  # of all servers together
    _views: dict[str, VisionLanguageModel] = field(default_factory=dict)  # by spec

    @property
    def settings(self) -> Settings:
        """How the models are asked."""
        return self.models.settings

    def spec(self, role: VlmRole) -> str | None:
        """As `Models.spec`."""
        return self.models.spec(role)

    def vlm(self, role: VlmRole) -> VisionLanguageModel:
        """Return the photo's view of the vision-language model of a role.

        Raises:
            InputError: It cannot be loaded.
        """
        spec: str = getattr(self.settings.backends, role)
        if spec not in self._views:
            self._views[spec] = self._view(spec)
        return self._views[spec]

    def _view(self, spec: str) -> VisionLanguageModel:
        shared = self.models.shared(spec)
        if parse_backend(spec).base == "openai":  # only servers are sent requests
            return cast("Endpoint", shared).for_photo(self.budget)
        return shared.for_photo()
