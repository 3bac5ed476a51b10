"""Agents asked about one drone picture of an invented world, and tables of rows that are written by hand."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon, geodesic_km
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.match_calibration import FILE_NAME, calibration_for, load_calibration
from geosleuth.tools.vlm.load import load_vlm
from geosleuth.training.adapter_claims import agent_rows as rows_module
from geosleuth.training.adapter_claims import agent_verifier as verifier_module
from geosleuth.training.adapter_claims.agent_material import AgentMaterial, AgentPhoto, gallery_index
from geosleuth.training.adapter_claims.agent_rows import AgentArm, AgentRow, agent_rows
from geosleuth.training.adapter_claims.agent_table import PRIOR, VERIFIER, _Asked, agent_statistics, section
from geosleuth.training.adapter_claims.agent_verifier import Verifier, calibrated_verifier, shows
from geosleuth.training.adapter_claims.geo_material import GeoMaterial
from geosleuth.training.adapter_claims.geo_tables import ablation
from geosleuth.training.adapter_claims.pair_tables import verdicts
from geosleuth.training.adapter_claims.tables import TABLES
from geosleuth.training.evaluate.vlm.intervals import figures
from geosleuth.training.georeasoner.reasoned import Reasoned

ARMS = ("embedded agent", "with the prior", "with prior and verifier")
LYON = LatLon(45.76, 4.84)
TILES = (LYON, LatLon(45.80, 4.84), LatLon(35.0, 135.0))  # the first shows the photo's place
NORTH_KM = geodesic_km(LatLon(45.0, 4.0), LatLon(46.0, 4.0))


def test_what_the_first_tables_trained_is_not_trained_again():
    nothing = GeoMaterial((), (), (), (), Reasoned(()))
    assert PRIOR in [arm.run for arm in ablation(nothing) if arm.name == "reasoning, then location"]
    assert VERIFIER in [arm.run for arm in verdicts()]
    assert TABLES[-2:] == ("agent", "locatability")


def photo(at: LatLon = LYON) -> AgentPhoto:
    return AgentPhoto(Path("photo.png"), "photo.png", "drone", 0, at, "FR")


@pytest.mark.parametrize(("away_m", "extent_m", "shown"), [(60, 128, True), (70, 128, False), (20, None, True)])
def test_a_tile_shows_what_lies_in_the_circle_that_fits_into_it(away_m: float, extent_m: float | None, shown: bool):
    there = LatLon(45.0 + away_m / 1000 / NORTH_KM, 4.0)
    tile = Candidate(
        rank=1, reference_id="a", uri="a", lat=45.0, lon=4.0, view="satellite", extent_m=extent_m, similarity=0, score=0
    )
    assert shows(tile, photo(there)) is shown


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> AgentMaterial:
    root = tmp_path_factory.mktemp("tiles")
    drawn = np.random.default_rng(0)
    rows = []
    for town, at in enumerate(TILES):
        name = f"test/gallery_satellite/{16 * town:04d}/tile.png"
        (root / name).parent.mkdir(parents=True)
        Image.fromarray(drawn.integers(0, 255, (56, 56, 3), dtype=np.uint8)).save(root / name)
        rows.append((name, at.lat, at.lon, "satellite", 128))
    with (root / "gallery.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "lat", "lon", "view", "extent_m"), *rows])
    Image.fromarray(drawn.integers(0, 255, (56, 56, 3), dtype=np.uint8)).save(root / "photo.png")
    own = (replace(photo(), path=root / "photo.png"),)
    towns = frozenset(range(3))
    return AgentMaterial(root, {"drone": own}, towns, {"drone": own}, towns, {0: "FR", 1: "FR", 2: "JP"})


@pytest.fixture(scope="module")
def index(material: AgentMaterial, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gallery_index(material, material.gallery, tmp_path_factory.mktemp("agent") / "index")


@pytest.fixture(scope="module")
def runs(tiny_models, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose adapter does something, though it was taught nothing."""
    runs = tmp_path_factory.mktemp("runs")
    folder = VERIFIER.folder(runs)
    folder.mkdir()
    shutil.copytree(tiny_models.tiny_lora(tiny_models.tiny_qwen()), folder / VERIFIER.name)
    return runs


@pytest.mark.slow
def test_a_verifier_is_asked_once_about_the_pairs_that_the_agent_would_meet(
    material: AgentMaterial, index: Path, runs: Path, tiny_models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    held = load_vlm(f"dir:{tiny_models.tiny_qwen()}")  # as long as somebody holds the base it is not read again

    def made() -> Verifier:
        return calibrated_verifier(VERIFIER, tiny_models.tiny_qwen(), runs, "drone", material, index, tmp_path)

    verifier = made()
    kept = tmp_path / "drone/pairs.json"
    said = json.loads(kept.read_text())
    assert sorted(said["labels"]) == [False, False, True]  # each tile once
    assert said["weights"] == load_vlm(verifier.spec).weights
    monkeypatch.setattr(verifier_module, "pair_logits", lambda *_: pytest.fail("asked twice"))
    assert made().spec == verifier.spec
    # Answers that tell matches from others; then such that do the contrary: a calibration of them would be no use.
    kept.write_text(json.dumps(said | {"logits": [3.0, 1.0, -2.0, -1.0], "labels": [True, True, False, False]}))
    told = made()
    assert (told.calibration.matches, told.calibration.others, told.why_not) == (2, 2, "")
    assert told.calibration.slope > 0
    assert calibration_for(load_vlm(told.spec).for_photo()) == told.calibration
    assert "drone" in load_calibration(tmp_path / "drone" / VERIFIER.name / FILE_NAME).sample
    assert not (VERIFIER.folder(runs) / VERIFIER.name / FILE_NAME).exists()  # the run's own is left as it was
    kept.write_text(json.dumps(said | {"logits": [-3.0, -1.0, 2.0, 1.0], "labels": [True, True, False, False]}))
    refused = made()
    assert refused.calibration is None
    assert "slope" in refused.why_not
    assert calibration_for(load_vlm(refused.spec).for_photo()) is None
    assert held.weights in said["weights"]


@pytest.mark.slow
def test_a_verifier_that_was_not_trained_is_said(material: AgentMaterial, index: Path, tmp_path: Path):
    with pytest.raises(InputError, match="make the table verdicts"):
        calibrated_verifier(VERIFIER, tmp_path, tmp_path / "runs", "drone", material, index, tmp_path)


@pytest.mark.slow
def test_the_whole_agent_is_asked_once_about_each_photo(
    material: AgentMaterial, index: Path, tiny_models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # A prior that knows: random weights name no country. The verifier's verdicts may be any.
    lines = ["model,source_file,predicted_country,predicted_city,lat,lon", "m,photo.png,France,Lyon,45.76,4.84"]
    (tmp_path / "prior.csv").write_text("\n".join(lines) + "\n")
    prior, verifier = f"file:{tmp_path / 'prior.csv'}", f"dir:{tiny_models.tiny_qwen_of_few_words()}"
    arms = [AgentArm("embedded", "drone", index), AgentArm("both", "drone", index, prior, verifier)]
    asked = agent_rows(arms, material.asked, tmp_path / "answers", 1)
    [[embedded], [both]] = asked
    for row in (embedded, both):
        assert (row.file, row.place, row.truth) == ("photo.png", "0", "FR")
        assert 0 < row.probability < 1
        assert row.error_km > 0
    assert (embedded.judged, embedded.said_yes) == (0, 0)
    assert embedded.status == "not_locatable"  # noise: no sign, no metadata
    assert (both.judged, both.true_judged) == (3, 1)  # all tiles of the gallery
    assert both.true_yes <= both.said_yes <= 3
    assert both.country == "FR"
    assert both.probability > embedded.probability
    assert both.error_km < embedded.error_km
    monkeypatch.setattr(rows_module, "_row", lambda *_: pytest.fail("asked twice"))
    assert agent_rows(arms, material.asked, tmp_path / "answers", 1) == asked
    recalibrated = [arms[0], replace(arms[1], calibration="another")]
    with pytest.raises(pytest.fail.Exception, match="asked twice"):
        agent_rows(recalibrated, material.asked, tmp_path / "answers", 1)


def row(number: int, *, right: bool, status: str = "localized", km: float = 100.0, yes: int = 0) -> AgentRow:
    return AgentRow(
        key=str(number),
        file=f"{number}.jpg",
        place=str(number // 2),  # two photos of each town
        truth="FR",
        status=status,
        country="FR" if right else "US",
        probability=0.5 if right else 0.1,
        error_km=km,
        in_90=right,
        seconds=2.0,
        judged=10,
        true_judged=1,
        said_yes=yes,
        true_yes=min(yes, 1),
    )


def test_figures_of_an_agent_by_hand():
    rows = [
        row(0, right=True, km=20.0),
        row(1, right=True, status="coarse", km=150.0),
        row(2, right=False, km=8000.0),
        row(3, right=False, status="not_locatable", km=700.0),
    ]
    found = {name: one.value for name, one in figures(agent_statistics(rows), [one.place for one in rows]).items()}
    assert found == {
        "answered (localized), %": 0.5,
        "country right, no answer is wrong, %": 0.25,
        "country of the point right, %": 0.5,
        "probability of the true country, mean, %": pytest.approx(0.3),
        "km from the point, median": 425.0,
        "accuracy@25km, %": 0.25,
        "accuracy@200km, %": 0.5,
        "accuracy@750km, %": 0.75,
        "in the 90 % region, %": 0.5,
        "seconds a photo, median": 2.0,
    }


def asked(embedded: list[bool], both: list[bool], verifier: Verifier | None = None) -> _Asked:
    """Rows of three agents, of which the second is as right as the third."""
    columns = (embedded, both, both)
    rows = {
        name: [row(i, right=one, yes=2 if name == ARMS[2] else 0) for i, one in enumerate(rights)]
        for name, rights in zip(ARMS, columns, strict=True)
    }
    return _Asked(verifier or Verifier("dir:verifier", None, "a slope of -1"), rows)


def test_a_section_has_the_agents_and_their_paired_differences():
    said = section({"street": asked([False] * 6 + [True] * 2, [True] * 8)}, towns=36)
    lines = said.splitlines()
    assert lines[0] == "## Agent"
    assert "the tiles of the 36 towns" in said
    assert "synthetic" in said
    header = f"| Street views: 8 photos of 4 towns | {' | '.join(ARMS)} |"
    [first] = [line for line in lines if line.startswith("| Street views")]
    assert first == f"{header} prior less embedded | both less embedded | both less prior |"
    [country] = [line for line in lines if line.startswith("| country of the point right")]
    cells = [cell.strip() for cell in country.strip("|").split("|")]
    assert cells[1].startswith("25.0 [0.0, ")
    assert cells[2] == cells[3]
    assert cells[2].startswith("100.0 [")
    assert cells[4] == cells[5]
    assert cells[5].startswith("+75.0 [+")
    assert cells[6] == "+0.0"
    assert "with both adapters beats the embedded one: the country of its point is right for 100.0 [" in said
    # Ten tiles a photo, of which one is true and of which two are said to match.
    assert "judged 80 tiles, of which 8 show the place: it said yes to 8 of these and to 8 of the 72 others" in said
    assert "(a slope of -1), so its verdicts are opinions and no evidence" in said


def test_a_section_says_what_is_worse_and_what_cannot_be_told():
    right, wrong = [True] * 8, [False] * 8
    assert "is worse than the embedded one" in section(
        {"drone": asked(right[:2] + right[:6], wrong[:6] + right[:2])}, 4
    )
    assert "cannot be told from the embedded one" in section({"drone": asked(wrong, wrong)}, 4)
