"""A run of tables: kept by the query, and what cannot be read ends nothing but itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.build import build_index
from geosleuth.indexes.gallery.store import open_index
from geosleuth.training.evaluate.ablations import run as run_module
from geosleuth.training.evaluate.ablations.arm import Ablation, ArmResult, Results
from geosleuth.training.evaluate.ablations.run import run
from geosleuth.training.evaluate.ablations.setup import Look


@dataclass
class Asked:
    """A table that counts how often it is asked."""

    times: list[str] = field(default_factory=list)

    def __call__(self, look: Look) -> Results:
        self.times.append(look.query.name)
        return {"only": ArmResult(values={"recall@1": 1.0})}

    def table(self, name: str = "counted", **changes: object) -> Ablation:
        return Ablation(name, "Counted", "?", self, None, **changes)  # type: ignore[arg-type]


def test_no_query_is_asked_twice(setup, query, tmp_path: Path) -> None:
    asked, rows = Asked(), tmp_path / "rows.jsonl"
    told: list[tuple[int, int]] = []
    first = run([asked.table()], [query], setup, rows, on_query=lambda *at: told.append(at))
    again = run([asked.table()], [query], setup, rows)
    assert asked.times == ["photo.png"]
    assert told == [(1, 1)]
    assert first.outcomes == again.outcomes
    assert again.outcomes["counted"][0].place == "paris"


def test_a_line_that_was_cut_off_is_made_anew(setup, query, tmp_path: Path) -> None:
    asked, rows = Asked(), tmp_path / "rows.jsonl"
    run([asked.table()], [query], setup, rows)
    rows.write_bytes(rows.read_bytes()[:-20])  # killed while it wrote
    run([asked.table()], [query], setup, rows)
    assert asked.times == ["photo.png"] * 2
    assert rows.read_bytes().count(b"\n") == 1


def test_another_setup_asks_anew(setup, query, tmp_path: Path) -> None:
    asked, rows = Asked(), tmp_path / "rows.jsonl"
    for one in (setup, replace(setup, within_m=50.0), replace(setup, seed=1)):
        run([asked.table()], [query], one, rows)
    run([asked.table("other")], [query], setup, rows)
    run([asked.table()], [replace(query, twin=None)], setup, rows)
    run([asked.table()], [replace(query, country="DE")], setup, rows)
    assert len(asked.times) == 6


def test_other_pictures_at_the_same_places_or_other_code_ask_anew(setup, query, tmp_path: Path, monkeypatch) -> None:
    asked, rows = Asked(), tmp_path / "rows.jsonl"
    run([asked.table()], [query], setup, rows)
    folder = tmp_path / "gallery"
    lats, lons = setup.positions
    named = ["file,lat,lon,view"]
    folder.mkdir()
    for i, (lat, lon) in enumerate(zip(lats.tolist(), lons.tolist(), strict=True)):
        Image.fromarray(np.full((16, 16, 3), (i, 255, 0), np.uint8)).save(folder / f"{i}.png")
        named.append(f"{i}.png,{lat!r},{lon!r},ground")
    (folder / "references.csv").write_text("\n".join(named) + "\n", encoding="utf-8")
    build_index(folder / "references.csv", folder / "index", encoder=setup.encoder)
    other = replace(setup, gallery=open_index(folder / "index"))
    assert sorted(zip(*other.positions, strict=True)) == sorted(zip(lats, lons, strict=True))
    assert other.facts == setup.facts
    run([asked.table()], [query], other, rows)
    assert len(asked.times) == 2
    monkeypatch.setattr(run_module, "source_version", lambda *_: "a rule has changed")
    run([asked.table()], [query], setup, rows)
    assert len(asked.times) == 3


def test_a_photo_that_cannot_be_read_is_told_and_left_out(setup, query, tmp_path: Path) -> None:
    asked, broken = Asked(), tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    bad = [replace(query, path=broken, name="broken.jpg"), replace(query, path=tmp_path / "gone.jpg", name="gone.jpg")]
    ran = run([asked.table()], [*bad, query], setup)
    assert [one.path for one in ran.skipped] == ["broken.jpg", "gone.jpg"]
    assert all(one.reason for one in ran.skipped)
    assert asked.times == ["photo.png"]
    with pytest.raises(InputError) as error:
        run([asked.table()], bad, setup)
    assert "none of 2" in error.value.found


def test_a_table_of_priors_needs_one(setup, query) -> None:
    with pytest.raises(InputError) as error:
        run([Asked().table(needs_prior=True)], [query], replace(setup, prior=None))
    assert error.value.wanted == "a prior for the table counted"
    assert "simulated" in error.value.remedy
