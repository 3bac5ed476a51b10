"""Countries are found in a model's probabilities, whatever token ends their names: exact ones, and a taught model's."""

import math
import shutil

import numpy as np
import pytest

from geosleuth.indexes.photo import load_photo
from geosleuth.tools.georeasoner import ask_prior
from geosleuth.tools.georeasoner_reply import BEGUN, prompt, scored_beginnings, written_names
from geosleuth.tools.prior_likelihood import countries_likelihood
from geosleuth.tools.vlm.endpoint_scores import from_tables
from geosleuth.tools.vlm.model import Reply, Scores

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def photo():
    return load_photo(np.zeros((32, 48, 3), np.uint8))


# How a model replies, with the probability of each; what is scored is to find 95 % of it.
REPLIES = {
    'Portugal", "city": "Porto"}': 0.4,
    'Portugal",\n  "city": "Porto"\n}': 0.1,
    'Portugal","city":"Porto"}': 0.05,
    'Portugal" , "city": "Porto"}': 0.05,
    'Niger","city":"Agadez"}': 0.04,
    'Niger",\n  "city": "Agadez"\n}': 0.06,
    'Nigeria", "city": "Lagos"}': 0.15,
    'U.S.", "city": "unknown"}': 0.03,
    'USA"\n}': 0.03,
    'United States of America", "city": "Salem"}': 0.04,
    'unknown", "city": "unknown"}': 0.05,
}
SHARES = {"PT": 0.6, "NE": 0.1, "NG": 0.15, "US": 0.1}


def trained_tokenizer(*, merges):
    """Byte-level BPE that divides texts as Qwen does, with marks merged ('",\\n' is a token) or every byte a token."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
    from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=2000 if merges else 256, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([BEGUN + reply for reply in REPLIES for _ in range(3)], trainer)
    return lambda text: tuple(tokenizer.encode(text).tokens)


class Replying:
    """Has exactly the probabilities of `REPLIES`, written in the tokens that its tokenizer makes of each whole."""

    spec = "dir:replying"
    weights = "replying@000000000000"

    def __init__(self, tokens):
        self.tokens = tokens
        begun = len(tokens(BEGUN))
        self.written = {tokens(BEGUN + reply)[begun:]: share for reply, share in REPLIES.items()}

    def generate(self, prompts, **_):
        return [[Reply("no JSON", True)] for _ in prompts]

    def probability(self, answer):
        own = self.tokens(answer)
        return sum(share for written, share in self.written.items() if written[: len(own)] == own)

    def score(self, prompts, answers):
        row = [math.log(max(self.probability(answer), 1e-9)) for answer in answers]
        return Scores(np.array([row] * len(prompts)))


@pytest.mark.parametrize("merges", [True, False])
def test_names_are_found_whatever_token_ends_them(photo, merges):
    tokens = trained_tokenizer(merges=merges)
    model = Replying(tokens)
    assert (tokens('Portugal",\n')[-1] == '",\u010a') is merges
    # A quote by itself: never written where it is one token with what follows, but for the one with a space after it.
    assert model.probability('Portugal"') == pytest.approx(0.05 if merges else 0.6)
    assert model.score([None], [text for text, _ in scored_beginnings()]).covered[0] == pytest.approx(0.95, abs=1e-6)
    (country,) = ask_prior(photo, model)
    expected = countries_likelihood(SHARES).log_ratios
    assert country.likelihood.log_ratios == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("merges", [True, False])
def test_a_server_that_lists_tokens_finds_the_same(merges):
    model = Replying(trained_tokenizer(merges=merges))
    shown = {"\u0120": " ", "\u010a": "\n"}
    asked = []

    def table_after(prefix):
        asked.append(prefix)
        table = {}
        for written, share in model.written.items():
            texts = ["".join(shown.get(sign, sign) for sign in token) for token in written]
            ends = ["".join(texts[:count]) for count in range(len(texts))]
            if prefix in ends:
                token = texts[ends.index(prefix)]
                table[token] = table.get(token, 0.0) + share
        return {token: share / sum(table.values()) for token, share in table.items()}

    beginnings = scored_beginnings()
    shares = dict.fromkeys(SHARES, 0.0)
    found = np.exp(from_tables([text for text, _ in beginnings], table_after))
    for (_, code), probability in zip(beginnings, found, strict=True):
        shares[code] = shares.get(code, 0.0) + probability
    assert {code: shares[code] for code in SHARES} == pytest.approx(SHARES, abs=1e-6)
    assert len(asked) < 60  # a photo's budget is 300 requests


def test_no_reply_is_counted_twice():
    texts = [text for text, _ in scored_beginnings()]
    assert [(one, other) for one in texts for other in texts if one is not other and other.startswith(one)] == []
    assert {code for _, code in scored_beginnings()} == {code for _, code in written_names()}


def teach(shared, question, replies):
    """Train a tiny model until it gives these replies to the question with about these probabilities (5 s)."""
    text, images = shared.format.of_prompt(question)
    inputs = shared.processor(text=[text], images=[image.copy() for image in images], return_tensors="pt")
    length = inputs["input_ids"].shape[1]
    model = shared.base.model.train()
    taught = [weight for name, weight in model.named_parameters() if "visual" not in name]
    optimiser = torch.optim.Adam(taught, lr=3e-3)
    for _ in range(60):
        optimiser.zero_grad()
        for reply, share in replies.items():
            own = shared.processor.tokenizer(reply, add_special_tokens=False, return_tensors="pt")["input_ids"]
            ids = torch.cat([inputs["input_ids"], own], 1)
            kinds = torch.cat([inputs["mm_token_type_ids"], torch.zeros_like(own)], 1)
            whole = dict(inputs) | {
                "input_ids": ids,
                "attention_mask": torch.ones_like(ids),
                "mm_token_type_ids": kinds,
            }
            logits = model(**whole).logits[0, length - 1 : -1]
            (share * torch.nn.functional.cross_entropy(logits, own[0], reduction="sum")).backward()
        optimiser.step()
    model.eval()


def test_a_taught_model_whose_tokens_join_quote_and_comma(photo, tiny_models, tmp_path):
    from geosleuth.tools.vlm.load import load_vlm

    folder = shutil.copytree(tiny_models.tiny_qwen(), tmp_path / "taught")  # the other tests' one is left as it is
    shared = load_vlm(f"dir:{folder}")
    assert shared.processor.tokenizer.tokenize('Portugal", "')[-2:] == ['",', '\u0120"']
    replies = {
        'Portugal", "city": "Porto"}': 0.6,
        'Nigeria", "city": "Lagos"}': 0.2,
        'Niger",\n  "city": "Zinder"}': 0.2,
    }
    with torch.random.fork_rng(devices=[]):
        teach(shared, prompt(photo.pixels, BEGUN), replies)
    model = shared.for_photo()
    beginnings = [text for text, _ in scored_beginnings()]
    scores = model.score([prompt(photo.pixels, BEGUN)], [*beginnings, 'Portugal"'])
    found = np.exp(scores.log_probabilities[0])
    assert found[-1] < 1e-3  # the quote by itself is no token that it ever wrote
    assert found[beginnings.index("Portugal")] == pytest.approx(0.6, abs=0.06)
    assert found[beginnings.index("Nigeria")] == pytest.approx(0.2, abs=0.06)
    assert found[beginnings.index('Niger",\n')] == pytest.approx(0.2, abs=0.06)
    assert 0.9 < found[:-1].sum() <= 1.0
    country, *_ = ask_prior(photo, shared.for_photo())
    assert country.claim.startswith("dir:taught says the country is Portugal ")
