"""Runs of a small network on a small data set that is drawn here: coloured fields, seen from above and around."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.encoders.load import load_encoder
from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_c.config import DataConfig, GleamCConfig

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

CITIES = ("Chicago", "NewYork", "SanFrancisco", "Seattle")
PLACES = 8  # per city


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a VIGOR folder of 32 places: four colours each, above as quarters, around as stripes."""
    root = tmp_path_factory.mktemp("vigor")
    rng = np.random.default_rng(3)
    for number, city in enumerate(CITIES):
        for kind in ("panorama", "satellite"):
            (root / city / kind).mkdir(parents=True)
        (root / "splits" / city).mkdir(parents=True)
        tiles, lines = [], []
        for place in range(PLACES):
            colours = rng.integers(0, 256, (4, 3), dtype=np.uint8)
            lat, lon = 40 + number + place * 1e-3, -87.0 + place * 1e-3
            tile, panorama = f"satellite_{lat:.6f}_{lon:.6f}.png", f"id{place},{lat:.6f},{lon:.6f},.jpg"
            above = colours[[0, 1, 2, 3]].reshape(2, 2, 3).repeat(24, 0).repeat(24, 1)
            Image.fromarray(above).save(root / city / "satellite" / tile)
            around = colours[[2, 0, 1, 3]].reshape(1, 4, 3).repeat(32, 0).repeat(16, 1)
            Image.fromarray(around).save(root / city / "panorama" / panorama, quality=95)
            tiles.append(tile)
            lines.append(" ".join([panorama, *[f"{tile} 0 0"] * 4]))
        (root / "splits" / city / "satellite_list.txt").write_text("\n".join(tiles) + "\n")
        for name in ("same_area_balanced_train", "same_area_balanced_test", "pano_label_balanced"):
            (root / "splits" / city / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return root


def config(root, **changed):
    data = DataConfig(set="vigor", root=root, split="same-train")
    given = {
        "name": "small",
        "epochs": 3,
        "batch_size": 8,
        "model": {"backbone": "timm:test_convnext", "weights": "none"},
        "input": {"panorama": (32, 64), "satellite": (32, 32), "ground": (32, 32), "drone": (32, 32), "map": (32, 32)},
        "data": (data,),
        "validation": (data.model_copy(update={"split": "same-test"}),),
        "sampling": {"neighbours": 8, "select": 4, "refresh_epochs": 1},
        "machine": {"workers": 0, "threads": 1},
    }
    return GleamCConfig.model_validate({**given, **changed})


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    (newest,) = (run / "checkpoints").iterdir()
    return load_file(newest / "weights.safetensors")


@pytest.fixture(scope="module")
def straight(root, tmp_path_factory):
    """Return a run of three epochs, without a break."""
    from geosleuth.training.gleam_c.loop import train

    run = tmp_path_factory.mktemp("straight") / "run"
    return train(config(root), run)


def test_a_run_leaves_what_is_needed_to_repeat_and_to_use_it(root, straight):
    run = straight.folder
    assert straight.steps == 12  # three epochs of 32 places in batches of 8
    assert straight.pairs == 96
    assert {path.name for path in run.iterdir()} >= {
        "about.json", "checkpoints", "encoder", "metrics.jsonl", "settings.json", "tensorboard",
    }  # fmt: skip
    assert GleamCConfig.model_validate_json((run / "settings.json").read_text()) == config(root)
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    recalls = [row["VIGOR/same-test/recall@1"] for row in rows if "VIGOR/same-test/recall@1" in row]
    assert len(recalls) == 3  # at each refresh and at the end
    assert straight.recall_at_1 == max(recalls)
    assert list((run / "tensorboard").glob("events.*"))
    panorama = np.zeros((32, 64, 3), np.uint8)
    encoder = load_encoder(f"dir:{run}")
    assert encoder.encode([encoder.prepare(panorama, "panorama")]).shape == (1, encoder.dimension)


@pytest.mark.parametrize("steps", [2, 4, 7])  # within an epoch, at its end, after a refresh
def test_a_run_that_is_interrupted_and_taken_up_again_is_bit_equal(root, straight, tmp_path, steps):
    from geosleuth.training.gleam_c.loop import train

    def stop(progress):
        if progress.phase == "training" and (progress.epoch - 1) * 4 + progress.done == steps:
            os.kill(os.getpid(), signal.SIGINT)

    every = pytest.MonkeyPatch()
    every.setattr("geosleuth.training.gleam_c.run._LOG_STEPS", 1)
    try:
        with pytest.raises(KeyboardInterrupt):
            train(config(root), tmp_path / "run", on_progress=stop)
    finally:
        every.undo()
    report = train(config(root), tmp_path / "run")
    assert report.resumed_at == steps
    assert report.steps == 12
    expected, found = weights_of(straight.folder), weights_of(tmp_path / "run")
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


@pytest.mark.parametrize("phase", ["embedding", "exporting"])
def test_a_run_that_is_killed_while_it_measures_is_measured_later(root, straight, tmp_path, phase, monkeypatch):
    from geosleuth.training.gleam_c import run as module
    from geosleuth.training.gleam_c.loop import train

    def die(*_, **__):
        raise RuntimeError("killed")

    def watch(moment):
        if phase == moment.phase:
            die()

    if phase == "exporting":
        monkeypatch.setattr(module, "export_encoder", die)
    once = config(root, epochs=1)
    with pytest.raises(RuntimeError, match="killed"):
        train(once, tmp_path / "run", on_progress=watch)
    monkeypatch.undo()
    assert not (tmp_path / "run" / "encoder").exists()
    report = train(once, tmp_path / "run")
    assert report.resumed_at == report.steps == 4
    assert (tmp_path / "run" / "encoder" / "encoder.json").exists()
    assert report.recall_at_1 is not None


def test_ctrl_c_while_it_measures_ends_it_at_once(root, tmp_path):
    from geosleuth.training.gleam_c.loop import train

    def stop(moment):
        if moment.phase == "embedding":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(config(root, epochs=1), tmp_path / "run", on_progress=stop)
    assert not (tmp_path / "run" / "encoder").exists()
    assert train(config(root, epochs=1), tmp_path / "run").resumed_at == 4


def test_a_wrong_start_leaves_the_folder_free(root, tmp_path):
    from geosleuth.training.gleam_c.loop import train

    with pytest.raises(InputError, match="VIGOR"):
        train(config(tmp_path / "nowhere"), tmp_path / "run")
    with pytest.raises(InputError, match="batch"):
        train(config(root, batch_size=64), tmp_path / "run")
    assert train(config(root, epochs=1), tmp_path / "run").steps == 4


def test_a_finished_run_is_left_as_it_is(root, straight):
    from geosleuth.training.gleam_c.loop import train

    before = weights_of(straight.folder)
    report = train(config(root), straight.folder)
    assert (report.steps, report.resumed_at, report.pairs_per_s) == (12, 12, 0.0)
    assert report.recall_at_1 == straight.recall_at_1
    assert all(torch.equal(before[name], value) for name, value in weights_of(straight.folder).items())


def test_it_learns(root, tmp_path):
    from geosleuth.training.gleam_c.loop import train

    longer = config(root, epochs=12, sampling={"neighbours": 8, "select": 4, "refresh_epochs": 6})
    report = train(longer, tmp_path / "run")
    assert report.recall_at_1 >= 0.3  # of 32 tiles: ten times chance


def test_the_second_phase_begins_with_the_firsts_weights(root, straight, tmp_path):
    from geosleuth.training.gleam_c.loop import train

    model = {"backbone": "timm:test_convnext", "weights": f"dir:{straight.folder}"}
    still = config(root, model=model, epochs=1, max_steps=1, optimiser={"lr": 1e-12})
    report = train(still, tmp_path / "run")
    assert report.recall_at_1 == pytest.approx(straight.recall_at_1)


def test_two_processes_train_what_one_trains(root, tmp_path):
    """The whole loop; a step of it is checked in test_gather.py, to the last bits."""
    from geosleuth.training.gleam_c.loop import train

    once = config(root, epochs=1, augment={"colour": 0.0}, validation=())
    path = tmp_path / "config.json"
    path.write_text(once.model_dump_json())
    program = (
        "import sys\nfrom pathlib import Path\nfrom geosleuth.training.gleam_c.config import GleamCConfig\n"
        "from geosleuth.training.gleam_c.loop import train\n"
        "train(GleamCConfig.model_validate_json(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))\n"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # What torchrun sets, without torchrun: a third process that imports torch, and nothing else.
    asked = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path), str(tmp_path / "two")],
            env={**asked, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    train(once, tmp_path / "one")
    said = [process.communicate(timeout=300)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    one, two = weights_of(tmp_path / "one"), weights_of(tmp_path / "two")
    for name in one:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-3, atol=1e-4)


def test_a_broken_picture_is_left_out_and_listed(root, tmp_path, caplog):
    import shutil

    from geosleuth.training.gleam_c.loop import train

    copy = tmp_path / "vigor"
    shutil.copytree(root, copy)
    broken = sorted((copy / "Chicago" / "panorama").iterdir())[0]
    broken.write_bytes(broken.read_bytes()[:200])
    report = train(config(copy, epochs=1), tmp_path / "run")
    assert report.broken == 1
    assert broken.name in (tmp_path / "run" / "broken.json").read_text()
    assert "cannot be decoded" in caplog.text


def test_a_loss_that_diverges_ends_the_run_with_words(root, tmp_path):
    from geosleuth.training.gleam_c.loop import train

    wild = config(
        root, optimiser={"lr": 1e30, "warmup_epochs": 0, "clip_value": None}, checkpoint_minutes=1e-6, epochs=9
    )
    with pytest.raises(InputError, match=r"a lower optimiser\.lr"):
        train(wild, tmp_path / "run")
    kept = weights_of(tmp_path / "run") if list((tmp_path / "run" / "checkpoints").glob("0*")) else {}
    assert all(torch.isfinite(value).all() for value in kept.values())


def test_batches_that_cannot_be_filled_are_said(root, tmp_path):
    from geosleuth.training.gleam_c.loop import train

    with pytest.raises(InputError, match="batch"):
        train(config(root, batch_size=64), tmp_path / "run")
