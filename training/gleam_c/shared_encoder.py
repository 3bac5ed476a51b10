"""One network for all views: groups of pictures in, unit vectors out. Trained here; the index runs what is exported."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from geosleuth.indexes.backend import Backend, parse_backend
from geosleuth.indexes.encoders.encoder_folder import (
    BACKBONE_FILE,
    FACTS_FILE,
    RESULT_FOLDER,
    TRANSFORMERS,
    Colour,
    EncoderFacts,
    encoder_folder_at,
    load_arrays,
    read_facts,
)
from geosleuth.indexes.encoders.torch_features import InputFacts, import_torch
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.hub import cached_first

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from geosleuth.training.gleam_c.config import InputConfig, ModelConfig

logger = logging.getLogger(__name__)

# Of ImageNet's training pictures, RGB in 0 to 1: the convention where no published weights ask for others.
_MEAN: Colour = (0.485, 0.456, 0.406)
_STD: Colour = (0.229, 0.224, 0.225)


class SharedEncoder(Protocol):
    """What `shared_encoder` makes; it is a torch.nn.Module besides."""

    facts: InputFacts  # size of each view; mean and deviation of the backbone
    dimension: int  # d
    backbone: str  # as encoder.json names it: timm:ARCHITECTURE or "transformers"
    backbone_config: dict[str, Any] | None  # of transformers

    def __call__(self, groups: Sequence[Tensor]) -> Tensor:
        """Embed groups of pictures, uint8 RGB (n_i, 3, h_i, w_i).

        Normalisation is inside, so that a quarter of the bytes travels to the device.

        Returns:
            (sum of n_i, d) float32 rows of length 1, in the order of the groups.
        """

    def weights(self) -> dict[str, NDArray[Any]]:
        """Copy the backbone's state dict to the CPU, floats as float32."""


@dataclass(frozen=True, eq=False)
class _Backbone:
    """A network with its own pooling, (n, 3, h, w) to (n, 1, d); `network.model` is timm's or transformers'."""

    name: str
    network: Any
    mean: Colour
    std: Colour
    load: Callable[[dict[str, NDArray[np.float32]]], None]
    config: dict[str, Any] | None = None


def shared_encoder(config: ModelConfig, input: InputConfig) -> SharedEncoder:  # noqa: A002  # the setting's name
    """Make the network that a run trains; in training mode, on the CPU.

    Weights at random are drawn from torch's generator: seed it before.

    Raises:
        InputError: A package, the backbone or its weights are missing, a run's weights are of another backbone, or the
            backbone does not take pictures of these sizes or has no gradient checkpointing.
    """
    import_torch()
    backend = parse_backend(config.backbone, role="retrieval")
    if config.weights not in ("published", "none") and not config.weights.startswith("dir:"):
        remedy = 'Write "published", "none", or "dir:RUN" to go on from a run.'
        raise InputError("the weights that training starts from", repr(config.weights), remedy)
    is_published = config.weights == "published"
    if backend.base == "timm":
        found = cached_first(lambda: _of_timm(backend, input, is_published))
    elif backend.base in ("hf", "dir"):
        found = cached_first(lambda: _of_transformers(backend, is_published))
    else:
        raise InputError("a backbone to train", repr(config.backbone), "Write timm:NAME, hf:ORG/NAME or dir:FOLDER.")
    mean, std = found.mean, found.std
    if config.weights.startswith("dir:"):
        mean, std = _load_run(found, parse_backend(config.weights), config.backbone)
    if config.gradient_checkpointing:
        _checkpoint_gradients(found.network.model, config.backbone)
    for name, weight in found.network.named_parameters():
        if name.endswith("mask_token"):  # pretraining by masking alone uses it: it would get no gradient, and DDP wait
            weight.requires_grad_(False)
    _warn_of_batch_norm(found.network, config.backbone)
    facts = InputFacts(input.sizes(), mean, std)
    return _module(found, facts, _dimension(found.network, facts, config.backbone))


def _module(backbone: _Backbone, facts: InputFacts, dimension: int) -> SharedEncoder:
    torch = import_torch()

    class Module(torch.nn.Module):  # type: ignore[misc, name-defined]  # torch is imported only here
        def __init__(self) -> None:
            super().__init__()
            self.facts, self.dimension = facts, dimension
            self.backbone, self.backbone_config = backbone.name, backbone.config
            self.network = backbone.network
            for name, values in (("mean", facts.mean), ("std", facts.std)):
                self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

        def forward(self, groups: Sequence[Tensor]) -> Tensor:
            vectors = [self.network((group.float() / 255 - self.mean) / self.std)[:, 0] for group in groups]
            return torch.nn.functional.normalize(torch.cat(vectors).float(), dim=1)

        def weights(self) -> dict[str, NDArray[Any]]:
            state = self.network.model.state_dict()
            return {
                name: (tensor.float() if tensor.is_floating_point() else tensor).detach().cpu().numpy().copy()
                for name, tensor in state.items()
            }

    module: SharedEncoder = Module().train()
    return module


def _of_timm(backend: Backend, given: InputConfig, is_published: bool) -> _Backbone:
    from geosleuth.indexes.encoders.timm_model import load_weights, published_facts, timm_network, with_output

    model = timm_network(backend.name, given.sizes().values(), published=is_published)
    architecture = backend.name.partition(".")[0]  # the tag tells weights apart, and these are to be ours
    facts = published_facts(model.pretrained_cfg)
    return _Backbone(
        f"timm:{architecture}",
        with_output(model, own=True),
        facts.mean if is_published else _MEAN,
        facts.std if is_published else _STD,
        lambda weights: load_weights(model, architecture, weights),
    )


def _of_transformers(backend: Backend, is_published: bool) -> _Backbone:
    from geosleuth.indexes.encoders import transformers_model as towers

    name = str(Path(backend.name).expanduser()) if backend.base == "dir" else backend.name
    make = towers.published_tower if is_published else towers.random_tower
    tower = make(name, backend.detail)
    facts = towers.published_facts(name, backend.detail) if is_published else None
    return _Backbone(
        TRANSFORMERS,
        towers.with_output(tower, own=True),
        facts.mean if facts else _MEAN,
        facts.std if facts else _STD,
        lambda weights: towers.load_weights(tower, weights),
        towers.tower_config(tower),
    )


def _load_run(backbone: _Backbone, run: Backend, wanted: str) -> tuple[Colour, Colour]:
    """Put a run's weights into the backbone; return the mean and deviation that they were trained with."""
    path = Path(run.name).expanduser()
    folder = encoder_folder_at(path)
    if folder is None:
        found = f"{path}: no {FACTS_FILE} and no {RESULT_FOLDER}/{FACTS_FILE}" if path.is_dir() else f"no {path}"
        remedy = "Name the folder of a run that has exported its encoder, or the encoder's own."
        raise InputError("the encoder of a run of training", found, remedy)
    facts = read_facts(folder)
    if not _agrees(facts, backbone) or facts.mean is None or facts.std is None:
        found = f"{facts.backbone} with {facts.aggregation} pooling in {folder}"
        remedy = "Set model.backbone to the one that the run trained."
        raise InputError(f"weights of {wanted}, one vector a picture", found, remedy)
    backbone.load(load_arrays(folder / BACKBONE_FILE))
    return facts.mean, facts.std


def _agrees(facts: EncoderFacts, backbone: _Backbone) -> bool:
    if facts.backbone != backbone.name or facts.aggregation != "own" or BACKBONE_FILE not in facts.weights:
        return False
    known, ours = facts.backbone_config or {}, backbone.config or {}
    # Other versions of transformers write settings that this one does not know, or leave some out.
    return all(known[key] == ours[key] for key in known.keys() & ours.keys())


def _checkpoint_gradients(model: Any, name: str) -> None:
    """Keep few activations in the forward pass, and compute the others anew in the backward pass."""
    try:
        if hasattr(model, "set_grad_checkpointing"):  # timm
            model.set_grad_checkpointing(True)
        else:
            model.activation_checkpointing_enable()
    except (AssertionError, AttributeError, ValueError) as error:
        remedy = "Set model.gradient_checkpointing = false, or choose another backbone."
        raise InputError("a backbone with gradient checkpointing", f"{name}, which has none", remedy) from error


def _warn_of_batch_norm(network: Any, name: str) -> None:
    torch = import_torch()
    if any(isinstance(layer, torch.nn.modules.batchnorm._BatchNorm) for layer in network.modules()):
        logger.warning(
            "%s has batch norm: its statistics are of one process's pictures, queries and references apart, each size "
            "apart. Several processes will not compute what one does; ConvNeXt and vision transformers have none.",
            name,
        )


def _dimension(network: Any, facts: InputFacts, name: str) -> int:
    """Run a black picture of each size through the network; a size that it does not take is to be said now."""
    torch = import_torch()
    network.eval()
    width = 0
    for size in sorted(set(facts.sizes.values()), key=str):
        height_width = (size, size) if isinstance(size, int) else size
        try:
            with torch.no_grad():
                shape = tuple(network(torch.zeros(1, 3, *height_width)).shape)
        except (AssertionError, RuntimeError, TypeError, ValueError) as error:
            found = f"{height_width[0]} x {height_width[1]} ({' '.join(str(error).split())[:200]})"
            raise InputError(f"sizes of pictures that {name} takes", found, "Correct [input].") from error
        if len(shape) != 3:
            remedy = "Choose one with a pooling of its own."
            raise InputError("a backbone with one vector per picture", f"{name}, which gives {shape}", remedy)
        width = shape[2]
    return width
