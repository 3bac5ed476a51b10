"""Qwen2.5-VL of random weights, as folders that `from_pretrained` reads: for measuring speed, which no weight changes.

`3b` and `7b` have the published architectures, layer by layer. `small` is one for a CPU: 138 M parameters, 117 M of
them the embedding of the 3B's whole vocabulary, which is the output too, so that writing a token costs much beside
reading one, as on a GPU. The tokenizer is trained on the texts that will be asked: 1.3 tokens a word, as the real one
has; one trained on other text would spell the words out, and the instructions would look longer than they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from geosleuth.training.small_vlm.architecture import processor_of, tokenizer_of

Size = Literal["small", "3b", "7b"]

_ROPE = {"rope_type": "default", "rope_theta": 1_000_000.0}
_TOWER = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16}
TEXT: dict[Size, dict[str, Any]] = {
    "small": {
        "vocab_size": 151_936,
        "hidden_size": 768,
        "intermediate_size": 2048,
        "num_hidden_layers": 3,
        "num_attention_heads": 6,
        "num_key_value_heads": 1,
        "tie_word_embeddings": True,
        "rope_parameters": {**_ROPE, "mrope_section": [16, 24, 24]},
    },
    "3b": {
        "vocab_size": 151_936,
        "hidden_size": 2048,
        "intermediate_size": 11_008,
        "num_hidden_layers": 36,
        "num_attention_heads": 16,
        "num_key_value_heads": 2,
        "tie_word_embeddings": True,
        "rope_parameters": {**_ROPE, "mrope_section": [16, 24, 24]},
    },
    "7b": {
        "vocab_size": 152_064,
        "hidden_size": 3584,
        "intermediate_size": 18_944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "tie_word_embeddings": False,
        "rope_parameters": {**_ROPE, "mrope_section": [16, 24, 24]},
    },
}
VISION: dict[Size, dict[str, Any]] = {
    "small": {
        "depth": 4,
        "hidden_size": 192,
        "intermediate_size": 512,
        "num_heads": 3,
        "out_hidden_size": 768,
        "fullatt_block_indexes": [3],
    },
    "3b": {**_TOWER, "out_hidden_size": 2048, "fullatt_block_indexes": [7, 15, 23, 31]},
    "7b": {**_TOWER, "out_hidden_size": 3584, "fullatt_block_indexes": [7, 15, 23, 31]},
}


def write_qwen(folder: Path, size: Size, texts: Sequence[str], *, device: str, seed: int = 0) -> Path:
    """Write a model and its processor; the weights are drawn on the device, in bfloat16 unless that is the CPU.

    A greedy reply never ends before its limit of tokens: the output's rows of the tokens that would end it are zero,
    and among 150,000 random logits the largest is above zero.

    Args:
        folder: Where to; 3b takes 7.5 GB, 7b 16.6 GB.
        size: See above.
        texts: What will be asked and answered.
        device: cpu or cuda.
        seed: Of the weights.
    """
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    processor = processor_of(tokenizer_of(texts, vocabulary=8000))
    tokenizer = processor.tokenizer
    end, pad = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"])
    config = Qwen2_5_VLConfig(
        text_config={**TEXT[size], "bos_token_id": pad, "eos_token_id": end, "pad_token_id": pad},
        vision_config=VISION[size],
        tie_word_embeddings=TEXT[size]["tie_word_embeddings"],
        image_token_id=tokenizer.convert_tokens_to_ids("<|image_pad|>"),
        video_token_id=tokenizer.convert_tokens_to_ids("<|video_pad|>"),
        vision_start_token_id=tokenizer.convert_tokens_to_ids("<|vision_start|>"),
        vision_end_token_id=tokenizer.convert_tokens_to_ids("<|vision_end|>"),
    )
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32 if device == "cpu" else torch.bfloat16)
    try:
        torch.manual_seed(seed)
        with torch.device(device):
            model = Qwen2_5_VLForConditionalGeneration(config)
    finally:
        torch.set_default_dtype(before)
    with torch.no_grad():
        model.lm_head.weight[[end, pad]] = 0.0
    model.generation_config.eos_token_id = [end, pad]
    model.generation_config.pad_token_id = pad
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
