"""Embeddings of whole data sets during training: for similarity sampling, and for the evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.torch_features import import_torch
from geosleuth.training.datasets.cross_view import Pictures
from geosleuth.training.gleam_c.distributed import Processes, share, share_lengths
from geosleuth.training.gleam_c.neighbours import embedding_neighbours, gps_neighbours
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
    """Return (q, count) places whose tiles look most like each query to the encoder, its own left out."""
    queries = encode(data.pairs.queries)
    tiles = encode(data.tiles)
    found = None
    if queries is not None and tiles is not None:
        found = embedding_neighbours(queries[0], tiles[0], data.places, count)
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

    Returns:
        In the first process (n, d) unit vectors and (n,) whether each picture could be decoded; None in the others.
    """
    torch = import_torch()
    mine = share(len(pictures), processes)
    lengths = share_lengths(len(pictures), processes)
    part = rows(pictures, np.arange(mine.start, mine.stop))
    found = np.zeros((len(part), encoder.dimension + 1), np.float32)  # the last column: whether it was decoded
    was_training = encoder.training
    encoder.eval()
    with torch.inference_mode(), torch.autocast(processes.device.type, torch.bfloat16, enabled=amp):
        for indices, groups, valid in embedding_loader(part, sizes, _BATCH, workers):
            vectors = encoder([group.to(processes.device, non_blocking=True) for group in groups])
            found[indices, :-1] = vectors.float().cpu().numpy()
            found[indices, -1] = valid
            on_progress(len(indices))
    encoder.train(was_training)
    whole = processes.to_first(found, lengths)
    return None if whole is None else (np.ascontiguousarray(whole[:, :-1]), whole[:, -1] > 0)
