"""An index from a stranger, whole by its checksums: it runs no code, and reads and writes nothing outside its folder.

What fills a memory is in test_indexes_memory.py, what it names elsewhere in test_indexes_sources.py; damage without
forged checksums in tests/indexes/gallery/test_store.py, more forgery in test_report.py beside it.
"""

from __future__ import annotations

import importlib.util
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery import build
from geosleuth.indexes.gallery.manifest import read_manifest, write_manifest
from geosleuth.indexes.gallery.reference import Reference
from geosleuth.indexes.gallery.store import Staged, note_problems, open_index, verify_index, write_index

spec = importlib.util.spec_from_file_location("stranger_index", Path(__file__).with_name("stranger_index.py"))
made = sys.modules.setdefault("stranger_index", importlib.util.module_from_spec(spec))
spec.loader.exec_module(made)
D, N, VECTORS, change_table, reseal, refused, use = (
    made.D,
    made.N,
    made.VECTORS,
    made.change_table,
    made.reseal,
    made.refused,
    made.use,
)
unix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of Unix")


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return made.whole_index(tmp_path / "index")


def test_the_index_is_whole_before_it_is_changed(index: Path) -> None:
    assert verify_index(index).problems == ()
    assert [len(one.hits) > 50 for one in use(index)] == [True, True]


# -- files that are not in the folder ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["../secret.npy", "/etc/passwd", "a/vectors-1.npy", "vectors-1.npy\n", "vectors-1.NPY"]
)
def test_a_manifest_names_files_of_its_own_folder_alone(index: Path, name: str) -> None:
    manifest = read_manifest(index)
    files = {**manifest.files, name: manifest.files[VECTORS]}
    write_manifest(index, manifest.model_copy(update={"files": files}))
    assert "is no file of an index" in refused(index)


@unix
@pytest.mark.parametrize("name", [*made.FILES, "manifest.json"])
@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_out_of_the_folder_is_not_followed(index: Path, name: str, absolute: bool) -> None:
    outside = index.with_name("outside")
    (index / name).rename(outside)
    (index / name).symlink_to(outside if absolute else Path("..", "outside"))
    assert name in refused(index, "a link that leads out of the folder")


@unix
def test_a_link_within_the_folder_is_a_users_own(index: Path) -> None:
    (index / VECTORS).rename(index / "blob")
    (index / VECTORS).symlink_to("blob")
    assert len(open_index(index)) == N


@unix
@pytest.mark.parametrize("name", [*made.FILES, "manifest.json"])
def test_a_pipe_or_a_folder_is_not_waited_for(index: Path, name: str) -> None:
    (index / name).unlink()
    os.mkfifo(index / name)
    assert name in refused(index, "no regular file")
    (index / name).unlink()
    (index / name).mkdir()
    assert name in refused(index, "no regular file")


@unix
def test_an_endless_file_is_not_read(index: Path) -> None:
    (index / "manifest.json").unlink()
    (index / "manifest.json").symlink_to("/dev/zero")
    refused(index, "a link that leads out")


# -- what a write would follow ----------------------------------------------------------------------------------------


@unix
def test_an_add_writes_through_no_link_that_came_with_the_index(index: Path) -> None:
    mine = index.with_name("mine.txt")
    mine.write_text("mine")
    planted = ("manifest.json.new", "references-2.parquet", "vectors-2.npy", "problems-2.jsonl", "search-2.faiss")
    for name in planted:
        (index / name).symlink_to(mine)
    base = open_index(index)
    row = Reference("f" * 16, "new.jpg", 0, 1.0, 5.0, "ground", sha256="cd" * 32)
    staged = [Staged([row], np.eye(1, D, dtype=np.float32))]
    write_index(index, staged, encoder=base.manifest.encoder, sources=base.manifest.sources, base=base)
    assert mine.read_text() == "mine"
    assert verify_index(index).problems == ()
    for name in ("manifest.json.new", "problems-3.jsonl"):
        (index / name).symlink_to(mine)
    base = open_index(index)
    note_problems(index, base, base.manifest.sources, [])
    assert mine.read_text() == "mine"
    assert len(open_index(index)) == N + 1


@unix
@pytest.mark.parametrize("linked", [".building", ".building/lock"])
def test_the_folder_of_unfinished_work_is_no_link_to_a_users_files(index: Path, tmp_path: Path, linked: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter.txt").write_text("mine")
    (index / linked).parent.mkdir(exist_ok=True)
    (index / linked).symlink_to(home if linked == ".building" else home / "letter.txt")
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (8, 8)).save(photos / "a.jpg")

    class Encoder:
        spec, weights_sha256, dimension, input_side_px = "embedded", "00", D, 16

    with pytest.raises(InputError, match=r"a folder of the index's own .* found a link: .* Remove the link\."):
        build.add_to_index(photos, index, encoder=Encoder())  # type: ignore[arg-type]
    assert [(path.name, path.read_text()) for path in home.iterdir()] == [("letter.txt", "mine")]


def test_an_unfinished_build_is_cleared_of_its_own_files_alone(tmp_path: Path) -> None:
    from geosleuth.indexes.gallery.journal import Journal

    names = ("chunk-000001.npy", "listing.parquet", ".0011.part", "plan.json", "lock", "letter.txt")
    for name in names:
        (tmp_path / name).write_text("x")
    Journal(tmp_path).clear()
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


# -- code -------------------------------------------------------------------------------------------------------------


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("name", made.FILES)
def test_a_pickle_in_the_place_of_a_file_is_not_run(index: Path, tmp_path: Path, name: str) -> None:
    (index / name).write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
    reseal(index)
    assert name in refused(index)
    assert not (tmp_path / "ran").exists()


def test_objects_among_the_vectors_are_not_run(index: Path, tmp_path: Path) -> None:
    np.save(index / VECTORS, np.array([[Bomb(tmp_path / "ran")]], dtype=object), allow_pickle=True)
    reseal(index)
    refused(index, VECTORS)
    assert not (tmp_path / "ran").exists()


def test_a_type_of_arrow_that_is_a_pickle_is_not_run(index: Path, tmp_path: Path) -> None:
    extension = {
        "ARROW:extension:name": "arrow.py_extension_type",  # what pyarrow unpickled before 14.0.1 (CVE-2023-47248)
        "ARROW:extension:metadata": pickle.dumps(Bomb(tmp_path / "ran")),
    }

    def planted(table: pa.Table) -> pa.Table:
        fields = [field.with_metadata(extension) if field.name == "uri" else field for field in table.schema]
        about = {"geo": "{", "pandas": '{"index_columns": [{"kind": "range"}], "columns": "__import__"}'}
        return table.cast(pa.schema(fields, metadata=about))

    change_table(index, planted)
    assert (
        len(open_index(index).search(np.eye(1, D, dtype=np.float32), 3)[0].hits) == 3
    )  # the column is text all the same
    verify_index(index)
    assert not (tmp_path / "ran").exists()
