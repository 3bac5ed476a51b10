"""Scores follow from the shares; a killed run goes on without scoring anything twice; other settings are refused."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import open_photo
from geosleuth.tools.class_weights import published_weights, weights_text
from geosleuth.tools.learned_locatability import segment_locatability
from geosleuth.tools.locatability import score_locatability
from geosleuth.training.georeasoner.street_views import StreetView, StreetViews
from geosleuth.training.locatability import scorers
from geosleuth.training.locatability.score_file import SCORES, opened_scores
from geosleuth.training.locatability.score_set import score_views
from geosleuth.training.locatability.scorers import ScoreSettings, mask_of, mask_shares

ROAD_WEIGHT, SKY_WEIGHT = 1.0, float(published_weights()[2])


def lines(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / SCORES).read_text().splitlines()]


def test_masks_give_the_formula_exactly(views, tmp_path):
    scores = score_views(views, tmp_path / "out", masks=True)
    for i, view in enumerate(views):  # i tenths road, the rest sky
        assert scores.of(view.path) == pytest.approx(i / 10 * ROAD_WEIGHT + (1 - i / 10) * SKY_WEIGHT, abs=1e-6)
    three = scores.by_path[str(views.views[3].path)]
    assert three.leading == {"road": 0.3, "sky": pytest.approx(0.7 * SKY_WEIGHT, abs=1e-6)}
    assert list(scores.by_path) == [str(view.path) for view in views]
    assert scores.settings.words().startswith("GeoReasoner's formula over the masks beside the pictures")


def test_what_is_not_labelled_adds_nothing(tmp_path):
    Image.fromarray(np.array([[0, 0, 7, 150]], np.uint8)).save(tmp_path / "mask.png")
    shares = mask_shares(tmp_path / "mask.png")
    assert (shares[6], shares[149], shares.sum()) == (0.25, 0.25, 0.5)


def test_other_weights_give_other_scores(views, tmp_path):
    only_sky = np.zeros(150)
    only_sky[2] = 1.0
    table = tmp_path / "sky.tsv"
    table.write_text(weights_text(only_sky))
    scores = score_views(views, tmp_path / "out", masks=True, weights=table)
    assert scores.of(views.views[3].path) == pytest.approx(0.7)
    assert scores.settings.class_weights == "sky.tsv"


def test_the_embedded_score_is_the_tools_and_says_what_it_is(views, tmp_path):
    scores = score_views(views, tmp_path / "out", segmenter=None, weights=None)
    for view in views:
        assert scores.of(view.path) == pytest.approx(score_locatability(open_photo(view.path)).score, abs=1e-6)
    assert scores.settings.words() == (
        "the embedded score (no segmenter, no text read), which is not GeoReasoner's formula"
    )


def test_a_batch_scores_as_the_tool_does_one_by_one(views, tmp_path, segformer, maskformer):
    """Pictures of two shapes, and one in which nothing is shown: the tool does not ask the segmenter about it."""
    black, wide = tmp_path / "black.png", tmp_path / "wide.png"
    Image.new("RGB", (80, 64)).save(black)
    Image.open(views.views[0].path).resize((120, 40)).save(wide)
    paths = [views.views[0].path, wide, black, views.views[1].path, views.views[2].path]
    some = StreetViews(tuple(StreetView(path, 1.0, 2.0) for path in paths))
    for name, spec in (("segformer", segformer), ("maskformer", maskformer)):
        scores = score_views(some, tmp_path / name, segmenter=spec, batch=3, device="cpu")
        for path in paths:
            alone = segment_locatability(open_photo(path), spec)
            assert scores.of(path) == pytest.approx(alone.score, abs=1e-5), path
        assert scores.by_path[str(black)].flag == "black"
        assert scores.settings.model.startswith(f"{name}@")


class Interrupting:
    """Ctrl-C when so many are done."""

    def __init__(self, after: int) -> None:
        self.after = after

    def __call__(self, now) -> None:
        if now.done >= self.after:
            raise KeyboardInterrupt


def test_an_interrupted_run_goes_on_and_scores_nothing_twice(views, tmp_path, monkeypatch):
    monkeypatch.setattr("geosleuth.training.locatability.score_set._TOLD_EVERY_S", 0.0)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        score_views(views, out, masks=True, batch=2, progress=Interrupting(4))
    before = (out / SCORES).read_bytes()
    assert before.count(b"\n") == 4
    asked = []
    real = scorers.mask_shares
    monkeypatch.setattr(scorers, "mask_shares", lambda path: (asked.append(path.stem), real(path))[1])
    scores = score_views(views, out, masks=True, batch=2)
    assert sorted(asked) == ["4", "5", "6", "7", "8", "9"]
    assert (scores.resumed, len(scores.by_path)) == (4, 10)
    assert (out / SCORES).read_bytes().startswith(before)
    assert [one["path"] for one in lines(out)] == [str(view.path) for view in views]
    asked.clear()
    assert score_views(views, out, masks=True).by_path == scores.by_path
    assert asked == []


def test_a_line_that_was_cut_off_is_written_again(views, tmp_path):
    out = tmp_path / "out"
    whole = score_views(views, out, masks=True)
    content = (out / SCORES).read_bytes()
    (out / SCORES).write_bytes(content[:-20])
    again = score_views(views, out, masks=True)
    assert (again.resumed, again.by_path) == (9, whole.by_path)
    assert (out / SCORES).read_bytes() == content


KILLED = """
import sys, time
from pathlib import Path
from geosleuth.training.georeasoner.street_views import StreetView, StreetViews
from geosleuth.training.locatability import score_set

root, out = map(Path, sys.argv[1:])
score_set._TOLD_EVERY_S = 0.0
views = StreetViews(tuple(StreetView(path, 1.0, 2.0) for path in sorted(root.iterdir())))
score_set.score_views(
    views, out, masks=True, batch=2, progress=lambda now: time.sleep(600 if now.done == 4 else 0)
)
"""


def test_a_killed_process_leaves_what_it_scored(views, tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen([sys.executable, "-c", KILLED, views.root / "images", out])
    try:
        deadline = time.monotonic() + 120
        while not (out / SCORES).exists() or (out / SCORES).read_bytes().count(b"\n") < 4:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        with pytest.raises(InputError, match="another that scores into it now"):
            score_views(views, out, masks=True)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = (out / SCORES).read_bytes()
    scores = score_views(views, out, masks=True)  # the lock went with the process
    assert (scores.resumed, len(scores.by_path)) == (4, 10)
    assert (out / SCORES).read_bytes().startswith(before)
    assert len(lines(out)) == 10


def test_broken_pictures_are_counted_and_tried_again(views, tmp_path):
    out = tmp_path / "out"
    broken, gone = views.views[2].path, views.views[5].path
    content = broken.read_bytes()
    broken.write_bytes(content[: len(content) // 2])
    gone.unlink()
    scores = score_views(views, out)
    assert [one.path for one in scores.broken] == [str(broken), str(gone)]
    assert scores.broken[1].reason.startswith("no such file")
    assert len(scores.by_path) == 8
    assert scores.of(broken) is None
    broken.write_bytes(content)
    again = score_views(views, out)
    assert ([one.path for one in again.broken], again.resumed, len(again.by_path)) == ([str(gone)], 8, 9)
    assert len(lines(out)) == 10


def test_a_picture_without_a_mask_says_so(views, tmp_path):
    mask_of(views.views[4].path).unlink()
    colours = mask_of(views.views[6].path)
    Image.new("RGB", (4, 4)).save(colours)
    high = mask_of(views.views[7].path)
    Image.fromarray(np.full((2, 2), 151, np.uint8)).save(high)
    found = {Path(one.path).stem: one.reason for one in score_views(views, tmp_path / "out", masks=True).broken}
    assert found == {
        "4": "none instead of a mask of ADE20K's classes in a folder labels",
        "6": "a picture of mode RGB instead of a mask of one byte a pixel, 0 to 150",
        "7": "a 151 instead of a mask of one byte a pixel, 0 to 150",
    }


def test_nothing_that_can_be_scored_is_an_error(views, tmp_path):
    lost = replace(views, views=tuple(replace(view, path=tmp_path / view.path.name) for view in views))
    with pytest.raises(InputError, match=r"none of 10; .*0\.png: no such file"):
        score_views(lost, tmp_path / "out")


def test_other_settings_are_refused_in_three_parts(views, tmp_path, segformer):
    out = tmp_path / "out"
    score_views(views, out, masks=True)
    before = (out / SCORES).read_bytes()
    with pytest.raises(InputError) as caught:
        score_views(views, out, segmenter=segformer)
    assert caught.value.wanted == f"the settings that the scores in {out} were made with"
    assert "another way to score (segmenter, where it was masks), another segmenter (segformer@" in caught.value.found
    assert caught.value.remedy.startswith("Name another folder with --out")
    table = tmp_path / "zero.tsv"
    table.write_text(weights_text(np.zeros(150)))
    with pytest.raises(InputError, match=r"found another table of class weights \([0-9a-f]{12}, where it was"):
        score_views(views, out, masks=True, weights=table)
    assert (out / SCORES).read_bytes() == before


def test_parts_that_do_not_go_together_are_refused(views, tmp_path):
    with pytest.raises(InputError, match="found both"):
        score_views(views, tmp_path / "out", segmenter="dir:x", masks=True)
    with pytest.raises(InputError, match="for the embedded score, which knows no classes"):
        score_views(views, tmp_path / "out", weights=tmp_path / "weights.tsv")
    for masks in (False, True):
        with pytest.raises(InputError, match="a device for a segmenter; found cuda without one"):
            score_views(views, tmp_path / "out", masks=masks, device="cuda")
    for spec in ("bogus", "embedded", "openai:gpt-4o"):
        with pytest.raises(InputError, match="Name one: hf:ORG/NAME"):
            score_views(views, tmp_path / "out", segmenter=spec)
    assert not (tmp_path / "out").exists()


def test_a_folder_in_use_or_with_something_else_is_refused(views, tmp_path):
    out = tmp_path / "out"
    with (
        opened_scores(out, ScoreSettings(method="embedded")),
        pytest.raises(InputError, match="another that scores into it now"),
    ):
        score_views(views, out)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a folder for scores that can be written"):
        score_views(views, tmp_path / "file")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / SCORES).write_text("{}\n")
    with pytest.raises(InputError, match="without its settings"):
        score_views(views, tmp_path / "other")


def test_scores_are_taken_up_and_a_damaged_line_is_named(views, tmp_path):
    out = tmp_path / "out"
    scores = score_views(views, out, masks=True)
    again = score_views(views, out, masks=True)
    assert (again.resumed, dict(again.by_path)) == (10, dict(scores.by_path))
    with (out / SCORES).open("a") as file:
        file.write('{"path": "x"}\n')
    with pytest.raises(InputError, match=r"line 11 of .*scores\.jsonl"):
        score_views(views, out, masks=True)


def test_a_full_disk_is_told_and_the_next_run_goes_on(views, tmp_path):
    """The system itself refuses: the file may have no more than 512 bytes."""
    resource = pytest.importorskip("resource")
    out = tmp_path / "out"
    score_views(replace(views, views=views.views[:1]), out, masks=True)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, limits[1]))
    try:
        with pytest.raises(InputError, match=r"to keep scores; found .*scores\.jsonl: ") as caught:
            score_views(views, out, masks=True, batch=4)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.remedy == "Make room; the same command then goes on from here."
    assert (out / SCORES).stat().st_size <= 512
    scores = score_views(views, out, masks=True)
    assert len(scores.by_path) == 10
    assert scores.resumed >= 1
