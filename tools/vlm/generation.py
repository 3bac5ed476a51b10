"""Replies to a batch of prompts that have been read: greedy, or drawn so that a sample depends on its seed alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geosleuth.tools.vlm.model_folder import import_vlm
from geosleuth.tools.vlm.naive import Sampling, Written
from geosleuth.tools.vlm.prefix import Batch, cache_of, padding, rows_at_once, shaped

if TYPE_CHECKING:
    from geosleuth.tools.vlm.loaded import LoadedBase


def write(base: LoadedBase, batch: Batch, sampling: Sampling) -> list[list[Written]]:
    """Write `samples` replies to each prompt of the batch."""
    if sampling.temperature <= 0:
        return [[one] * sampling.samples for one in _Writer(base, batch, sampling, range(1)).run()]
    # Even the copies of a single prompt may be more than the memory bears at once.
    copies = max(1, rows_at_once(batch.mask.shape[1] + sampling.max_tokens) // len(batch))
    replies: list[list[Written]] = [[] for _ in range(len(batch))]
    for first in range(0, sampling.samples, copies):
        numbers = range(first, min(first + copies, sampling.samples))
        written = _Writer(base, batch, sampling, numbers).run()
        for prompt, own in enumerate(replies):
            own += written[prompt * len(numbers) : (prompt + 1) * len(numbers)]
    return replies


class _Writer:
    """The rows that are still being written, and what stands in those that are done."""

    def __init__(self, base: LoadedBase, batch: Batch, sampling: Sampling, numbers: range) -> None:
        torch = import_vlm("torch")
        self._base = base
        self._sampling = sampling
        copies = len(numbers)  # of each prompt
        self._rows = torch.arange(len(batch), device=base.device).repeat_interleave(copies)  # of the batch, per reply
        self._mask = batch.mask[self._rows]
        self._logits = batch.logits[self._rows]
        self._positions = batch.next_positions[self._rows]
        self._cache = cache_of(batch.layers(self._rows) if copies > 1 else batch.layers(slice(None)))
        # Each sample has numbers of its own: it does not matter which others are drawn beside it.
        self._random = [np.random.default_rng([sampling.seed, sample]) for _ in range(len(batch)) for sample in numbers]
        self._tokens: list[list[int]] = [[] for _ in self._rows]
        self._finished = [False] * len(self._rows)
        self._open = list(range(len(self._rows)))  # replies, in the order of the tensors' rows

    def run(self) -> list[Written]:
        for step in range(self._sampling.max_tokens):
            chosen = self._choose()
            going = [token not in self._base.end_tokens for token in chosen]
            for reply, token, goes_on in zip(self._open, chosen, going, strict=True):
                if goes_on:
                    self._tokens[reply].append(token)
                else:
                    self._finished[reply] = True
            if not any(going) or step + 1 == self._sampling.max_tokens:
                break
            if not all(going):
                self._drop(going)
            self._advance([token for token, goes_on in zip(chosen, going, strict=True) if goes_on])
        return [Written(tuple(t), f) for t, f in zip(self._tokens, self._finished, strict=True)]

    def _choose(self) -> list[int]:
        if self._sampling.temperature <= 0:
            return [int(token) for token in self._logits.argmax(dim=-1).tolist()]
        torch = import_vlm("torch")
        # On the CPU in double precision: single loses rare tokens in a sum over 150,000, and MPS has no double.
        shares = torch.softmax(self._logits / self._sampling.temperature, dim=-1).cpu().double().numpy()
        chosen = []
        for reply, row in zip(self._open, shares, strict=True):
            sums = np.cumsum(row)
            chosen.append(int(np.searchsorted(sums, self._random[reply].random() * sums[-1], side="right")))
        return [min(token, shares.shape[1] - 1) for token in chosen]

    def _drop(self, going: list[bool]) -> None:
        torch = import_vlm("torch")
        kept = torch.tensor([i for i, goes_on in enumerate(going) if goes_on], device=self._base.device)
        self._open = [reply for reply, goes_on in zip(self._open, going, strict=True) if goes_on]
        self._mask, self._positions = self._mask[kept], self._positions[kept]
        self._cache.batch_select_indices(kept)

    def _advance(self, chosen: list[int]) -> None:
        torch = import_vlm("torch")
        tokens = torch.tensor(chosen, device=self._base.device)[:, None]
        self._mask = torch.cat([self._mask, torch.ones_like(self._mask[:, :1])], dim=1)
        self._logits = self._next_logits(tokens)
        self._positions = self._positions + 1

    def _next_logits(self, tokens: Any) -> Any:
        planes = 3 if self._base.is_spatial else 1
        found = self._base.model(
            input_ids=tokens,
            attention_mask=padding(self._mask),
            position_ids=shaped(self._positions[None, :, None].expand(planes, -1, 1)),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return found.logits[:, -1].float()
