"""Look-alikes of a data set, and its embeddings, in one process."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.training.datasets.cross_view import CrossViewSet, Modality, Pictures

torch = pytest.importorskip("torch")

from geosleuth.training.gleam_c.distributed import Processes  # noqa: E402
from geosleuth.training.gleam_c.refresh import embedded, similar_neighbours  # noqa: E402
from geosleuth.training.gleam_c.training_data import TrainingData  # noqa: E402

ALONE = Processes(0, 1, torch.device("cpu"))
SIZES = {"satellite": (32, 32), "ground": (32, 32)}


def pictures(paths, view):
    count = len(paths)
    where = np.full((count, 2), np.nan)
    return Pictures(paths, (Modality(view, view),), np.zeros(count, np.int16), np.arange(count), where)


@pytest.fixture
def data(tmp_path):
    """Four places of one colour each, at right angles; the tile of 1 and the query of 2 cannot be decoded."""
    found = {}
    for kind in ("query", "tile"):
        found[kind] = [str(tmp_path / f"{kind}{i}.png") for i in range(4)]
        for path, colour in zip(found[kind], ((200, 0, 0), (0, 200, 0), (0, 0, 200), (150, 150, 0)), strict=True):
            Image.new("RGB", (32, 32), colour).save(path)
    for path in (found["tile"][1], found["query"][2]):
        Path(path).write_bytes(b"")
    pairs = CrossViewSet("colours", "train", pictures(found["query"], "ground"), pictures(found["tile"], "satellite"))
    return TrainingData(pairs, np.arange(4), np.arange(4), None)


class MeanColour(torch.nn.Module):
    """A real, if small, encoder: the mean colour as a unit vector."""

    dimension = 3

    def forward(self, groups):
        return torch.nn.functional.normalize(torch.cat([one.float().mean((2, 3)) + 1e-3 for one in groups]))


def encode(one):
    return embedded(MeanColour(), one, SIZES, ALONE, workers=0, amp=False)


def test_vectors_are_in_the_order_of_the_pictures_and_black_ones_are_not_valid(data):
    encoder = MeanColour().train()
    vectors, valid = embedded(encoder, data.pairs.queries, SIZES, ALONE, workers=0, amp=False)
    assert encoder.training
    assert valid.tolist() == [True, True, False, True]
    assert vectors.shape == (4, 3)
    assert vectors[0] == pytest.approx([1, 0, 0], abs=1e-3)
    assert vectors[3] == pytest.approx([0.5**0.5, 0.5**0.5, 0], abs=1e-3)


def test_pictures_that_could_not_be_decoded_are_no_look_alikes(data):
    found = similar_neighbours(data, encode, ALONE, 3)
    # Red (0) looks like yellow (3), then blue (2); green's tile (1) is nobody's, and its query finds yellow first.
    assert found[0].tolist() == [3, 2, -1]
    assert found[1, 0] == 3
    assert found[2].tolist() == [-1, -1, -1]
    assert not (found == 1).any()
