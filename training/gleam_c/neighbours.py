"""Which places are mistaken for one another: those nearby, and those that look alike to the encoder."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.torch_features import import_torch
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.approximate import has_faiss

if TYPE_CHECKING:
    from types import ModuleType

NONE = -1  # fills rows of places that have fewer neighbours

_POSITIONS = 20_000  # searched at once: 129 distances and indices of 8 bytes each are 41 MB
_SIMILARITIES = 2**25  # held at once where torch searches: 128 MB


def gps_neighbours(positions: NDArray[np.float64], count: int) -> NDArray[np.int32]:
    """Find each place's nearest other places on the sphere.

    Distances are those between points of the unit sphere: chords order as haversine distances do, across the date line
    and at the poles too. In float64: float32 blurs 6 371 km by 0.4 m, and faiss's L2, from products, by kilometres.

    Args:
        positions: (p, 2) lat, lon in degrees; NaN where a place has none.
        count: Neighbours of a place.

    Returns:
        (p, count) places, the nearest first; -1 fills. A place without a position has none and is nobody's.

    Raises:
        InputError: scipy is missing.
    """
    result = np.full((len(positions), count), NONE, np.int32)
    known = np.flatnonzero(np.isfinite(positions).all(axis=1))
    width = min(count + 1, len(known))  # with itself
    if width < 2:
        return result
    points = _on_sphere(positions[known])
    tree = _scipy_spatial().cKDTree(points)
    for start in range(0, len(known), _POSITIONS):
        own = np.arange(start, min(start + _POSITIONS, len(known)))
        _, found = tree.query(points[own], k=width, workers=-1)
        result[known[own], : width - 1] = known[_others(found, own)]
    return result


def embedding_neighbours(
    queries: NDArray[np.float32],
    references: NDArray[np.float32],
    own: NDArray[np.int64],
    count: int,
    *,
    valid: NDArray[np.bool_] | None = None,
    chunk: int = 1024,
) -> NDArray[np.int32]:
    """Find the references most similar to each query but its own: its hard negatives.

    Exact. Beside its arguments and result it holds a chunk of queries and of results and, with faiss, 16 MB of
    similarities, with torch 128 MB; never queries x references. With CUDA torch searches, with the references on the
    GPU; without, faiss, which took 0.8 of torch's time for 1024-D (one core, 100,000 references); torch where faiss is
    missing.

    Args:
        queries: (q, d) unit rows; a memory map is read chunk by chunk.
        references: (r, d) unit rows, one per place, in the order of the places' numbers.
        own: (q,) the reference (the place) that each query shows.
        count: Neighbours of a query.
        valid: (r,) a reference that is not is nobody's neighbour; the others are copied. None: all are.
        chunk: Queries at once.

    Returns:
        (q, count) references (places), the most similar first; -1 fills where there are fewer.
    """
    result = np.full((len(queries), count), NONE, np.int32)
    kept = None if valid is None or valid.all() else np.flatnonzero(valid)
    if kept is not None:
        number = np.full(len(references), NONE)  # of each reference among those that are kept
        number[kept] = np.arange(len(kept))
        references, own = references[kept], number[own]
    width = min(count + 1, len(references))  # with its own
    if width < 2:
        return result
    search = _faiss_search if has_faiss() and not import_torch().cuda.is_available() else _torch_search
    for rows, found in search(queries, np.ascontiguousarray(references, np.float32), width, chunk):
        others = _others(found, own[rows])
        result[rows, : width - 1] = others if kept is None else kept[others]
    return result


def _faiss_search(
    queries: NDArray[np.float32], references: NDArray[np.float32], width: int, chunk: int
) -> Iterator[tuple[slice, NDArray[np.int64]]]:
    """Yield rows of queries and their (n, width) most similar references."""
    import faiss

    for start in range(0, len(queries), chunk):
        rows = slice(start, start + chunk)
        part = np.ascontiguousarray(queries[rows], np.float32)
        yield rows, faiss.knn(part, references, width, metric=faiss.METRIC_INNER_PRODUCT)[1]


def _torch_search(
    queries: NDArray[np.float32], references: NDArray[np.float32], width: int, chunk: int
) -> Iterator[tuple[slice, NDArray[np.int64]]]:
    torch = import_torch()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    chunk = max(1, min(chunk, _SIMILARITIES // len(references)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")  # it is only read
        transposed = torch.from_numpy(references).to(device).T
    with torch.inference_mode():
        for start in range(0, len(queries), chunk):
            rows = slice(start, start + chunk)
            part = torch.from_numpy(np.array(queries[rows], np.float32)).to(device)
            yield rows, (part @ transposed).topk(width, dim=1).indices.cpu().numpy()


def _others(found: NDArray[np.int64], own: NDArray[np.int64]) -> NDArray[np.int64]:
    """Drop each row's own index or, where others crowd it out, the last one: (n, k) to (n, k - 1)."""
    keep = found != own[:, None]
    keep[keep.all(axis=1), -1] = False
    others: NDArray[np.int64] = found[keep].reshape(len(found), -1)
    return others


def _on_sphere(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    lat, lon = np.radians(positions).T
    return np.column_stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))


def _scipy_spatial() -> ModuleType:
    try:
        import scipy.spatial
    except ImportError as error:
        remedy = "Run `pip install 'geosleuth[train]'`."
        raise InputError("the package scipy", f"none that can be imported ({error})", remedy) from error
    spatial: ModuleType = scipy.spatial
    return spatial
