"""Vision encoders of transformers: DINOv2, CLIP, SigLIP and their kind, from the hub or a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from inspect import signature
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
    tower = published_tower(name, revision)
    facts = published_facts(name, revision)
    own = output in ("default", "own")
    network = with_output(tower, own=own)
    return TorchFeatures(network, facts, channels=feature_shape(network, facts)[-1], is_pooled=own)


def transformers_encoder(config: Mapping[str, Any], weights: Mapping[str, Any], facts: InputFacts) -> TorchFeatures:
    """Make a vision tower from its configuration (`tower_config`) and its state dict; it pools its own vector.

    Raises:
        InputError: This version of transformers has no such tower, or the weights are those of another.
    """
    tower = tower_of(config)
    load_weights(tower, weights)
    network = with_output(tower, own=True)
    return TorchFeatures(network, facts, channels=feature_shape(network, facts)[-1], is_pooled=True)


def published_tower(name: str, revision: str | None) -> Any:
    """Load the part of a model that sees, with its weights; arguments and errors as for `transformers_features`."""
    transformers = import_extra("transformers")
    with _said(name):
        model = transformers.AutoModel.from_pretrained(
            name, use_safetensors=True, dtype="float32", **_options(revision)
        )
    return _tower(model, name)


def random_tower(name: str, revision: str | None) -> Any:
    """As `published_tower`, with weights at random from torch's generator: only the configuration is read."""
    transformers = import_extra("transformers")
    with _said(name):
        config = transformers.AutoConfig.from_pretrained(name, **_options(revision))
        model = transformers.AutoModel.from_config(config, dtype=import_torch().float32, trust_remote_code=False)
    return _tower(model, name)


def published_facts(name: str, revision: str | None) -> InputFacts:
    """Read the input of a model's weights from its processor; arguments and errors as for `transformers_features`."""
    transformers = import_extra("transformers")
    with _said(name):
        processor = transformers.AutoImageProcessor.from_pretrained(name, **_options(revision))
    return _facts(processor, name)


def tower_config(tower: Any) -> dict[str, Any]:
    """Return the configuration of a tower as JSON has it, without what depends on where it came from."""
    config: dict[str, Any] = json.loads(tower.config.to_json_string(use_diff=False))
    return {key: value for key, value in config.items() if not key.startswith("_") and key not in _OF_A_FILE}


def tower_of(config: Mapping[str, Any]) -> Any:
    """Make a tower from its configuration, with random weights. Nothing is fetched.

    Raises:
        InputError: This version of transformers has no such tower.
    """
    transformers = import_extra("transformers")
    try:
        made = transformers.AutoConfig.for_model(**config)
        model = transformers.AutoModel.from_config(made, dtype=import_torch().float32, trust_remote_code=False)
    except Exception as error:  # a configuration's own checks raise what they like
        raise InputError(
            "the configuration of a vision tower of transformers",
            f"{config.get('model_type')!r} ({type(error).__name__}: {' '.join(str(error).split())[:200]})",
            "Update transformers, or export the encoder again.",
        ) from error
    return _tower(model, str(config["model_type"]))


def load_weights(tower: Any, weights: Mapping[str, Any]) -> None:
    """Put a state dict of arrays into a tower.

    Raises:
        InputError: They are those of another architecture.
    """
    torch = import_torch()
    try:
        tower.load_state_dict({key: torch.from_numpy(value) for key, value in weights.items()})
    except RuntimeError as error:
        raise InputError(
            f"weights of a {type(tower).__name__}",
            f"others ({' '.join(str(error).split())[:300]})",
            "Name the architecture that they were made for.",
        ) from error


# Where a configuration was read, by which version, and for which kinds of file: not what the network computes.
_OF_A_FILE = ("transformers_version", "name_or_path", "dtype", "torch_dtype", "architectures", "auto_map")


def _options(revision: str | None) -> dict[str, Any]:
    # Code that a repository brings is never run, and weights are never unpickled (use_safetensors).
    return {"trust_remote_code": False, "revision": revision or "main"}


@contextmanager
def _said(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the hub's client raises its own, httpx's and the system's errors
        raise InputError(
            f"the image encoder {name}",
            f"none that can be loaded ({type(error).__name__}: {' '.join(str(error).split())[:200]})",
            "Check the name; load it once with a connection; or name a folder with its files: dir:PATH.",
        ) from error


def _tower(model: Any, name: str) -> Any:
    tower = getattr(model, "vision_model", model).eval()
    if getattr(tower, "main_input_name", "pixel_values") != "pixel_values":
        raise InputError("a model that sees", f"{name}, whose input is {tower.main_input_name}", "Name another model.")
    return tower


def with_output(model: Any, *, own: bool) -> Any:
    """Wrap a vision tower: (n, 3, h, w) to (n, m, c), its own vector (m = 1) or its patches or last map."""
    nn = import_torch().nn
    patch = getattr(model.config, "patch_size", None)
    side = getattr(model.config, "image_size", None)
    # Some interpolate their embeddings of positions only when told to; DINOv2 and its kind do it unasked.
    is_told = "interpolate_pos_encoding" in signature(model.forward).parameters

    class Output(nn.Module):  # type: ignore[misc, name-defined]  # torch is imported only here
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, pictures: Any) -> Any:
            is_other = is_told and tuple(pictures.shape[2:]) != ((side, side) if isinstance(side, int) else side)
            options = {"interpolate_pos_encoding": True} if is_other else {}
            found = self.model(pixel_values=pictures, **options)
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
