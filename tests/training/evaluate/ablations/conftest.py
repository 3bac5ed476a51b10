"""A gallery of two countries whose encoder sees colours alone, and a photo whose look-alike stands abroad."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.gallery.build import build_index
from geosleuth.indexes.gallery.store import open_index
from geosleuth.indexes.geodesy import LatLon
from geosleuth.training.evaluate.ablations.prior import PriorSource, exact
from geosleuth.training.evaluate.ablations.query import Query
from geosleuth.training.evaluate.ablations.setup import Setup

PARIS, BERLIN = LatLon(48.85, 2.35), LatLon(52.52, 13.40)
EACH = 24  # references of a country: more than the 20 below which a submap gives way
RIGHT, TWIN = (200, 60, 50), (200, 50, 50)  # of the true reference, and of its look-alike, which is the photo's own


class ColourEncoder:
    """A unit vector along the mean (red, green, blue)."""

    spec = "colour"
    weights_sha256 = "c" * 64
    dimension = 3
    input_side_px = 8

    def prepare(self, pixels: np.ndarray, view: str = "ground") -> np.ndarray:
        del view
        return pixels.astype(np.float32)

    def encode(self, prepared: Sequence[np.ndarray]) -> np.ndarray:
        means = np.array([p.mean(axis=(0, 1)) for p in prepared], dtype=np.float32)
        return means / np.linalg.norm(means, axis=1, keepdims=True)


def write_flat(path: Path, colour: tuple[int, int, int]) -> Path:
    Image.fromarray(np.full((16, 16, 3), colour, np.uint8)).save(path)
    return path


@pytest.fixture(scope="session")
def gallery_folder(tmp_path_factory) -> Path:
    """24 references around Paris and 24 around Berlin, a kilometre apart; all but the first two are blue."""
    folder = tmp_path_factory.mktemp("two_countries")
    rows = ["file,lat,lon,view"]
    for country, (lat, lon), first in (("fr", PARIS, RIGHT), ("de", BERLIN, TWIN)):
        for i in range(EACH):
            name = f"{country}{i}.png"
            write_flat(folder / name, first if i == 0 else (20 + i, 20, 200 + (country == "de")))
            rows.append(f"{name},{lat + 0.01 * i},{lon},ground")
    (folder / "references.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    build_index(folder / "references.csv", folder / "index", encoder=ColourEncoder())
    return folder


@pytest.fixture(scope="session")
def setup(gallery_folder: Path) -> Setup:
    """The gallery, and a prior that knows the truth."""
    gallery = open_index(gallery_folder / "index")
    # No buffer: to widen a hundred borders takes seconds, and these places lie far from any.
    return Setup(gallery, ColourEncoder(), PriorSource("told the truth", exact), buffer_km=0.0)


@pytest.fixture(scope="session")
def query(gallery_folder: Path) -> Query:
    """Taken where the first French reference was; it looks exactly like the first German one."""
    path = write_flat(gallery_folder / "photo.png", TWIN)
    # The gallery leaves out the photo itself by its bytes: another compression has others.
    Image.open(path).save(path, compress_level=0)
    return Query(path, path.name, PARIS, "FR", "paris", twin=BERLIN)
