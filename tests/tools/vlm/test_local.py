"""The local backend on tiny models with random weights: what it promises, not how well it sees."""

import threading
from itertools import pairwise

import numpy as np
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm import generation, loaded, quantised
from geosleuth.tools.vlm.load import VlmOptions, load_vlm
from geosleuth.tools.vlm.model import Prompt, Turn

PHOTO = np.random.default_rng(1).integers(0, 255, (90, 120, 3), np.uint8)
ASKED = Prompt((Turn("user", (PHOTO, "Where was this photo taken?")),))
TOOL = {
    "type": "function",
    "function": {"name": "read_text", "description": "Read signs.", "parameters": {"type": "object", "properties": {}}},
}


def qwen(tiny_models, *seeds, **options):
    folder = tiny_models.tiny_qwen()
    return load_vlm(f"dir:{folder}" + "".join(f"+dir:{tiny_models.tiny_lora(folder, s)}" for s in seeds), **options)


def scripted(shared, text, end=True):
    """Make the model say a text, whatever it is asked; its tokens are forced, the rest is as ever."""
    import torch

    tokenizer = shared.processor.tokenizer
    tokens = tokenizer(text)["input_ids"] + ([tokenizer.eos_token_id] if end else [])
    step = iter(tokens)

    def forced(module, args, output):
        logits = torch.full_like(output.logits, -20.0)
        logits[..., next(step)] = 20.0
        output.logits = logits
        return output

    return shared.base.model.register_forward_hook(forced)


def test_greedy_replies_do_not_depend_on_the_seed(tiny_models):
    view = qwen(tiny_models).for_photo()
    [first] = view.generate([ASKED], max_tokens=5, samples=2, seed=1)
    [second] = view.generate([ASKED], max_tokens=5, samples=2, seed=2)
    assert first == second
    assert first[0] == first[1]
    assert (first[0].finished, first[0].tokens) == (False, 5)


def test_samples_depend_on_the_seed_alone(tiny_models):
    import torch

    view = qwen(tiny_models).for_photo()
    other = Prompt((Turn("user", ("Which city?",)),))
    torch.manual_seed(1)
    alone = view.generate([ASKED], max_tokens=5, samples=3, temperature=1.0, seed=4)[0]
    state = torch.random.get_rng_state()
    torch.manual_seed(2)
    beside = view.generate([other, ASKED], max_tokens=5, samples=3, temperature=1.0, seed=4)[1]
    assert alone == beside
    assert len({reply.text for reply in alone}) == 3
    assert view.generate([ASKED], max_tokens=5, samples=3, temperature=1.0, seed=5)[0] != alone
    torch.manual_seed(1)
    assert torch.equal(torch.random.get_rng_state(), state)  # nobody else's random numbers are used up


def test_samples_follow_the_probabilities(tiny_models):
    shared = qwen(tiny_models)
    view = shared.for_photo()
    replies = view.generate([ASKED], max_tokens=1, samples=400, temperature=0.25, seed=0)[0]
    words = [reply.text for reply in replies]
    vocabulary = [shared.processor.tokenizer.decode([t]) for t in range(len(shared.processor.tokenizer))]
    commonest = max(set(words), key=words.count)
    assert vocabulary.count(commonest) == 1
    scores = view.score([ASKED], [word for word in vocabulary if word]).log_probabilities[0]
    sharpened = np.exp((scores - scores.max()) / 0.25)
    share = sharpened[[word for word in vocabulary if word].index(commonest)] / sharpened.sum()
    deviation = (share * (1 - share) / 400) ** 0.5
    assert words.count(commonest) / 400 == pytest.approx(share, abs=4 * deviation + 0.01)


def test_a_reply_ends_at_the_end_token(tiny_models):
    shared = qwen(tiny_models)
    hook = scripted(shared, "France")
    [[reply]] = shared.for_photo().generate([ASKED], max_tokens=20)
    hook.remove()
    assert (reply.text, reply.finished, reply.tokens) == ("France", True, 1)


def test_replies_of_one_batch_end_when_they_end(tiny_models):
    import torch

    shared = qwen(tiny_models)
    base = shared.base
    yes, no, end = (shared.processor.tokenizer.convert_tokens_to_ids(t) for t in ("yes", "no", "<|im_end|>"))
    script = iter([[yes, no], [end, no], [no], [end]])

    def forced(module, args, output):
        output.logits = torch.full_like(output.logits, -20.0)
        for row, token in enumerate(next(script)):
            output.logits[row, -1, token] = 20.0
        return output

    view = shared.for_photo()
    batches = []
    with base.using(()):
        prompts = [view._runner._encoder.encode(view._rendered(ASKED))] * 2
        hook = None
        for batch in view._runner._reader.read(prompts, reserve=9):
            hook = base.model.register_forward_hook(forced)
            batch.logits = torch.full_like(batch.logits, -20.0)
            for row, token in enumerate(next(script)):
                batch.logits[row, token] = 20.0
            batches += generation.write(base, batch, generation.Sampling(9))
        hook.remove()
    assert [[(one.tokens, one.finished) for one in replies] for replies in batches] == [
        [((yes,), True)],
        [((no, no, no), True)],
    ]


def test_an_answer_is_scored_as_what_the_model_goes_on_with(tiny_models):
    view = qwen(tiny_models).for_photo()
    whole = view.score([ASKED], ["yes no", "yes"]).log_probabilities[0]
    begun = view.score([Prompt(ASKED.turns, begun="yes")], [" no"]).log_probabilities[0]
    assert whole[0] == pytest.approx(whole[1] + begun[0], abs=1e-4)  # p(a b) = p(a) p(b | a)


def test_scores_sum_to_one_over_the_vocabulary(tiny_models):
    shared = qwen(tiny_models)
    tokenizer = shared.processor.tokenizer
    with shared.base.using(()):
        view = shared.for_photo()
        found = view._runner.score([view._rendered(ASKED)], [(token,) for token in range(len(tokenizer))])
    assert np.exp(found).sum() == pytest.approx(1.0, abs=1e-5)


def test_an_empty_answer_is_refused(tiny_models):
    with pytest.raises(InputError, match="Wanted an answer to score; found '', which has no token"):
        qwen(tiny_models).for_photo().score([ASKED], ["yes", ""])


def test_no_prompts_no_replies(tiny_models):
    view = qwen(tiny_models).for_photo()
    assert view.generate([]) == []
    assert view.score([], ["yes"]).log_probabilities.shape == (0, 1)


def test_one_base_serves_several_adapters(tiny_models):
    plain, first, both = qwen(tiny_models), qwen(tiny_models, 0), qwen(tiny_models, 0, 1)
    assert plain.base is first.base
    assert first.base is both.base
    views = [shared.for_photo() for shared in (plain, first, both)]
    before = [view.score([ASKED], ["yes", "no"]).log_probabilities for view in views]
    assert np.abs(before[0] - before[1]).max() > 0.05
    assert np.abs(before[1] - before[2]).max() > 0.05
    for view, scores in zip(reversed(views), reversed(before), strict=True):  # switched back and forth
        assert np.abs(view.score([ASKED], ["yes", "no"]).log_probabilities - scores).max() < 1e-4


def test_threads_with_different_adapters_do_not_meet(tiny_models):
    models = [qwen(tiny_models), qwen(tiny_models, 0), qwen(tiny_models, 1)]
    alone = [shared.for_photo().score([ASKED], ["yes", "no"]).log_probabilities for shared in models]
    found = [[] for _ in models]

    def work(index):
        for _ in range(4):
            found[index].append(models[index].for_photo().score([ASKED], ["yes", "no"]).log_probabilities)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in range(3):
        assert len(found[index]) == 4
        assert all(np.array_equal(one, alone[index]) for one in found[index])


def test_two_views_of_one_photo_may_be_used_at_once(tiny_models):
    """One with an adapter, one without: a pass of one never runs under the adapters of the other."""
    import sys

    models = [qwen(tiny_models), qwen(tiny_models, 0)]
    prompts = [ASKED, Prompt((Turn("user", ("Which country?",)),))]
    views, alone = [shared.for_photo() for shared in models], [shared.for_photo() for shared in models]
    scored = [view.score(prompts, ["yes", "no"]).log_probabilities for view in alone]
    drawn = {"max_tokens": 4, "samples": 2, "temperature": 1.0}
    written = [view.generate(prompts, **drawn) for view in alone]
    assert np.abs(scored[0] - scored[1]).max() > 0.05
    layer = next(m for n, m in models[0].base.model.named_modules() if n.endswith("layers.1.self_attn.q_proj"))
    seen = []  # (thread, whether adapters are at work) of each pass

    def note(*_):
        seen.append((threading.current_thread().name, not layer.disable_adapters and bool(layer.active_adapters)))

    hook = layer.register_forward_pre_hook(note)
    found = [[], []]

    def work(index):
        for _ in range(10):
            scores = views[index].score(prompts, ["yes", "no"]).log_probabilities
            found[index].append((scores, views[index].generate(prompts, **drawn)))

    threads = [threading.Thread(target=work, args=(index,), name=str(index)) for index in range(2)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
        hook.remove()
    for index in range(2):
        assert len(found[index]) == 10
        assert all(np.allclose(scores, scored[index], atol=1e-5) for scores, _ in found[index])
        assert all(replies == written[index] for _, replies in found[index])
    assert set(seen) == {("0", False), ("1", True)}
    names = [name for name, _ in seen]
    assert sum(one != other for one, other in pairwise(names)) > 2  # they did take turns


def test_a_second_base_is_loaded_beside_the_first_and_said(tiny_models, caplog):
    first = qwen(tiny_models)
    second = load_vlm(f"dir:{tiny_models.tiny_llava()}")
    assert first.base is not second.base
    assert any("is loaded beside" in record.message for record in caplog.records)


def test_weights_names_the_folder_and_its_hash(tiny_models):
    import hashlib

    folder = tiny_models.tiny_qwen()
    adapter = tiny_models.tiny_lora(folder, 0)

    def digest(file):
        return hashlib.sha256(hashlib.sha256(file.read_bytes()).digest()).hexdigest()[:12]

    expected = f"{folder.name}@{digest(folder / 'model.safetensors')}"
    assert qwen(tiny_models).weights == expected
    assert qwen(tiny_models, 0).weights == (
        f"{expected} + {adapter.name}@{digest(adapter / 'adapter_model.safetensors')}"
    )
    assert qwen(tiny_models, 0).for_photo().spec == f"dir:{folder}+dir:{adapter}"


@pytest.mark.parametrize("kind", ["tiny_qwen", "tiny_qwen_without_tools", "tiny_llava"])
def test_the_reply_of_a_chat_is_read_for_calls(tiny_models, kind):
    shared = load_vlm(f"dir:{getattr(tiny_models, kind)()}")
    hook = scripted(shared, 'I look.\n<tool_call>\n{"name": "read_text", "arguments": {}}\n</tool_call>')
    reply = shared.for_photo().chat([SystemMessage("Plan."), HumanMessage("Where?")], [TOOL], max_tokens=200)
    hook.remove()
    assert reply.content == "I look."
    assert [(call["name"], call["args"]) for call in reply.tool_calls] == [("read_text", {})]
    assert reply.response_metadata["finish_reason"] == "tool_calls"


def test_a_chat_that_is_cut_off_says_so(tiny_models):
    shared = qwen(tiny_models)
    hook = scripted(shared, "because because because", end=False)
    reply = shared.for_photo().chat([HumanMessage("Where?")], [], max_tokens=2)
    hook.remove()
    assert reply.response_metadata["finish_reason"] == "length"


def test_images_of_a_conversation_are_seen(tiny_models):
    import base64
    import io

    from PIL import Image

    shared = qwen(tiny_models)

    def block(seed):
        pixels = np.random.default_rng(seed).integers(0, 255, (60, 60, 3), np.uint8)
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        return base64.b64encode(stream.getvalue()).decode()

    def talk(picture):
        return [
            HumanMessage("Where?"),
            AIMessage("", tool_calls=[{"name": "read_text", "args": {}, "id": "1"}]),
            ToolMessage("Two signs.", tool_call_id="1"),
            HumanMessage([{"type": "text", "text": "The crop:"}, picture]),
        ]

    def image(seed):
        return {"type": "image", "base64": block(seed), "mime_type": "image/png"}

    text, images = shared.format.of_chat(talk(image(0)), [TOOL])
    assert text.count("<|image_pad|>") == len(images) == 1
    assert images[0].shape == (60, 60, 3)
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{block(0)}"}}
    assert np.array_equal(shared.format.of_chat(talk(url), [TOOL])[1][0], images[0])
    view = shared.for_photo()
    replies = [view.chat(talk(one), [TOOL], max_tokens=8).content for one in (image(0), image(1), image(0))]
    assert replies[0] == replies[2] != replies[1]


def test_too_little_memory_says_what_to_do(tiny_models, monkeypatch):
    import torch

    shared = qwen(tiny_models)
    view = shared.for_photo()

    def full(*args, **kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr(shared.base.model, "forward", full)
    with pytest.raises(InputError, match=r"too little \(CUDA out of memory\). Lower vlm_max_pixels, name a smaller"):
        view.score([ASKED], ["yes"])
    monkeypatch.undo()
    assert view.score([ASKED], ["yes"]).log_probabilities.shape == (1, 1)  # and it goes on


def test_another_error_stays_what_it_is(tiny_models, monkeypatch):
    shared = qwen(tiny_models)
    monkeypatch.setattr(shared.base.model, "forward", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        shared.for_photo().score([ASKED], ["yes"])


class Gpu:
    """What torch tells about a GPU: 16-bit arithmetic, and so many bytes free."""

    OutOfMemoryError = MemoryError

    def __init__(self, free, bf16=True):
        import torch

        self.bfloat16, self.float16, self.device = torch.bfloat16, torch.float16, torch.device
        self.cuda = self
        self.is_available, self.current_device = (lambda: True), (lambda: 0)
        self.is_bf16_supported = lambda: bf16
        self.mem_get_info = lambda _: (free, free)


class Sized:
    spec = "dir:big"
    n_parameters = 7_000_000_000


def test_a_model_that_fits_the_gpu_runs_in_16_bits():
    import torch

    assert loaded._placement(Gpu(24_000_000_000), Sized) == (torch.device("cuda", 0), torch.bfloat16, None)
    assert loaded._placement(Gpu(24_000_000_000, bf16=False), Sized)[1] == torch.float16


def test_a_model_that_does_not_fit_runs_in_4_bits_if_that_can_be_had(monkeypatch):
    monkeypatch.setattr(quantised, "find_spec", lambda _: object())
    assert loaded._placement(Gpu(16_000_000_000), Sized)[2] == 4  # 14 GB and room to work are wanted
    monkeypatch.setattr(quantised, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"found 16.0 GB, and no bitsandbytes to load it in 4 bits. Install"):
        loaded._placement(Gpu(16_000_000_000), Sized)
    with pytest.raises(InputError, match=r"found 6.0 GB. Name a smaller model, or run it on a server"):
        loaded._placement(Gpu(6_000_000_000), Sized)


def test_a_cpu_computes_in_single_precision_where_that_fits(monkeypatch):
    import torch

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("there is an accelerator")
    for free, dtype in ((40_000_000_000, torch.float32), (20_000_000_000, torch.bfloat16), (None, torch.float32)):
        monkeypatch.setattr(loaded, "_free_memory", lambda free=free: free)
        assert loaded._placement(torch, Sized) == (torch.device("cpu"), dtype, None)
    monkeypatch.setattr(loaded, "_free_memory", lambda: 8_000_000_000)
    with pytest.raises(InputError, match=r"memory for dir:big with 7.00 G parameters; found 8.0 GB"):
        loaded._placement(torch, Sized)


@pytest.mark.parametrize("kind", ["tiny_qwen", "tiny_qwen3_vl", "tiny_llava"])
def test_a_strip_and_a_speck_are_read(tiny_models, kind):
    shared = load_vlm(f"dir:{getattr(tiny_models, kind)()}", VlmOptions(max_pixels=40_000))
    pictures = (np.zeros((40, 20_000, 3), np.uint8), np.zeros((5, 3, 3), np.uint8))
    prompt = Prompt((Turn("user", (*pictures, PHOTO, "Where?")),))
    scores = [shared.for_photo(reuse=reuse).score([prompt], ["yes"]).log_probabilities for reuse in (True, False)]
    assert np.abs(scores[0] - scores[1]).max() < 1e-4
