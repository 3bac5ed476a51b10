import numpy as np
import pytest

from geosleuth.indexes.encoders import dense_sift, fit
from geosleuth.indexes.encoders.fit import fit_encoder
from geosleuth.indexes.encoders.load import load_encoder
from geosleuth.indexes.errors import InputError

pytest.importorskip("safetensors")


@pytest.fixture(autouse=True)
def few_features(monkeypatch):
    monkeypatch.setattr(fit, "_MOST_FEATURES", 3000)  # seconds instead of a minute
    monkeypatch.setattr(dense_sift, "_SIDE_PX", 192)


def pictures(count, side=160):
    """Draw scenes that differ: blocks at random places."""
    rng = np.random.default_rng(11)
    for _ in range(count):
        small = rng.integers(0, 255, (8, 8, 3), np.uint8)
        yield np.repeat(np.repeat(small, side // 8, 0), side // 8, 1)


@pytest.mark.parametrize(("aggregation", "backbone"), [("netvlad", "embedded"), ("densevlad", "dense-sift")])
def test_a_fitted_vocabulary_is_an_encoder_that_finds_a_picture_again(tmp_path, aggregation, backbone):
    steps = []
    out = tmp_path / aggregation
    fitted = fit_encoder(pictures(6), aggregation=aggregation, out=out, progress=lambda *step: steps.append(step))
    encoder = load_encoder(f"dir:{out}")
    assert encoder.weights_sha256 == fitted.weights_sha256
    assert encoder.dimension == 5  # six pictures span five directions
    assert steps[-1] == ("describe", 6)
    gallery = encoder.encode([encoder.prepare(picture) for picture in pictures(6)])
    assert np.allclose(np.linalg.norm(gallery, axis=1), 1, atol=1e-5)
    darker = [(picture * 0.8).astype(np.uint8) for picture in pictures(6)]
    found = (encoder.encode([encoder.prepare(picture) for picture in darker]) @ gallery.T).argmax(1)
    assert found.tolist() == list(range(6))
    assert f'"backbone": "{backbone}"' in (out / "encoder.json").read_text()


def test_a_fit_is_repeatable_and_bounded(tmp_path):
    first, second = (
        fit_encoder(pictures(4), aggregation="netvlad", out=tmp_path / name, dimension=2) for name in ("a", "b")
    )
    assert first.dimension == 2
    assert first.weights_sha256 == second.weights_sha256


@pytest.mark.parametrize(
    ("images", "aggregation", "message"),
    [
        ([], "netvlad", "pictures to fit an encoder on; found 0"),
        ([np.zeros((64, 64, 3), np.uint8)] * 3, "densevlad", "at least 128 local features for 128 centres; found 0"),
        ([np.full((64, 64, 3), 9, np.uint8)] * 3, "netvlad", "different images to fit a whitening on"),
    ],
)
def test_too_little_to_fit_on_is_said(tmp_path, images, aggregation, message):
    with pytest.raises(InputError) as error:
        fit_encoder(images, aggregation=aggregation, out=tmp_path / "x")
    assert message in str(error.value)
    assert not (tmp_path / "x").exists()


def test_a_folder_in_use_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="new or empty folder"):
        fit_encoder(iter(()), aggregation="netvlad", out=tmp_path)
