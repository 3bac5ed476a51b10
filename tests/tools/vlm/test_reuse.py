"""Reuse and batches against the naive way, on tiny models of the true architectures with random weights.

Tolerance: 1e-4 in the log-probability, in single precision on a CPU; found were differences below 5e-6. The models are
made so that a wrong image, a wrong order or a position beside the right one changes it by 0.05 and more: the last test
shows that.
"""

import numpy as np
import pytest

from geosleuth.tools.vlm import encoded, prefix, scoring
from geosleuth.tools.vlm.load import VlmOptions, load_vlm
from geosleuth.tools.vlm.model import Prompt, Turn

TOLERANCE = 1e-4
ANSWERS = ["yes", "no", "France mismatch", "France match", "是"]  # of one token and of several, some begin alike
SYSTEM = Turn("system", ("You are a helpful assistant.",))
RANDOM = np.random.default_rng(0)


def picture(height, width):
    return RANDOM.integers(0, 255, (height, width, 3), np.uint8)


PHOTO = picture(100, 150)
CANDIDATES = [picture(60, 90), picture(200, 80), picture(100, 150), picture(56, 56)]
PROMPTS = [
    *(
        Prompt((SYSTEM, Turn("user", (PHOTO, "Compare", candidate, "Answer" + " yes or no" * i))))
        for i, candidate in enumerate(CANDIDATES)
    ),
    Prompt((SYSTEM, Turn("user", (PHOTO, "Compare", CANDIDATES[0], CANDIDATES[1], "Which?")))),
    Prompt((SYSTEM, Turn("user", (PHOTO, "Compare", CANDIDATES[1], CANDIDATES[0], "Which?")))),
    Prompt((SYSTEM, Turn("user", (PHOTO, "Where was this photo taken?"))), begun="I think "),
    Prompt((SYSTEM, Turn("user", ("Which country?", PHOTO)))),
    Prompt((SYSTEM, Turn("user", ("No image at all",)))),
]
KINDS = ["tiny_qwen", "tiny_qwen3_vl", "tiny_llava"]


def model(tiny_models, kind, adapters=0, max_pixels=100_000):
    folder = getattr(tiny_models, kind)()
    loras = "".join(f"+dir:{tiny_models.tiny_lora(folder, seed)}" for seed in range(adapters))
    return load_vlm(f"dir:{folder}{loras}", VlmOptions(max_pixels=max_pixels))


def towers_run(shared):
    """Count the calls of the vision tower."""
    inner = shared.base.model.model
    tower = inner.visual if hasattr(inner, "visual") else inner.vision_tower
    calls = []
    tower.register_forward_pre_hook(lambda module, _: calls.append(module))
    return calls


def tokens_read(shared):
    """Note the size of what the text model reads: rows times tokens, per pass."""
    read = []
    shared.base.model.model.language_model.register_forward_pre_hook(
        lambda _module, _args, named: read.append(named["inputs_embeds"].shape[:2]), with_kwargs=True
    )
    return read


@pytest.mark.parametrize("adapters", [0, 1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_scores_in_batches_are_those_of_single_prompts(tiny_models, kind, adapters):
    shared = model(tiny_models, kind, adapters)
    assert shared.reuses
    naive = shared.for_photo(reuse=False).score(PROMPTS, ANSWERS).log_probabilities
    together = shared.for_photo().score(PROMPTS, ANSWERS).log_probabilities
    assert np.abs(together - naive).max() < TOLERANCE
    view = shared.for_photo()
    for prompt, row in zip(PROMPTS, naive, strict=True):  # one call after the other, each on what is kept
        assert np.abs(view.score([prompt], ANSWERS).log_probabilities - row).max() < TOLERANCE


@pytest.mark.parametrize("adapters", [0, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_greedy_replies_are_those_of_the_library(tiny_models, kind, adapters):
    shared = model(tiny_models, kind, adapters)
    naive = shared.for_photo(reuse=False).generate(PROMPTS, max_tokens=12)
    view = shared.for_photo()
    assert view.generate(PROMPTS, max_tokens=12) == naive
    assert view.generate(PROMPTS, max_tokens=12) == naive  # what is kept was not written to


def test_no_kept_beginning_is_changed_by_its_use(tiny_models):
    view = model(tiny_models, "tiny_qwen").for_photo()
    view.score(PROMPTS[:3], ANSWERS)
    kept = view._runner._reader._kept
    before = [[keys.clone() for keys, _ in one.layers] for one in kept]
    sizes = [len(one.key) for one in kept]
    view.generate(PROMPTS[:3], max_tokens=5, samples=2, temperature=1.0)
    view.score(PROMPTS[1:4], ANSWERS)
    for one, copies, size in zip(kept[: len(before)], before, sizes, strict=True):
        assert all(keys.shape[2] == size for keys, _ in one.layers)
        assert all(bool((keys == copy).all()) for (keys, _), copy in zip(one.layers, copies, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_each_image_is_seen_once_per_photo(tiny_models, kind):
    shared = model(tiny_models, kind)
    calls = towers_run(shared)
    view = shared.for_photo()
    view.score(PROMPTS[:4], ANSWERS)
    assert len(calls) == 5  # the photo and four candidates; the naive way has eight
    view.generate(PROMPTS[4:6], max_tokens=2)
    view.score([PROMPTS[0]], ["yes"])
    assert len(calls) == 5
    shared.for_photo().score(PROMPTS[:1], ["yes"])
    assert len(calls) == 7  # another photo's view shares nothing


def test_the_shared_beginning_is_read_once(tiny_models):
    shared = model(tiny_models, "tiny_qwen")
    view = shared.for_photo()
    encoder, base = view._runner._encoder, shared.base
    with base.using(()):
        keys = [encoder.encode(view._rendered(prompt)).key for prompt in PROMPTS[:4]]
    common = int(np.flatnonzero(keys[0][:60] != keys[1][:60])[0])  # the photo is inside, the candidate is not
    assert np.array_equal(np.unique(keys[0][:common][keys[0][:common] < 0]), [-1])
    read = tokens_read(shared)
    view.score(PROMPTS[:4], ["yes", "no"])
    longest = max(map(len, keys))
    assert read == [(1, common), (4, longest - common)]
    view.score(PROMPTS[:4], ["yes", "no"])
    assert read[2:] == [(4, longest - common)]  # nothing of the beginning again
    view.score(PROMPTS[:1], ["yes"])
    assert read[3:] == [(1, len(keys[0]) - common)]


def test_many_answers_take_one_further_pass(tiny_models):
    shared = model(tiny_models, "tiny_qwen")
    read = tokens_read(shared)
    shared.for_photo().score(PROMPTS[6:7], ANSWERS)
    tokens = [tuple(shared.processor.tokenizer(answer)["input_ids"]) for answer in ANSWERS]
    assert len(read) == 2
    assert read[1] == (1, len(scoring.tree_of(tokens)))


def test_a_conversation_goes_on_from_what_was_read(tiny_models):
    from langchain_core.messages import AIMessage, HumanMessage

    shared = model(tiny_models, "tiny_qwen")
    read = tokens_read(shared)
    view = shared.for_photo()
    talk = [HumanMessage("Where was this photo taken? " * 10)]
    view.chat(talk, [], max_tokens=1)
    first = read[0][1]
    view.chat([*talk, AIMessage("France"), HumanMessage("Which city?")], [], max_tokens=1)
    assert read[1][1] < first / 2  # the first question is not read again


def test_batches_stay_within_the_budget(tiny_models, monkeypatch):
    shared = model(tiny_models, "tiny_qwen")
    naive = shared.for_photo().score(PROMPTS, ANSWERS).log_probabilities
    monkeypatch.setattr(prefix, "_BATCH_TOKENS", 300)
    monkeypatch.setattr(scoring, "_AT_ONCE", 2)
    read = tokens_read(shared)
    assert np.abs(shared.for_photo().score(PROMPTS, ANSWERS).log_probabilities - naive).max() < TOLERANCE
    assert max(rows for rows, _ in read) <= 5  # 9 prompts of at least 57 tokens


@pytest.mark.parametrize("budget", [100, 200, 300, 500])
def test_the_copies_of_one_prompt_are_divided_as_well(tiny_models, monkeypatch, budget):
    shared = model(tiny_models, "tiny_qwen")
    some = [PROMPTS[8], PROMPTS[6], PROMPTS[8]]
    drawn = {"max_tokens": 8, "samples": 7, "temperature": 1.0, "seed": 3}
    at_once = shared.for_photo().generate(some, **drawn)
    read = tokens_read(shared)
    monkeypatch.setattr(prefix, "_BATCH_TOKENS", budget)
    assert shared.for_photo().generate(some, **drawn) == at_once  # replies depend on the seed and their number alone
    assert len({reply.text for reply in at_once[0]}) > 1
    lengths = [len(key) for key in keys_of(shared, some)]
    # A step of writing is one token wide; a prompt takes its own tokens and the eight that it may grow by.
    widest = max(rows for rows, width in read if width == 1)
    assert widest <= max(1, budget // (min(lengths) + 8))
    if budget == 100:
        assert widest == 100 // (min(lengths) + 8)


def keys_of(shared, prompts):
    view = shared.for_photo()
    with shared.base.using(()):
        return [view._runner._encoder.encode(view._rendered(prompt)).key for prompt in prompts]


def test_what_is_kept_stays_within_the_budget(tiny_models, monkeypatch):
    monkeypatch.setattr(prefix, "_KEPT_TOKENS", 250)
    monkeypatch.setattr(encoded, "_KEPT", 2)
    shared = model(tiny_models, "tiny_qwen")
    view = shared.for_photo()
    naive = shared.for_photo(reuse=False).score(PROMPTS, ["yes"]).log_probabilities
    for prompt, row in zip(PROMPTS, naive, strict=True):
        assert np.abs(view.score([prompt], ["yes"]).log_probabilities - row).max() < TOLERANCE
    assert sum(len(one.key) for one in view._runner._reader._kept) <= 250
    assert len(view._runner._encoder._kept) == 2


def test_an_unknown_family_runs_one_by_one_and_says_so_once(tiny_models, monkeypatch, caplog):
    monkeypatch.setattr("geosleuth.tools.vlm.reusing.SHOWN_EQUAL", frozenset({"llava"}))
    shared = model(tiny_models, "tiny_qwen")
    calls = towers_run(shared)
    for _ in range(2):
        shared.for_photo().score(PROMPTS[:2], ["yes"])
    assert len(calls) == 4  # each prompt by itself
    said = [record.getMessage() for record in caplog.records if "one prompt at a time" in record.message]
    reason = "reuse is not shown to be equal for models of type qwen2_5_vl"
    assert said == [f"dir:{tiny_models.tiny_qwen()} runs one prompt at a time: {reason}"]


def test_layers_with_a_window_run_one_by_one(tiny_models, monkeypatch):
    from geosleuth.tools.vlm.reusing import why_not

    shared = model(tiny_models, "tiny_qwen")
    text = shared.base.model.config.text_config
    with monkeypatch.context() as patch:
        patch.setattr(text, "layer_types", ["full_attention", "sliding_attention"])
        assert why_not(shared.base, shared.processor) == "some layers keep a window only"
    assert why_not(shared.base, shared.processor) is None
    monkeypatch.setattr(text, "sliding_window", 4096)  # as Mistral's, which names no types of layers
    assert why_not(shared.base, shared.processor) == "some layers keep a window only"


def test_the_tree_of_answers_by_hand():
    nodes = scoring.tree_of([(5,), (5, 6, 7), (5, 6, 8), (9, 6)])
    assert [(node.path, node.parent) for node in nodes] == [((5,), -1), ((5, 6), 0), ((9,), -1)]
    import torch

    sight = scoring._sight(torch.tensor([[True, False]]), nodes)[0, 0].int().tolist()
    # columns: the prompt's token, its filling, then the tree: 5, 5-6, 9
    assert sight == [[1, 0, 1, 0, 0], [1, 0, 1, 1, 0], [1, 0, 0, 0, 1]]


@pytest.mark.parametrize("kind", KINDS)
def test_the_models_mind_images_their_order_and_positions(tiny_models, kind, monkeypatch):
    shared = model(tiny_models, kind)

    def scored(*parts):
        prompt = Prompt((SYSTEM, Turn("user", parts)))
        return shared.for_photo().score([prompt], ANSWERS).log_probabilities

    right = scored(PHOTO, "Compare", CANDIDATES[2], "Which?")
    assert np.abs(scored(PHOTO, "Compare", PHOTO, "Which?") - right).max() > 0.05
    assert np.abs(scored(CANDIDATES[2], "Compare", PHOTO, "Which?") - right).max() > 0.05
    positions = encoded.Encoder._positions

    def shifted(self, tokens, pictures):
        found = positions(self, tokens, pictures)
        found[:, 30:] += 1
        return found

    monkeypatch.setattr(encoded.Encoder, "_positions", shifted)
    assert np.abs(scored(PHOTO, "Compare", CANDIDATES[2], "Which?") - right).max() > 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_runs_as_well(tiny_models, kind, monkeypatch):
    """As on a GPU; there both ways round, so the tolerance is that of 8 bits of mantissa over some layers."""
    import torch

    from geosleuth.tools.vlm import loaded

    monkeypatch.setattr(loaded, "_bases", {})
    monkeypatch.setattr(loaded, "_placement", lambda *_: (torch.device("cpu"), torch.bfloat16, None))
    shared = model(tiny_models, kind, adapters=1)
    assert shared.base.model.lm_head.weight.dtype == torch.bfloat16
    naive = shared.for_photo(reuse=False).score(PROMPTS[:5], ["yes", "no"]).log_probabilities
    together = shared.for_photo().score(PROMPTS[:5], ["yes", "no"]).log_probabilities
    assert np.isfinite(together).all()
    assert np.abs(together - naive).max() < 0.15
    shared.for_photo().generate(PROMPTS[:5], max_tokens=4)
