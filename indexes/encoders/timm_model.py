"""Image encoders of timm."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
    from geosleuth.indexes.encoders.resizing import InputSize
    from geosleuth.indexes.encoders.sources import Output


def timm_features(
    name: str, output: Output, *, weights: Mapping[str, Any] | None = None, facts: InputFacts | None = None
) -> TorchFeatures:
    """Make the timm architecture `name`.

    Args:
        name: As `timm.list_models()` has it, with or without the tag of its weights.
        output: What to take from it.
        weights: State dict of the architecture without its classifier; None takes the published ones.
        facts: None takes those of the published weights: their mean and deviation; their exact input for networks that
            need it, and otherwise their side as the longer one.

    Raises:
        InputError: timm has no such model, its weights cannot be had, or `weights` are those of another.
    """
    _check_name(name)
    if weights is None:
        model = _published(name)
        facts = facts or published_facts(model.pretrained_cfg)
    elif facts is not None:
        model = _given(name, weights, facts)
    else:
        raise ValueError("weights come with their facts")
    shape = feature_shape(model.eval().forward_features, facts)
    has_map = len(shape) == 4 and shape[1] == model.num_features  # the others pool tokens, or have channels last
    if output == "default":
        output = "map" if has_map else "own"
    if output == "own":
        width = feature_shape(model, facts)[-1]
        return TorchFeatures(with_output(model, own=True), facts, channels=width, is_pooled=True)
    if not has_map and len(shape) != 3:
        raise InputError("a model with a feature map", f"timm:{name}, whose shape is {shape}", "Choose another model.")
    width = shape[1] if has_map else shape[2]
    return TorchFeatures(with_output(model, own=False), facts, channels=width, is_pooled=False)


def timm_network(name: str, sizes: Collection[InputSize], *, published: bool = False) -> Any:
    """Make the architecture `name` without its classifier, for pictures of these sizes.

    Args:
        name: With the tag of its weights, or without.
        sizes: All that it is to take.
        published: With timm's weights; else at random, from torch's generator.

    Raises:
        InputError: timm has no such model, its weights cannot be had, or its size is fixed and another is wanted.
    """
    _check_name(name)
    options = _options(name, sizes)
    if published:
        return _published(name, **options)
    try:
        return import_extra("timm").create_model(name, pretrained=False, num_classes=0, **options)
    except TypeError as error:
        raise _fixed_size(name, error) from error


def load_weights(model: Any, name: str, weights: Mapping[str, Any]) -> None:
    """Put a state dict of arrays into `model`, timm's `name`.

    Raises:
        InputError: They are those of another architecture.
    """
    torch = import_torch()
    try:
        model.load_state_dict({key: torch.from_numpy(value) for key, value in weights.items()})
    except RuntimeError as error:
        raise InputError(
            f"weights of timm's {name} without its classifier",
            f"others ({' '.join(str(error).split())[:300]})",
            "Name the architecture that they were made for.",
        ) from error


def with_output(model: Any, *, own: bool) -> Any:
    """Wrap a model of timm: (n, 3, h, w) to (n, m, c), its own vector (m = 1) or its last map or patches."""
    nn = import_torch().nn

    class Output(nn.Module):  # type: ignore[misc, name-defined]  # torch is imported only here
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, pictures: Any) -> Any:
            if own:
                return self.model(pictures)[:, None]
            maps = self.model.forward_features(pictures)
            if maps.ndim == 4:
                return maps.flatten(2).transpose(1, 2)
            return maps[:, getattr(self.model, "num_prefix_tokens", 0) :]  # the patches, without the class token

    return Output()


def _check_name(name: str) -> None:
    if not import_extra("timm").is_model(name):
        raise InputError("a model of timm", f"timm:{name}", "List the names with `timm.list_models()`.")


def _options(name: str, sizes: Collection[InputSize]) -> dict[str, bool]:
    timm = import_extra("timm")
    cfg = timm.get_pretrained_cfg(name) or timm.models.PretrainedCfg()
    # Transformers have one embedding per patch of a fixed size; for the wide pictures of a panorama it is interpolated.
    return {"dynamic_img_size": True} if cfg.fixed_input_size and set(sizes) != {tuple(cfg.input_size[1:])} else {}


def _published(name: str, **options: bool) -> Any:
    timm = import_extra("timm")
    try:
        return timm.create_model(name, pretrained=True, num_classes=0, **options)
    except TypeError as error:
        raise _fixed_size(name, error) from error
    except Exception as error:  # the hub's client raises its own, httpx's and the system's errors
        raise InputError(
            f"the weights of timm:{name}",
            f"none that can be loaded ({type(error).__name__}: {str(error).splitlines()[0][:200]})",
            "Load them once with a connection, or write them to a folder and use dir:PATH.",
        ) from error


def _fixed_size(name: str, error: TypeError) -> InputError:
    found = f"timm:{name}, which takes its own alone ({error})"
    return InputError("a network that takes pictures of these sizes", found, "Choose another network, or its size.")


def published_facts(cfg: Any) -> InputFacts:
    """Read the input of timm's published weights: a model's `pretrained_cfg`."""
    _, height, width = cfg.get("test_input_size") or cfg["input_size"]
    size = (height, width) if cfg.get("fixed_input_size") else max(height, width)
    return InputFacts.same_for_all(size, cfg["mean"], cfg["std"])


def _given(name: str, weights: Mapping[str, Any], facts: InputFacts) -> Any:
    model = timm_network(name, facts.sizes.values())
    load_weights(model, name, weights)
    return model
