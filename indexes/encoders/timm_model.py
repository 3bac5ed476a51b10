"""Image encoders of timm."""

from __future__ import annotations

from collections.abc import Mapping
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
    timm = import_extra("timm")
    if not timm.is_model(name):
        raise InputError("a model of timm", f"timm:{name}", "List the names with `timm.list_models()`.")
    if weights is None:
        model = _published(name)
        facts = facts or _published_facts(model.pretrained_cfg)
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
        return TorchFeatures(_with_output(model, own=True), facts, channels=width, is_pooled=True)
    if not has_map and len(shape) != 3:
        raise InputError("a model with a feature map", f"timm:{name}, whose shape is {shape}", "Choose another model.")
    width = shape[1] if has_map else shape[2]
    return TorchFeatures(_with_output(model, own=False), facts, channels=width, is_pooled=False)


def _with_output(model: Any, *, own: bool) -> Any:
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


def _published(name: str) -> Any:
    timm = import_extra("timm")
    try:
        return timm.create_model(name, pretrained=True, num_classes=0)
    except Exception as error:  # the hub's client raises its own, httpx's and the system's errors
        raise InputError(
            f"the weights of timm:{name}",
            f"none that can be loaded ({type(error).__name__}: {str(error).splitlines()[0][:200]})",
            "Load them once with a connection, or write them to a folder and use dir:PATH.",
        ) from error


def _published_facts(cfg: Any) -> InputFacts:
    _, height, width = cfg.get("test_input_size") or cfg["input_size"]
    size = (height, width) if cfg.get("fixed_input_size") else max(height, width)
    return InputFacts.same_for_all(size, cfg["mean"], cfg["std"])


def _given(name: str, weights: Mapping[str, Any], facts: InputFacts) -> Any:
    timm, torch = import_extra("timm"), import_torch()
    cfg = timm.get_pretrained_cfg(name) or timm.models.PretrainedCfg()
    # Transformers have one embedding per patch of a fixed size; for the wide pictures of a panorama it is interpolated.
    wanted = {size for size in facts.sizes.values() if size != tuple(cfg.input_size[1:])}
    options = {"dynamic_img_size": True} if cfg.fixed_input_size and wanted else {}
    try:
        model = timm.create_model(name, pretrained=False, num_classes=0, **options)
        model.load_state_dict({key: torch.from_numpy(value) for key, value in weights.items()})
    except (RuntimeError, TypeError) as error:
        raise InputError(
            f"weights of timm's {name} without its classifier",
            f"others ({' '.join(str(error).split())[:300]})",
            "Name the architecture that they were made for in encoder.json.",
        ) from error
    return model
