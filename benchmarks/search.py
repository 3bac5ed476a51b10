"""Measure the search of a gallery: everything against a submap, exact against approximate, ours against plainer ways.

Vectors are a mixture (see mixture.py) of 20,000 centres, at most one for 50 rows. Centres are random; with --real they
lie around the embeddings of the photos in a folder, by the same spread. Queries are rows, moved once more.

    python benchmarks/search.py --rows 20000                       # seconds
    python benchmarks/search.py --rows 1000000                     # some minutes, 5 GB of disk
    python benchmarks/search.py --rows 1000000 --real PHOTOS
    python benchmarks/search.py --rows 10000000 --types ivf-pq     # an hour, 45 GB of disk
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mixture import Vectors, moved, real_centres, stage, unit
from numpy.typing import NDArray

from geosleuth.indexes.gallery.exact import nearest
from geosleuth.indexes.gallery.gallery import Hits
from geosleuth.indexes.gallery.index_type import Limits
from geosleuth.indexes.gallery.local import LocalGallery
from geosleuth.indexes.gallery.manifest import EncoderFacts, SourceFacts
from geosleuth.indexes.gallery.selection import Runs, count_of, rows_of
from geosleuth.indexes.gallery.store import open_index, write_index
from geosleuth.tools.submap import Submap, select_submap

K = 10
SUBMAP_SHARE = 0.05
CENTRES = 20_000
SINGLE, BATCH = 30, 100  # queries that are timed one by one, and together
FEW_SINGLE = 5  # of more than two million rows, which may not fit the memory
FLAT_BYTES = 6_000_000_000  # faiss's flat index holds a copy in memory: left out above
EVERYTHING = Limits(exact_rows=1 << 62)
LIMITS = {
    "flat": EVERYTHING,
    "ivf-sq8": Limits(exact_rows=0, memory_bytes=1 << 62),
    "ivf-pq": Limits(exact_rows=0, memory_bytes=0),
}


class Row(NamedTuple):
    """A row of the table."""

    way: str
    searched: int
    single_ms: float  # median of queries one by one
    batch_ms: float  # each, of a batch
    recall: float  # at 10, of the exact answer in the same part of the gallery
    note: str = ""


def submap(gallery: LocalGallery) -> Submap:
    """Countries that hold about 5 % of the references, with 50 km around them: the largest first that still fit."""
    codes, counts = np.unique(gallery.columns("country").column("country").to_numpy().astype(str), return_counts=True)
    shares = dict(zip(codes.tolist(), (counts / counts.sum()).tolist(), strict=True))
    chosen: dict[str, float] = {}
    for code, share in sorted(shares.items(), key=lambda pair: -pair[1]):
        if code != "None" and sum(chosen.values()) + share <= SUBMAP_SHARE and len(chosen) < 4:
            chosen[code] = share
    return select_submap(chosen, share=1.0)


# --- ways to search, each from queries to rows


Way = Callable[[Vectors], list[NDArray[Any]]]


def timed(way: Way, queries: Vectors, singles: int = SINGLE) -> tuple[float, float, list[NDArray[Any]]]:
    """Median ms of single queries, ms each of a batch, and what the batch found."""
    way(queries[:1])
    seconds = []
    for one in queries[:singles]:
        started = time.perf_counter()
        way(one[None])
        seconds.append(time.perf_counter() - started)
    started = time.perf_counter()
    found = way(queries)
    return 1e3 * float(np.median(seconds)), 1e3 * (time.perf_counter() - started) / len(queries), found


def recall(found: list[NDArray[Any]], truth: list[NDArray[Any]]) -> float:
    """Share of the true ten that were found."""
    shared = sum(len(set(a.tolist()) & set(b.tolist())) for a, b in zip(found, truth, strict=True))
    return shared / max(1, sum(map(len, truth)))


def ours(gallery: LocalGallery, queries: Vectors, area: Submap | None = None) -> list[NDArray[Any]]:
    """The whole call, with references read from the disk; ids are the numbers of the rows."""
    found: list[Hits] = gallery.search(queries, K, area=area)
    return [np.array([int(hit.reference.id, 16) for hit in one.hits]) for one in found]


def flat(index: Any, queries: Vectors) -> list[NDArray[Any]]:
    """Search faiss's flat index."""
    return list(index.search(queries, K)[1])


def overfetch(index: Any, inside: NDArray[np.bool_], queries: Vectors) -> list[NDArray[Any]]:
    """Ask for more and more of everything until ten of each query's answer lie inside."""
    fetch = int(2 * K * len(inside) / max(1, inside.sum()))
    while True:
        found = [rows[inside[rows]][:K] for rows in index.search(queries, min(fetch, len(inside)))[1]]
        if min(map(len, found)) >= K or fetch >= len(inside):
            return found
        fetch *= 2


def copied(vectors: Vectors, rows: NDArray[Any], queries: Vectors) -> list[NDArray[Any]]:
    """Copy the submap's vectors, then search them."""
    return product(np.ascontiguousarray(vectors[rows]), rows, queries)


def product(part: Vectors, rows: NDArray[Any], queries: Vectors) -> list[NDArray[Any]]:
    """Search a copy."""
    scores = queries @ part.T
    top = np.argpartition(-scores, K - 1, axis=1)[:, :K]
    return [rows[one[np.argsort(-score[one])]] for one, score in zip(top, scores, strict=True)]


def selected(index: Any, parameters: Any, queries: Vectors) -> list[NDArray[Any]]:
    """Search faiss's flat index with a selector."""
    return list(index.search(queries, K, params=parameters)[1])


# --- the table


def compare_exact(gallery: LocalGallery, queries: Vectors, area: Submap, runs: Runs) -> Iterator[Row]:
    """Everything and a submap, by several ways that are all exact."""
    import faiss

    n, left = len(gallery), count_of(runs)
    rows = rows_of(runs)
    inside = np.zeros(n, dtype=bool)
    inside[rows] = True
    truth = {
        False: [found for found, _ in nearest(gallery.vectors, queries, K, np.array([[0, n]]))],
        True: [found for found, _ in nearest(gallery.vectors, queries, K, runs)],
    }
    ways: list[tuple[str, bool, Way]] = [
        ("ours, everything", False, partial(ours, gallery)),
        ("ours, submap", True, partial(ours, gallery, area=area)),
        ("copy the submatrix, then search it", True, partial(copied, gallery.vectors, rows)),
        ("search a submatrix copied before", True, partial(product, gallery.vectors[rows], rows)),
    ]
    if 4 * n * gallery.dimension <= FLAT_BYTES:
        index = faiss.IndexFlatIP(gallery.dimension)
        index.add(np.ascontiguousarray(gallery.vectors))
        bitmap = np.packbits(inside, bitorder="little")
        parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(n, faiss.swig_ptr(bitmap)))
        ways += [
            ("faiss Flat, everything", False, partial(flat, index)),
            ("faiss Flat, over-fetch and filter", True, partial(overfetch, index, inside)),
            ("faiss Flat, selector", True, partial(selected, index, parameters)),
        ]
    for name, within, way in ways:
        single, batch, found = timed(way, queries, SINGLE if n <= 2_000_000 else FEW_SINGLE)
        yield Row(name, left if within else n, single, batch, recall(found, truth[within]))


def compare_approximate(gallery: LocalGallery, queries: Vectors, area: Submap) -> Iterator[Row]:
    """One approximate index, everything and the submap."""
    whole = np.array([[0, len(gallery)]])
    facts, kind = gallery.manifest.approximate, gallery.manifest.index_type
    assert facts is not None  # noqa: S101  it was asked for
    note = f"{facts.probe} of {facts.lists} cells, {max(100, K * facts.overfetch)} re-scored"
    for name, within, runs in (("everything", None, whole), ("submap", area, gallery.rows(area))):
        truth = [found for found, _ in nearest(gallery.vectors, queries, K, runs)]
        single, batch, found = timed(partial(ours, gallery, area=within), queries)
        yield Row(f"{kind} + re-scoring, {name}", count_of(runs), single, batch, recall(found, truth), note)


def serve(folder: Path, kind: str, queries: Path) -> None:
    """Open and search in a process of its own, and print its memory as JSON."""
    started = time.perf_counter()
    gallery = open_index(folder, LIMITS[kind])
    opened = time.perf_counter() - started
    for query in np.load(queries):
        gallery.search(query[None], K)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    megabytes = {name: int(status[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile", "VmHWM")}
    print(json.dumps({"open_s": opened, **megabytes}))


def memory_of(folder: Path, kind: str, queries: Path) -> str:
    """Memory of a process that serves an index."""
    command = [sys.executable, __file__, "--serve", str(folder), "--types", kind, "--queries", str(queries)]
    facts = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    own, mapped = facts["RssAnon"], facts["RssFile"]
    return f"opened in {facts['open_s']:.1f} s; memory {own:,.0f} MB of its own, {mapped:,.0f} MB of mapped files"


def measure(n: int, arguments: argparse.Namespace, work: Path) -> None:
    """Build one gallery in all types, and print its tables."""
    dimension, rng = arguments.dimension, np.random.default_rng(7)
    centres = unit(rng.standard_normal((min(CENTRES, max(1, n // 50)), dimension)))
    if arguments.real is not None:
        photos = real_centres(arguments.real, dimension)
        dimension = photos.shape[1]
        centres = moved(rng, photos[rng.integers(len(photos), size=len(centres))], arguments.spread)
    print(
        f"\n## {n:,} x {dimension}, {len(centres):,} {'real-looking' if arguments.real else 'random'} centres", end=", "
    )
    print(f"spread {arguments.spread}, queries moved by {arguments.jitter}, {os.cpu_count()} cores\n")
    (work / "staged").mkdir()
    staged = stage(work / "staged", n, centres, arguments.spread)
    facts = {
        "encoder": EncoderFacts(spec="embedded", weights_sha256="00", dimension=dimension),
        "sources": [SourceFacts(kind="folder", root="/photos")],
    }
    table: list[Row] = []
    base: LocalGallery | None = None
    for kind in arguments.types.split(","):
        started = time.perf_counter()
        manifest = write_index(work / "index", staged, base=base, limits=LIMITS[kind], **facts)  # type: ignore[arg-type]
        print(f"- {kind}: written in {time.perf_counter() - started:.0f} s", end="; ")
        if staged:
            shutil.rmtree(work / "staged")
            staged = []
        base = gallery = open_index(work / "index", LIMITS[kind])
        if not (work / "queries.npy").exists():
            asked = np.asarray(gallery.vectors[np.sort(rng.choice(n, BATCH, replace=False))])
            np.save(work / "queries.npy", moved(rng, asked, arguments.jitter))
            area = submap(gallery)
        queries = np.load(work / "queries.npy")
        print(memory_of(work / "index", kind, work / "queries.npy"), end="; ")
        print(", ".join(f"{f.bytes / 1e6:,.0f} MB {name.split('-')[0]}" for name, f in manifest.files.items()))
        if not table:
            started = time.perf_counter()
            runs = gallery.rows(area)
            seconds = time.perf_counter() - started
            exactly = open_index(work / "index", EVERYTHING)
            table += compare_exact(exactly, queries, area, exactly.rows(area))
        if manifest.approximate is not None:
            table += compare_approximate(gallery, queries, area)
    print(
        f"- submap: {', '.join(area.countries)}; {count_of(runs) / n:.1%} of the references in {len(runs):,} runs;",
        end="",
    )
    print(f" found in {1e3 * seconds:.0f} ms once\n")
    show(table)


def show(table: list[Row]) -> None:
    """Print the rows, with their speed against the flat search of everything."""
    whole = next((row for row in table if row.way == "faiss Flat, everything"), table[0])
    print("| way | searched | ms, single | x | ms each of 100 | x | recall@10 | |\n|---|---|---|---|---|---|---|---|")
    for row in table:
        single, batch = whole.single_ms / row.single_ms, whole.batch_ms / row.batch_ms
        print(f"| {row.way} | {row.searched:,} | {row.single_ms:.2f} | {single:.1f} | {row.batch_ms:.2f} ", end="")
        print(f"| {batch:.1f} | {row.recall:.3f} | {row.note} |", flush=True)


def main() -> None:
    """Measure galleries of some sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--types", default="flat,ivf-sq8,ivf-pq")
    parser.add_argument("--spread", type=float, default=0.7)
    parser.add_argument("--jitter", type=float, default=0.3)
    parser.add_argument("--real", type=Path, help="folder of photos whose embeddings are the centres")
    parser.add_argument("--work", type=Path, help="where to write; default: the system's temporary folder")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--queries", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve is not None:
        serve(arguments.serve, arguments.types, arguments.queries)
        return
    for n in arguments.rows or [20_000]:
        with tempfile.TemporaryDirectory(dir=arguments.work) as work:
            measure(n, arguments, Path(work))


if __name__ == "__main__":
    main()
