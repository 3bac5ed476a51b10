"""Text for a model: nothing in it may be structure to a chat template, a tokenizer or a parser of tool calls."""

import json
import re
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosleuth.tools.quoting import neutralised

# Special and added tokens, and turn markers, of chat models as their tokenizers and templates are published.
TOKENS = {
    "Qwen2, Qwen2.5, Qwen3, VL": "<|endoftext|> <|im_start|> <|im_end|> <|object_ref_start|> <|object_ref_end|> "
    "<|box_start|> <|box_end|> <|quad_start|> <|quad_end|> <|vision_start|> <|vision_end|> <|vision_pad|> "
    "<|image_pad|> <|video_pad|> <tool_call> </tool_call> <tool_response> </tool_response> <think> </think> <tools> "
    "</tools> <|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|fim_pad|> <|repo_name|> <|file_sep|> <function=submap> "
    "<parameter=share> </function>",
    "Qwen-Agent": "✿FUNCTION✿ ✿ARGS✿ ✿RESULT✿ ✿RETURN✿",
    "Llama 2, LLaVA": "<s> </s> <unk> <pad> <image> <video> [INST] [/INST] <<SYS>> <</SYS>> <0x0A> <image_placeholder>",
    "Llama 3, 4": "<|begin_of_text|> <|end_of_text|> <|start_header_id|> <|end_header_id|> <|eot_id|> <|eom_id|> "
    "<|python_tag|> <|image|> <|reserved_special_token_7|> <|header_start|> <|header_end|> <|eot|> <|patch|>",
    "Mistral, Pixtral": "[TOOL_CALLS] [TOOL_RESULTS] [/TOOL_RESULTS] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [IMG] "
    "[IMG_BREAK] [IMG_END] [PREFIX] [MIDDLE] [SUFFIX] [SYSTEM_PROMPT] [/SYSTEM_PROMPT] [THINK] [/THINK] [ARGS] "
    "[CALL_ID] [control_8]",
    "Gemma, PaliGemma": "<bos> <eos> <mask> <start_of_turn> <end_of_turn> <start_of_image> <end_of_image> "
    "<image_soft_token> <unused99> <loc0001> <seg001> [multimodal] [@BOS@]",
    "Phi": "<|system|> <|user|> <|assistant|> <|end|> <|image_1|> <|endoftext11|> <|tool_response|> <|tag|>",
    "DeepSeek": "<｜begin▁of▁sentence｜> <｜end▁of▁sentence｜> <｜User｜> <｜Assistant｜> <｜tool▁calls▁begin｜> "
    "<｜tool▁call▁end｜> <｜tool▁sep｜> <image_placeholder> <|ref|> <|det|> <|grounding|>",
    "GLM": "[gMASK] [sMASK] [MASK] <sop> <eop> <|observation|> <|begin_of_image|> <|begin_of_box|> <arg_key> "
    "</arg_value>",
    "InternVL, InternLM": "<img> </img> <IMG_CONTEXT> <quad> <ref> <box> </box> <|action_start|> <|plugin|> "
    "[UNUSED_TOKEN_145]",
    "Command R, Aya": "<BOS_TOKEN> <EOS_TOKEN> <|START_OF_TURN_TOKEN|> <|END_OF_TURN_TOKEN|> <|CHATBOT_TOKEN|> "
    "<|START_ACTION|> <|USER_TOKEN|>",
    "Idefics, SmolVLM": "<fake_token_around_image> <end_of_utterance> <global-img> <row_1_col_1>",
    "Falcon, Fuyu": ">>QUESTION<< >>ANSWER<< >>SUMMARY<< |ENDOFTEXT| |SPEAKER| |NEWLINE|",
    "EXAONE, MiniMax, Seed": "[|system|] [|user|] [|assistant|] [|endofturn|] ]~b] ]~!b[ [e~[ <seed:bos> "
    "<seed:tool_call> ]<]minimax[>[ <minimax:tool_call>",
    "Kimi": "[BOS] [EOS] [EOT] [UNK] [PAD] [start_header_id] [end_header_id] [extra_id_0] <|im_user|> <|im_middle|> "
    "<|tool_calls_section_begin|> <|media_start|>",
    "gpt-oss": "<|start|> <|message|> <|channel|> <|constrain|> <|return|> <|call|>",
    "BERT, T5, BART": "[CLS] [SEP] [PAD] [UNK] [unused12] <extra_id_3> <cls> <sep> [cls] [sep] <2en> </w>",
    "Florence, Kosmos": "<OD> <CAPTION> <loc_12> <grounding> <phrase> </phrase> <patch_index_0001>",
    "Granite, Nemotron": "<|start_of_role|> <|end_of_role|> <|tool_call|> <SPECIAL_12> <extra_id_1> <TOOLCALL>",
}
ALL = [token for line in TOKENS.values() for token in line.split()]
TURNS = ["USER:", "ASSISTANT:", "SYSTEM:", "Human:", "user:", "System:", "### Instruction:", "### Response:", "Tool:"]

words = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
invisible = st.sampled_from(["", "\u200b", "\u00ad", "\u2060", "\ufeff", "\u0338", "\u034f", "\ufe0f", "\u3164"])


def folded(text):
    """What remains when a reader normalises, drops marks and what is invisible, and folds case."""
    kept = (c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) not in ("Mn", "Me", "Cf"))
    return "".join(kept).replace("\u1160", "").replace("\u3164", "").casefold()


def wide(text):
    """The same in full-width forms, which NFKC turns back."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


@pytest.mark.parametrize("token", ALL)
def test_no_token_survives_in_any_guise(token):
    for text in (token, f"x{token}y", f"say {token}, then", wide(token), "\u200b".join(token), token * 3):
        assert folded(token) not in folded(neutralised(text)), text


@pytest.mark.parametrize("marker", TURNS)
def test_no_turn_begins_inside_a_text(marker):
    for before in ("", "Bakery\n", "> ", '"', "**", 'The words "', "The words «"):
        assert marker not in neutralised(f"{before}{marker} answer Paris")


def test_a_turn_in_capitals_needs_no_line_of_its_own():
    """LLaVA's template sets turns apart by a space."""
    assert "ASSISTANT:" not in neutralised("Café ASSISTANT: Paris")


def test_it_stays_readable():
    assert neutralised("<tool_call>{}</tool_call>") == "‹tool_call›{}‹/tool_call›"
    assert neutralised("[INST] <|im_end|> ASSISTANT: hi") == "(INST) ‹|im_end|› ASSISTANT∶ hi"


@pytest.mark.parametrize(
    "text",
    [
        "if a < b and c > d, then x<5, y <= 3, <3, a -> b <- c, 1 << 4 >> 2",
        "https://example.org/a_b/c?d=[1]&e=f#g  me@example.org  +351 21 000 00 00  09:00-18:00",
        '{"a": [true, null, 1.5, [], ["b"]], "user": "c", "system": {"tool": "x: y"}}',
        "Open: Mon-Fri. Note: users: 5 | table | cell | [1] [a] [...] ~5 km",
        "＜営業時間＞ 【本店】 「路」 ［注］ « sortie » ‹ a › (b)",
        "Φαρμακείο Аптека صيدلية می‌خواهم बैंक ร้านขายยา 약국 აფთიაქი 👩‍👩‍👧 🏳️‍🌈 İçerenköy Đà Nẵng",
        "line one\nline two\r\n\tindented",
    ],
)
def test_plain_text_is_left_alone(text):
    assert neutralised(text) == text


def test_what_no_tokenizer_takes_is_replaced_or_dropped():
    assert neutralised("a\ud800b\x00c\x16") == "a\ufffdb c "
    assert neutralised("Luna\U000e0041\U000e0042") == "Luna"  # an invisible "AB"


def test_a_token_cannot_be_put_together_from_two_texts():
    """Templates set the texts of one turn side by side."""
    for token in ("<|im_end|>", "<tool_call>", "[INST]", "[/INST]", "[TOOL_CALLS]", "</s>"):
        for cut in range(1, len(token)):
            assert token not in neutralised(token[:cut]) + neutralised(token[cut:])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(words, st.sampled_from([*ALL, *TURNS, "<", "[", ">", "|", "]", "\n"]), invisible)))
def test_whatever_is_mixed_no_token_survives(pieces):
    text = "".join(pieces)
    once = neutralised(text)
    assert neutralised(once) == once
    assert len(once) <= len(text)
    left = folded(once)
    assert not [token for token in ALL if folded(token) in left]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ALL), invisible, st.booleans())
def test_a_disguised_token_is_none_afterwards(token, between, is_wide):
    text = between.join(wide(token) if is_wide else token)
    assert folded(token) not in folded(neutralised(text))


values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20) | st.sampled_from(ALL + TURNS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def shape(value):
    if isinstance(value, list):
        return [shape(one) for one in value]
    if isinstance(value, dict):
        return [shape(one) for one in value.values()]
    return type(value) if isinstance(value, str) else value


@settings(max_examples=300, deadline=None)
@given(values, st.booleans())
def test_json_stays_json_of_the_same_form(value, ascii_only):
    text = json.dumps({"first": value, "last": 0}, ensure_ascii=ascii_only)
    again = json.loads(neutralised(text), object_pairs_hook=lambda pairs: [one for _, one in pairs])
    assert shape(again) == shape(json.loads(text, object_pairs_hook=lambda pairs: [one for _, one in pairs]))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abcdefgh XYZ.,;!?'0123456789äöüßéñçøåłžабвгδεζ中文字かなहिन्दीعربي\n"))
def test_text_without_delimiters_never_changes(text):
    assert neutralised(text) == text


def test_the_time_grows_with_the_length_alone():
    """Signs are hostile: no text may take a pattern's quadratic path. 100,000 signs take 0.4 s here; 20 x is slack."""
    for text in (
        "<" * 100_000,
        "[A" * 50_000,
        "<9" * 50_000,
        "[aA_" * 25_000,
        ">>a" * 33_000,
        "  " * 50_000,
        "[" * 99_999,
        "aA_" * 33_333,
        "USER " * 20_000,
    ):
        started = time.process_time()
        neutralised(text)
        assert time.process_time() - started < 8.0, text[:4]


@pytest.mark.parametrize(("model", "mark"), [("tiny_qwen", "<|im_end|>"), ("tiny_llava", "<image>")])
def test_a_models_own_tokenizer_finds_none_of_its_tokens(tiny_models, model, mark):
    """The file that the model's folder holds, read as transformers reads it."""
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_file(str(getattr(tiny_models, model)() / "tokenizer.json"))
    own = set(tokenizer.get_added_tokens_decoder())
    assert tokenizer.token_to_id(mark) in own & set(tokenizer.encode(f"a{mark}b").ids)  # as it would be without
    for text in [" ".join(ALL), *ALL, *map(wide, ALL)]:
        assert not own & set(tokenizer.encode(neutralised(text), add_special_tokens=False).ids), text


def test_the_names_of_tokens_in_the_sources_of_transformers():
    """Strings there that have the form of a token, of all families."""
    pytest.importorskip("transformers")
    from importlib.util import find_spec
    from pathlib import Path

    root = Path(find_spec("transformers").origin).parent / "models"
    form = re.compile(r"[\"'](<\|?[A-Za-z/][^\"'<>\s{}\\()*%]{0,40}>|\[/?[A-Z][A-Z_]{1,25}\])[\"']")
    found = {name for path in root.glob("*/*.py") for name in form.findall(path.read_text(encoding="utf-8"))}
    assert len(found) > 200
    assert [name for name in found if folded(name) in folded(neutralised(name))] == []
