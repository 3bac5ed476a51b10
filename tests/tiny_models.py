"""Tiny models of the true architectures, built from configurations: folders that `from_pretrained` reads.

Random weights and a tokenizer trained on the spot: they show that code runs and agrees with itself, never quality.
Each folder is written once per process, and removed at its end. The fixture `tiny_models` is this module.
"""

import atexit
import json
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

COUNTRIES = (
    "France Germany Italy Spain Portugal Japan China Brazil Mexico Canada Kenya Egypt India Norway Poland Greece Turkey"
    " Australia Argentina Thailand"
)
CITIES = "Paris Berlin Rome Madrid Lisbon Tokyo Beijing Toronto Nairobi Cairo Oslo Athens Sydney"
WORDS = f"""
yes no match mismatch first second tie unknown Yes No A B C D 0 1 2 3 4 5 6 7 8 9 10 25 50 75 100
country city reasons preference score verdict explanation because the sign says street road building tree sky
{{"country": "France", "city": "Paris", "reasons": ["the language of the signs"]}}
{{"preference": 1}} {{"preference": 2}} {{"name": "read_text", "arguments": {{}}}}
Where was this photo taken? Think step by step, then answer. You are a helpful assistant. Answer yes or no.
Which candidate shows the same place, the first or the second? Compare the roads, the buildings and the landmarks.
{COUNTRIES} {CITIES} 是 否 匹配 不匹配 路 店 北京 Москва улица Αθήνα القاهرة กรุงเทพ
"""
QWEN_SPECIAL = [  # in the order of Qwen2.5's vocabulary; the two below are added tokens, but no special ones
    f"<|{name}|>"
    for name in (
        *("endoftext", "im_start", "im_end", "object_ref_start", "object_ref_end", "box_start", "box_end"),
        *("quad_start", "quad_end", "vision_start", "vision_end", "vision_pad", "image_pad", "video_pad"),
    )
]
QWEN_ADDED = ("<tool_call>", "</tool_call>")

# The form of Qwen2.5's conversations: im_start/im_end turns, tools in the system turn, results in a user turn.
_IMAGES_AND_TEXT = """{%- macro shown(content) -%}
{%- if content is string -%}{{ content }}
{%- else -%}
{%- for part in content -%}
{%- if part.type == 'image' -%}<|vision_start|><|image_pad|><|vision_end|>
{%- elif part.type == 'text' -%}{{ part.text }}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{%- endmacro -%}
"""
QWEN_TEMPLATE = (
    _IMAGES_AND_TEXT
    + """{%- if tools -%}
{{- '<|im_start|>system\\n' -}}
{%- if messages[0].role == 'system' -%}{{ shown(messages[0].content) }}
{%- else -%}{{- 'You are a helpful assistant.' -}}
{%- endif -%}
{{- "\\n\\n# Tools\\n\\nYou may call one or more functions to assist with the user query.\\n\\n" -}}
{{- "You are provided with function signatures within <tools></tools> XML tags:\\n<tools>" -}}
{%- for tool in tools -%}{{- "\\n" -}}{{- tool | tojson -}}{%- endfor -%}
{{- "\\n</tools>\\n\\nFor each function call, return a json object with function name and arguments within " -}}
{{- "<tool_call></tool_call> XML tags:\\n<tool_call>\\n" -}}
{{- '{"name": <function-name>, "arguments": <args-json-object>}' -}}
{{- "\\n</tool_call><|im_end|>\\n" -}}
{%- elif messages[0].role == 'system' -%}
{{- '<|im_start|>system\\n' -}}{{- shown(messages[0].content) -}}{{- '<|im_end|>\\n' -}}
{%- else -%}{{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
{%- if message.role == 'user' or (message.role == 'system' and not loop.first)
      or (message.role == 'assistant' and not message.tool_calls) -%}
{{- '<|im_start|>' + message.role + '\\n' -}}{{- shown(message.content) -}}{{- '<|im_end|>\\n' -}}
{%- elif message.role == 'assistant' -%}
{{- '<|im_start|>assistant' -}}
{%- if message.content -%}{{- '\\n' -}}{{- shown(message.content) -}}{%- endif -%}
{%- for call in message.tool_calls -%}
{%- set call = call.function if call.function is defined else call -%}
{{- '\\n<tool_call>\\n{"name": "' + call.name + '", "arguments": ' -}}{{- call.arguments | tojson -}}
{{- '}\\n</tool_call>' -}}
{%- endfor -%}
{{- '<|im_end|>\\n' -}}
{%- elif message.role == 'tool' -%}
{%- if loop.index0 == 0 or messages[loop.index0 - 1].role != 'tool' -%}{{- '<|im_start|>user' -}}{%- endif -%}
{{- '\\n<tool_response>\\n' -}}{{- shown(message.content) -}}{{- '\\n</tool_response>' -}}
{%- if loop.last or messages[loop.index0 + 1].role != 'tool' -%}{{- '<|im_end|>\\n' -}}{%- endif -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""
)
# As the published Qwen2.5-VL processors have it: turns and images, and nothing about tools.
QWEN_TEMPLATE_WITHOUT_TOOLS = (
    _IMAGES_AND_TEXT
    + """{%- for message in messages -%}
{%- if loop.first and message.role != 'system' -%}
{{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' -}}
{%- endif -%}
{{- '<|im_start|>' + message.role + '\\n' -}}{{- shown(message.content) -}}{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""
)
LLAVA_TEMPLATE = """{%- for message in messages -%}
{%- if message.role != 'system' -%}{{- message.role.upper() + ': ' -}}{%- endif -%}
{%- if message.content is string -%}{{- message.content + ' ' -}}
{%- else -%}
{%- for part in message.content if part.type == 'image' -%}{{- '<image>\\n' -}}{%- endfor -%}
{%- for part in message.content if part.type == 'text' -%}{{- part.text + ' ' -}}{%- endfor -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- 'ASSISTANT:' -}}{%- endif -%}
"""


def _spread(width: int) -> float:
    """Standard deviation of the weights.

    At 3584, the width of Qwen2.5-VL-7B, the usual 0.02; a tiny model with that would hardly mind what it is given, and
    tests would not see a wrong image or position.
    """
    return 1.2 / width**0.5


@lru_cache(maxsize=1)
def _root() -> Path:
    root = Path(tempfile.mkdtemp(prefix="tiny-models-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    return root


@lru_cache(maxsize=1)
def tiny_qwen() -> Path:
    """Qwen2.5-VL, and a template that knows tools."""
    return qwen(_root() / "qwen")


@lru_cache(maxsize=1)
def tiny_qwen_of_few_words() -> Path:
    """The same model, which ends its gibberish after some words: where replies count, and not their length.

    Random weights come to the token that ends a turn once in some 700 words, so that a planner's reply is as long as it
    may be, 8 s on one core. With that token's logit twice as large, replies have a dozen words.
    """
    from safetensors.torch import load_file, save_file
    from transformers import AutoTokenizer

    folder = _root() / "qwen-of-few-words"
    shutil.copytree(tiny_qwen(), folder)
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"][AutoTokenizer.from_pretrained(folder).eos_token_id] *= 2.0
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@lru_cache(maxsize=1)
def tiny_qwen_without_tools() -> Path:
    """The same model, with the template of the published processors, which knows no tools."""
    folder = _root() / "qwen-without-tools"
    shutil.copytree(tiny_qwen(), folder)
    (folder / "chat_template.jinja").write_text(QWEN_TEMPLATE_WITHOUT_TOOLS, encoding="utf-8")
    return folder


def qwen(
    folder: Path,
    *,
    hidden: int = 64,
    layers: int = 2,
    heads: int = 4,
    kv_heads: int = 2,
    intermediate: int = 128,
    vision_hidden: int = 32,
    vision_layers: int = 2,
    vision_heads: int = 2,
    vision_intermediate: int = 64,
    vocabulary: int | None = None,
    seed: int = 0,
) -> Path:
    """Write a Qwen2.5-VL of any size with random weights.

    Args:
        folder: Where to; made if it is not there.
        hidden: Width of the text model; a multiple of 8 times `heads`, so that the rotary sections come out even.
        layers: Of the text model.
        heads: Of the text model.
        kv_heads: Of the text model, a divisor of `heads`.
        intermediate: Width inside the text model's feed-forward layers.
        vision_hidden: Width of the vision tower.
        vision_layers: Of the vision tower; the last has full attention, the others windows, as in the real one.
        vision_heads: Of the vision tower.
        vision_intermediate: Width inside the tower's feed-forward layers.
        vocabulary: Rows of the embedding; None = as many as the tokenizer has. The real one has 152,064 (7B).
        seed: Of the weights.
    """
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    tokenizer = qwen_tokenizer()
    sixteenth = hidden // heads // 16  # the real sections are 16, 24, 24 of a head's 64 frequencies
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": vocabulary or len(tokenizer),
            "hidden_size": hidden,
            "intermediate_size": intermediate,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "num_key_value_heads": kv_heads,
            "max_position_embeddings": 32768,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 1_000_000.0,
                "mrope_section": [2 * sixteenth, 3 * sixteenth, 3 * sixteenth],
            },
            "initializer_range": _spread(hidden),
            **_token_ids(tokenizer),
        },
        vision_config={
            "depth": vision_layers,
            "hidden_size": vision_hidden,
            "intermediate_size": vision_intermediate,
            "num_heads": vision_heads,
            "out_hidden_size": hidden,
            "initializer_range": _spread(vision_hidden),
            "fullatt_block_indexes": [vision_layers - 1],
        },
        **_vision_ids(tokenizer),
    )
    return _write(folder, Qwen2_5_VLForConditionalGeneration, config, _qwen_processor(tokenizer), seed)


@lru_cache(maxsize=1)
def tiny_qwen3_vl() -> Path:
    """Qwen3-VL, whose vision tower also feeds the first layers of the text model (deepstack)."""
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    tokenizer = qwen_tokenizer()
    config = Qwen3VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "max_position_embeddings": 32768,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 5_000_000.0,
                "mrope_section": [4, 2, 2],
                "mrope_interleaved": True,
            },
            "initializer_range": _spread(64),
            **_token_ids(tokenizer),
        },
        vision_config={
            "depth": 3,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 64,
            "initializer_range": _spread(64),
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0, 1],
        },
        **_vision_ids(tokenizer),
    )
    return _write(_root() / "qwen3-vl", Qwen3VLForConditionalGeneration, config, _qwen3_processor(tokenizer), 1)


@lru_cache(maxsize=1)
def tiny_llava() -> Path:
    """LLaVA 1.5: a Llama that reads the patches of a CLIP vision tower."""
    from tokenizers.processors import TemplateProcessing
    from transformers import LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor, PreTrainedTokenizerFast
    from transformers.models.clip.image_processing_clip import CLIPImageProcessor

    trained = _trained_bpe(("<unk>", "<s>", "</s>", "<pad>", "<image>"))
    trained.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])  # as Llama's does
    names = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=trained,
        extra_special_tokens={"image_token": "<image>"},
        **names,
    )
    config = LlavaConfig(
        text_config={
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "max_position_embeddings": 4096,
            "initializer_range": _spread(64),
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config=_clip_vision() | {"model_type": "clip_vision_model"},
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=16,
    )
    processor = LlavaProcessor(
        CLIPImageProcessor(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56}),
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        chat_template=LLAVA_TEMPLATE,
        num_additional_image_tokens=1,  # the class token, which "default" drops again
    )
    return _write(_root() / "llava", LlavaForConditionalGeneration, config, processor, 2)


@lru_cache(maxsize=1)
def tiny_clip() -> Path:
    """CLIP, as StreetCLIP and GeoCLIP's tower are."""
    from transformers import CLIPConfig, CLIPModel, CLIPProcessor, CLIPTokenizer
    from transformers.models.clip.image_processing_clip import CLIPImageProcessor

    # The real vocabulary in small: bytes, bytes that end a word, and the two special tokens.
    symbols = sorted(_byte_alphabet())
    words = [*symbols, *(f"{symbol}</w>" for symbol in symbols), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(vocab={word: i for i, word in enumerate(words)}, merges=[], model_max_length=77)
    config = CLIPConfig(
        text_config={
            "vocab_size": len(words),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "bos_token_id": len(words) - 2,
            "eos_token_id": len(words) - 1,
            "pad_token_id": len(words) - 1,
        },
        vision_config=_clip_vision(),
        projection_dim=24,
    )
    processor = CLIPProcessor(
        CLIPImageProcessor(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56}), tokenizer
    )
    return _write(_root() / "clip", CLIPModel, config, processor, 3)


@lru_cache(maxsize=1)
def tiny_maskformer() -> Path:
    """MaskFormer with 150 labels, as those trained on ADE20K have."""
    from transformers import MaskFormerConfig, MaskFormerForInstanceSegmentation, MaskFormerImageProcessor

    config = MaskFormerConfig(
        backbone_config={
            "model_type": "swin",
            "image_size": 64,
            "embed_dim": 8,
            "depths": [1, 1, 1, 1],
            "num_heads": [1, 1, 2, 2],
            "window_size": 2,
            "out_features": ["stage1", "stage2", "stage3", "stage4"],
        },
        decoder_config={
            "model_type": "detr",
            "d_model": 32,
            "num_queries": 12,
            "encoder_layers": 1,
            "decoder_layers": 1,
            "encoder_ffn_dim": 32,
            "decoder_ffn_dim": 32,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
        },
        fpn_feature_size=32,  # normalised in 32 groups
        mask_feature_size=32,
        **_ade_labels(),
    )
    processor = MaskFormerImageProcessor(size={"shortest_edge": 64, "longest_edge": 256}, size_divisor=32)
    return _write(_root() / "maskformer", MaskFormerForInstanceSegmentation, config, processor, 4)


@lru_cache(maxsize=1)
def tiny_segformer() -> Path:
    """SegFormer with 150 labels."""
    from transformers import SegformerConfig, SegformerForSemanticSegmentation, SegformerImageProcessor

    config = SegformerConfig(
        depths=[1, 1, 1, 1],
        hidden_sizes=[8, 8, 16, 16],
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16,
        **_ade_labels(),
    )
    processor = SegformerImageProcessor(size={"height": 64, "width": 64})
    return _write(_root() / "segformer", SegformerForSemanticSegmentation, config, processor, 5)


@lru_cache(maxsize=8)
def tiny_lora(base: Path, seed: int = 0, rank: int = 4, scale: float = 0.3) -> Path:
    """A LoRA adapter on the attention of a base's text model, with weights in both factors: it changes the output.

    Args:
        base: Folder of the model that it is for.
        seed: Another one gives another adapter.
        rank: Of the two factors.
        scale: Standard deviation of the weights; PEFT's own beginning is zero, which does nothing.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText

    folder = _root() / f"{base.name}-lora-{seed}-{rank}-{scale}"
    if folder.exists():  # the same, asked for in other words
        return folder
    model = AutoModelForImageTextToText.from_pretrained(base)
    targets = r".*language_model.*\.(q_proj|v_proj|o_proj)"
    adapted = get_peft_model(model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=targets))
    generator = torch.Generator().manual_seed(100 + seed)
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_" in name:
                weight.copy_(torch.randn(weight.shape, generator=generator) * scale)
    adapted.save_pretrained(folder)
    return folder


@lru_cache(maxsize=1)
def qwen_tokenizer():
    """A byte-level BPE tokenizer of some hundred words with the special tokens of Qwen2.5."""
    from tokenizers import AddedToken
    from transformers import Qwen2Tokenizer

    state = json.loads(_trained_bpe(()).to_str())["model"]
    tokenizer = Qwen2Tokenizer(
        vocab=state["vocab"],
        merges=[tuple(pair) for pair in state["merges"]],
        **{"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},  # noqa: PIE804  # else S106 takes them for passwords
        extra_special_tokens=QWEN_SPECIAL,
    )
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in QWEN_ADDED])
    return tokenizer


def _trained_bpe(special: tuple[str, ...]):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=900, initial_alphabet=sorted(alphabet), special_tokens=list(special), show_progress=False
    )
    # Every word three times, so that the short ones become one token each.
    tokenizer.train_from_iterator([WORDS] * 3, trainer)
    return tokenizer


def _byte_alphabet() -> list[str]:
    from tokenizers import pre_tokenizers

    return pre_tokenizers.ByteLevel.alphabet()


def _token_ids(tokenizer) -> dict[str, int]:
    return {
        "bos_token_id": tokenizer.convert_tokens_to_ids("<|endoftext|>"),
        "eos_token_id": tokenizer.convert_tokens_to_ids("<|im_end|>"),
        "pad_token_id": tokenizer.convert_tokens_to_ids("<|endoftext|>"),
    }


def _vision_ids(tokenizer) -> dict[str, int]:
    names = ("image_token", "video_token", "vision_start_token", "vision_end_token")
    words = ("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
    return {f"{n}_id": tokenizer.convert_tokens_to_ids(w) for n, w in zip(names, words, strict=True)}


def _qwen_processor(tokenizer):
    from transformers import Qwen2_5_VLProcessor, Qwen2VLImageProcessor
    from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

    return Qwen2_5_VLProcessor(Qwen2VLImageProcessor(), tokenizer, Qwen2VLVideoProcessor(), chat_template=QWEN_TEMPLATE)


def _qwen3_processor(tokenizer):
    from transformers import Qwen2VLImageProcessor, Qwen3VLProcessor
    from transformers.models.qwen3_vl.video_processing_qwen3_vl import Qwen3VLVideoProcessor

    pictures = Qwen2VLImageProcessor(
        patch_size=16,
        size={"shortest_edge": 65536, "longest_edge": 16777216},  # as Qwen3-VL's own
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    )
    return Qwen3VLProcessor(pictures, tokenizer, Qwen3VLVideoProcessor(), chat_template=QWEN_TEMPLATE)


def _clip_vision() -> dict[str, int]:
    return {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 56,
        "patch_size": 14,
        "projection_dim": 24,
        "initializer_range": _spread(32),
    }


def _ade_labels() -> dict[str, dict]:
    names = {i: f"label {i}" for i in range(150)}
    return {"id2label": names, "label2id": {name: i for i, name in names.items()}}


def _write(folder: Path, kind, config, processor, seed: int) -> Path:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = kind(config).eval()
    if getattr(model, "generation_config", None) is not None and hasattr(config, "text_config"):
        text = config.text_config
        model.generation_config.eos_token_id = text.eos_token_id
        model.generation_config.pad_token_id = text.pad_token_id
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
