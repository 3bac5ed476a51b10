"""The memory that a LoRA training needs, counted from a model's configuration alone: no weights are read.

What the language model keeps for its backward pass is counted on tensors without content (device "meta") through the
library's own layers with our adapters on them; the vision tower and the logits are counted by their sizes.
What is counted is tested against real tensors on a CPU; no total was compared with a GPU yet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.model_folder import config_folder, import_vlm, open_adapter_folder
from geosleuth.tools.vlm.quiet import quiet
from geosleuth.training.lora.config import AdapterConfig, LoraSettings, read_config
from geosleuth.training.lora.run_folder import ADAPTER_WEIGHTS
from geosleuth.training.lora.trained_model import NEW, target_modules

Task = Literal["georeasoner", "gleam-x"]
Gigabytes = Literal[8, 24, 80]

_ADAMW_BYTES = 16  # per trained weight in float32: itself, its gradient, two moments
_NF4_BYTES = 0.516  # per weight: 4 bits, and 0.127 bits of scales that are quantised themselves (arXiv 2305.14314, §3)
_LEARNED = 256  # tokens that a lesson teaches, as many as the tools let a model write: they alone become logits
_LOGIT_BYTES = 14  # per logit: bf16, float32 from autocast, its softmax and the gradient
_PATCHES_PER_TOKEN = 4  # of Qwen2.5-VL's tower, which merges 2 x 2
_TOKEN_PX = 28 * 28
_LIBRARIES = 1.5 * 2**30  # CUDA's context, cuBLAS's workspace, what the allocator cannot use: a judgement, not a count


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes in one process."""

    parameters: int
    trained: int
    precision: str
    base_bytes: int
    adapter_bytes: int
    text_bytes: int  # what the language model keeps of a batch
    vision_bytes: int
    logits_bytes: int
    fixed_bytes: int

    @property
    def total_bytes(self) -> int:
        """All of it."""
        activations = self.text_bytes + self.vision_bytes + self.logits_bytes
        return self.base_bytes + self.adapter_bytes + activations + self.fixed_bytes


def estimate(config: AdapterConfig, model_config: Any = None, *, pictures: int = 2, on_gpu: bool = True) -> Estimate:
    """Count what the stage that needs most needs with full batches of the longest lessons: an upper bound, mostly.

    Args:
        config: Of the run.
        model_config: transformers' configuration of the base; None: that of `config.base`.
        pictures: In a lesson, each of `max_pixels`; a verifier's has two.
        on_gpu: What precision "auto" comes to, and whether CUDA takes its share.

    Raises:
        InputError: The base's configuration, or an adapter in `adapters_before`, cannot be had.
    """
    torch, transformers = import_vlm("torch"), import_vlm("transformers")
    if model_config is None:
        place = config_folder(parse_backend(config.base))
        model_config = transformers.AutoConfig.from_pretrained(place, trust_remote_code=False)
    chosen = config.machine.precision
    precision = ("bf16" if on_gpu else "float32") if chosen == "auto" else chosen
    width = 2 if precision == "bf16" else 4
    with torch.device("meta"), quiet():
        model = transformers.AutoModelForImageTextToText.from_config(model_config)
    model.tie_weights()
    logits = min(_LEARNED, config.max_length) * model_config.get_text_config().vocab_size * _LOGIT_BYTES
    below = sum(map(_weights_of, config.adapters_before))
    found: list[Estimate] = []
    for stage in config.stages:
        lora = stage.lora
        sizes = sum(out + into for out, into in _targets(model, lora)) * lora.r
        found.append(
            Estimate(
                sum(weight.numel() for weight in model.parameters()),
                sizes,
                precision + (", base in 4 bits" if config.machine.quantise == "4bit" else ""),
                _base_bytes(config, model, width),
                sizes * _ADAMW_BYTES + below * width,
                _text_bytes(config, model_config, lora, precision),
                _vision_bytes(config, model_config.vision_config, lora, pictures, width),
                config.machine.batch_size * logits,
                int(_LIBRARIES) if on_gpu else 0,
            )
        )
        below += sizes
    return max(found, key=lambda one: one.total_bytes)


def _base_bytes(config: AdapterConfig, model: Any, width: int) -> int:
    parameters: int = sum(weight.numel() for weight in model.parameters())
    if config.machine.quantise == "none":
        return parameters * width
    in_blocks = sum(out * into for out, into in _targets(model, LoraSettings(vision=True)))
    return int(in_blocks * _NF4_BYTES) + (parameters - in_blocks) * width


def _weights_of(spec: str) -> int:
    """Count an adapter's weights from its file's header."""
    with import_vlm("safetensors").safe_open(
        open_adapter_folder(parse_backend(spec)).path / ADAPTER_WEIGHTS, "np"
    ) as file:
        return sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118  no mapping


def settings_for(gigabytes: Gigabytes, task: Task = "georeasoner") -> AdapterConfig:
    """Return the settings that ship for a GPU with so much memory; `estimate` finds that they fit."""
    name = f"{task}.toml" if gigabytes == 80 else f"{task}-{gigabytes}gb.toml"
    return read_config(Path(str(files(__package__) / "configs" / name)))


def _targets(model: Any, lora: LoraSettings) -> list[tuple[int, int]]:
    """Shapes of the weights that get an adapter."""
    import re

    pattern = re.compile(target_modules(model, vision=lora.vision))
    return [
        (module.out_features, module.in_features) for name, module in model.named_modules() if pattern.fullmatch(name)
    ]


def _text_bytes(config: AdapterConfig, model_config: Any, lora: LoraSettings, precision: str) -> int:
    """Count what layers keep: the difference of two layers and one, times their number."""
    torch = import_vlm("torch")
    text = model_config.get_text_config()
    one, two = (_kept(config, model_config, lora, precision, layers) for layers in (1, 2))
    layer, around = two - one, max(0, 2 * one - two)
    rows, length = config.machine.batch_size, config.max_length
    mask = rows * length * length  # one byte each: rows are filled up on the right
    if not config.machine.gradient_checkpointing:
        return int(around + layer * text.num_hidden_layers + mask)
    width = (torch.bfloat16 if precision == "bf16" else torch.float32).itemsize
    # Each layer's input; and of one layer at a time all that it keeps, and as much again for their gradients.
    inputs = rows * length * text.hidden_size * width
    return int(around + inputs * text.num_hidden_layers + 2 * layer + mask)


def _kept(config: AdapterConfig, model_config: Any, lora: LoraSettings, precision: str, layers: int) -> int:
    """Bytes that a language model of so many layers with adapters keeps of a batch for its backward pass."""
    import copy

    torch, transformers, peft = import_vlm("torch"), import_vlm("transformers"), import_vlm("peft")
    small = copy.deepcopy(model_config)
    text = small.get_text_config()
    text.num_hidden_layers = layers
    if getattr(text, "layer_types", None):
        text.layer_types = text.layer_types[:layers]
    transformers.AttentionInterface.register(_COUNTED, _fused_attention)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    with torch.device("meta"), quiet():
        model = transformers.AutoModelForImageTextToText.from_config(small, dtype=dtype)
        model.requires_grad_(requires_grad=False)
        adapter = peft.LoraConfig(
            r=lora.r,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules=target_modules(model, vision=False),
        )
        model.add_adapter(adapter, NEW)
        decoder = model.get_decoder().train().to(dtype)
        decoder.config._attn_implementation = _COUNTED
        rows, length = config.machine.batch_size, config.max_length
        embedded = torch.empty((rows, length, text.hidden_size), dtype=dtype)
        with _Kept(decoder) as kept:
            decoder(inputs_embeds=embedded, use_cache=False)
    return kept.bytes


_COUNTED = "geosleuth_counted"


def _fused_attention(
    _module: Any, query: Any, key: Any, value: Any, _mask: Any, scaling: float | None = None, **_: Any
) -> tuple[Any, None]:
    """Attention as fused kernels run it, which keep no matrix of all pairs of tokens."""
    torch = import_vlm("torch")
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    return fused(query, key, value, 0.0, True, scale=scaling)[0].transpose(1, 2).contiguous(), None


class _Kept:
    """Counts what autograd keeps; a tensor that several steps keep is one."""

    def __init__(self, module: Any) -> None:
        self.bytes = 0
        self._weights = {id(weight) for weight in module.parameters()}
        self._storages: dict[int, Any] = {}
        hooks = import_vlm("torch").autograd.graph.saved_tensors_hooks
        self._hooks = hooks(self._keep, lambda tensor: tensor)

    def __enter__(self) -> _Kept:
        self._hooks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._hooks.__exit__(*error)
        self.bytes = sum(storage.nbytes() for storage in self._storages.values())
        self._storages.clear()

    def _keep(self, tensor: Any) -> Any:
        owner = tensor if tensor._base is None else tensor._base
        if id(owner) not in self._weights:  # a transposed weight is a view of it
            storage = tensor.untyped_storage()
            self._storages[storage._cdata] = storage  # held, or its number would be given to the next one
        return tensor


def _vision_bytes(config: AdapterConfig, vision: Any, lora: LoraSettings, pictures: int, width: int) -> int:
    """Bytes of the tower's patches: passing through where it is frozen, kept where it is trained.

    Per patch and layer: the feed-forward part has three times its inner width and the attention, whose rotary part is
    float32, some twelve times the width.
    """
    hidden: int = vision.hidden_size
    inner: int = getattr(vision, "intermediate_size", 4 * hidden)
    depth: int = getattr(vision, "depth", None) or vision.num_hidden_layers
    patches = config.machine.batch_size * pictures * _PATCHES_PER_TOKEN * config.max_pixels // _TOKEN_PX
    block = patches * (12 * hidden + 3 * inner) * width
    if not lora.vision:
        return block
    if config.machine.gradient_checkpointing:
        return patches * hidden * width * depth + 2 * block
    return block * depth


def check_fits(config: AdapterConfig, gigabytes: float, model_config: Any = None) -> Estimate:
    """Estimate, and refuse settings that need more.

    Raises:
        InputError: They need more.
    """
    found = estimate(config, model_config)
    if found.total_bytes > gigabytes * 1e9:
        wanted = f"settings of {config.name} for {gigabytes:g} GB of GPU memory"
        remedy = "Lower machine.batch_size and raise machine.accumulation, lower max_pixels, or quantise the base."
        raise InputError(wanted, f"some that need {found.total_bytes / 1e9:.1f} GB", remedy)
    return found
