"""Embeddings of whole data sets during training: for similarity sampling, and for the evaluation."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.torch_features import import_torch
from geosleuth.training.datasets.cross_view import Pictures
from geosleuth.training.gleam_c.distributed import Processes, share, share_lengths
from geosleuth.training.gleam_c.neighbours import NONE, embedding_neighbours, gps_neighbours
from geosleuth.training.gleam_c.pictures import embedding_loader
from geosleuth.training.gleam_c.training_data import TrainingData, rows

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.reference import View

_BATCH = 128  # pictures at once without gradients; memory is far below that of a training step


def gps_batch_neighbours(data: TrainingData, count: int) -> NDArray[np.int32] | None:
    """Return (q, count) places near each query's own; None where no two places have positions."""
    positions = data.positions
    if np.isfinite(positions).all(axis=1).sum() < 2:
        return None
    return gps_neighbours(positions, count)[data.places]


def similar_neighbours(
    data: TrainingData,
    encode: Callable[[Pictures], tuple[NDArray[np.float32], NDArray[np.bool_]] | None],
    processes: Processes,
    count: int,
) -> NDArray[np.int32]:
    """Return (q, count) places whose tiles look most like each query to the encoder, its own left out.

    Pictures that could not be decoded are black, and would be each other's look-alikes: such a tile is nobody's
    neighbour, and such a query has none.
    """
    queries = encode(data.pairs.queries)
    tiles = encode(data.tiles)
    found = None
    if queries is not None and tiles is not None:
        found = embedding_neighbours(queries[0], tiles[0], data.places, count, valid=tiles[1])
        found[~queries[1]] = NONE
    return processes.from_first(found, (len(data.places), count), "int32")


def embedded(
    encoder: Any,
    pictures: Pictures,
    sizes: Mapping[View, tuple[int, int]],
    processes: Processes,
    *,
    workers: int,
    amp: bool,
    on_progress: Callable[[int], None] = lambda _: None,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]] | None:
    """Embed pictures, each process its share.

    The first process holds the result once, n x d x 4 bytes, and its own share of it beside.

    Returns:
        In the first process (n, d) unit vectors and (n,) whether each picture could be decoded; None in the others.
    """
    torch = import_torch()
    mine = share(len(pictures), processes)
    lengths = share_lengths(len(pictures), processes)
    part = rows(pictures, np.arange(mine.start, mine.stop))
    vectors, valid = np.zeros((len(part), encoder.dimension), np.float32), np.zeros(len(part), np.uint8)
    was_training = encoder.training
    encoder.eval()
    loader = embedding_loader(part, sizes, _BATCH, workers)
    with (
        contextlib.closing(loader),
        torch.inference_mode(),
        torch.autocast(processes.device.type, torch.bfloat16, enabled=amp),
    ):
        for indices, groups, decoded in loader:
            found = encoder([group.to(processes.device, non_blocking=True) for group in groups])
            vectors[indices], valid[indices] = found.float().cpu().numpy(), decoded
            on_progress(len(indices))
    encoder.train(was_training)
    whole, flags = processes.to_first(vectors, lengths), processes.to_first(valid, lengths)
    return None if whole is None or flags is None else (whole, flags > 0)
