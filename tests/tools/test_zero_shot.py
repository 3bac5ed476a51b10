"""Zero-shot priors with a tiny CLIP of random weights: that it runs and counts rightly, not that it is any good."""

import logging
import os
import re
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from geosleuth.indexes.compiled import CACHE_VARIABLE
from geosleuth.indexes.countries import country_codes
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gazetteer import load_gazetteer
from geosleuth.indexes.photo import load_photo
from geosleuth.tools.evidence import Nothing
from geosleuth.tools.prior_likelihood import Point, countries_likelihood, places_likelihood

pytest.importorskip("torch")
pytest.importorskip("transformers")

from geosleuth.tools.text_embeddings import TwoTowers, load_two_towers
from geosleuth.tools.zero_shot import city_probabilities, country_probabilities, largest_cities, zero_shot_prior


@pytest.fixture
def cache(tmp_path, monkeypatch):
    load_gazetteer()  # from the usual cache
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def spec(tiny_models):
    return f"dir:{tiny_models.tiny_clip()}"


@pytest.fixture(scope="module")
def photo():
    return load_photo(np.random.default_rng(1).integers(0, 255, (60, 90, 3), dtype=np.uint8))


class Pointing(TwoTowers):
    """Two towers whose embeddings are given: a sentence counts by the words in it."""

    def __init__(self, cosines, scale):
        super().__init__("dir:pointing", "0" * 64, None, None, None, scale)
        object.__setattr__(self, "cosines", cosines)

    def sentences(self, sentences):
        rows = [max((value for word, value in self.cosines.items() if word in one), default=0.0) for one in sentences]
        return np.array(rows, np.float32)[:, None]


def test_the_same_as_the_model_itself_gives(spec, photo, cache):
    import torch
    from PIL import Image
    from transformers import CLIPModel, CLIPProcessor

    folder = spec.removeprefix("dir:")
    model, processor = CLIPModel.from_pretrained(folder).eval(), CLIPProcessor.from_pretrained(folder)
    sentences = ["A Street View photo in Chad.", "A Street View photo in Bosnia and Herzegovina.", "x"]
    inputs = processor(text=sentences, images=Image.fromarray(photo.pixels), padding=True, return_tensors="pt")
    with torch.inference_mode():
        expected = model(**inputs).logits_per_image.softmax(dim=1)[0].numpy()
    towers = load_two_towers(spec)
    found = towers.probabilities(towers.picture(photo.pixels), towers.sentences(sentences))
    assert found == pytest.approx(expected, abs=1e-6)


def test_softmax_with_scale_and_temperature_by_hand():
    towers = Pointing({}, scale=2.0)
    cosines = np.array([[1.0], [0.0]], np.float32)
    one = np.array([1.0], np.float32)
    assert towers.probabilities(one, cosines)[0] == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert towers.probabilities(one, cosines, temperature=4.0)[0] == pytest.approx(1 / (1 + np.exp(-0.5)))


def test_countries_first_then_their_cities():
    # e^10 for each of two countries against 1 for each of the others; in Portugal Porto has e^3 against 1.
    towers = Pointing({"Porto,": 1.0, "in Portugal.": 1.0, "in Chad.": 1.0}, scale=10.0)
    picture = np.array([1.0], np.float32)
    countries = country_probabilities(towers, picture)
    assert list(countries)[:2] == ["PT", "TD"]  # in order of their codes, being equal
    share = np.exp(10) / (2 * np.exp(10) + len(country_codes()) - 2)
    assert countries["PT"] == countries["TD"] == pytest.approx(share)
    cities = city_probabilities(towers, picture, countries)
    assert (cities[0][0].name, cities[0][0].country) == ("Porto", "PT")
    assert cities[0][1] == pytest.approx(share * np.exp(10) / (np.exp(10) + 39))
    assert {city.country for city, _ in cities} == {"PT", "TD"}
    assert sum(part for city, part in cities if city.country == "TD") == pytest.approx(share)


def test_evidence_by_hand(monkeypatch, photo):
    towers = Pointing({"Porto,": 1.0, "in Portugal.": 1.0}, scale=10.0)
    monkeypatch.setattr(TwoTowers, "picture", lambda *_: np.array([1.0], np.float32))
    monkeypatch.setattr("geosleuth.tools.zero_shot.load_two_towers", lambda _: towers)
    country, place = zero_shot_prior(photo, "dir:pointing")
    rest = 1 / (np.exp(10) + len(country_codes()) - 1)
    shares = dict.fromkeys(country_codes(), rest) | {"PT": np.exp(10) * rest}
    assert country.likelihood.log_ratios == pytest.approx(countries_likelihood(shares).log_ratios)
    assert country.claim.startswith("dir:pointing finds the photo most like Portugal 99%")
    assert "Porto (PT) 99%" in place.claim
    porto = next(city for city in largest_cities("PT") if city.name == "Porto")
    # Its share is Portugal's times e^10 / (e^10 + 39).
    share = shares["PT"] * np.exp(10) / (np.exp(10) + 39)
    expected = places_likelihood([Point(porto.lat, porto.lon, share, "Porto")]).places
    assert [one.weight for one in place.likelihood.places[:3]] == pytest.approx([one.weight for one in expected])
    assert {one.name for one in place.likelihood.places[:3]} == {"Porto"}
    assert country.group == place.group == "prior:dir:pointing"


def test_a_country_without_cities_is_asked_about_none(monkeypatch, photo):
    towers = Pointing({"in Antarctica.": 1.0}, scale=30.0)
    monkeypatch.setattr(TwoTowers, "picture", lambda *_: np.array([1.0], np.float32))
    monkeypatch.setattr("geosleuth.tools.zero_shot.load_two_towers", lambda _: towers)
    _, place = zero_shot_prior(photo, "dir:pointing")
    assert isinstance(place.likelihood, Nothing)


def test_sentences_are_embedded_once_and_kept(spec, photo, cache, monkeypatch, caplog):
    caplog.set_level(logging.INFO, logger="geosleuth")
    first = zero_shot_prior(photo, spec)
    kept = sorted(path.name for path in (cache / "compiled").glob("text-*/embeddings.safetensors"))
    folders = [path for path in (cache / "compiled").iterdir() if path.is_dir()]
    assert len(kept) == len(folders) > 1  # countries, and the cities of some
    monkeypatch.setattr(TwoTowers, "embedded", lambda *_: pytest.fail("embedded again"))
    again = zero_shot_prior(photo, spec)
    assert [piece.likelihood for piece in again] == [piece.likelihood for piece in first]
    assert "sha256" in first[0].weights
    # The names of what is kept say neither which countries were looked at, nor does the log.
    assert all(re.fullmatch(r"text-[0-9a-f]{16}-[0-9a-f]{12}", folder.name) for folder in folders)
    assert not [record for record in caplog.records if record.levelno >= logging.INFO]


def test_people_read_the_name_of_a_model_without_its_folders(photo, cache, tiny_models, tmp_path):
    folder = shutil.copytree(tiny_models.tiny_clip(), tmp_path / "secret-case" / "clip")
    for piece in zero_shot_prior(photo, f"dir:{folder}"):
        assert "secret-case" not in piece.model_dump_json()
        assert "dir:clip" in piece.claim
        assert piece.weights.startswith("dir:clip (sha256 ")


def test_a_folder_written_anew_is_another_model(tiny_models, tmp_path):
    import torch
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(tiny_models.tiny_clip(), tmp_path / "clip")
    first = load_two_towers(f"dir:{folder}")
    assert load_two_towers(f"dir:{folder}") is first
    weights = load_file(folder / "model.safetensors")
    weights["logit_scale"] = torch.tensor(0.0)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    stamp = first_stamp(folder) + 1_000_000_000  # a clock may be coarse
    os.utime(folder / "model.safetensors", ns=(stamp, stamp))
    second = load_two_towers(f"dir:{folder}")
    assert second.scale == 1.0
    assert second.sha256 != first.sha256


def first_stamp(folder):
    return max(file.stat().st_mtime_ns for file in folder.iterdir())


@pytest.mark.parametrize("missing", ["text_projection.weight", "visual_projection.weight", "logit_scale"])
def test_weights_that_are_not_there_are_not_made_up(tiny_models, tmp_path, missing):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(tiny_models.tiny_clip(), tmp_path / "clip")
    weights = load_file(folder / "model.safetensors")
    del weights[missing]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=rf"without 1 of them, such as {re.escape(missing)}"):
        load_two_towers(f"dir:{folder}")


def test_without_torch_the_remedy_is_the_extra_that_brings_all(spec, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match=r"geosleuth\[vlm\]"):
        load_two_towers(spec)


def test_other_sentences_are_not_mistaken(spec, cache):
    towers = load_two_towers(spec)
    assert not np.array_equal(towers.sentences(["a"]), towers.sentences(["b"]))


def test_of_two_at_once_one_embeds_and_both_see_it_whole(spec, cache, monkeypatch):
    # Processes and threads alike: the lock is on the file. Processes are tested with the cache itself.
    towers, started = load_two_towers(spec), []
    embed = TwoTowers.embedded

    def slowly(self, sentences):
        started.append(len(sentences))
        time.sleep(0.3)
        return embed(self, sentences)

    monkeypatch.setattr(TwoTowers, "embedded", slowly)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: towers.sentences([f"photo {i}" for i in range(70)]), range(2))
    assert started == [70]
    assert np.array_equal(first, second)
    assert first.shape == (70, 24)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("geoclip", "hf:ORG/NAME"),
        ("dir:/nowhere/at/all", "no such folder"),
        ("dir:x+dir:y", "without adapters"),
    ],
)
def test_what_cannot_be_loaded_is_an_input_error(broken, message):
    with pytest.raises(InputError, match=message):
        load_two_towers(broken)


def test_a_model_of_another_kind_is_refused(tiny_models):
    with pytest.raises(InputError, match="found a segmenter in dir:"):
        load_two_towers(f"dir:{tiny_models.tiny_segformer()}")
    with pytest.raises(InputError, match="two towers, such as CLIP or SigLIP; found a vlm in"):
        load_two_towers(f"dir:{tiny_models.tiny_qwen()}")
