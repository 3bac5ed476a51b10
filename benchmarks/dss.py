"""Measure a refresh of dynamic similarity sampling: seconds and memory, on synthetic embeddings.

    python benchmarks/dss.py                                       # 48,000 x 100,000: some two minutes on a CPU
    python benchmarks/dss.py --queries 4800 --references 10000     # seconds
    python benchmarks/dss.py --full                                # SetVL-480K's size: 480,000 queries x 12,000 tiles

A refresh finds the 128 references most similar to each query among all of them, exactly, and drops its own. Embedding
the pictures is not part of it. The embeddings are synthetic: random unit vectors, a query its own reference's plus
noise. The search takes the same time and memory for any others: it compares all with all.

Memory is the peak of the whole process (Python, numpy, torch and faiss loaded, the embeddings and the result among
it), and what the refresh adds to what was there before it. Beside it stands the naive way: the whole matrix of
similarities in float32. Then an epoch of batches is sampled from what was found. Sizes that were not run are
extrapolated: time by queries x references, memory by its parts; they are marked "computed".
"""

from __future__ import annotations

import argparse
import os
import sys
import time

import numpy as np
from numpy.typing import NDArray
from peak_memory import peak_bytes, reset_peak

from geosleuth.training.gleam_c.neighbours import embedding_neighbours
from geosleuth.training.gleam_c.sampling import batches

TARGET_GB = 2.0
NEIGHBOURS = 128
FULL = (480_000, 12_000)  # SetVL-480K: some 40 queries a tile
WORST = (480_000, 480_000)  # a tile of its own for each
_ROWS = 10_000  # made at once


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=48_000)
    parser.add_argument("--references", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=1024, help="of an embedding")
    parser.add_argument("--full", action="store_true", help="480,000 x 12,000 instead: 2 GB of embeddings")
    options = parser.parse_args()
    q, r = FULL if options.full else (options.queries, options.references)
    rng = np.random.default_rng(1)
    references = unit(rng, r, options.width)
    own = rng.permutation(np.arange(q) % r)
    queries = looking_like(references, own, rng)
    embedding_neighbours(queries[:8], references[:200], own[:8] % 200, NEIGHBOURS)  # loads faiss and torch
    before = resident_bytes()
    reset_peak("cpu")
    started = time.perf_counter()
    found = embedding_neighbours(queries, references, own, NEIGHBOURS)
    refresh_s = time.perf_counter() - started
    peak = peak_bytes("cpu")
    started = time.perf_counter()
    epoch = batches(own, found, batch_size=128, select=64, seed=1, epoch=0)
    sampling_s = time.perf_counter() - started
    held = embeddings_bytes(q, r, options.width)
    others = peak - held  # the interpreter, its libraries, the result, the chunks
    verdict = f"target < {TARGET_GB:g} GB: {'met' if peak < TARGET_GB * 1e9 else 'not met'}"
    sys.stdout.write(
        f"synthetic embeddings, {options.width}-D float32, {NEIGHBOURS} neighbours, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}\n\n"
        "| queries x references | refresh s | peak GB | embeddings GB | whole matrix GB | |\n"
        "|---|---|---|---|---|---|\n"
        + line(q, r, refresh_s, peak, options.width, "measured")
        + "".join(
            line(
                *size,
                refresh_s * size[0] * size[1] / (q * r),
                embeddings_bytes(*size, options.width) + others + 4 * NEIGHBOURS * (size[0] - q),
                options.width,
                "computed",
            )
            for size in (FULL, WORST)
            if size != (q, r)
        )
        + f"\nthe refresh added {(peak - before) / 1e9:.2f} GB to the {before / 1e9:.2f} GB before it ({verdict})\n"
        f"sampling an epoch of {q:,} pairs: {sampling_s:.1f} s, {len(epoch):,} batches of 128, "
        f"{epoch.size / q:.2%} of the pairs\n"
    )


def unit(rng: np.random.Generator, rows: int, width: int) -> NDArray[np.float32]:
    """Make random unit rows, in parts: a float64 copy of all would be the peak."""
    made = np.empty((rows, width), np.float32)
    for start in range(0, rows, _ROWS):
        part = made[start : start + _ROWS]
        rng.standard_normal(out=part, dtype=np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return made


def looking_like(
    references: NDArray[np.float32], own: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Make queries with a cosine of 0.7 to their own references."""
    queries = unit(rng, len(own), references.shape[1])
    for start in range(0, len(own), _ROWS):
        part = queries[start : start + _ROWS]
        part += references[own[start : start + _ROWS]]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return queries


def embeddings_bytes(queries: int, references: int, width: int) -> int:
    """Return what the embeddings take."""
    return 4 * width * (queries + references)


def resident_bytes() -> int:
    """Return what the process holds now."""
    reset_peak("cpu")
    return peak_bytes("cpu")


def line(queries: int, references: int, seconds: float, peak: float, width: int, how: str) -> str:
    """Return a row of the table."""
    held, matrix = embeddings_bytes(queries, references, width), 4 * queries * references
    return (
        f"| {queries:,} x {references:,} | {seconds:,.0f} | {peak / 1e9:.2f} | {held / 1e9:.2f} | {matrix / 1e9:,.1f} "
        f"| {how} |\n"
    )


if __name__ == "__main__":
    main()
