"""What prompts about one photo begin with is computed once: its keys and values are kept, and shared by all later ones.

A kept beginning is never written to: a layer's `update` concatenates, so each use makes tensors of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.tools.vlm.encoded import Encoded, features_of
from geosleuth.tools.vlm.model_folder import import_vlm

if TYPE_CHECKING:
    from geosleuth.tools.vlm.loaded import LoadedBase

# Tokens whose keys and values are held at once. One takes 57 kB at 7B (28 layers, 4 heads of 128 for keys and for
# values, 16 bits): 470 MB are kept for a photo, and a batch works on 1.9 GB.
_KEPT_TOKENS = 8_192
_BATCH_TOKENS = 32_768

Layers = list[tuple[Any, Any]]  # keys and values, each (rows, heads, tokens, width)


@dataclass(frozen=True, eq=False)
class Beginning:
    """A computed sequence of tokens."""

    key: NDArray[np.int64]
    layers: Layers  # of one row


@dataclass(eq=False)
class Batch:
    """Prompts that have been read, and stand where their replies begin."""

    cache: Any  # DynamicCache of all rows
    mask: Any  # (rows, tokens): False where a shorter prompt was filled up
    logits: Any  # (rows, vocabulary) of the next token, single precision
    next_positions: Any  # (rows,)

    def __len__(self) -> int:
        return len(self.mask)

    def layers(self, rows: Any) -> Layers:
        """Keys and values of some rows."""
        return [(layer.keys[rows], layer.values[rows]) for layer in self.cache.layers]


class Reader:
    """Reads prompts in batches; keeps what they begin with, for one photo and one set of adapters."""

    def __init__(self, base: LoadedBase) -> None:
        self._base = base
        self._kept: list[Beginning] = []  # the last used comes last

    def read(self, prompts: Sequence[Encoded], *, reserve: int, copies: int = 1) -> Iterator[Batch]:
        """Read prompts, in order, in batches that the memory bears.

        Args:
            prompts: At least one.
            reserve: Tokens that each row will grow by.
            copies: Rows that each prompt will become.
        """
        shared = self._shared_length(prompts)
        start = self._begin(prompts[0], shared) if len(prompts) > 1 else self._longest(prompts[0], shared)
        for some in _chunks(prompts, reserve, copies):
            yield self._read_batch(some, start)

    def _shared_length(self, prompts: Sequence[Encoded]) -> int:
        """How many tokens all prompts begin with; at least one of each is left, and no image is cut."""
        first = prompts[0]
        length = min(len(prompt) for prompt in prompts) - 1
        for prompt in prompts[1:]:
            length = min(length, _agreement(first.key, prompt.key))
        return _outside_images(first, length)

    def _longest(self, prompt: Encoded, limit: int) -> Beginning:
        """Find the longest kept beginning, and cut it to what fits."""
        best, length = None, 0
        for kept in self._kept:
            agreed = _outside_images(prompt, min(limit, _agreement(kept.key, prompt.key)))
            if agreed > length:
                best, length = kept, agreed
        if best is None:
            return Beginning(prompt.key[:0], [])
        self._kept.remove(best)
        self._kept.append(best)
        return Beginning(prompt.key[:length], [(k[:, :, :length], v[:, :, :length]) for k, v in best.layers])

    def _begin(self, prompt: Encoded, length: int) -> Beginning:
        """Compute what all prompts begin with, as far as it is not kept already."""
        found = self._longest(prompt, length)
        if len(found.key) == length:
            return found
        cache = cache_of(found.layers, 1)
        # The body alone: nobody asks what comes next here, and the head reads weights for each word of the vocabulary.
        self._base.model.model(**self._inputs(cache, [prompt], len(found.key), length, None))
        return self._keep(prompt.key[:length], cache)

    def _read_batch(self, prompts: Sequence[Encoded], start: Beginning) -> Batch:
        torch = import_vlm("torch")
        begin, rows = len(start.key), len(prompts)
        longest = max(len(prompt) for prompt in prompts)
        # Shorter prompts are filled up between what is shared and what is their own: all end at the same index.
        mask = torch.ones(rows, longest, dtype=torch.bool)
        for row, prompt in enumerate(prompts):
            mask[row, begin : begin + longest - len(prompt)] = False
        mask = mask.to(self._base.device)
        cache = cache_of(start.layers, rows)
        logits = self._base.model(**self._inputs(cache, prompts, begin, longest, mask), logits_to_keep=1).logits
        if rows == 1:  # a conversation goes on from here, and other questions about the photo share its beginning
            self._keep(prompts[0].key, cache)
        next_positions = torch.tensor([prompt.next_position for prompt in prompts], device=self._base.device)
        return Batch(cache, mask, logits[:, -1].float(), next_positions)

    def _inputs(self, cache: Any, prompts: Sequence[Encoded], begin: int, end: int, mask: Any) -> dict[str, Any]:
        torch = import_vlm("torch")
        base = self._base
        width = end - begin
        tokens = torch.zeros(len(prompts), width, dtype=torch.long)
        positions = torch.zeros(len(prompts[0].positions), len(prompts), width, dtype=torch.long)
        pictures = []
        for row, prompt in enumerate(prompts):
            stop = min(len(prompt), end)
            tokens[row, width - (stop - begin) :] = prompt.tokens[begin:stop]
            positions[:, row, width - (stop - begin) :] = prompt.positions[:, begin:stop]
            pictures += prompt.outputs_from(begin, stop)
        return {
            "input_ids": tokens.to(base.device),
            "attention_mask": padding(mask),
            "position_ids": shaped(positions).to(base.device),
            "past_key_values": cache,
            "use_cache": True,
            **features_of(pictures),
        }

    def _keep(self, key: NDArray[np.int64], cache: Any) -> Beginning:
        kept = Beginning(key, [(layer.keys, layer.values) for layer in cache.layers])
        # What the new one begins with needs no place of its own.
        self._kept = [one for one in self._kept if _agreement(one.key, key) < len(one.key)]
        self._kept.append(kept)
        while sum(len(one.key) for one in self._kept) > _KEPT_TOKENS and len(self._kept) > 1:
            self._kept.pop(0)
        return kept


def cache_of(layers: Layers, rows: int | None = None) -> Any:
    """Make a cache that begins with these keys and values, shown `rows` times; nothing is copied before it grows."""
    from transformers.cache_utils import DynamicCache, DynamicLayer

    cache = DynamicCache()
    for keys, values in layers:
        layer = DynamicLayer()
        layer.lazy_initialization(keys, values)
        layer.keys, layer.values = (
            (keys, values) if rows is None else (one.expand(rows, -1, -1, -1) for one in (keys, values))
        )
        cache.layers.append(layer)
    return cache


def padding(mask: Any) -> Any:
    """Return None for a mask that hides nothing: the fast kernels take none."""
    return None if mask is None or bool(mask.all()) else mask


def shaped(positions: Any) -> Any:
    """(3, rows, tokens) for models with rotary positions in space, (rows, tokens) for the others."""
    return positions if len(positions) > 1 else positions[0]


def rows_at_once(tokens: int) -> int:
    """How many rows of so many tokens a batch may have; one at least."""
    return max(1, _BATCH_TOKENS // tokens)


def _chunks(prompts: Sequence[Encoded], reserve: int, copies: int) -> Iterator[Sequence[Encoded]]:
    begin, longest = 0, 0
    for index, prompt in enumerate(prompts):
        longest = max(longest, len(prompt))
        if index > begin and (index + 1 - begin) * copies * (longest + reserve) > _BATCH_TOKENS:
            yield prompts[begin:index]
            begin, longest = index, len(prompt)
    yield prompts[begin:]


def _agreement(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """How many entries both begin with."""
    length = min(len(one), len(other))
    different = np.flatnonzero(one[:length] != other[:length])
    return int(different[0]) if len(different) else length


def _outside_images(prompt: Encoded, length: int) -> int:
    """Go back to before the image that a cut at this length would divide."""
    for index, picture in prompt.pictures:
        if index < length < index + len(picture.features):
            return index
    return length
