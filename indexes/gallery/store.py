"""An index on disk: written as a new generation beside the old one, opened only when every checksum agrees."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.approximate import Trained, build_approximate, has_faiss
from geosleuth.indexes.gallery.checksum import broken_files, file_facts
from geosleuth.indexes.gallery.index_type import Limits, choose_type
from geosleuth.indexes.gallery.journal_files import FOLDER_ERRORS
from geosleuth.indexes.gallery.local import LocalGallery
from geosleuth.indexes.gallery.manifest import (
    DATA_FILE,
    MANIFEST,
    ApproximateFacts,
    EncoderFacts,
    IndexType,
    Manifest,
    Problem,
    ProblemKind,
    SourceFacts,
    damaged,
    read_manifest,
    write_manifest,
)
from geosleuth.indexes.gallery.reference import VIEWS, Reference
from geosleuth.indexes.gallery.report import IndexReport, verify_index
from geosleuth.indexes.gallery.table import COLUMNS, reference_table, sorted_order, write_geoparquet
from geosleuth.indexes.gallery.vectors import Chunk, Vectors, map_vectors, write_vectors
from geosleuth.indexes.whole_file import flush_folder

__all__ = ["IndexReport", "Limits", "Staged", "note_problems", "open_index", "verify_index", "write_index"]

_TRIES = 3  # readings of an index that an add keeps replacing


@dataclass(frozen=True)
class Staged:
    """One chunk of a build: row i of `rows` belongs to row i of `vectors`."""

    rows: Path | Sequence[Reference]  # a Parquet file of table.save_rows, or the rows themselves
    vectors: Path | Vectors  # (n, d) unit rows: an .npy file (read by memory map), or the array

    def table(self) -> pa.Table:
        """Read the rows."""
        return pq.read_table(self.rows) if isinstance(self.rows, Path) else reference_table(self.rows)


def open_index(folder: Path, limits: Limits | None = None) -> LocalGallery:
    """Open an index after checking every file's size and checksum.

    Raises:
        InputError: No index there, or one of its files is missing, damaged, or too long; the file is named.
    """
    for _ in range(_TRIES):
        manifest = read_manifest(folder)
        faults = broken_files(folder, manifest.files)
        if not faults:
            with contextlib.suppress(FileNotFoundError):  # an add has removed it between the check and here
                return LocalGallery(folder, manifest, limits or Limits())
        elif read_manifest(folder).generation == manifest.generation:
            name, fault = next(iter(faults.items()))
            raise damaged(folder / name, fault)
    found = f"one that was replaced {_TRIES} times while it was read: {folder}"
    raise InputError("an index at rest", found, "Try again when the adds are done.")


def write_index(
    folder: Path,
    staged: Sequence[Staged],
    *,
    encoder: EncoderFacts,
    sources: Sequence[SourceFacts],
    problems: Iterable[Problem] = (),
    base: LocalGallery | None = None,
    limits: Limits | None = None,
) -> Manifest:
    """Write a new generation of the index: the references of `base`, if any, and of all staged chunks.

    Rows are sorted by (view, finest H3 cell, id). The rename of the manifest is the commit: killed at any moment
    before, the old generation stays whole and what is left over is removed by the next write; killed after it,
    `remove_superseded` does what is left to be done. Same rows and vectors give equal bytes in every file but the
    manifest, which holds the date. Memory: the table of references and some 1 GB. The caller holds the folder's lock.
    The folder may hold other files: only an index's own are removed.

    Args:
        folder: Made if missing.
        staged: Any order, chunks may be empty.
        encoder: Must equal that of `base`.
        sources: All sources, those of `base` first and unchanged; Reference.source is an index into them.
        problems: New ones; those of `base` are kept before them.
        base: The index as it is (`open_index(folder)`), for an add.
        limits: Sizes at which the type of the index changes.

    Raises:
        InputError: No references at all, equal ids, a vector that is not finite and of unit length, another encoder
            or dimension than `base`, a source out of range; the disk is full.
    """
    if base is not None and base.manifest.encoder != encoder:
        remedy = "Add with the encoder of the index, or build another index."
        raise InputError(f"the encoder {base.encoder_spec} of {folder}", encoder.spec, remedy)
    folder.mkdir(parents=True, exist_ok=True)
    generation = _next_generation(folder)
    try:
        _clear_way(folder, generation)
        manifest = _write_files(folder, generation, staged, encoder, sources, problems, base, limits or Limits())
        flush_folder(folder)
        write_manifest(folder, manifest)
    except OSError as error:
        if error.errno not in FOLDER_ERRORS:
            raise
        remedy = "Make room there, or name another folder with --out."
        raise InputError("room for an index", f"{folder}: {error.strerror}", remedy) from error
    finally:
        remove_superseded(folder)
    return manifest


def note_problems(
    folder: Path, base: LocalGallery, sources: Sequence[SourceFacts], problems: Iterable[Problem]
) -> Manifest:
    """Write a new generation that differs in its problems alone: references and vectors keep their files.

    Arguments and the commit are those of `write_index`.
    """
    generation = _next_generation(folder)
    lines, before = folder / f"problems-{generation}.jsonl", base.manifest
    try:
        _clear_way(folder, generation)
        kinds = _write_problems(lines, chain(base.problems(), problems))
        flush_folder(folder)
        files = {name: facts for name, facts in before.files.items() if name != before.file("problems")}
        changes = {"generation": generation, "sources": tuple(sources), "problems": kinds}
        manifest = before.model_copy(update={**changes, "files": {lines.name: file_facts(lines), **files}})
        write_manifest(folder, manifest)
    finally:
        remove_superseded(folder)
    return manifest


def _next_generation(folder: Path) -> int:
    """One more than the manifest's; without one 1, so that a build resumed after a kill writes the same names."""
    if not (folder / MANIFEST).exists():
        return 1
    with contextlib.suppress(InputError):
        return read_manifest(folder).generation + 1
    return 1 + max((int(path.stem.rpartition("-")[2]) for path in _data_files(folder)), default=0)


def _clear_way(folder: Path, generation: int) -> None:
    """Remove what has the names to be written: a link that came with an index would be written through."""
    names = (f"references-{generation}.parquet", f"vectors-{generation}.npy", f"search-{generation}.faiss")
    for name in (*names, f"problems-{generation}.jsonl", f"{MANIFEST}.new"):
        (folder / name).unlink(missing_ok=True)


def _data_files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if DATA_FILE.fullmatch(path.name)]


def remove_superseded(folder: Path) -> None:
    """Remove the files of other generations than the manifest's: older ones, and those of a write that failed."""
    try:
        kept = set(read_manifest(folder).files) if (folder / MANIFEST).exists() else set()
    except InputError:
        return  # it is damaged: nothing is known to be superseded
    for path in [*_data_files(folder), folder / f"{MANIFEST}.new"]:
        if path.name not in kept:
            with contextlib.suppress(OSError):  # Windows keeps files that a reader has mapped: the next write does it
                path.unlink()


def _write_files(
    folder: Path,
    generation: int,
    staged: Sequence[Staged],
    encoder: EncoderFacts,
    sources: Sequence[SourceFacts],
    problems: Iterable[Problem],
    base: LocalGallery | None,
    limits: Limits,
) -> Manifest:
    tables = [base.columns(*COLUMNS)] if base else []
    tables += [chunk.table() for chunk in staged]
    chunks: list[Chunk] = [(len(base), base.vectors)] if base else []
    chunks += [(len(rows), chunk.vectors) for rows, chunk in zip(tables[len(chunks) :], staged, strict=True)]
    table = _one_table(tables, len(sources))
    del tables
    order = sorted_order(table)
    views = {view: count for view in VIEWS if (count := _count(table, view))}
    references, vectors = folder / f"references-{generation}.parquet", folder / f"vectors-{generation}.npy"
    lines = folder / f"problems-{generation}.jsonl"
    write_geoparquet(references, table, order)
    write_vectors(vectors, chunks, order, encoder.dimension)
    del table, order  # the faiss file needs the memory
    kinds = _write_problems(lines, chain(base.problems() if base else (), problems))
    count = sum(views.values())
    kind, reason = choose_type(count, encoder.dimension, limits, faiss=has_faiss())
    search, facts = folder / f"search-{generation}.faiss", None
    if kind != "flat":
        facts = _write_search(search, vectors, kind, base)
        reason += f"; recall@10 {facts.recall_at_10:.3f} of exact on {facts.recall_queries} of its own vectors"
    return Manifest(
        geosleuth_version=version("geosleuth"),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        generation=generation,
        count=count,
        views=views,
        encoder=encoder,
        sources=tuple(sources),
        problems=kinds,
        index_type=kind,
        index_reason=reason,
        approximate=facts,
        files={path.name: file_facts(path) for path in [lines, references, *([search] if facts else []), vectors]},
    )


def _one_table(tables: Sequence[pa.Table], sources: int) -> pa.Table:
    """Join and check the references."""
    import pyarrow.compute as pc

    table = pa.concat_tables(tables) if tables else reference_table([])
    if not len(table):
        remedy = "Name a source with geotagged images; `geosleuth photo FILE` shows what a photo's header holds."
        raise InputError("images with a position", "none", remedy)
    ids = table.column("id")
    if pc.count_distinct(ids).as_py() != len(table):
        counts = pc.value_counts(ids)
        twice = counts.filter(pc.greater(counts.field("counts"), 1))[0]["values"]
        raise InputError("references with an id each", f"{twice} twice", "Leave duplicates out before writing.")
    number = pc.min_max(table.column("source")).as_py()
    if not 0 <= number["min"] <= number["max"] < sources:
        raise InputError("references of known sources", f"source {number['max']} of {sources}", "Name all sources.")
    for name, most in (("lat", 90.0), ("lon", 180.0)):
        if not pc.all(pc.less_equal(pc.abs(table.column(name)), most)).as_py():  # false for NaN as well
            remedy = "Leave references without a position out before writing."
            raise InputError("positions on the Earth", f"a {name} that is no number up to {most:.0f}", remedy)
    return table


def _count(table: pa.Table, view: str) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(pc.equal(table.column("view"), view)).as_py())


def _write_problems(path: Path, problems: Iterable[Problem]) -> dict[ProblemKind, int]:
    kinds: dict[ProblemKind, int] = {}
    with path.open("wb") as file:
        for problem in problems:
            file.write(problem.model_dump_json().encode() + b"\n")
            kinds[problem.kind] = kinds.get(problem.kind, 0) + 1
        file.flush()
        os.fsync(file.fileno())
    return dict(sorted(kinds.items()))


def _write_search(path: Path, vectors: Path, kind: IndexType, base: LocalGallery | None) -> ApproximateFacts:
    before = None
    if base is not None and base.manifest.approximate is not None and base.manifest.index_type == kind:
        before = Trained(base.folder / str(base.manifest.file("search")), base.manifest.approximate)
    return build_approximate(path, map_vectors(vectors), kind, before)
