"""One prompt at a time, by the library's own processor and generation: right for every model, and the measure of ours.

Models of families for which reuse has not been shown to be equal run this way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.pixels import Pixels
from geosleuth.tools.vlm.model_folder import import_vlm

if TYPE_CHECKING:
    from geosleuth.tools.vlm.loaded import LoadedBase

Rendered = tuple[str, list[Pixels]]  # the text with a mark for each image, and the images, capped


@dataclass(frozen=True)
class Sampling:
    """How replies are drawn."""

    max_tokens: int
    samples: int = 1
    temperature: float = 0.0  # 0 is greedy: all samples are one and the same
    seed: int = 0


@dataclass(frozen=True)
class Written:
    """The tokens of a reply, without the one that ended it."""

    tokens: tuple[int, ...]
    finished: bool


class NaiveRunner:
    """Runs prompts one by one; nothing is kept between them."""

    def __init__(self, base: LoadedBase, processor: Any) -> None:
        self._base = base
        self._processor = processor

    def score(self, prompts: Sequence[Rendered], answers: Sequence[tuple[int, ...]]) -> NDArray[np.float64]:
        """Log-probabilities (prompts, answers) of the answers' tokens as the beginning of the reply."""
        return np.array([[self._score_one(self._inputs(prompt), answer) for answer in answers] for prompt in prompts])

    def write(self, prompts: Sequence[Rendered], sampling: Sampling) -> list[list[Written]]:
        """Write replies to each prompt."""
        return [self._write_one(self._inputs(prompt), sampling) for prompt in prompts]

    def _inputs(self, prompt: Rendered) -> dict[str, Any]:
        text, images = prompt
        options = {"add_special_tokens": adds_special_tokens(self._processor.tokenizer, text)}
        writable = [image.copy() for image in images]  # torch warns about others
        found = self._processor(text=[text], images=writable or None, return_tensors="pt", **options)
        moved = found.to(self._base.device, self._base.dtype)  # whole numbers stay what they are
        return dict(moved.items())

    def _score_one(self, inputs: dict[str, Any], answer: tuple[int, ...]) -> float:
        torch = import_vlm("torch")
        length = inputs["input_ids"].shape[1]
        new = torch.tensor([answer], device=self._base.device)
        longer = dict(inputs)
        for name, value in inputs.items():
            if value.shape[:2] == (1, length) and not value.is_floating_point():  # one entry per token
                fill = {"input_ids": new, "attention_mask": torch.ones_like(new)}.get(name, torch.zeros_like(new))
                longer[name] = torch.cat([value, fill.to(value.dtype)], dim=1)
        logits = self._base.model(**longer, logits_to_keep=len(answer) + 1).logits[0, -len(answer) - 1 : -1]
        log_probabilities = torch.log_softmax(logits.float(), dim=-1)
        return float(log_probabilities.gather(1, new[0][:, None]).sum())

    def _write_one(self, inputs: dict[str, Any], sampling: Sampling) -> list[Written]:
        torch = import_vlm("torch")
        transformers = import_vlm("transformers")
        base = self._base
        ends = sorted(base.end_tokens)
        # What is not said here is filled in from the model's own settings, which sample, and punish repetition.
        drawn = {"temperature": sampling.temperature, "top_k": 0, "top_p": 1.0} if sampling.temperature > 0 else {}
        config = transformers.GenerationConfig(
            max_new_tokens=sampling.max_tokens,
            eos_token_id=ends or None,
            pad_token_id=self._processor.tokenizer.pad_token_id or (ends[0] if ends else 0),
            do_sample=sampling.temperature > 0,
            repetition_penalty=1.0,
            **drawn,
        )
        length = inputs["input_ids"].shape[1]
        replies = []
        devices = [base.device] if base.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            for sample in range(sampling.samples if sampling.temperature > 0 else 1):
                torch.manual_seed(sampling.seed + sample)
                found = base.model.generate(**inputs, generation_config=config)[0, length:].tolist()
                replies.append(_until_end(found, base.end_tokens))
        return replies * (1 if sampling.temperature > 0 else sampling.samples)


def _until_end(tokens: list[int], ends: frozenset[int]) -> Written:
    for i, token in enumerate(tokens):
        if token in ends:
            return Written(tuple(tokens[:i]), finished=True)
    return Written(tuple(tokens), finished=False)


def adds_special_tokens(tokenizer: Any, text: str) -> bool:
    """Whether the tokenizer is to begin the text itself: not if the template has done so."""
    begin = tokenizer.bos_token
    return not (begin and text.startswith(begin))
