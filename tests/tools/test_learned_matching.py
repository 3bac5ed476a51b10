"""Learned matchers: plumbing, coordinates and errors, on tiny models with random weights made here from a config."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.matching import load_matcher, match_pictures

torch = pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", minversion="4.56", reason="transformers is not installed")

PICTURE = np.random.default_rng(0).integers(0, 256, (300, 500, 3), dtype=np.uint8)
OTHER = np.random.default_rng(1).integers(0, 256, (400, 200, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def light_glue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("light_glue")
    torch.manual_seed(0)
    detector = transformers.SuperPointConfig(
        encoder_hidden_sizes=[8, 8, 16, 16],
        decoder_hidden_size=16,
        descriptor_decoder_dim=16,
        keypoint_threshold=0.0,
        max_keypoints=64,
    )
    config = transformers.LightGlueConfig(
        keypoint_detector_config=detector,
        descriptor_dim=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        filter_threshold=0.0,
    )
    transformers.LightGlueForKeypointMatching(config).save_pretrained(folder)
    transformers.LightGlueImageProcessor(size={"height": 120, "width": 160}).save_pretrained(folder)
    return folder


def tiny_loftr() -> object:
    torch.manual_seed(0)
    config = transformers.EfficientLoFTRConfig(
        stage_num_blocks=[1, 1, 1, 1],
        out_features=[16, 16, 16, 32],
        hidden_size=32,
        num_attention_layers=1,
        num_attention_heads=8,
        coarse_matching_threshold=0.0,
    )
    return transformers.EfficientLoFTRForKeypointMatching(config).eval()


@pytest.fixture(scope="module")
def loftr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loftr")
    tiny_loftr().save_pretrained(folder)
    transformers.EfficientLoFTRImageProcessor(size={"height": 96, "width": 128}).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("model", ["light_glue", "loftr"])
def test_a_matcher_from_a_folder_pairs_points_inside_both_pictures(model: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(model)
    matcher = load_matcher(f"dir:{folder}")
    kind = {"light_glue": "lightglue", "loftr": "efficientloftr"}[model]
    assert f"({kind}, weights " in matcher.name
    pairs = matcher.pairs(matcher.prepare(PICTURE), matcher.prepare(OTHER))
    assert len(pairs) >= 1
    assert pairs.query.shape == pairs.reference.shape == (len(pairs), 2)
    assert (pairs.query_size, pairs.reference_size) == ((500, 300), (200, 400))
    for points, size in ((pairs.query, pairs.query_size), (pairs.reference, pairs.reference_size)):
        assert (points >= 0).all()
        assert (points <= size).all()
    found = match_pictures(PICTURE, OTHER, matcher=f"dir:{folder}")
    assert found.verdict == "no_match"  # random weights see nothing
    assert found.points() == ()


def test_the_ends_of_a_coarse_match_belong_together() -> None:
    from geosleuth.tools.learned_matching import align_coarse_matches

    # 80 cells of an 8 x 10 grid with a feature each; the second picture holds them in another order.
    order = torch.randperm(80, generator=torch.Generator().manual_seed(1))
    first = torch.eye(80) * 60
    features = torch.stack([first, first[:, order]]).reshape(1, 2, 80, 8, 10)
    model = tiny_loftr()
    model.config.coarse_matching_threshold = 0.05
    align_coarse_matches(model)
    points, scores, indices = model._coarse_matching(features, 8.0)
    there = indices[0] >= 0
    assert torch.equal(there[0], there[1])
    ends = (points[0][:, there[0]] / 8).long()
    cells = ends[..., 1] * 10 + ends[..., 0]
    assert len(cells[0]) >= 5  # of the 24 cells that are two from the border, those that are so in both pictures
    assert torch.equal(order[cells[1]], cells[0])
    assert (scores[0][:, there[0]] > 0.9).all()


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no config.json in .*save_pretrained"):
        load_matcher(f"dir:{tmp_path}")


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    transformers.SuperPointConfig().save_pretrained(tmp_path)
    with pytest.raises(InputError, match="Name a model for keypoint matching, such as ETH-CVG/lightglue_superpoint"):
        load_matcher(f"dir:{tmp_path}")


def test_weights_that_are_a_pickle_are_not_opened(light_glue: Path, tmp_path: Path) -> None:
    for name in ("config.json", "preprocessor_config.json"):
        (tmp_path / name).write_bytes((light_glue / name).read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(InputError, match="safetensors"):
        load_matcher(f"dir:{tmp_path}")


def test_a_name_that_cannot_be_fetched_says_what_to_do_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="without a network, dir:PATH of a downloaded one"):
        load_matcher("hf:nobody/no-such-matcher")
