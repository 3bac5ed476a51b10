from __future__ import annotations

import errno
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.index_type import Limits
from geosleuth.indexes.gallery.manifest import EncoderFacts, Manifest, Problem, SourceFacts, read_manifest
from geosleuth.indexes.gallery.reference import VIEWS, Reference, View
from geosleuth.indexes.gallery.store import Staged, open_index, verify_index, write_index
from geosleuth.indexes.gallery.table import save_rows

D = 16
ENCODER = EncoderFacts(spec="embedded", weights_sha256="ab" * 32, dimension=D)
SOURCES = [SourceFacts(kind="folder", root="/photos")]
PRODUCT_CODES = Limits(exact_rows=100, memory_bytes=0)
BYTE_CODES = Limits(exact_rows=100)


def reference(number: int, lat: float = 50.0, lon: float = 10.0, view: View = "ground") -> Reference:
    name = hashlib.sha256(str(number).encode()).hexdigest()
    return Reference(name[:16], f"{number}.jpg", 0, lat, lon, view, "DE", sha256=name)


def chunk(first: int, count: int) -> Staged:
    """References around the world, in all views; all is made from their numbers."""
    rng = np.random.default_rng(first)
    vectors = rng.standard_normal((count, D)).astype(np.float32)
    places = zip(rng.uniform(-80, 80, count).tolist(), rng.uniform(-180, 180, count).tolist(), strict=True)
    rows = [reference(first + i, lat, lon, VIEWS[(first + i) % 3]) for i, (lat, lon) in enumerate(places)]
    return Staged(rows, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def write(folder: Path, *staged: Staged, **options: object) -> Manifest:
    return write_index(folder, staged, encoder=ENCODER, sources=SOURCES, **options)  # type: ignore[arg-type]


def content(folder: Path) -> dict[str, str]:
    """Hash of each file but the manifest, which holds the date."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != "manifest.json"
    }


def test_rows_lie_by_view_then_place_then_id(tmp_path: Path) -> None:
    # H3 base cells are numbered from the north down: Svalbard's is below Cape Town's.
    north, south = (78.2, 15.6), (-33.9, 18.4)
    rows = [
        reference(1, *south, view="satellite"),
        reference(2, *south),
        reference(3, *north),
        reference(4, *south),
        reference(5, *north, view="satellite"),
    ]
    write(tmp_path, Staged(rows, np.eye(5, D, dtype=np.float32)))
    gallery = open_index(tmp_path)
    by_id = sorted([rows[1], rows[3]], key=lambda one: one.id)
    wanted = [rows[2], *by_id, rows[4], rows[0]]
    assert gallery.columns("id").column("id").to_pylist() == [one.id for one in wanted]
    # each vector went with its reference: row i of the identity belongs to rows[i]
    assert np.argmax(gallery.vectors, axis=1).tolist() == [rows.index(one) for one in wanted]
    assert gallery.views() == {"ground": 3, "satellite": 2}


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    full = Reference("00", "a/ü.jpg", 1, 1.5, -2.5, "map", None, 359.0, 80.0, "2024-05-01T10:00:00", "CC-BY", "ff" * 32)
    bare = Reference("01", "b.jpg", 0, 1.5, -2.5, "map")
    rows = tmp_path / "rows.parquet"
    vectors = tmp_path / "vectors.npy"
    save_rows(rows, [full, bare])
    np.save(vectors, np.eye(2, D, dtype=np.float32))
    problems = [
        Problem(kind="skipped", uri="c.jpg", reason="no position"),
        Problem(kind="skipped", uri="d.jpg", reason="truncated"),
        Problem(kind="duplicate", uri="e.jpg", reason="same as a/ü.jpg", source=1),
    ]
    sources = [*SOURCES, SourceFacts(kind="table", root="/tables")]
    index = tmp_path / "index"
    written = write_index(index, [Staged(rows, vectors)], encoder=ENCODER, sources=sources, problems=problems)
    gallery = open_index(index)
    assert gallery.manifest == written
    assert (len(gallery), gallery.dimension, gallery.encoder_spec) == (2, D, "embedded")
    assert written.problems == {"skipped": 2, "duplicate": 1}
    assert list(gallery.problems()) == problems
    hits = gallery.search(np.eye(2, D, dtype=np.float32), 2)
    assert [hit.reference for hit in hits[0].hits] == [full, bare]
    assert [hit.reference for hit in hits[1].hits] == [bare, full]
    assert [hit.similarity for hit in hits[0].hits] == [1.0, 0.0]
    assert (hits[0].searched, hits[0].exact) == (2, True)


def test_geopandas_reads_the_references(tmp_path: Path) -> None:
    import geopandas

    write(tmp_path, Staged([reference(1, 48.8566, 2.3522)], np.eye(1, D, dtype=np.float32)))
    frame = geopandas.read_parquet(tmp_path / "references-1.parquet")
    assert frame.crs.to_epsg() == 4326 or frame.crs.to_string() == "OGC:CRS84"
    assert (frame.geometry[0].x, frame.geometry[0].y) == (2.3522, 48.8566)


@pytest.mark.parametrize("limits", [Limits(), BYTE_CODES, PRODUCT_CODES], ids=["flat", "bytes", "codes"])
def test_equal_rows_give_equal_bytes_in_whatever_chunks(tmp_path: Path, limits: Limits) -> None:
    whole = chunk(0, 400)
    assert not isinstance(whole.rows, Path)
    assert not isinstance(whole.vectors, Path)
    halves = [Staged(whole.rows[250:], whole.vectors[250:]), Staged([], np.empty((0, D), np.float32))]
    halves.append(Staged(whole.rows[:250], whole.vectors[:250]))
    one = write(tmp_path / "one", whole, limits=limits)
    two = write(tmp_path / "two", *halves, limits=limits)
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert one.files == two.files
    assert len(one.files) == (3 if limits == Limits() else 4)


def test_an_add_equals_a_build_of_everything(tmp_path: Path) -> None:
    added, whole = tmp_path / "added", tmp_path / "whole"
    first, second = chunk(0, 30), chunk(30, 20)
    seen, later = (Problem(kind="skipped", uri=f"{n}.txt", reason="no photo") for n in "ab")
    write(added, first, problems=[seen])
    (added / "notes.txt").write_text("mine")
    manifest = write(added, second, problems=[later], base=open_index(added))
    write(whole, first, second, problems=[seen, later])
    assert manifest.generation == 2
    assert sorted(path.name for path in added.iterdir()) == [
        *("manifest.json", "notes.txt", "problems-2.jsonl", "references-2.parquet", "vectors-2.npy")
    ]
    renamed = {name.replace("-1", "-2"): digest for name, digest in content(whole).items()}
    assert {name: digest for name, digest in content(added).items() if name != "notes.txt"} == renamed


def test_a_quantizer_is_kept_until_the_rows_have_doubled(tmp_path: Path) -> None:
    first = write(tmp_path, chunk(0, 300), limits=BYTE_CODES).approximate
    second = write(tmp_path, chunk(300, 300), base=open_index(tmp_path), limits=BYTE_CODES).approximate
    third = write(tmp_path, chunk(600, 1), base=open_index(tmp_path), limits=BYTE_CODES).approximate
    assert first is not None
    assert second is not None
    assert third is not None
    assert [one.trained_on for one in (first, second, third)] == [300, 300, 601]
    assert [one.lists for one in (first, second, third)] == [32, 32, 64]  # 2 sqrt: 34.6, then 49.0
    assert verify_index(tmp_path).ok


def test_what_cannot_be_written_is_refused_and_leaves_the_index_whole(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    write(folder, chunk(0, 5))
    before, base = content(folder), open_index(folder)
    two = np.eye(2, D, dtype=np.float32)
    long = two.copy()
    long[1] *= 2
    nan = two.copy()
    nan[0, 0] = np.nan
    pair = [reference(90), reference(91)]
    with pytest.raises(InputError, match="twice"):
        write(folder, Staged([reference(90), reference(90)], two), base=base)
    with pytest.raises(InputError, match="id each"):
        write(folder, Staged([reference(2)], two[:1]), base=base)
    for vectors in (long, nan):
        with pytest.raises(InputError, match="unit vectors"):
            write(folder, Staged(pair, vectors), base=base)
    for vectors in (two[:1], two[:, :8], two.astype(np.float64)):
        with pytest.raises(InputError, match="of shape"):
            write(folder, Staged(pair, vectors), base=base)
    with pytest.raises(InputError, match="source 7 of 1"):
        write(folder, Staged([Reference("x", "x", 7, 0, 0, "ground")], two[:1]), base=base)
    for lat, lon in ((90.5, 0.0), (float("nan"), 0.0), (0.0, -180.5)):
        with pytest.raises(InputError, match="positions on the Earth"):
            write(folder, Staged([reference(90, lat, lon)], two[:1]), base=base)
    other = ENCODER.model_copy(update={"weights_sha256": "cd" * 32})
    with pytest.raises(InputError, match="Add with the encoder"):
        write_index(folder, [], encoder=other, sources=SOURCES, base=base)
    with pytest.raises(InputError, match="images with a position"):
        write(tmp_path / "empty", Staged([], np.empty((0, D), np.float32)))
    assert content(folder) == before
    assert verify_index(folder).ok


def test_no_index_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="geosleuth index build"):
        open_index(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"no manifest\.json"):
        open_index(tmp_path / "file")
    report = verify_index(tmp_path / "missing")
    assert not report.ok
    assert "manifest.json" in report.problems[0]


@pytest.fixture(scope="module")
def with_every_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    problem = Problem(kind="skipped", uri="c.jpg", reason="no position")
    write(folder, chunk(0, 300), problems=[problem], limits=PRODUCT_CODES)
    return folder


FILES = ["manifest.json", "problems-1.jsonl", "references-1.parquet", "search-1.faiss", "vectors-1.npy"]


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_anywhere_is_found(with_every_file: Path, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(with_every_file, tmp_path / "index")
    assert sorted(path.name for path in folder.iterdir()) == FILES
    original = (folder / name).read_bytes()
    chance = random.Random(name)  # noqa: S311
    places = chance.sample(range(len(original)), 300 if name == "manifest.json" else 60)
    for place in [0, len(original) - 1, *places]:
        broken = bytearray(original)
        broken[place] ^= 1 << chance.randrange(8)
        (folder / name).write_bytes(broken)
        with pytest.raises(InputError) as refused:
            open_index(folder)
        assert name in refused.value.found, place
        report = verify_index(folder)
        assert not report.ok
        assert report.problems[0].startswith(name), place
    (folder / name).write_bytes(original)
    assert verify_index(folder).problems == ()
    assert len(open_index(folder)) == 300


@pytest.mark.parametrize("name", FILES[1:])
def test_a_missing_short_or_long_file_is_named(with_every_file: Path, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(with_every_file, tmp_path / "index")
    path = folder / name
    original = path.read_bytes()
    for damage, words in ((original + b"\0", "instead of"), (original[:-1], "instead of"), (None, "missing")):
        path.unlink()
        if damage is not None:
            path.write_bytes(damage)
        with pytest.raises(InputError, match=words) as refused:
            open_index(folder)
        assert name in str(refused.value)
        assert "Restore that file" in refused.value.remedy
        assert [line.partition(":")[0] for line in verify_index(folder).problems] == [name]
        path.touch()


def test_a_damaged_index_can_be_built_anew(tmp_path: Path) -> None:
    write(tmp_path, chunk(0, 5))
    (tmp_path / "manifest.json").write_text("{")
    assert write(tmp_path, chunk(5, 5)).generation == 2  # its files are not known to be superseded: not overwritten
    assert len(open_index(tmp_path)) == 5


def test_leftovers_of_a_killed_write_are_replaced(tmp_path: Path) -> None:
    for name in ("vectors-1.npy", "search-3.faiss", "manifest.json.new"):
        (tmp_path / name).write_bytes(b"half")
    write(tmp_path, chunk(0, 5))
    names = ["manifest.json", "problems-1.jsonl", "references-1.parquet", "vectors-1.npy"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert verify_index(tmp_path).ok


# For each line that it reads, starts a process that adds one reference to the index again and again. The names are
# imported before, so that kills fall into the writing.
ADDING = """
import os, sys
from pathlib import Path
import numpy as np
from geosleuth.indexes.gallery.manifest import EncoderFacts, SourceFacts
from geosleuth.indexes.gallery.reference import Reference
from geosleuth.indexes.gallery.store import Staged, open_index, write_index
folder = Path(sys.argv[1])
for _ in sys.stdin:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        print("dead", flush=True)
        continue
    print(os.getpid(), flush=True)
    while True:
        base = open_index(folder)
        new = Reference(f"{len(base):016x}", "x.jpg", 0, 0.0, 0.0, "ground")
        vector = np.eye(1, base.dimension, len(base) % base.dimension, dtype=np.float32)
        staged = [Staged([new], vector)]
        write_index(folder, staged, encoder=base.manifest.encoder, sources=base.manifest.sources, base=base)
        print(len(base) + 1, flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_killed_at_any_moment_an_add_leaves_a_whole_index(tmp_path: Path) -> None:
    write(tmp_path, Staged([reference(1)], np.eye(1, D, dtype=np.float32)))
    chance = random.Random(0)  # noqa: S311
    command = [sys.executable, "-c", ADDING, str(tmp_path)]
    survived = 1
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(12):
            process.stdin.write("go\n")
            child = int(process.stdout.readline())
            told = [int(process.stdout.readline())]
            time.sleep(chance.uniform(0.0, 0.1))
            os.kill(child, signal.SIGKILL)
            while (line := process.stdout.readline()) != "dead\n":
                told.append(int(line))
            report = verify_index(tmp_path)
            assert report.problems == ()
            assert report.references in (told[-1], told[-1] + 1)  # committed, and killed before it was told
            assert report.references > survived
            survived = report.references
            ids = open_index(tmp_path).columns("id").column("id").to_pylist()
            assert sorted(ids) == sorted([reference(1).id, *(f"{n:016x}" for n in range(1, survived))])
        process.stdin.close()
    write(tmp_path, Staged([reference(2)], np.eye(1, D, dtype=np.float32)), base=open_index(tmp_path))
    assert len(list(tmp_path.iterdir())) == 4  # what the kills had left is gone


def test_a_full_disk_is_said_and_leaves_the_index_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, chunk(0, 5))
    before, base = content(tmp_path), open_index(tmp_path)

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"No space left on device\. Make room there"):
        write(tmp_path, chunk(5, 5), base=base)
    monkeypatch.undo()
    assert content(tmp_path) == before
    assert verify_index(tmp_path).ok


def test_a_reader_never_meets_half_an_add(tmp_path: Path) -> None:
    write(tmp_path, chunk(0, 5))
    stop = threading.Event()

    def add() -> None:
        number = 1000
        while not stop.is_set():
            number += 1
            write(tmp_path, Staged([reference(number)], np.eye(1, D, dtype=np.float32)), base=open_index(tmp_path))

    thread = threading.Thread(target=add)
    thread.start()
    try:
        sizes = [len(open_index(tmp_path)) for _ in range(150)]
    finally:
        stop.set()
        thread.join()
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]  # adds were committed meanwhile
    assert read_manifest(tmp_path).generation > 2
