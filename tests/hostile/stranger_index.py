"""An index as a stranger might hand it over: built whole, then changed at will, its checksums made anew to fit."""

from __future__ import annotations

import functools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.checksum import file_facts
from geosleuth.indexes.gallery.gallery import Hits
from geosleuth.indexes.gallery.index_type import Limits
from geosleuth.indexes.gallery.manifest import EncoderFacts, Problem, SourceFacts, read_manifest, write_manifest
from geosleuth.indexes.gallery.reference import Reference
from geosleuth.indexes.gallery.store import Staged, open_index, verify_index, write_index
from geosleuth.indexes.gallery.table import GROUP_ROWS

N, D = 120, 16
REFERENCES, VECTORS, PROBLEMS, SEARCH = "references-1.parquet", "vectors-1.npy", "problems-1.jsonl", "search-1.faiss"
FILES = (REFERENCES, VECTORS, PROBLEMS, SEARCH)


_KEPT = tempfile.TemporaryDirectory(prefix="geosleuth-test-")  # removed when the tests end


@functools.cache
def _whole() -> Path:
    folder = Path(_KEPT.name)
    rows = [Reference(f"{i:016x}", f"{i}.jpg", 0, 0.1 * i, 5.0, "ground", "GA", sha256="ab" * 32) for i in range(N)]
    vectors = np.random.default_rng(0).standard_normal((N, D)).astype(np.float32)
    write_index(
        folder,
        [Staged(rows, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))],
        encoder=EncoderFacts(spec="embedded", weights_sha256="00", dimension=D),
        sources=[SourceFacts(kind="folder", root="/photos")],
        problems=[Problem(kind="skipped", uri="a", reason="b")],
        limits=Limits(exact_rows=100),
    )
    return folder


def whole_index(folder: Path) -> Path:
    """Copy an index with every kind of file, of 120 references along a meridian in Gabon."""
    return shutil.copytree(_whole(), folder)


def reseal(folder: Path, **changes: object) -> None:
    """Make the manifest agree with the files as they are; fields may be anything, they are not checked here."""
    manifest = read_manifest(folder)
    files = {name: file_facts(folder / name) for name in manifest.files}
    write_manifest(folder, manifest.model_copy(update={"files": files, **changes}))


def change_table(folder: Path, change: Callable[[pa.Table], pa.Table], **options: object) -> None:
    """Write other references, stored as an index stores them but for the options."""
    path = folder / REFERENCES
    table = change(pq.read_table(path))
    stored = {"compression": "none", "use_dictionary": ["view", "country", "licence", "source"]}
    pq.write_table(table, path, **{**stored, "write_statistics": False, "row_group_size": GROUP_ROWS, **options})
    reseal(folder)


def with_values(name: str, values: list[object]) -> Callable[[pa.Table], pa.Table]:
    """Replace a column, keeping its field."""

    def change(table: pa.Table) -> pa.Table:
        at = table.column_names.index(name)
        return table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type))

    return change


def use(folder: Path) -> list[Hits]:
    """Open an index, read its problems, and search by its faiss file."""
    gallery = open_index(folder, Limits(exact_rows=10))
    list(gallery.problems())
    return gallery.search(np.eye(2, D, dtype=np.float32), N)


def refused(folder: Path, words: str = "") -> str:
    """Open and verify; both must name the trouble, the one in three parts. Return what was found."""
    with pytest.raises(InputError) as error:
        use(folder)
    assert error.value.wanted == "an undamaged index"
    assert error.value.remedy
    assert words in error.value.found
    report = verify_index(folder)
    assert not report.ok
    return error.value.found
