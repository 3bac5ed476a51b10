"""Small street views: a set whose scores follow from its masks by hand."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.tools.ade20k import class_name
from geosleuth.training.georeasoner.street_views import StreetView, StreetViews

ROAD, SKY = 6, 2  # classes; masks count from 1


def write_view(root: Path, name: str, road: float | None, *, size: tuple[int, int] = (64, 80)) -> Path:
    """A picture that shows something, and its mask: `road` of the rows are road, the rest is sky."""
    height, width = size
    seed = sum(name.encode())
    blocks = np.random.default_rng(seed).integers(40, 220, (8, 10, 3), dtype=np.uint8)
    picture = root / "images" / name
    picture.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(blocks).resize((width, height), Image.Resampling.NEAREST).save(picture)
    if road is not None:
        labels = np.full((100, 4), SKY + 1, np.uint8)
        labels[: round(100 * road)] = ROAD + 1
        mask = (root / "labels" / "images" / name).with_suffix(".png")
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(labels).save(mask)
    return picture


@pytest.fixture
def views(tmp_path: Path) -> StreetViews:
    """Ten views; view i has i tenths of road. PT has 0 to 4 and KE 5 to 8, JP only the last."""
    root = tmp_path / "set"
    found = []
    for i in range(10):
        country = "PT" if i < 5 else "KE" if i < 9 else "JP"
        path = write_view(root, f"{i}.png", i / 10)
        found.append(StreetView(path, 10.0 + i, 20.0, country, f"city {i % 3}"))
    return StreetViews(tuple(found), name="invented", root=root)


@pytest.fixture(scope="session")
def segformer(tiny_models, tmp_path_factory) -> str:
    """A segmenter with random weights and ADE20K's names."""
    return f"dir:{_named(tiny_models.tiny_segformer(), tmp_path_factory.mktemp('seg') / 'segformer')}"


@pytest.fixture(scope="session")
def maskformer(tiny_models, tmp_path_factory) -> str:
    """Another."""
    return f"dir:{_named(tiny_models.tiny_maskformer(), tmp_path_factory.mktemp('seg') / 'maskformer')}"


def _named(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    config = json.loads((target / "config.json").read_text())
    config["id2label"] = {str(index): class_name(index) for index in range(150)}
    config["label2id"] = {name: int(index) for index, name in config["id2label"].items()}
    (target / "config.json").write_text(json.dumps(config))
    return target
