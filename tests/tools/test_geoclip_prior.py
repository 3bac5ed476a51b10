"""GeoCLIP with its own location encoder, head and scale, on a tiny image tower of random weights and a cut gallery."""

import os
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.compiled import CACHE_VARIABLE
from geosleuth.indexes.countries import country_codes
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gazetteer import load_gazetteer
from geosleuth.indexes.photo import load_photo

pytest.importorskip("torch")
pytest.importorskip("geoclip")

from geosleuth.tools import geoclip_gallery
from geosleuth.tools import geoclip_prior as geoclip_prior_module
from geosleuth.tools.geoclip_gallery import location_gallery, package_coordinates
from geosleuth.tools.geoclip_prior import GeoClip, geoclip_prior

POSITIONS = 500


@pytest.fixture(scope="module")
def clip_folder(tiny_models, tmp_path_factory):
    """CLIP with 768 features, as GeoCLIP's head reads."""
    import torch
    from transformers import CLIPConfig, CLIPModel, CLIPProcessor

    config = CLIPConfig.from_pretrained(tiny_models.tiny_clip())
    config.projection_dim = config.text_config.projection_dim = config.vision_config.projection_dim = 768
    folder = tmp_path_factory.mktemp("clip")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        CLIPModel(config).eval().save_pretrained(folder)
    CLIPProcessor.from_pretrained(tiny_models.tiny_clip()).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    load_gazetteer()  # from the usual cache
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield location_gallery(package_coordinates()[:POSITIONS])


@pytest.fixture(scope="module")
def ours(clip_folder, gallery):
    return GeoClip.load(f"dir:{clip_folder}", gallery)


@pytest.fixture(scope="module")
def photo_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "drawn.png"
    noise = np.random.default_rng(0).integers(0, 255, (90, 160, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


def test_the_same_top_five_as_geoclips_own_predict(ours, clip_folder, photo_path):
    from geoclip.model.GeoCLIP import GeoCLIP

    theirs = GeoCLIP(clip_path=clip_folder).eval()
    theirs.gps_gallery = theirs.gps_gallery[:POSITIONS]
    positions, shares = theirs.predict(str(photo_path), 5)
    found = ours.probabilities(load_photo(photo_path).pixels)
    top = np.argsort(-found)[:5]
    assert found[top] == pytest.approx(shares.numpy(), abs=1e-4)
    assert found[top] == pytest.approx(shares.numpy(), rel=1e-3)
    assert np.stack([ours.gallery.lat[top], ours.gallery.lon[top]], 1) == pytest.approx(positions.numpy(), abs=1e-4)
    assert len({*shares.tolist()}) == 5  # the order was not a matter of ties


def test_the_gallery_is_encoded_once(gallery, monkeypatch):
    monkeypatch.setattr(geoclip_gallery, "encoded", lambda _: pytest.fail("encoded again"))
    again = location_gallery(package_coordinates()[:POSITIONS])
    assert again.features.equal(gallery.features)
    assert again.country.tolist() == gallery.country.tolist()
    assert gallery.features.norm(dim=1).numpy() == pytest.approx(np.ones(POSITIONS), abs=1e-5)


def test_chunks_change_nothing(monkeypatch):
    positions = package_coordinates()[:10]
    whole = geoclip_gallery.encoded(positions)
    monkeypatch.setattr(geoclip_gallery, "_CHUNK", 3)
    # Other numbers of rows take other kernels, and the encoder's sines of high frequency enlarge the last digits.
    assert geoclip_gallery.encoded(positions).numpy() == pytest.approx(whole.numpy(), abs=5e-5)


def test_positions_know_their_country(gallery):
    first = package_coordinates()[0]
    assert first == pytest.approx([-50.943392, -72.935664])  # Torres del Paine
    assert country_codes()[gallery.country[0]] == "CL"


def test_country_and_place_are_one_opinion(ours, photo_path):
    country, place = geoclip_prior(load_photo(photo_path), ours)
    assert (country.type, place.type) == ("prior.country", "prior.place")
    assert country.group == place.group == "prior:geoclip"
    assert country.weights.count("sha256") == 2  # of GeoCLIP's own, and of the tower
    assert str(POSITIONS) in place.weights
    assert {p.spread_km for p in place.likelihood.places} == {12.0, 90.0, 500.0}
    assert "GeoCLIP's likeliest position is" in place.claim
    assert country.seconds > 0


def test_a_tower_of_another_width_is_refused(tiny_models):
    with pytest.raises(InputError, match="768 features"):
        GeoClip.load(f"dir:{tiny_models.tiny_clip()}")


def test_a_tower_without_its_projection_is_refused(clip_folder, gallery, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(clip_folder, tmp_path / "clip")
    weights = load_file(folder / "model.safetensors")
    del weights["visual_projection.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"without 1 of them, such as visual_projection\.weight"):
        GeoClip.load(f"dir:{folder}", gallery)


def test_the_text_half_of_clip_is_not_needed(ours, clip_folder, gallery, photo_path, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(clip_folder, tmp_path / "clip")
    weights = load_file(folder / "model.safetensors")
    save_file(
        {name: one for name, one in weights.items() if name.startswith("vis")},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    pixels = load_photo(photo_path).pixels
    found = GeoClip.load(f"dir:{folder}", gallery)
    assert found.clip_sha256 == ours.clip_sha256
    assert found.probabilities(pixels) == pytest.approx(ours.probabilities(pixels), rel=1e-4)  # memory lies otherwise
    assert str(tmp_path) not in found.weights


def test_a_tower_written_anew_is_loaded_again(clip_folder, gallery, tmp_path, monkeypatch):
    folder = shutil.copytree(clip_folder, tmp_path / "clip")
    monkeypatch.setattr(geoclip_prior_module, "CLIP", f"dir:{folder}")
    monkeypatch.setattr(geoclip_prior_module, "location_gallery", lambda: gallery)
    first = geoclip_prior_module._loaded()
    assert geoclip_prior_module._loaded() is first
    stamp = max(file.stat().st_mtime_ns for file in folder.iterdir()) + 1_000_000_000
    os.utime(folder / "model.safetensors", ns=(stamp, stamp))
    assert geoclip_prior_module._loaded() is not first


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_without_a_package_the_remedy_is_the_extra_that_brings_all(clip_folder, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=rf"package {package}; .*geosleuth\[vlm\]"):
        GeoClip.load(f"dir:{clip_folder}")


def test_a_missing_tower_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="hf download openai/clip-vit-large-patch14"):
        GeoClip.load(f"dir:{tmp_path}/none")


def test_a_missing_package_is_told_with_its_remedy(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"geosleuth\[vlm\]"):
        geoclip_gallery.package_folder()
