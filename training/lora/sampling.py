"""The order of an epoch: drawn from the seed and the epoch alone, so that a run that is taken up goes on with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_WINDOW = 50  # batches whose lessons are sorted together, as in transformers' own grouping
FILLER = -1  # in place of a lesson: nothing is learned of it


@dataclass(frozen=True, eq=False)
class Share:
    """A source's part of each epoch."""

    numbers: NDArray[np.int64]  # of its lessons
    taken: int  # lessons in an epoch; more than it has: some come twice; fewer: the rest comes in the next epoch

    def of_epoch(self, epoch: int, seed: int) -> NDArray[np.int64]:
        """Go on where the epoch before ended: every lesson comes once before one comes again."""
        size, start = len(self.numbers), epoch * self.taken
        rounds = range(start // size, (start + self.taken - 1) // size + 1)
        drawn = np.concatenate([np.random.default_rng([seed, number]).permutation(size) for number in rounds])
        first = start - rounds.start * size
        return np.asarray(self.numbers[drawn[first : first + self.taken]])


def shares(sources: Sequence[NDArray[np.int64]], weights: Sequence[float]) -> list[Share]:
    """Divide an epoch, which has as many lessons as all sources together, among them by weight.

    Args:
        sources: Numbers of each source's lessons; an empty one gets no share.
        weights: Of each source, relative to the others'.
    """
    total = sum(map(len, sources))
    whole = sum(weight for weight, source in zip(weights, sources, strict=True) if len(source))
    return [
        Share(source, max(1, round(total * weight / whole)))
        for weight, source in zip(weights, sources, strict=True)
        if len(source)
    ]


class EpochOrder:
    """A sampler for torch's loader: the lessons of one epoch in their order, the last unit filled up with FILLER.

    Else accelerate would give the processes that have no batch left lessons of the epoch's beginning once more.
    """

    def __init__(self, parts: Sequence[Share], seed: int, *, lengths: NDArray[np.int64] | None, unit: int) -> None:
        """Args as follows.

        Args:
            parts: Of the sources.
            seed: Of the run.
            lengths: (lessons,) tokens of each; given, lessons of like length share a batch.
            unit: Lessons that all processes together run at once, a batch each.
        """
        self.parts, self.seed, self.lengths, self.unit = list(parts), seed, lengths, unit
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, from 0."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-sum(part.taken for part in self.parts) // self.unit) * self.unit

    def __iter__(self) -> Iterator[int]:
        drawn = [part.of_epoch(self.epoch, self.seed * 1_000_003 + number) for number, part in enumerate(self.parts)]
        generator = np.random.default_rng([self.seed, self.epoch])
        order = generator.permutation(np.concatenate(drawn))
        chosen = (order if self.lengths is None else grouped(order, self.lengths, self.unit, generator)).tolist()
        return iter(chosen + [FILLER] * (len(self) - len(chosen)))


def grouped(
    order: NDArray[np.int64], lengths: NDArray[np.int64], unit: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Sort by length within windows, and let the batches of all windows come in any order."""
    # Of a small set four windows at least: else each epoch would have the same batches.
    window = unit * max(1, min(_WINDOW, len(order) // (4 * unit)))
    batches = []
    for start in range(0, len(order), window):
        some = order[start : start + window]
        some = some[np.argsort(-lengths[some], kind="stable")]
        batches += [some[i : i + unit] for i in range(0, len(some), unit)]
    whole = [one for one in batches if len(one) == unit]
    short = [one for one in batches if len(one) < unit]  # last: amid the others it would shift all batches after it
    return np.concatenate([*(whole[i] for i in generator.permutation(len(whole))), *short])
