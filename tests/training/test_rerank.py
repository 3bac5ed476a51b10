"""Reranking and verdicts measured on labelled photos over an index that is built here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.gallery.build import build_index
from geosleuth.indexes.gallery.sources.open import open_source
from geosleuth.indexes.gallery.store import open_index
from geosleuth.indexes.geodesy import LatLon
from geosleuth.tools.match_calibration import load_calibration
from geosleuth.tools.rerank_gate import gate_allows, read_gate
from geosleuth.tools.vlm.model import Prompt, Scores
from geosleuth.training.evaluate.__main__ import main
from geosleuth.training.evaluate.labelled import LabelledPhoto
from geosleuth.training.evaluate.rerank import cases, first_right, rates_line, verdict_rates


class ColourEncoder:
    """A unit vector along the mean (red, green, blue); fooled by the light, as encoders are."""

    spec = "colour"
    weights_sha256 = "c" * 64
    dimension = 3
    input_side_px = 8

    def prepare(self, pixels: np.ndarray, view: str = "ground") -> np.ndarray:
        del view
        return pixels.astype(np.float32)

    def encode(self, prepared: Sequence[np.ndarray]) -> np.ndarray:
        means = np.array([p.mean(axis=(0, 1)) + 1.0 for p in prepared], dtype=np.float32)
        return means / np.linalg.norm(means, axis=1, keepdims=True)


@dataclass
class Judge:
    """A shared model that knows a place by its blue, and says with `odds` what it makes of (right, wrong) pairs."""

    odds: Callable[[bool], float]
    spec: str = "dir:judge"
    weights: str = "judge 0"

    def for_photo(self) -> Judge:
        return self

    def score(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Scores:
        rows = []
        for p in prompts:
            photo, *others = (int(image[..., 2].mean()) for image in p.images)
            logits = [self.odds(other == photo) for other in others]
            rows.append(logits if len(answers) == 2 else [logits[0], -np.inf, 0.0, -np.inf])
        return Scores(np.array(rows))

    def generate(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("nothing is to be written")

    def chat(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("nobody chats")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight photos: the blue tells the place; red and green, the light, are what the encoder sees most of."""
    photos = tmp_path / "photos"
    photos.mkdir()
    # Of places 0 and 1 the light fits crosswise: a shot of one looks most like a shot of the other.
    lights = {(0, 0): (250, 0), (0, 1): (0, 250), (1, 0): (0, 250), (1, 1): (250, 0)}
    lights |= {(2, shot): (200, 100) for shot in range(2)} | {(3, shot): (100, 200) for shot in range(2)}
    rows = ["file,lat,lon,country"]
    for (place, shot), (red, green) in lights.items():
        name = f"{place}-{shot}.png"
        pixels = np.full((16, 16, 3), (red, green, 10 * place), np.uint8)
        pixels[0, 0, 0] += shot  # no two files are the same
        Image.fromarray(pixels).save(photos / name)
        rows.append(f"{name},{55 + 0.1 * place + 0.0001 * shot:.4f},13.0,SE")
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join(rows) + "\n", encoding="utf-8")
    build_index(open_source(labels, root=photos), tmp_path / "index", encoder=ColourEncoder())
    monkeypatch.setattr("geosleuth.indexes.encoders.load.load_encoder", lambda *_, **__: ColourEncoder())
    return tmp_path


def run(world: Path, monkeypatch: pytest.MonkeyPatch, command: str, judge: Judge, *options: str) -> int:
    monkeypatch.setattr("geosleuth.tools.vlm.load.load_vlm", lambda _: judge)
    given = ["--labels", world / "labels.csv", "--photos", world / "photos", "--index", world / "index"]
    return main([command, *map(str, given), "--model", "dir:judge", "--name", "colours", *options])


def test_each_photo_is_left_out_and_near_references_are_right(world: Path) -> None:
    photos = [LabelledPhoto(world / "photos" / "0-0.png", LatLon(55.0, 13.0), "SE")]
    (case,) = cases(photos, open_index(world / "index"), ColourEncoder(), within_m=25.0)
    assert len(case.candidates) == 7  # itself is left out
    assert case.candidates[0].uri == "1-1.png"  # 11 km away
    assert [one.uri for one in case.candidates if one.reference_id in case.right] == ["0-1.png"]  # 11 m away
    rank = first_right(case.candidates, case.right)
    assert rank == 1 + [one.uri for one in case.candidates].index("0-1.png") > 1
    assert first_right(case.candidates, frozenset()) is None
    (case,) = cases(photos, open_index(world / "index"), ColourEncoder(), within_m=5.0)
    assert case.right == frozenset()


def test_a_tile_is_right_where_the_photo_lies_in_it(world: Path) -> None:
    class Tiles:
        """Every reference a tile of 60 m around its position."""

        def __init__(self) -> None:
            self.index = open_index(world / "index")

        def __getattr__(self, name: str) -> Any:
            return getattr(self.index, name)

        def search(self, *args: Any, **options: Any) -> Any:
            (hits,) = self.index.search(*args, **options)
            tiles = tuple(replace(hit, reference=replace(hit.reference, extent_m=60.0)) for hit in hits.hits)
            return [replace(hits, hits=tiles)]

    photos = [LabelledPhoto(world / "photos" / "0-0.png", LatLon(55.0, 13.0), "SE")]
    (case,) = cases(photos, Tiles(), ColourEncoder(), within_m=5.0)  # type: ignore[arg-type]
    assert len(case.right) == 1  # 11 m from its middle


@pytest.mark.parametrize("strategy", ["pairwise", "yes_no"])
def test_a_judge_that_knows_the_places_opens_the_gate_when_enough_are_seen(
    world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], strategy: str
) -> None:
    gate = world / "gates" / "gate.json"
    knows = Judge(lambda same: 5.0 if same else -5.0)
    assert run(world, monkeypatch, "rerank", knows, "--strategy", strategy, "--out", str(gate)) == 0
    out = capsys.readouterr().out
    # Places 2 and 3 were right before, 0 and 1 become so: 4 gained of 8, p = 2 / 2^4.
    assert "8 photos, 8 with a right reference among 10 candidates; 30 are needed before the gate counts" in out
    assert "R@1 4 -> 8 (4 gained, 0 lost; exact McNemar p = 0.125)" in out
    assert "-> 1.000 (4 better, 0 worse; sign test p = 0.125)" in out
    assert "verdict: unclear" in out
    measured = read_gate(gate)
    assert (measured.strategy, measured.weights, measured.failures) == (strategy, "judge 0", 0)
    assert measured.sample.startswith("colours, 8 photos")
    assert not gate_allows(gate, measured.strategy, "judge 0").allowed  # 8 photos are not enough


def test_a_judge_that_is_always_wrong_is_caught(
    world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Judge(lambda same: -5.0 if same else 5.0)
    assert run(world, monkeypatch, "rerank", wrong, "--strategy", "yes_no") == 0
    out = capsys.readouterr().out
    assert "R@1 4 -> 0 (0 gained, 4 lost" in out
    assert "verdict: harms" in out


def test_a_lean_to_no_is_told_and_calibrated(
    world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = world / "adapter" / "gleam_x_calibration.json"
    shy = Judge(lambda same: -1.0 if same else -5.0)  # knows them apart, and says no to all
    assert run(world, monkeypatch, "gleam-x", shy, "--out", str(path)) == 0
    out = capsys.readouterr().out
    # 8 photos with 7 candidates: 8 pairs of one place, 48 of two.
    assert "as the model leans: TPR 0.000 (0 of 8), TNR 1.000 (48 of 48), yes-rate less base rate -0.143" in out
    assert "calibrated, on the same pairs: TPR 1.000 (8 of 8), TNR 1.000 (48 of 48)" in out
    fitted = load_calibration(path)
    assert (fitted.matches, fitted.others, fitted.weights) == (8, 48, "judge 0")
    assert fitted.probability(-1.0) == pytest.approx(0.9, abs=1e-4)  # the target of eight matches, 9 / 10
    assert fitted.probability(-5.0) == pytest.approx(1 / 50, abs=1e-4)


def test_pairs_without_an_answer_are_left_out_and_told(
    world: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING")
    (world / "photos" / "3-1.png").write_bytes(b"")
    labels = (world / "labels.csv").read_text(encoding="utf-8").replace("3-1.png,55.3001,13.0,SE\n", "")
    (world / "labels.csv").write_text(labels, encoding="utf-8")
    assert run(world, monkeypatch, "gleam-x", Judge(lambda same: 1.0 if same else -1.0)) == 0
    assert "7 of 49 pairs got no answer and are left out" in caplog.text


def test_rates_and_bias_are_counted() -> None:
    yes, labels = [True, False, False, True, False, False], [True, True, True, False, False, False]
    rates = verdict_rates(yes, labels)
    assert (rates.tpr, rates.tnr, rates.bias) == pytest.approx((1 / 3, 2 / 3, 2 / 6 - 3 / 6))
    assert rates_line("a", rates) == "a: TPR 0.333 (1 of 3), TNR 0.667 (2 of 3), yes-rate less base rate -0.167\n"
    assert np.isnan(verdict_rates([], []).tpr)


@pytest.mark.parametrize(
    ("options", "missing"), [(["--model", "dir:judge"], "no --index"), (["--index", "INDEX"], "no --model")]
)
def test_what_is_missing_is_named(
    world: Path, capsys: pytest.CaptureFixture[str], options: list[str], missing: str
) -> None:
    given = [str(world / "index") if one == "INDEX" else one for one in options]
    assert main(["rerank", "--labels", str(world / "labels.csv"), *given]) == 2
    assert missing in capsys.readouterr().err
