"""Vision-language models by spec string: `hf:`, `dir:` (with adapters) run here, `openai:` on a server.

The base is loaded once per process: several specs on one base differ in their adapters, which are switched by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from geosleuth.indexes.backend import Backend, parse_backend
from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.tools.vlm.model import VisionLanguageModel

ModelKind = Literal["vlm", "clip", "segmenter"]
_TABLES: dict[ModelKind, tuple[str, ...]] = {  # of transformers' modeling_auto; the first that knows a class decides
    "vlm": ("MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES",),
    "clip": ("MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING_NAMES",),
    "segmenter": (
        "MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES",
        "MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING_NAMES",
        "MODEL_FOR_INSTANCE_SEGMENTATION_MAPPING_NAMES",
    ),
}


@dataclass(frozen=True)
class VlmOptions:
    """How a model is run, wherever it runs."""

    max_pixels: int = 602_112  # px per image, before it is encoded; 768 tokens of Qwen2.5-VL
    timeout_s: float = 60.0  # s per request to a server
    requests: int = 500  # per photo to a server, retries included; ten verdicts counted from replies take 160
    bits: int | None = None  # of a weight of a model that runs here, 8 or 4; None = as the machine has room for


class SharedModel(Protocol):
    """A model whose weights all photos share."""

    @property
    def spec(self) -> str:
        """The spec string that loads it again."""

    @property
    def weights(self) -> str:
        """Which model and which hash."""

    def for_photo(self) -> VisionLanguageModel:
        """Open a view for one photo's investigation: what is cached and the budget of requests are its own."""


def load_vlm(spec: str, options: VlmOptions | None = None) -> SharedModel:
    """Load the model that `spec` names: hf:ORG/NAME[@REV], dir:PATH, both with +ADAPTER..., or openai:MODEL@URL.

    Raises:
        InputError: No such form, a package or weights that are missing, a folder that is damaged, an adapter that was
            made for another base.
    """
    backend = parse_backend(spec)
    options = options or VlmOptions()
    if backend.base == "openai":
        from geosleuth.tools.vlm.endpoint import open_endpoint

        shared: SharedModel = open_endpoint(backend, options)
        return shared
    if backend.base not in ("hf", "dir"):
        remedy = "Name one: hf:ORG/NAME[@REV], dir:PATH or openai:MODEL@URL."
        raise InputError("a vision-language model", repr(spec), remedy)
    from geosleuth.tools.vlm.model_folder import import_vlm

    import_vlm("torch")  # without it transformers would only say that it does not know the model
    kind = _kind_of(backend)
    if kind != "vlm":
        raise InputError("a vision-language model", f"{spec}, a {kind}", "Name a model that talks about images.")
    from geosleuth.tools.vlm.local import open_local

    return open_local(backend, options)


def model_kind(spec: str) -> ModelKind:
    """Tell from a model's configuration alone what it is; no weights are read.

    A server's model is taken for a vision-language model: it cannot be asked.

    Raises:
        InputError: There is no configuration, or it is that of another kind of model.
    """
    backend = parse_backend(spec)
    if backend.base == "openai":
        return "vlm"
    return _kind_of(backend)


def _kind_of(backend: Backend) -> ModelKind:
    from geosleuth.tools.vlm.model_folder import config_folder, import_vlm

    if backend.base not in ("hf", "dir"):
        raise InputError("a model with a configuration", repr(str(backend)), "Name one: hf:ORG/NAME[@REV] or dir:PATH.")
    folder = config_folder(Backend(backend.base, backend.name, backend.detail))
    transformers = import_vlm("transformers")
    names = import_vlm("transformers.models.auto.modeling_auto")
    try:
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # the library raises whatever its files make it
        found = f"a configuration that it does not know ({' '.join(str(error).split())[:200]})"
        raise InputError(f"a model of transformers in {backend}", found, "Name a model of transformers.") from error
    classes = set(config.architectures or ())
    for kind, tables in _TABLES.items():
        known = {model: cls for table in tables for model, cls in getattr(names, table, {}).items()}
        # A configuration says for what the weights are; an older one only says of which family they are.
        if classes & set(known.values()) or (not classes and config.model_type in known):
            return kind
    found = f"{backend}, a {', '.join(sorted(classes)) or config.model_type}"
    remedy = "Name a model that talks about images, a CLIP, or a segmenter."
    raise InputError("a vision-language model, a CLIP or a segmenter", found, remedy)
