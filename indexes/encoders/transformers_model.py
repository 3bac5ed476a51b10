"""Vision encoders of transformers: DINOv2, CLIP, SigLIP and their kind, from the hub or a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosleuth.indexes.encoders.torch_features import (
    InputFacts,
    TorchFeatures,
    feature_shape,
    import_extra,
    import_torch,
)
from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geosleuth.indexes.encoders.sources import Output


def transformers_features(name: str, revision: str | None, output: Output) -> TorchFeatures:
    """Load a model by name on the hub, or from a folder; of a model with two towers the one that sees.

    Args:
        name: ORG/NAME or a folder.
        revision: Branch, tag or commit on the hub.
        output: "map" and "local" are the patches (or the last map); the others the model's own pooled vector.

    Raises:
        InputError: It cannot be had, or has no vision tower.
    """
    transformers = import_extra("transformers")
    try:
        # Code that a repository brings is never run (trust_remote_code stays off), and weights are never unpickled.
        options = {"trust_remote_code": False, "revision": revision or "main"}
        processor = transformers.AutoImageProcessor.from_pretrained(name, **options)
        model = transformers.AutoModel.from_pretrained(name, use_safetensors=True, dtype="float32", **options)
    except Exception as error:  # the hub's client raises its own, httpx's and the system's errors
        raise InputError(
            f"the image encoder {name}",
            f"none that can be loaded ({type(error).__name__}: {' '.join(str(error).split())[:200]})",
            "Check the name; load it once with a connection; or name a folder with its files: dir:PATH.",
        ) from error
    model = getattr(model, "vision_model", model).eval()
    if getattr(model, "main_input_name", "pixel_values") != "pixel_values":
        raise InputError("a model that sees", f"{name}, whose input is {model.main_input_name}", "Name another model.")
    facts = _facts(processor, name)
    own = output in ("default", "own")
    network = _with_output(model, own=own)
    return TorchFeatures(network, facts, channels=feature_shape(network, facts)[-1], is_pooled=own)


def _with_output(model: Any, *, own: bool) -> Any:
    nn = import_torch().nn
    patch = getattr(model.config, "patch_size", None)

    class Output(nn.Module):  # type: ignore[misc, name-defined]  # torch is imported only here
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, pictures: Any) -> Any:
            found = self.model(pixel_values=pictures)
            if own:
                pooled = getattr(found, "pooler_output", None)
                # Models without a pooler are trained to put the picture's summary into the class token.
                return (found.last_hidden_state[:, 0] if pooled is None else pooled.flatten(1))[:, None]
            tokens = found.last_hidden_state
            if tokens.ndim == 4:  # convolutional: (n, c, h, w)
                return tokens.flatten(2).transpose(1, 2)
            patches = (pictures.shape[2] // patch) * (pictures.shape[3] // patch) if patch else tokens.shape[1]
            return tokens[:, tokens.shape[1] - patches :]  # without the class and register tokens, which come first

    return Output()


def _facts(processor: Any, name: str) -> InputFacts:
    """Read size, mean and deviation of the model's processor.

    Where the processor would cut out the middle, the whole picture is squeezed into that square instead.
    """
    size: Mapping[str, int] = getattr(processor, "crop_size", None) or getattr(processor, "size", None) or {}
    side = size.get("shortest_edge") or size.get("longest_edge") or 0
    height, width = size.get("height") or side, size.get("width") or side
    mean, std = getattr(processor, "image_mean", None), getattr(processor, "image_std", None)
    if not (height and width) or mean is None or std is None:
        raise InputError(
            f"size, mean and deviation of {name}'s input",
            "a preprocessor_config.json without",
            "Add them to that file.",
        )
    return InputFacts.same_for_all((height, width), mean, std)
