"""Pictures from disk to the encoder: decoded and resized as the index does it, augmented, grouped by size.

What a pair looks like depends on the seed, the epoch and its query alone: never on which process reads it, in which
batch, or at which step a run was taken up again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.resizing import resized
from geosleuth.indexes.encoders.torch_features import import_torch
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import open_photo
from geosleuth.indexes.photo_file import DAMAGED
from geosleuth.training.datasets.cross_view import CrossViewSet, Pictures
from geosleuth.training.gleam_c.augment import augmented
from geosleuth.training.gleam_c.workers import loaded

if TYPE_CHECKING:
    from torch import Tensor

    from geosleuth.indexes.gallery.reference import View
    from geosleuth.indexes.pixels import Pixels
    from geosleuth.training.gleam_c.config import AugmentConfig

logger = logging.getLogger(__name__)

Size = tuple[int, int]  # height, width
Sizes = Mapping["View", Size]


def read_picture(path: str | Path, size: Size, *, side_px: int | None = None) -> Pixels | None:
    """Decode a picture as `index build` does: upright, RGB, bombs refused, squeezed into `size`.

    Args:
        path: Of the file.
        size: (height, width).
        side_px: A JPEG is decoded at a reduced size as long as no side falls below it. The index takes the longest
            side of any view of the encoder, and pixels are equal only with the same; None: of `size`.

    Returns:
        (h, w, 3) uint8; None, with the reason in the log, where the file is no picture, damaged or not there.
    """
    try:
        return resized(open_photo(path).pixels_at(side_px or max(size)), size)
    except (InputError, *DAMAGED) as error:
        logger.info("Left out %s: %s", path, error)  # no warning: it comes again in each epoch, and is counted
        return None


@dataclass(frozen=True, eq=False)
class Batch:
    """n pairs. Groups hold pictures (m, 3, h, w) uint8 of one size each."""

    queries: list[Tensor]
    query_rows: Tensor  # (n,) int64: which row of the batch each picture of the groups is
    references: list[Tensor]  # one group, in the batch's order
    valid: Tensor  # (n,) bool: both pictures could be decoded; those that could not are black
    broken: tuple[str, ...]  # paths

    def pin_memory(self) -> Batch:
        """Move to memory that a GPU copies from without waiting; torch's loader calls it."""
        return Batch(
            [group.pin_memory() for group in self.queries],
            self.query_rows.pin_memory(),
            [group.pin_memory() for group in self.references],
            self.valid.pin_memory(),
            self.broken,
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and a reference; None where it cannot be decoded."""

    query: Pixels | None
    reference: Pixels | None
    query_view: View
    reference_view: View
    broken: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class PairPictures:
    """A data set of torch, map style: (query index, reference index) to the pair's pictures."""

    pairs: CrossViewSet
    sizes: Sizes
    augment: AugmentConfig | None
    seed: int
    epoch: int

    def __getitem__(self, key: tuple[int, int]) -> Pair:
        query, reference = key
        query_view, reference_view = _view(self.pairs.queries, query), _view(self.pairs.references, reference)
        pictures = _read(self.pairs.queries, query, self.sizes), _read(self.pairs.references, reference, self.sizes)
        paths = self.pairs.queries.paths[query], self.pairs.references.paths[reference]
        broken = tuple(path for path, picture in zip(paths, pictures, strict=True) if picture is None)
        first, second = pictures
        if self.augment is not None and first is not None and second is not None:
            rng = np.random.default_rng((self.seed, self.epoch, query))
            first, second = augmented(
                first, second, view=query_view, reference_view=reference_view, config=self.augment, rng=rng
            )
        return Pair(first, second, query_view, reference_view, broken)


def pair_loader(
    pairs: CrossViewSet,
    batches: NDArray[np.int64],
    reference_of: NDArray[np.int64] | Callable[[NDArray[np.int64]], NDArray[np.int64]],
    *,
    sizes: Sizes,
    augment: AugmentConfig | None,
    seed: int,
    epoch: int,
    first_step: int = 0,
    workers: int = 0,
) -> Generator[Batch, None, None]:
    """Read the batches of an epoch, in their order.

    Args:
        pairs: Where the pictures are.
        batches: (steps, n) queries of this process.
        reference_of: (queries,) the reference of each query, or a function of `batches`.
        sizes: (height, width) of each view.
        augment: None: the pictures as they are.
        seed: Of the augmentation; so is the next.
        epoch: From 0.
        first_step: The first batch to read, where a run is taken up again.
        workers: Processes that decode; 0: this one.

    Raises:
        InputError: The references have views of several sizes.
    """
    references = reference_of(batches) if callable(reference_of) else reference_of[batches]
    found = {sizes[one.view] for one in pairs.references.modalities}
    if len(found) > 1:
        remedy = "Give their views the same size in [input]."
        raise InputError("references of one size", f"{sorted(found)} (height, width)", remedy)
    keys = np.stack([batches, references], axis=-1)[first_step:]
    pictures = PairPictures(pairs, sizes, augment, seed, epoch)
    return loaded(pictures, [[(q, r) for q, r in batch] for batch in keys.tolist()], workers, _Collate(sizes))


@dataclass(frozen=True, eq=False)
class _Collate:
    sizes: Sizes

    def __call__(self, pairs: Sequence[Pair]) -> Batch:
        torch = import_torch()
        queries, rows = _grouped([one.query for one in pairs], [self.sizes[one.query_view] for one in pairs])
        references, _ = _grouped([one.reference for one in pairs], [self.sizes[one.reference_view] for one in pairs])
        return Batch(
            [torch.from_numpy(group) for group in queries],
            torch.from_numpy(rows),
            [torch.from_numpy(group) for group in references],
            torch.tensor([not one.broken for one in pairs]),
            tuple(path for one in pairs for path in one.broken),
        )


def embedding_loader(
    pictures: Pictures, sizes: Sizes, batch_size: int, workers: int = 0
) -> Generator[tuple[NDArray[np.int64], list[Tensor], NDArray[np.bool_]], None, None]:
    """Read all pictures once, those of one size after another.

    Yields:
        (m,) indices into `pictures`; uint8 groups (m_i, 3, h_i, w_i), whose rows in order are those of the indices;
        (m,) whether each could be decoded; one that could not is black.
    """
    size_of = [sizes[one.view] for one in pictures.modalities]
    rank = {size: number for number, size in enumerate(sorted(set(size_of)))}
    order = np.argsort(np.array([rank[size] for size in size_of])[pictures.modality], kind="stable").tolist()
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    yield from loaded(_Alone(pictures, sizes), batches, workers, _collated_alone)


@dataclass(frozen=True, eq=False)
class _Alone:
    pictures: Pictures
    sizes: Sizes

    def __getitem__(self, index: int) -> tuple[int, Pixels | None, Size]:
        return index, _read(self.pictures, index, self.sizes), self.sizes[_view(self.pictures, index)]


def _collated_alone(
    items: Sequence[tuple[int, Pixels | None, Size]],
) -> tuple[NDArray[np.int64], list[Tensor], NDArray[np.bool_]]:
    torch = import_torch()
    groups, rows = _grouped([picture for _, picture, _ in items], [size for *_, size in items])
    indices = np.array([index for index, *_ in items], np.int64)
    valid = np.array([picture is not None for _, picture, _ in items], np.bool_)
    return indices[rows], [torch.from_numpy(group) for group in groups], valid[rows]


def _grouped(
    pictures: Sequence[Pixels | None], sizes: Sequence[Size]
) -> tuple[list[NDArray[np.uint8]], NDArray[np.int64]]:
    """Put pictures of one size together as (m, 3, h, w), and say which of `pictures` each is."""
    groups, rows = [], []
    for size in dict.fromkeys(sizes):  # in the order in which they come first
        members = [row for row, other in enumerate(sizes) if other == size]
        group = np.zeros((len(members), 3, *size), np.uint8)
        for place, row in enumerate(members):
            if (picture := pictures[row]) is not None:
                group[place] = picture.transpose(2, 0, 1)
        groups.append(group)
        rows += members
    return groups, np.array(rows, np.int64)


def _read(pictures: Pictures, index: int, sizes: Sizes) -> Pixels | None:
    longest = max(max(size) for size in sizes.values())
    return read_picture(pictures.paths[index], sizes[_view(pictures, index)], side_px=longest)


def _view(pictures: Pictures, index: int) -> View:
    return pictures.modalities[int(pictures.modality[index])].view
