"""From staged chunks to what an index is written of: duplicates left out, problems in order, everything counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.duplicates import COLUMNS, Rows, find_duplicates
from geosleuth.indexes.gallery.encoding import ALREADY_THERE
from geosleuth.indexes.gallery.journal import Journal
from geosleuth.indexes.gallery.journal_files import readable
from geosleuth.indexes.gallery.listing import Listing
from geosleuth.indexes.gallery.local import LocalGallery
from geosleuth.indexes.gallery.manifest import Problem
from geosleuth.indexes.gallery.progress import BuildReport
from geosleuth.indexes.gallery.sources.source import Source
from geosleuth.indexes.gallery.store import Staged

if TYPE_CHECKING:
    import pyarrow


class NoReferencesError(InputError):
    """Nothing in a source can be a reference: there is no use in going on with it."""


@dataclass(frozen=True)
class Ending:
    """What is to be written, and what to tell."""

    staged: list[Staged]
    problems: list[Problem]
    report: BuildReport


def gather(journal: Journal, listing: Listing, base: LocalGallery | None, source: Source) -> Ending:
    """Bring the staged chunks together.

    Args:
        journal: All of whose chunks are staged.
        listing: Of the source.
        base: The index that is added to.
        source: For the words of an error.

    Raises:
        NoReferencesError: No image of the source can be a reference.
    """
    import pyarrow

    if not len(listing):
        raise _no_references(source, listing.skipped())
    tables = [_rows(journal, chunk) for chunk in range(listing.chunks)]
    sizes = [len(table) for table in tables]
    settled = base.columns(*COLUMNS) if base else None
    keep, twins = _duplicates(pyarrow.concat_tables([*([settled] if base else []), *tables]), base)
    problems = listing.skipped()
    for chunk in range(listing.chunks):
        problems += journal.problems(chunk)
    problems += twins
    added = int(keep.sum())
    already = [problem for problem in problems if problem.reason == ALREADY_THERE]
    if not added and all(problem.kind == "skipped" for problem in problems):
        raise _no_references(source, problems)
    counts = {kind: sum(problem.kind == kind for problem in problems) for kind in ("skipped", "duplicate", "repeated")}
    report = BuildReport(
        folder=Path(),
        listed=len(listing) + len(listing.skipped()),
        added=added,
        skipped=counts["skipped"],
        duplicates=counts["duplicate"] - len(already),
        already_there=len(already),
        repeated=counts["repeated"],
        references=added + (len(base) if base else 0),
    )
    return Ending(list(_staged(journal, sizes, keep)), _news(problems, base), report)


def _rows(journal: Journal, chunk: int) -> pyarrow.Table:
    import pyarrow.parquet

    from geosleuth.indexes.gallery.table import SCHEMA

    path = journal.rows_path(chunk)
    with readable(path):
        return pyarrow.parquet.read_table(path).cast(SCHEMA).select(COLUMNS)


def _duplicates(table: pyarrow.Table, base: LocalGallery | None) -> tuple[NDArray[np.bool_], list[Problem]]:
    settled = len(base) if base else 0
    keep, problems = find_duplicates(Rows.of(table), settled)
    return keep[settled:], problems


def _staged(journal: Journal, sizes: list[int], keep: NDArray[np.bool_]) -> Iterator[Staged]:
    """Name the files of a chunk that is kept as a whole; of others read what is kept."""
    import pyarrow.parquet

    from geosleuth.indexes.gallery.table import references_of

    start = 0
    for chunk, size in enumerate(sizes):
        kept = keep[start : start + size]
        start += size
        path = journal.vectors_path(chunk)
        with readable(path):
            vectors = np.load(path, mmap_mode="r")
            if len(vectors) != size:
                raise ValueError(f"{len(vectors)} vectors of {size} references")
        if kept.all():
            yield Staged(journal.rows_path(chunk), path)
        else:
            table = pyarrow.parquet.read_table(journal.rows_path(chunk)).filter(pyarrow.array(kept))
            yield Staged(references_of(table), vectors[kept])


def _news(problems: list[Problem], base: LocalGallery | None) -> list[Problem]:
    """What the index does not tell yet: a source that is added again has the same unreadable images."""
    told = {(problem.kind, problem.uri, problem.source) for problem in base.problems()} if base else set()
    return [p for p in problems if p.reason != ALREADY_THERE and (p.kind, p.uri, p.source) not in told]


def _no_references(source: Source, problems: list[Problem]) -> NoReferencesError:
    found = f"none in {source.root}"
    if problems:
        found += f": {len(problems)} skipped, the first ({problems[0].uri}) because of this: {problems[0].reason}"
    remedy = "Photos need a position in their EXIF or XMP; or give a table of positions (CSV, Parquet) instead."
    return NoReferencesError("images with a position", found, remedy)
