"""A base with weights in 8 or 4 bits: less memory for somewhat other answers. Adapters on it stay in full precision.

8 bits: torchao, a scale for each row, activations as they are. 4 bits: bitsandbytes, NF4 with its scales quantised once
more (arXiv 2305.14314). Two libraries: bitsandbytes' 8 bits took 19.5 ms a token of a Qwen2.5-VL of 3 M parameters on a
CPU core, torchao's 3.3 and float32 2.7; torchao's dynamic 4 bits, in the form that a CPU runs, took as many bytes as 8.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.model_folder import import_vlm

PACKAGES = {8: "torchao", 4: "bitsandbytes"}  # by bits; no extra of ours has them
# Bytes per parameter with scales, where embeddings and the output layer stay at 16 bits: a twelfth of Qwen2.5-VL-3B.
BYTES = {8: 1.1, 4: 0.7}


def check_bits(bits: int) -> None:
    """See that weights can be had in so many bits.

    Raises:
        InputError: Neither 8 nor 4, or a package is missing.
    """
    if bits not in PACKAGES:
        raise InputError("weights in 8 or 4 bits", f"{bits}", "Set vlm_bits to 8 or 4, or leave it out.")
    package = PACKAGES[bits]
    if find_spec(package) is None:
        remedy = f"Install it with `pip install {package}`, or leave vlm_bits out."
        raise InputError(f"the package {package} for weights in {bits} bits", "none that can be imported", remedy)


def quantisation(bits: int, dtype: Any) -> Any:
    """Return what `from_pretrained` takes as its quantization_config.

    Args:
        bits: 8 or 4.
        dtype: What is computed in.
    """
    transformers = import_vlm("transformers")
    if bits == 8:
        return transformers.TorchAoConfig(import_vlm("torchao.quantization").Int8WeightOnlyConfig())
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype, bnb_4bit_use_double_quant=True
    )


def plain(model: Any) -> None:
    """Keep 4-bit weights in the form that they were read in.

    On CPUs with bf16 instructions bitsandbytes packs them anew at the first use, for rows of whole blocks of 64 alone:
    the tower of Qwen2.5-VL, 3,420 wide, would end there in an assertion.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def weight_bytes(model: Any) -> int:
    """Count what a model's weights, scales and adapters take in memory; what is shared counts once."""
    parts = [part for weight in model.parameters() for part in _parts(weight)]
    return sum({part.data_ptr(): part.numel() * part.element_size() for part in parts}.values())


def _parts(weight: Any) -> list[Any]:
    """Return the tensors that a weight is stored as."""
    state = getattr(weight, "quant_state", None)  # of bitsandbytes
    if state is not None:
        nested = getattr(state, "state2", None)  # the scales' own scales
        return [weight, state.absmax, state.code, *([nested.absmax, nested.code, state.offset] if nested else [])]
    if hasattr(weight, "__tensor_flatten__"):  # of torchao
        names, _ = weight.__tensor_flatten__()
        return [getattr(weight, name) for name in names]
    return [weight]
