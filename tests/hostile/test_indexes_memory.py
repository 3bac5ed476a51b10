"""An index from a stranger whose sizes lie, in any of its files: refused before memory is taken for them."""

from __future__ import annotations

import importlib.util
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from geosleuth.indexes.gallery import faiss_file
from geosleuth.indexes.gallery.local import _read_places
from geosleuth.indexes.gallery.manifest import EncoderFacts, read_manifest

spec = importlib.util.spec_from_file_location("stranger_index", Path(__file__).with_name("stranger_index.py"))
made = sys.modules.setdefault("stranger_index", importlib.util.module_from_spec(spec))
spec.loader.exec_module(made)
D, N, REFERENCES, SEARCH, VECTORS, change_table, reseal, with_values, refused, use = (
    made.D,
    made.N,
    made.REFERENCES,
    made.SEARCH,
    made.VECTORS,
    made.change_table,
    made.reseal,
    made.with_values,
    made.refused,
    made.use,
)
unix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of Unix")


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return made.whole_index(tmp_path / "index")


@pytest.mark.parametrize("shape", [(N, 1 << 40), (1 << 50, D), (N, D + 1), (-1, D), (N,), ()])
def test_vectors_of_a_lying_header(index: Path, shape: tuple[int, ...]) -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(4 * N * D)
    (index / VECTORS).write_bytes(content)
    reseal(index)
    refused(index, VECTORS)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"count": 1 << 60}, "views are not"),
        ({"count": 1 << 60, "views": {"ground": 1 << 60}}, "120 rows instead of"),
        ({"views": {"ground": 240, "drone": -120}}, "greater than or equal to 1"),
        ({"encoder": EncoderFacts(spec="embedded", weights_sha256="00", dimension=1 << 60)}, "of shape (120, 16)"),
    ],
)
def test_numbers_of_the_manifest_are_compared_before_memory_is_taken(
    index: Path, fields: dict[str, object], found: str
) -> None:
    reseal(index, **fields)
    refused(index, found)


@pytest.mark.parametrize("field", ["probe", "overfetch", "lists", "trained_on"])
@pytest.mark.parametrize("value", [0, -1, 1 << 40])
def test_a_search_as_the_manifest_asks_for_it_stays_within_the_index(index: Path, field: str, value: int) -> None:
    facts = read_manifest(index).approximate
    assert facts is not None
    reseal(index, approximate=facts.model_copy(update={field: value}))
    if value > 0 and field in ("probe", "trained_on"):  # as many cells as there are
        assert len(use(index)[0].hits) > 5
    else:
        refused(index)


def test_a_manifest_of_any_length_is_not_read(index: Path) -> None:
    with (index / "manifest.json").open("r+b") as file:
        file.truncate(1 << 33)  # sparse: 8 GiB that no disk holds
    refused(index, "it has more than 16,777,216 bytes")


def test_a_problem_without_an_end_is_not_read(index: Path) -> None:
    (index / made.PROBLEMS).write_bytes(b'{"kind": "skipped", "uri": "' + b"a" * (3 << 20) + b'", "reason": "b"}\n')
    reseal(index)
    refused(index, made.PROBLEMS)


def _long(name: str) -> Callable[[pa.Table], pa.Table]:
    return with_values(name, ["A" * (1 << 20)] * N)


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (_long("country"), {}, "a country of 1,048,576 bytes"),
        (_long("licence"), {}, "a licence of 1,048,576 bytes"),
        (_long("uri"), {"compression": "zstd", "use_dictionary": False}, "is compressed (ZSTD)"),
        (_long("uri"), {"use_dictionary": True}, "is stored as numbers into a dictionary"),
        (lambda table: table, {"row_group_size": 50}, "its group 0 has 50 rows instead of 2,048"),
        (with_values("view", ["<b>"] * N), {}, "a view that there is not: '<b>'"),
        (with_values("country", [f"{i:02x}" for i in range(N)]), {}, "more than 100 different countries"),
        (with_values("lat", [float("nan")] * N), {}, "positions that are not on the Earth"),
        (with_values("lon", [1e300] * N), {}, "positions that are not on the Earth"),
    ],
)
def test_a_small_table_that_would_fill_the_memory_or_mislead_is_refused(
    index: Path,
    change: Callable[[pa.Table], pa.Table],
    options: dict[str, object],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("geosleuth.indexes.gallery.table.MOST_COUNTRIES", 100)  # of the 120 rows
    change_table(index, change, **options)
    refused(index, words)
    assert (index / REFERENCES).stat().st_size < 1 << 22 or options.get("use_dictionary") is False


def test_countries_are_counted_over_all_pieces_of_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def piece(first: int) -> pa.RecordBatch:
        columns = {"country": [f"{i:02x}" for i in range(first, first + 60)], "view": ["ground"] * 60}
        texts = {name: pa.array(values).dictionary_encode() for name, values in columns.items()}
        return pa.record_batch({**texts, "licence": pa.array([None] * 60, pa.string()).dictionary_encode()})

    places = [pa.record_batch({"lat": np.zeros(120), "lon": np.zeros(120)})]
    pieces = [piece(0), piece(60)]
    file = SimpleNamespace(coded_batches=lambda _: pieces, batches=lambda _: places)
    manifest = SimpleNamespace(count=120, views={"ground": 120})
    assert len(_read_places(file, manifest).codes) == 120  # type: ignore[arg-type]
    monkeypatch.setattr("geosleuth.indexes.gallery.table.MOST_COUNTRIES", 100)
    with pytest.raises(ValueError, match="more than 100 different countries"):
        _read_places(file, manifest)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_vectors_that_would_win_every_search_are_refused(index: Path, value: float) -> None:
    vectors = np.load(index / VECTORS)
    vectors[:, 0] = value
    np.save(index / VECTORS, vectors)
    reseal(index)
    refused(index, "unit vectors")


# -- faiss ------------------------------------------------------------------------------------------------------------


def _faiss(index: Path, change: Callable[[object], object]) -> None:
    import faiss

    faiss.write_index(change(faiss.read_index(str(index / SEARCH))), str(index / SEARCH))
    reseal(index)


@unix
@pytest.mark.parametrize("name", ["secret.bin", ""])
def test_lists_in_another_file_are_not_opened(index: Path, tmp_path: Path, name: str) -> None:
    import faiss

    content = (index / SEARCH).read_bytes()
    at = content.index(b"ilar")
    lists = read_manifest(index).approximate.lists  # type: ignore[union-attr]
    outside = str(tmp_path / name).encode() if name else b""
    (tmp_path / "secret.bin").write_bytes(bytes(1 << 16))
    # faiss's OnDiskInvertedLists: cells, bytes of a code, (size, capacity, offset) of each cell, free slots, the file
    forged = b"ilod" + struct.pack("<QQQ", lists, D, lists) + struct.pack("<QQQ", 5, 5, 0) * lists
    forged += struct.pack("<Q", 0) + struct.pack("<Q", len(outside)) + outside + struct.pack("<Q", 1 << 16)
    (index / SEARCH).write_bytes(content[:at] + forged)
    reseal(index)
    os.utime(tmp_path / "secret.bin", (1, 1))
    read = faiss.read_index(str(index / SEARCH), faiss.IO_FLAG_MMAP)  # faiss itself takes it
    assert faiss.downcast_InvertedLists(read.invlists).filename == outside.decode()
    refused(index, "another file")
    assert ((tmp_path / "secret.bin").stat().st_atime, (tmp_path / "secret.bin").stat().st_mtime) == (1, 1)


@pytest.mark.parametrize("size", [1 << 33, 1 << 36, (1 << 63) - 1])
def test_absurd_sizes_in_a_faiss_file_take_no_memory(index: Path, size: int) -> None:
    whole = (index / SEARCH).read_bytes()
    lists = whole.index(b"ilar")
    # rows in all, cells, floats of the cells' centres, cells of the lists: faiss writes them as 64-bit numbers
    for at in (8, 37, 90, lists + 4, lists + 12, lists + 24):
        changed = bytearray(whole)
        changed[at : at + 8] = struct.pack("<Q", size)
        (index / SEARCH).write_bytes(changed)
        reseal(index)
        assert SEARCH in refused(index), at


def test_an_older_faiss_that_checks_no_sizes_is_told_of_once(
    index: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import faiss

    faiss_file._warn_of_unchecked_sizes.cache_clear()
    faiss_file.read_faiss(index / SEARCH, mapped=False)
    assert caplog.messages == []
    monkeypatch.delattr(faiss, "set_deserialization_loop_limit")
    for _ in range(2):
        assert faiss_file.read_faiss(index / SEARCH, mapped=False).ntotal == N
    faiss_file._warn_of_unchecked_sizes.cache_clear()
    assert [words.partition(" takes ")[0] for words in caplog.messages] == ["faiss before 1.15"]


def test_another_kind_of_faiss_index_is_refused(index: Path) -> None:
    import faiss

    def flat(_: object) -> object:
        other = faiss.IndexFlatIP(D)
        other.add(np.eye(N, D, dtype=np.float32))
        return other

    _faiss(index, flat)
    refused(index, "it holds a IndexFlat")


def test_rows_that_there_are_not_are_never_looked_up(index: Path) -> None:
    whole, lists = (index / SEARCH).read_bytes(), read_manifest(index).approximate.lists  # type: ignore[union-attr]
    rows_at = whole.index(b"ilar") + 4 + 8 + 8 + 4 + 8 + 8 * lists  # after the sizes of the lists
    rows = whole[rows_at:]
    for row in range(N):
        rows = rows.replace(struct.pack("<Q", row), struct.pack("<Q", N + row))
    (index / SEARCH).write_bytes(whole[:rows_at] + rows)
    reseal(index)
    assert [one.hits for one in use(index)] == [(), ()]
