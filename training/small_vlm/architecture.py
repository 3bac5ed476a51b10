"""Qwen2.5-VL in small: the published architecture at any size, its processor, and a tokenizer trained on the spot.

It knows nothing. Sizes are for a CPU: what is learned on it shows that a method works, never how well at size.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geosleuth.tools.vlm.model_folder import import_vlm

SPECIAL = tuple(  # in the order of Qwen2.5's vocabulary
    f"<|{name}|>"
    for name in (
        *("endoftext", "im_start", "im_end", "object_ref_start", "object_ref_end", "box_start", "box_end"),
        *("quad_start", "quad_end", "vision_start", "vision_end", "vision_pad", "image_pad", "video_pad"),
    )
)
# Turns and images as in the published template.
TEMPLATE = """{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- if message.content is string -%}{{- message.content -}}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'image' -%}<|vision_start|><|image_pad|><|vision_end|>
{%- else -%}{{- part.text -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""
_SECTIONS = 16  # the published 16, 24, 24 of a head's 64 frequencies are 2, 3 and 3 of so many parts, twice


@dataclass(frozen=True)
class Size:
    """How large the model is; the defaults learn some hundred pictures a minute on two cores."""

    hidden: int = 192  # width of the text model, a multiple of 16 times `heads`
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    intermediate: int = 512
    vision_hidden: int = 128
    vision_layers: int = 4
    vision_heads: int = 4
    vision_intermediate: int = 256


def write_base(folder: Path, texts: Iterable[str], whole: Sequence[str] = (), *, size: Size, seed: int = 0) -> Path:
    """Write an untrained model with its processor, as `from_pretrained` reads them.

    Args:
        folder: Where to.
        texts: What the tokenizer is trained on.
        whole: Instructions that are one token each. They stand in every lesson and never change: read word by word
            they would be nine tenths of what a small model computes.
        size: Of the model.
        seed: Of the weights.
    """
    torch, transformers = import_vlm("torch"), import_vlm("transformers")
    processor = processor_of(tokenizer_of(texts, whole))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = transformers.Qwen2_5_VLForConditionalGeneration(config_of(processor.tokenizer, size))
    marks = _marks(processor.tokenizer)
    model.generation_config.eos_token_id = marks["eos_token_id"]
    model.generation_config.pad_token_id = marks["pad_token_id"]
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def config_of(tokenizer: Any, size: Size) -> Any:
    """Return the model's configuration."""
    transformers = import_vlm("transformers")
    part = size.hidden // size.heads // _SECTIONS
    if part * _SECTIONS * size.heads != size.hidden:
        raise ValueError(f"a width of {size.hidden} is no multiple of {_SECTIONS} times {size.heads} heads")
    return transformers.Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": size.hidden,
            "intermediate_size": size.intermediate,
            "num_hidden_layers": size.layers,
            "num_attention_heads": size.heads,
            "num_key_value_heads": size.kv_heads,
            "max_position_embeddings": 4096,
            "tie_word_embeddings": True,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,  # a thousand tokens at most are read; the published 1e6 is for 32,768
                "mrope_section": [2 * part, 3 * part, 3 * part],
            },
            **_marks(tokenizer),
        },
        vision_config={
            "depth": size.vision_layers,
            "hidden_size": size.vision_hidden,
            "intermediate_size": size.vision_intermediate,
            "num_heads": size.vision_heads,
            "out_hidden_size": size.hidden,
            # Every layer sees the whole picture: windows of 112 px would be as large as the pictures are.
            "fullatt_block_indexes": list(range(size.vision_layers)),
        },
        tie_word_embeddings=True,
        **_vision_marks(tokenizer),
    )


def tokenizer_of(texts: Iterable[str], whole: Sequence[str] = (), *, vocabulary: int = 3000) -> Any:
    """Train a byte-level BPE tokenizer with Qwen2.5's special tokens.

    Args:
        texts: What it is trained on; words that are frequent in them become one token.
        whole: Texts that are one token each, wherever they stand.
        vocabulary: Tokens at most, without the special ones and `whole`.
    """
    tokenizers, transformers = import_vlm("tokenizers"), import_vlm("transformers")
    trained = tokenizers.Tokenizer(tokenizers.models.BPE())
    trained.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=alphabet, show_progress=False)
    trained.train_from_iterator(texts, trainer)
    state = json.loads(trained.to_str())["model"]
    names = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    tokenizer = transformers.Qwen2Tokenizer(
        vocab=state["vocab"],
        merges=[tuple(pair) for pair in state["merges"]],
        extra_special_tokens=list(SPECIAL),
        **names,
    )
    tokenizer.add_tokens([tokenizers.AddedToken(text, special=False, normalized=False) for text in whole])
    return tokenizer


def processor_of(tokenizer: Any) -> Any:
    """Return the processor of a tokenizer: pictures keep their size, rounded to tokens of 28 px."""
    transformers = import_vlm("transformers")
    videos = import_vlm("transformers.models.qwen2_vl.video_processing_qwen2_vl")
    return transformers.Qwen2_5_VLProcessor(
        transformers.Qwen2VLImageProcessor(),
        tokenizer,
        videos.Qwen2VLVideoProcessor(),
        chat_template=TEMPLATE,
    )


def _marks(tokenizer: Any) -> dict[str, int]:
    pad, end = tokenizer.convert_tokens_to_ids(["<|endoftext|>", "<|im_end|>"])
    return {"bos_token_id": pad, "eos_token_id": end, "pad_token_id": pad}


def _vision_marks(tokenizer: Any) -> dict[str, int]:
    words = {"image": "image_pad", "video": "video_pad", "vision_start": "vision_start", "vision_end": "vision_end"}
    return {f"{name}_token_id": tokenizer.convert_tokens_to_ids(f"<|{word}|>") for name, word in words.items()}
