"""A world of two small towns, one of which stands twice: drawn, indexed, asked. It shows that all of it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon, distance_km
from geosleuth.indexes.regions import country_at
from geosleuth.training.evaluate.ablations.arm import ArmResult
from geosleuth.training.evaluate.ablations.run import Outcome
from geosleuth.training.evaluate.ablations.tables import TABLES
from geosleuth.training.evaluate.ablations.towns import __main__ as towns
from geosleuth.training.evaluate.ablations.towns.__main__ import Run, main
from geosleuth.training.evaluate.ablations.towns.cell import Cell, measured
from geosleuth.training.evaluate.ablations.towns.draw import WorldSize, draw
from geosleuth.training.evaluate.ablations.towns.world import (
    begin,
    drawn,
    index_world,
    open_twins,
    open_world,
    tasks,
)

SIZE = WorldSize(towns=2, references=3, queries=1, twins=1, side_m=150.0, height_px=48, width_px=64)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    begin(folder, SIZE)
    for task in tasks(folder, 1, SIZE):
        draw(task)
    index_world(folder, 1, SIZE)
    return folder


def test_a_query_stands_near_its_reference_and_its_twin_in_another_country(world: Path) -> None:
    first, second = drawn(world, 1, SIZE)
    assert (len(first.references), len(first.queries), len(first.twins)) == (3, 1, 3)
    assert (second.twins, second.twin_positions) == ([], [])
    (query,) = first.queries
    away_m = [1000 * float(distance_km(query.lat, query.lon, one.lat, one.lon)) for one in first.references]
    assert min(away_m) <= 10.1
    twin = LatLon(*first.twin_positions[0])
    assert country_at(*twin) not in (None, first.country)
    assert country_at(query.lat, query.lon) == first.country
    # The twin is the same town: its pictures stand to each other as the first's do.
    there = [1000 * float(distance_km(*twin, one.lat, one.lon)) for one in first.twins]
    assert there == pytest.approx(away_m, rel=0.01, abs=0.1)


def test_the_same_stand_on_another_day_is_another_picture_and_the_same_seed_the_same(world: Path, tmp_path) -> None:
    first = drawn(world, 1, SIZE)[0]
    one, other = ((world / name.file).read_bytes() for name in (first.references[0], first.twins[0]))
    assert one != other
    again = tasks(tmp_path, 1, SIZE)[0]
    draw(again)
    assert (tmp_path / first.references[0].file).read_bytes() == one
    assert again.marker.read_bytes() == tasks(world, 1, SIZE)[0].marker.read_bytes()


def test_twins_are_in_an_index_of_their_own(world: Path) -> None:
    setup, queries = open_world(world, 1, SIZE)
    assert (len(setup.gallery), len(open_twins(world, setup).gallery)) == (6, 9)
    assert [query.twin is not None for query in queries] == [True, False]
    assert {query.place for query in queries} == {"1-0", "1-1"}
    assert "simulated" in setup.prior.name


def test_a_cell_asks_its_tables_and_keeps_what_it_was_told(world: Path, monkeypatch) -> None:
    names = ("reranking", "verifier", "look_alikes")
    cell = Cell(world, 1, SIZE, 0, 16, names)
    found = measured(cell)
    assert {name: len(rows) for name, rows in found.items()} == dict(zip(names, (2, 2, 1), strict=True))
    rows = world / "rows" / "00000.jsonl"
    before = rows.read_bytes()
    assert before.count(b"\n") == 5
    monkeypatch.setattr("geosleuth.training.evaluate.ablations.run.Look", None)  # nothing is looked at again
    assert measured(cell) == found
    assert rows.read_bytes() == before
    assert set(found) <= set(TABLES)


@pytest.mark.parametrize(("option", "number"), [("--processes", "0"), ("--towns", "0"), ("--twins", "-1")])
def test_numbers_that_are_too_small_are_refused(option: str, number: str, tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--work", str(tmp_path), option, number])
    assert ended.value.code == 2
    assert f"{option}: wanted a whole number" in capsys.readouterr().err


def test_a_seed_counts_once_and_the_page_says_how_and_of_what_it_was_made(world: Path, monkeypatch, tmp_path) -> None:
    asked: list[Run] = []

    def outcomes(run: Run) -> list[dict[str, list[Outcome]]]:
        asked.append(run)
        arms = {"off": ArmResult(values={"recall@1": 1.0})}
        one = Outcome(key="1", table="reranking", query="a", place="p", arms=arms)
        return [{"reranking": [one], "look_alikes": [one]}]

    monkeypatch.setattr(Run, "measure", outcomes)
    monkeypatch.setattr(Run, "folder", lambda *_: world)
    monkeypatch.setattr(towns, "WorldSize", lambda **given: SIZE.model_copy(update=given))
    monkeypatch.setattr(towns, "commit", lambda: "abc123+")
    page, size = tmp_path / "page.md", ["--towns", "2", "--references", "3", "--queries", "1", "--twins", "1"]
    chosen = ["--tables", "reranking", "look_alikes", "--seeds", "1", "1"]
    assert main(["--work", str(tmp_path), "--out", str(page), "--processes", "1", *size, *chosen]) == 0
    assert asked[0].seeds == (1,)
    text = page.read_text(encoding="utf-8")
    arguments = "--tables reranking look_alikes --seeds 1 --towns 2 --references 3 --queries 1 --twins 1"
    assert f"evaluate.ablations.towns {arguments}`; commit abc123+, " in text
    assert str(tmp_path) not in text
    reranking, look_alikes = text.split("<!-- look_alikes -->")
    assert "gallery: 6 references a seed" in reranking
    assert "gallery: 9 references a seed" in look_alikes


def test_a_folder_of_another_size_is_refused(world: Path, tmp_path, caplog) -> None:
    with pytest.raises(InputError) as error:
        begin(world, WorldSize())
    assert "of 2 towns with 3 references and 1 queries each" in error.value.found
    begin(tmp_path / "seed-1", SIZE)
    assert main(["--work", str(tmp_path), "--seeds", "1", "--processes", "1"]) == 2
    assert "Name another folder with --work." in caplog.text
