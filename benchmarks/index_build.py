"""Measure `geosleuth index build` against its parts: decoding alone, encoding alone, and the build, in one run.

    python benchmarks/index_build.py PHOTOS                  # a folder of photos
    python benchmarks/index_build.py PHOTOS --count 2000     # as many, repeated, each at a position of its own
    python benchmarks/index_build.py PHOTOS --encoder timm:resnet18 --runs 3

The photos are listed in a table at invented positions, so that any will do; each repetition is a link to the file.
Decoding is what a build does to an image before the model (read, hash, decode, resize), in as many threads; encoding is
the model over the same prepared images, in batches of the same size. The target: the build's images per second are at
least 0.9 of 1 / (decoding + encoding), in seconds per image. Prints a Markdown table. Run it alone.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from geosleuth.indexes.encoders.encoder import Encoder
from geosleuth.indexes.encoders.load import load_encoder
from geosleuth.indexes.encoders.parallel import core_count
from geosleuth.indexes.gallery.build import build_index
from geosleuth.indexes.gallery.encoding import BATCH
from geosleuth.indexes.gallery.progress import Progress
from geosleuth.indexes.gallery.sources.folder import photo_paths
from geosleuth.indexes.gallery.sources.open import open_source
from geosleuth.indexes.gallery.sources.source import Item, Source

TARGET = 0.9
_HELD = 256  # prepared images that are encoded again and again: 200 MB at 512 x 512 x 3 bytes


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, help="images; by default each photo once")
    parser.add_argument("--encoder", default="embedded")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    encoder = load_encoder(options.encoder)
    rows: list[tuple[float, float, float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        source, count, photos = _source(options.photos, Path(folder), options.count)
        uris = [item.uri for item in source.items() if isinstance(item, Item)]
        _encode(encoder, _decode(source, encoder, uris[:BATCH])[1], BATCH)  # loads the model
        for run in range(options.runs):
            decode_s, prepared = _decode(source, encoder, uris)
            encode_s = _encode(encoder, prepared, count)
            build_s, phase_s = _build(source, Path(folder, f"index-{run}"), options.encoder)
            rows.append((decode_s / count, encode_s / count, build_s / count, phase_s / count))
    decode_s, encode_s, build_s, phase_s = (statistics.median(column) for column in zip(*rows, strict=True))
    ratio = statistics.median((decode + encode) / build for decode, encode, build, _ in rows)
    sys.stdout.write(
        f"{count} images of {photos} photos, {options.encoder}, {core_count()} cores, "
        f"medians of {options.runs} runs\n\n"
        "| what | ms per image | images per s |\n|---|---|---|\n"
        + "".join(
            f"| {name} | {value * 1e3:.2f} | {1 / value:.1f} |\n"
            for name, value in (
                ("decode alone", decode_s),
                ("encode alone", encode_s),
                ("one after the other", decode_s + encode_s),
                ("index build, as a whole", build_s),
                ("of which its encoding phase", phase_s),
            )
        )
        + f"\nbuild / (1 / (decode + encode)) = {ratio:.3f} (target {TARGET}; runs: "
        + ", ".join(f"{(decode + encode) / build:.3f}" for decode, encode, build, _ in rows)
        + ")\n"
    )


def _source(folder: Path, scratch: Path, count: int | None) -> tuple[Source, int, int]:
    """Make a table of the photos at invented positions, a hundred metres apart in the North Sea and eastwards."""
    photos = [path.resolve() for path in photo_paths(folder)]
    if not photos:
        raise SystemExit(f"no photo in {folder}")
    count = count or len(photos)
    with (scratch / "photos.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "lat", "lon"))
        for number in range(count):
            path = photos[number % len(photos)].relative_to(folder.resolve())
            writer.writerow((path, 50.0 + (number % 1000) * 1e-3, 3.0 + (number // 1000) * 1e-3))
    return open_source(scratch / "photos.csv", root=folder), count, len(photos)


def _decode(source: Source, encoder: Encoder, uris: list[str]) -> tuple[float, list[Any]]:
    """Prepare every image; keep the first ones."""

    def prepare(uri: str) -> Any:
        return encoder.prepare(source.read(uri).pixels_at(encoder.input_side_px), "ground")

    kept: list[Any] = []
    started = time.perf_counter()
    with ThreadPoolExecutor(core_count()) as pool:
        for start in range(0, len(uris), _HELD):
            prepared = list(pool.map(prepare, uris[start : start + _HELD]))
            kept = kept or prepared
    return time.perf_counter() - started, kept


def _encode(encoder: Encoder, prepared: list[Any], count: int) -> float:
    """Encode as many images, in batches of a build."""
    images = (prepared * (count // len(prepared) + 1))[:count]
    started = time.perf_counter()
    for start in range(0, count, BATCH):
        encoder.encode(images[start : start + BATCH])
    return time.perf_counter() - started


def _build(source: Source, out: Path, encoder: str) -> tuple[float, float]:
    """Build, and tell the seconds of it all and of its encoding."""
    began: dict[str, float] = {}

    def watch(progress: Progress) -> None:
        began.setdefault(progress.phase, time.perf_counter())

    started = time.perf_counter()
    build_index(source, out, encoder=encoder, on_progress=watch)
    return time.perf_counter() - started, began["writing"] - began["encoding"]


if __name__ == "__main__":
    main()
