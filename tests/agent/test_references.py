import importlib.util
import sys
from pathlib import Path

import pytest

from geosleuth.agent import references
from geosleuth.agent.agent import Agent
from geosleuth.agent.references import check_index, is_served, open_gallery
from geosleuth.agent.settings import Backends, Settings
from geosleuth.indexes.errors import InputError
from geosleuth.tools.candidate import Candidate

_spec = importlib.util.spec_from_file_location("galleries", Path(__file__).with_name("galleries.py"))
galleries = sys.modules.setdefault("galleries", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(galleries)


@pytest.mark.parametrize(
    ("index", "found"),
    [
        ("nowhere", "no manifest.json in "),
        ("milvus:walks", "'milvus:walks'"),
        ("milvus:walks@http://user:secret@db:19530", "a password"),
        ("milvus:walks@nowhere.db", "no such file"),
    ],
)
def test_a_wrong_index_is_heard_of_when_the_agent_is_made(index, found, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        Agent(Settings(index=index))
    assert found in error.value.found
    assert "secret" not in str(error.value)
    assert error.value.remedy


def test_a_file_is_no_index(tmp_path):
    path = tmp_path / "index"
    path.write_text("x")
    with pytest.raises(InputError, match="an index"):
        check_index(str(path))


def test_what_the_system_refuses_is_said(tmp_path, monkeypatch):
    def refuse(folder: Path):
        raise PermissionError(13, "Permission denied", str(folder / "manifest.json"))

    monkeypatch.setattr("geosleuth.indexes.gallery.manifest.read_manifest", refuse)
    with pytest.raises(InputError) as error:
        open_gallery(str(tmp_path))
    assert error.value.found == f"{tmp_path / 'manifest.json'}: Permission denied"


def test_an_index_needs_no_opening_where_none_is_configured():
    assert Agent(Settings()).references is None
    assert "retrieve" not in Agent(Settings()).tools


def test_the_reference_of_a_candidate_is_the_one_it_was_made_of():
    candidate = Candidate(
        rank=1, reference_id="0" * 16, uri="a.jpg", source=2, lat=1.0, lon=2.0, view="drone", similarity=0.5, score=0.5
    )  # fmt: skip
    found = candidate.reference
    assert (found.id, found.uri, found.source, found.lat, found.lon, found.view) == (
        "0" * 16,
        "a.jpg",
        2,
        1,
        2,
        "drone",
    )
    assert Candidate.of(found, rank=1, similarity=0.5, score=0.5) == candidate


@pytest.mark.parametrize(
    ("index", "served"),
    [
        ("milvus:walks@http://db:19530", True),
        ("milvus:walks@http://db:19530; 5 references; embedded 0123", True),
        ("a Milvus server, withheld", True),
        ("milvus:walks@/data/walks.db", False),
        ("milvus:walks@/data/walks.db; 5 references; timm:a://b 0123", False),
        ("walks; 5 references", False),
        ("a folder, withheld", False),
    ],
)
def test_a_server_is_told_from_what_is_on_this_machine(index, served):
    assert is_served(index) is served


@pytest.mark.parametrize(("named", "local_only"), [(None, True), ("embedded", False)])
def test_what_only_the_index_names_is_not_fetched(named, local_only, monkeypatch):
    from geosleuth.indexes.encoders import load

    gallery, asked = galleries.street(1), []

    def load_encoder(spec, **options):
        asked.append((spec, options))
        return gallery.encoder

    monkeypatch.setattr(load, "load_encoder", load_encoder)
    monkeypatch.setattr(references, "open_gallery", lambda _: gallery)
    opened = references.open_references(Settings(index="walk", backends=Backends(retrieval=named)))
    assert opened.encoder is gallery.encoder
    assert asked == [("embedded", {"local_only": local_only})]
