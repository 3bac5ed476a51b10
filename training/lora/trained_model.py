"""The model in training: a frozen base, the adapters before it, frozen and at work, and a new adapter on top.

Adapters add up, as `tools/vlm/adapters.py` runs `BASE+A+B`; none is ever merged into the base.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.adapters import Adapters
from geosleuth.tools.vlm.loaded import out_of_memory
from geosleuth.tools.vlm.model_folder import ModelFolder, import_vlm, open_adapter_folder, open_model_folder
from geosleuth.tools.vlm.quiet import quiet, without_progress
from geosleuth.training.lora.config import AdapterConfig, LoraSettings

logger = logging.getLogger(__name__)

NEW = "new"  # the trained adapter's name in the model; in its file it has none


@dataclass(frozen=True, eq=False)
class Base:
    """A base as it is trained on."""

    folder: ModelFolder
    processor: Any
    model: Any
    precision: str  # bf16 or float32: what is computed in; a trained adapter's weights are always float32

    @property
    def end_tokens(self) -> list[int]:
        """Tokens that end a reply, as the model's own configuration and its tokenizer have them."""
        found = getattr(getattr(self.model, "generation_config", None), "eos_token_id", None)
        ends = [] if found is None else [found] if isinstance(found, int) else list(found)
        own = self.processor.tokenizer.eos_token_id
        return sorted({*ends, *([] if own is None else [own])})

    @property
    def pad_token(self) -> int:
        """What fills up rows; it is never looked at."""
        pad = self.processor.tokenizer.pad_token_id
        return int(min(self.end_tokens) if pad is None else pad)


def load_trained_base(config: AdapterConfig, device: Any) -> Base:
    """Load the base with its processor, all of it frozen.

    Raises:
        InputError: It cannot be had or read, does not fit the machine, or 4 bits are asked for without a CUDA GPU.
    """
    torch, transformers = import_vlm("torch"), import_vlm("transformers")
    import_vlm("peft")
    import_vlm("accelerate")
    folder = open_model_folder(parse_backend(config.base))
    is_gpu = device.type == "cuda"
    precision = ("bf16" if is_gpu else "float32") if config.machine.precision == "auto" else config.machine.precision
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    options: dict[str, Any] = {}
    if config.machine.quantise == "4bit":
        _check_4bit(is_gpu=is_gpu)
        options["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype, bnb_4bit_use_double_quant=True
        )
    try:
        # Code that a repository brings is never run, and weights are never unpickled.
        with without_progress():
            processor = transformers.AutoProcessor.from_pretrained(folder.path, trust_remote_code=False)
            model = transformers.AutoModelForImageTextToText.from_pretrained(
                folder.path,
                dtype=dtype,
                device_map={"": device},
                attn_implementation="sdpa",
                use_safetensors=True,
                trust_remote_code=False,
                **options,
            )
    except Exception as error:  # the library raises whatever a damaged folder makes it
        if "out of memory" in str(error).lower():
            raise out_of_memory(folder.spec, str(device), error) from error
        found = f"none that can be loaded ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
        remedy = "Fetch or copy it again, or name another model."
        raise InputError(f"a vision-language model in {folder.spec}", found, remedy) from error
    if not getattr(processor, "chat_template", None) or getattr(processor, "tokenizer", None) is None:
        remedy = "Name a model that was trained to talk (often called Instruct or Chat)."
        raise InputError(f"a tokenizer and a chat template in {folder.spec}", "a folder without one of them", remedy)
    model.requires_grad_(requires_grad=False)
    return Base(folder, processor, model, precision)


def _check_4bit(*, is_gpu: bool) -> None:
    from importlib.util import find_spec

    remedy = 'Set machine.quantise = "none"'
    if not is_gpu:
        raise InputError("a CUDA GPU for a base in 4 bits", "none", f"{remedy}, or train on a machine that has one.")
    if find_spec("bitsandbytes") is None:
        found = "none that can be imported"
        raise InputError("the package bitsandbytes for a base in 4 bits", found, f"Install it, or: {remedy}.")


def stack(base: Base, before: Sequence[str], settings: LoraSettings) -> None:
    """Put the adapters before and a new one on the base; the new one alone is trained, in float32.

    In bf16 a step of 1e-5 would be lost beside weights of 0.02, whose neighbours are 1e-4 apart.

    Raises:
        InputError: An adapter cannot be read, or was made for another base.
    """
    torch, peft = import_vlm("torch"), import_vlm("peft")
    targets = target_modules(base.model, vision=settings.vision)  # before adapters put layers of their own in
    _without_dropout(base.model)
    adapters = Adapters(base.model, base.folder.spec)
    names = [adapters.load(open_adapter_folder(parse_backend(spec))) for spec in before]
    config = peft.LoraConfig(
        r=settings.r,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=targets,
        task_type="CAUSAL_LM",
    )
    with quiet():
        base.model.add_adapter(config, NEW)
    base.model.enable_adapters()
    base.model.set_adapter([*names, NEW])
    for module in base.model.modules():
        for name in names:  # dropout is for what is trained
            if name in getattr(module, "lora_dropout", {}):
                module.lora_dropout[name] = torch.nn.Identity()
        if base.precision == "bf16" and hasattr(module, "cast_input_dtype_enabled"):
            module.cast_input_dtype_enabled = False  # autocast does; each layer would keep float32 copies of its input
    for name, weight in base.model.named_parameters():
        trained = f".{NEW}." in name
        weight.requires_grad_(requires_grad=trained)
        if trained:
            weight.data = weight.data.float()
    # Where activations are computed anew, transformers has the embeddings give gradients, the vision tower's as well:
    # the backward pass would run through all of it for nothing. Only reentrant checkpointing needs them; ours is not.
    base.model.enable_input_require_grads = lambda: None
    logger.info("%s: %.1f M weights of an adapter to train", base.folder.spec, n_trained(base.model) / 1e6)


def _without_dropout(model: Any) -> None:
    """Put out the base's own, of layers and of attention: it stays as it is, and is asked without."""
    torch = import_vlm("torch")
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        for name, value in vars(module).items():
            if "dropout" in name and isinstance(value, float):
                setattr(module, name, 0.0)


def target_modules(model: Any, *, vision: bool) -> str:
    """Return a pattern for the attention and feed-forward projections of the language model, and of the vision tower.

    They are all linear layers in there; the output layer and what joins the two are none of them.
    """
    torch = import_vlm("torch")
    parts = [model.get_decoder(), *([model.get_encoder(modality="image")] if vision else [])]
    patterns = []
    for part in parts:
        [prefix] = [name for name, module in model.named_modules() if module is part]
        leaves = {
            name.rpartition(".")[2]
            for name, module in part.named_modules()
            # In a numbered block, and in none of those that join the tower to the language model.
            if isinstance(module, torch.nn.Linear) and re.search(r"\.\d+\.", name) and "merger" not in name
        }
        patterns.append(rf"{re.escape(prefix)}\.(?!.*merger).*\.\d+\..*\.({'|'.join(sorted(leaves))})")
    return "|".join(patterns)


def n_trained(model: Any) -> int:
    """Weights that are trained."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def trained_weights(model: Any) -> dict[str, Any]:
    """Return the weights in training by their names in the model."""
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
