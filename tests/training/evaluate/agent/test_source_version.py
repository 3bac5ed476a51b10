"""Hashes of code: in two drawn rooms, and what the real ones are made of."""

from pathlib import Path

import pytest

from geosleuth.training.evaluate.agent import source_version as module
from geosleuth.training.evaluate.agent.source_version import source_version, sources

ENTRY = """
from typing import TYPE_CHECKING
from geosleuth.tools.near import thing
if TYPE_CHECKING:
    from geosleuth.tools.typed import Thing
def late():
    try:
        from geosleuth.indexes import deep
    except ImportError:
        import geosleuth.tools.other.leaf
"""


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "tools/entry.py": ENTRY,
        "tools/near.py": "thing = 1",
        "tools/typed.py": "class Thing: ...",
        "tools/apart.py": "",
        "tools/other/leaf.py": "",
        "tools/data/words.tsv": "a",
        "indexes/deep.py": "from geosleuth.tools import entry",  # a circle
        "agent/data/words.tsv": "a",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(module, "_room", lambda room: tmp_path / room)
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    for kept in (module.source_version, module._imported, module._tables):
        kept.cache_clear()


def changed(path: Path) -> bool:
    before = source_version("geosleuth.tools.entry")
    path.write_text(path.read_text() + "\n# more")
    forget()
    return source_version("geosleuth.tools.entry") != before


def test_all_that_is_imported_counts_wherever_it_is(rooms: Path) -> None:
    names = {"geosleuth.tools.entry", "geosleuth.tools.near", "geosleuth.indexes.deep", "geosleuth.tools.other.leaf"}
    assert set(sources("geosleuth.tools.entry")) == names


@pytest.mark.parametrize(
    "name", ["tools/entry.py", "tools/near.py", "indexes/deep.py", "tools/other/leaf.py", "tools/data/words.tsv"]
)
def test_a_change_of_what_counts_changes_the_hash(rooms: Path, name: str) -> None:
    assert changed(rooms / name)


@pytest.mark.parametrize("name", ["tools/typed.py", "tools/apart.py", "agent/data/words.tsv"])
def test_a_change_of_anything_else_does_not(rooms: Path, name: str) -> None:
    assert not changed(rooms / name)


def test_a_module_that_is_not_there_is_no_empty_hash() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_tool"):
        source_version("geosleuth.tools.no_such_tool")


def test_reading_is_made_of_its_recogniser_and_word_tables_and_metadata_is_not() -> None:
    reading, metadata = sources("geosleuth.tools.reading"), sources("geosleuth.tools.metadata")
    assert {"geosleuth.tools.recognition", "geosleuth.tools.brands", "geosleuth.indexes.gazetteer"} <= set(reading)
    assert "geosleuth.tools.recognition" not in metadata
    assert not any(name.startswith("geosleuth.agent") for name in reading)
    assert all(path.is_file() for path in reading.values())
