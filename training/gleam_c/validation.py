"""What the encoder is worth so far, on the validation sets of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.datasets.columns import said as said_of
from geosleuth.training.datasets.open import open_set
from geosleuth.training.evaluate.cross_view.evaluate import evaluate_vectors
from geosleuth.training.evaluate.cross_view.measures import Measures
from geosleuth.training.gleam_c.refresh import embedded

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.reference import View
    from geosleuth.training.datasets.cross_view import Pictures
    from geosleuth.training.gleam_c.config import GleamCConfig
    from geosleuth.training.gleam_c.distributed import Processes


class Validation:
    """The validation sets of a run, and its encoder to embed them with."""

    def __init__(
        self,
        config: GleamCConfig,
        group: Processes,
        encoder: Any,
        sizes: Mapping[View, tuple[int, int]],
        *,
        amp: bool,
        on_progress: Callable[[int, int], None] = lambda *_: None,
    ) -> None:
        self._sets = [open_set(one.set, one.root, one.split) for one in config.validation]
        self._group, self._encoder, self._sizes, self._amp = group, encoder, sizes, amp
        self._workers = config.machine.workers
        self._on_progress = on_progress
        self.broken: set[str] = set()  # pictures that could not be decoded

    @property
    def said(self) -> list[str]:
        """What the sets hold."""
        return [said_of(one) for one in self._sets]

    def encode(self, pictures: Pictures) -> tuple[NDArray[np.float32], NDArray[np.bool_]] | None:
        """Embed pictures with the encoder as it is; the result is the first process's alone."""
        done = 0

        def add(count: int) -> None:
            nonlocal done
            done += count
            self._on_progress(done * self._group.count, len(pictures))

        found = embedded(
            self._encoder,
            pictures,
            self._sizes,
            self._group,
            workers=self._workers,
            amp=self._amp,
            on_progress=add,
        )
        if found is not None:
            self.broken.update(pictures.paths[i] for i in np.flatnonzero(~found[1]).tolist())
        return found

    def measure(self) -> list[Measures]:
        """Return the figures of each set, in the first process; nothing in the others."""
        found: list[Measures] = []
        for one in self._sets:
            queries, references = self.encode(one.queries), self.encode(one.references)
            if queries is not None and references is not None:
                found.append(evaluate_vectors(one, queries[0], references[0], queries[1], references[1]))
        return found


def scalars(measures: Sequence[Measures]) -> dict[str, float]:
    """Return the figures that a curve over the run is drawn of: "SET/SPLIT/recall@1" and so on."""
    found: dict[str, float] = {}
    for one in measures:
        name = f"{one.set}/{one.split}"
        found |= {f"{name}/recall@{k}": one.overall.recall[k] for k in (1, 5)}
        found[f"{name}/recall@1%"] = one.overall.recall_1_percent
    return found
