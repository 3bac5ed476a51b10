from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.checksum import file_facts
from geosleuth.indexes.gallery.index_type import Limits
from geosleuth.indexes.gallery.manifest import EncoderFacts, Problem, SourceFacts, read_manifest, write_manifest
from geosleuth.indexes.gallery.reference import Reference
from geosleuth.indexes.gallery.store import Staged, open_index, verify_index, write_index

N, D = 120, 16
REQUIRED = ["id", "uri", "source", "lat", "lon", "view", "sha256", "geometry"]


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index with every file, of 120 references along a meridian."""
    rows = [Reference(f"{i:016x}", f"{i}.jpg", 0, 0.1 * i, 5.0, "ground") for i in range(N)]
    vectors = np.random.default_rng(0).standard_normal((N, D)).astype(np.float32)
    write_index(
        tmp_path,
        [Staged(rows, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))],
        encoder=EncoderFacts(spec="embedded", weights_sha256="00", dimension=D),
        sources=[SourceFacts(kind="folder", root="/photos")],
        problems=[Problem(kind="skipped", uri="a", reason="b")],
        limits=Limits(exact_rows=100),
    )
    return tmp_path


def reseal(folder: Path, **changes: object) -> None:
    """Make the manifest agree with the files as they are, as a faulty writer would have."""
    manifest = read_manifest(folder)
    files = {name: file_facts(folder / name) for name in manifest.files}
    write_manifest(folder, manifest.model_copy(update={"files": files, **changes}))


def change_table(folder: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    path = folder / "references-1.parquet"
    table = pq.read_table(path)
    changed = change(table)
    if changed.column_names == table.column_names and not any(column.null_count for column in changed.select(REQUIRED)):
        changed = changed.cast(table.schema)
    pq.write_table(changed, path, compression="none", use_dictionary=["view", "country", "licence", "source"])
    reseal(folder)


def replaced(table: pa.Table, name: str, row: int, value: object) -> pa.Table:
    column = table.column(name).to_pylist()
    column[row] = value
    return table.set_column(table.column_names.index(name), name, pa.array(column, table.column(name).type))


def test_a_whole_index_has_no_problems(index: Path) -> None:
    report = verify_index(index)
    assert report.ok
    assert report.problems == ()
    assert (report.files, report.references) == (5, N)
    assert (
        report.bytes == sum(path.stat().st_size for path in index.iterdir()) - (index / "manifest.json").stat().st_size
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.slice(0, N - 1), "119 rows instead of 120"),
        (lambda table: replaced(table, "id", 3, "0" * 16), "1 ids occur more than once"),
        (lambda table: replaced(table, "lat", 3, 90.5), "1 positions are not on the Earth"),
        (lambda table: replaced(table, "lon", 3, float("nan")), "1 positions are not on the Earth"),
        (lambda table: replaced(table, "source", 3, 1), "sources up to 1 of 1"),
        (lambda table: replaced(table, "lat", 3, table.column("lat")[3].as_py() + 1e-9), "1 points differ"),
        (lambda table: replaced(table, "view", 3, "drone"), "views"),
        (lambda table: table.take([1, 0, *range(2, N)]), "not in the order"),
        (lambda table: table.drop_columns(["uri"]), "column uri is missing instead of string without nulls"),
        (lambda table: replaced(table, "uri", 3, None), "column uri is string with nulls instead of"),
        (lambda table: replaced(table, "lat", 3, None), "column lat is double with nulls instead of"),
        (lambda table: table.drop_columns(["geometry"]), "column geometry is missing"),
    ],
)
def test_references_that_are_wrong_in_themselves(
    index: Path, change: Callable[[pa.Table], pa.Table], words: str
) -> None:
    change_table(index, change)
    problems = verify_index(index).problems
    assert any(line.startswith("references-1.parquet: ") and words in line for line in problems), problems
    if "rows instead" in words or "column" in words:
        with pytest.raises(InputError, match=words) as raised:
            open_index(index)
        assert "references-1.parquet" in raised.value.found


@pytest.mark.parametrize("name", ["references-1.parquet", "vectors-1.npy", "search-1.faiss", "problems-1.jsonl"])
@pytest.mark.parametrize(
    "content", [b"garbage", b"", b"PAR1garbagePAR1", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"\xff" * 200]
)
def test_garbage_with_a_checksum_is_named(index: Path, name: str, content: bytes) -> None:
    (index / name).write_bytes(content)
    reseal(index)
    (problem,) = verify_index(index).problems
    assert problem.startswith(f"{name}: ")
    if (name, content) == ("problems-1.jsonl", b""):
        return  # no garbage, but fewer than the manifest counts
    with pytest.raises(InputError, match="an undamaged index") as raised:
        list(open_index(index).problems())
    assert name in raised.value.found


def test_too_many_rows_and_views_that_do_not_add_up_are_refused(index: Path) -> None:
    change_table(index, lambda table: pa.concat_tables([table, table.slice(0, 1)]))
    with pytest.raises(InputError, match="121 rows instead of 120"):
        open_index(index)
    change_table(index, lambda table: table.slice(0, N))
    assert len(open_index(index)) == N
    reseal(index, views={"ground": N + 1})
    with pytest.raises(InputError, match="views are not 120 references"):
        open_index(index)
    assert not verify_index(index).ok


@pytest.mark.parametrize("text", ["[{@}]", '{"a": {@}}', "@", '{@, "format": 1}', "{@} {", "[" * 99_999 + "{@}"])
def test_a_manifest_that_is_no_index_with_its_own_checksum(index: Path, text: str) -> None:
    bare = text.replace("@", '"checksum": ""').encode()
    digest = hashlib.sha256(bare).hexdigest().encode()
    (index / "manifest.json").write_bytes(bare.replace(b'"checksum": ""', b'"checksum": "' + digest + b'"'))
    assert verify_index(index).problems[0].startswith("manifest.json: ")
    with pytest.raises(InputError, match=r"manifest\.json"):
        open_index(index)


@pytest.mark.parametrize("value", [0.5, float("nan")])
def test_a_vector_that_is_not_of_unit_length(index: Path, value: float) -> None:
    vectors = np.load(index / "vectors-1.npy")
    vectors[7] = value
    np.save(index / "vectors-1.npy", vectors)
    reseal(index)
    (problem,) = verify_index(index).problems
    assert problem.startswith("vectors-1.npy: ")
    assert "at row 7" in problem


def test_other_numbers_of_rows(index: Path) -> None:
    np.save(index / "vectors-1.npy", np.load(index / "vectors-1.npy")[:-1])
    reseal(index, problems={})
    problems = verify_index(index).problems
    assert [line.partition(":")[0] for line in problems] == ["vectors-1.npy", "problems-1.jsonl"]
    assert "(119, 16) instead of float32 of shape (120, 16)" in problems[0]
    with pytest.raises(ValueError, match=r"vectors-1\.npy"):
        open_index(index)


def test_a_faiss_file_of_another_gallery(index: Path) -> None:
    import faiss

    found = faiss.read_index(str(index / "search-1.faiss"))
    found.reset()
    faiss.write_index(found, str(index / "search-1.faiss"))
    reseal(index)
    (problem,) = verify_index(index).problems
    assert problem.startswith("search-1.faiss: ")
    assert "(0, 16, 16) instead of (120, 16, 16)" in problem


def test_vectors_that_would_run_code_are_refused(index: Path) -> None:
    np.save(index / "vectors-1.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    reseal(index)
    (problem,) = verify_index(index).problems
    assert problem.startswith("vectors-1.npy: ")
    with pytest.raises(ValueError, match=r"vectors-1\.npy"):
        open_index(index)


def test_all_damage_is_listed(index: Path) -> None:
    (index / "vectors-1.npy").write_bytes(b"short")
    (index / "references-1.parquet").unlink()
    names = [line.partition(":")[0] for line in verify_index(index).problems]
    assert sorted(names) == ["references-1.parquet", "vectors-1.npy"]
