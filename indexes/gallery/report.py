"""Everything that can be checked about an index."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.approximate import ApproximateIndex, has_faiss
from geosleuth.indexes.gallery.checksum import broken_files
from geosleuth.indexes.gallery.damage import UNREADABLE, fault_of
from geosleuth.indexes.gallery.manifest import MOST_LINE_BYTES, Manifest, Problem, read_manifest
from geosleuth.indexes.gallery.reference import VIEWS
from geosleuth.indexes.gallery.table import (
    ReferenceFile,
    check_texts,
    column_faults,
    points,
    sorted_order,
    storage_faults,
)
from geosleuth.indexes.gallery.vectors import check_unit, map_vectors

_BLOCK_ROWS = 65_536  # of vectors, 128 MB at 512 dimensions

Check = Callable[[Path, Manifest], Iterator[str]]


class IndexReport(BaseModel):
    """What a check of an index found."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    folder: str
    ok: bool
    problems: tuple[str, ...]
    """Each begins with the name of a file."""
    files: int
    """Number of files that the manifest names, and the manifest."""
    bytes: int
    references: int
    seconds: float


def verify_index(folder: Path) -> IndexReport:
    """Check an index: every byte by checksum, and what undamaged files may still be wrong about.

    That is: numbers of rows, unit vectors, ids that occur once, positions on the Earth, the order of the rows, the
    contents of the faiss file. A file whose checksum is wrong is not read further. Never raises for a broken index.
    """
    started = time.perf_counter()
    try:
        manifest = read_manifest(folder)
    except (InputError, OSError) as error:
        problems = [f"manifest.json: {error}"]
        return _report(folder, problems, None, started)
    faults = broken_files(folder, manifest.files)
    if faults and _replaced(folder, manifest):  # an add committed meanwhile, and removed the files that were read
        return verify_index(folder)
    problems = [f"{name}: {fault}" for name, fault in faults.items()]
    checks: dict[str, Check] = {
        "references": _check_references,
        "vectors": _check_vectors,
        "problems": _check_problems,
        "search": _check_search,
    }
    for stem, check in checks.items():
        name = manifest.file(stem)
        if name is None:
            if stem != "search" or manifest.approximate is not None:
                problems.append(f"manifest.json: it names no {stem} file")
        elif name not in faults:
            problems += [f"{name}: {fault}" for fault in _faults(check, folder / name, manifest)]
    return _report(folder, problems, manifest, started)


def _faults(check: Check, path: Path, manifest: Manifest) -> Iterator[str]:
    """What a check finds; that it cannot read the file is a finding as well."""
    try:
        yield from check(path, manifest)
    except UNREADABLE as error:
        yield fault_of(error)


def _report(folder: Path, problems: list[str], manifest: Manifest | None, started: float) -> IndexReport:
    files = manifest.files if manifest else {}
    return IndexReport(
        folder=str(folder),
        ok=not problems,
        problems=tuple(problems),
        files=len(files) + 1,
        bytes=sum(facts.bytes for facts in files.values()),
        references=manifest.count if manifest else 0,
        seconds=round(time.perf_counter() - started, 3),
    )


def _replaced(folder: Path, manifest: Manifest) -> bool:
    try:
        return read_manifest(folder).generation != manifest.generation
    except InputError:
        return False


def _check_references(path: Path, manifest: Manifest) -> Iterator[str]:
    import pyarrow.compute as pc

    if faults := column_faults(pq.read_schema(path)):
        yield from faults
        return  # what follows needs the columns
    if (fault := next(storage_faults(pq.read_metadata(path)), None)) is not None:
        yield fault
        return  # what follows may take any memory
    for texts in ReferenceFile(path).coded_batches(["country", "view", "licence"]):
        check_texts(texts)
    table = pq.read_table(path, columns=["id", "source", "lat", "lon", "view", "geometry"])
    if sum(manifest.views.values()) != manifest.count:
        yield f"the manifest's views are not {manifest.count:,} references together"
    if len(table) != manifest.count:
        yield f"{len(table):,} rows instead of {manifest.count:,}"
    if (distinct := pc.count_distinct(table.column("id")).as_py()) != len(table):
        yield f"{len(table) - distinct:,} ids occur more than once"
    lat, lon = table.column("lat").to_numpy(), table.column("lon").to_numpy()
    astray = int((~((np.abs(lat) <= 90.0) & (np.abs(lon) <= 180.0))).sum())  # true for NaN as well
    if astray:
        yield f"{astray:,} positions are not on the Earth"
        return  # what follows needs positions
    source = table.column("source").to_numpy()
    if len(source) and not (source.min() >= 0 and source.max() < len(manifest.sources)):
        yield f"sources up to {source.max()} of {len(manifest.sources)}"
    if (geometry := table.column("geometry").combine_chunks()) != points(lat, lon):
        differ = int(pc.sum(pc.not_equal(geometry, points(lat, lon))).as_py())
        yield f"{differ:,} points differ from their lat and lon"
    found = {row["values"]: row["counts"] for row in pc.value_counts(table.column("view")).to_pylist()}
    if found != manifest.views or list(manifest.views) != [view for view in VIEWS if view in manifest.views]:
        yield f"views {found} instead of {manifest.views}"
    elif (sorted_order(table) != np.arange(len(table))).any():
        yield "its rows are not in the order of view, H3 cell and id"


def _check_vectors(path: Path, manifest: Manifest) -> Iterator[str]:
    try:
        vectors = map_vectors(path)
    except InputError as error:
        yield error.found
        return
    wanted = (manifest.count, manifest.encoder.dimension)
    if vectors.shape != wanted or vectors.dtype != np.float32:
        yield f"{vectors.dtype} of shape {vectors.shape} instead of float32 of shape {wanted}"
        return
    try:
        for start in range(0, len(vectors), _BLOCK_ROWS):
            check_unit(vectors[start : start + _BLOCK_ROWS], start)
    except InputError as error:
        yield f"it does not hold unit vectors throughout, but {error.found}"


def _check_problems(path: Path, manifest: Manifest) -> Iterator[str]:
    kinds: dict[str, int] = {}
    with path.open("rb") as file:
        for line in iter(lambda: file.readline(MOST_LINE_BYTES), b""):
            kind = Problem.model_validate_json(line).kind
            kinds[kind] = kinds.get(kind, 0) + 1
    if kinds != manifest.problems:
        yield f"it lists {kinds} instead of {manifest.problems}"


def _check_search(path: Path, manifest: Manifest) -> Iterator[str]:
    if not has_faiss():
        yield "it cannot be checked beyond its checksum without faiss: pip install 'geosleuth[index]'"
        return
    index = ApproximateIndex.open(path)
    found = (len(index), index.dimension, index.lists)
    wanted = (manifest.count, manifest.encoder.dimension, manifest.approximate and manifest.approximate.lists)
    if found != wanted:
        yield f"(rows, dimension, cells) are {found} instead of {wanted}"
