"""Tiny models of the real architectures, with random weights: shapes, towers, pooling and errors, not quality."""

import numpy as np
import pytest

from geosleuth.indexes.encoders import transformers_model
from geosleuth.indexes.encoders.encoder_folder import write_encoder
from geosleuth.indexes.encoders.fit import fit_encoder
from geosleuth.indexes.encoders.load import load_encoder
from geosleuth.indexes.encoders.sources import load_source
from geosleuth.indexes.encoders.timm_model import timm_features
from geosleuth.indexes.encoders.torch_features import InputFacts, import_extra
from geosleuth.indexes.errors import InputError

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")
transformers = pytest.importorskip("transformers")
pytest.importorskip("safetensors")

PICTURE = np.random.default_rng(2).integers(0, 255, (90, 120, 3), np.uint8)
HALF = (0.5, 0.5, 0.5)


def timm_weights(name):
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=0).eval()
    return model, {key: value.numpy() for key, value in model.state_dict().items()}


def timm_folder(path, name, width, **change):
    _, weights = timm_weights(name)
    facts = {"input_px": {"ground": (160, 160)}, "mean": HALF, "std": HALF, "aggregation": "own", **change}
    write_encoder(path, backbone=f"timm:{name}", dimension=width, backbone_weights=weights, **facts)
    return f"dir:{path}"


def expected_own(name, height, width, picture=PICTURE):
    import cv2

    model, _ = timm_weights(name)
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)  # it is enlarged
    x = torch.from_numpy((small.astype(np.float32) / 255 - 0.5) / 0.5).permute(2, 0, 1)[None]
    with torch.inference_mode():
        vector = model(x)[0].numpy()
    return vector / np.linalg.norm(vector)


def test_one_network_sees_each_view_at_its_own_size(tmp_path):
    sizes = {"ground": (96, 192), "satellite": (128, 128)}
    encoder = load_encoder(timm_folder(tmp_path / "c", "test_convnext", 64, input_px=sizes))
    assert encoder.input_side_px == 192
    assert encoder.prepare(PICTURE).shape == (96, 192, 3)
    assert encoder.prepare(PICTURE, "satellite").shape == (128, 128, 3)
    vectors = encoder.encode([encoder.prepare(PICTURE), encoder.prepare(PICTURE, "satellite")])
    assert np.allclose(vectors[0], expected_own("test_convnext", 96, 192), atol=1e-5)
    assert np.allclose(vectors[1], expected_own("test_convnext", 128, 128), atol=1e-5)
    with pytest.raises(InputError, match="an encoder for map images; found one for ground, satellite"):
        encoder.prepare(PICTURE, "map")


def test_a_vision_transformer_takes_a_panorama(tmp_path):
    encoder = load_encoder(timm_folder(tmp_path / "v", "test_vit", 64, input_px={"ground": (96, 192)}))
    vector = encoder.encode([encoder.prepare(PICTURE)])
    assert vector.shape == (1, 64)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_the_batch_does_not_matter(tmp_path):
    encoder = load_encoder(timm_folder(tmp_path / "b", "test_vit", 64))
    prepared = [encoder.prepare(PICTURE), encoder.prepare(255 - PICTURE), encoder.prepare(PICTURE[::-1])]
    alone = np.concatenate([encoder.encode([picture]) for picture in prepared])
    assert np.array_equal(encoder.encode(prepared), alone)


def test_the_own_map_of_a_convolutional_network_is_pooled_by_gem(tmp_path):
    spec = timm_folder(tmp_path / "g", "test_resnet", 96, aggregation="gem", gem_power=3.0, input_px={"ground": 128})
    encoder = load_encoder(spec)
    prepared = encoder.prepare(PICTURE)
    assert prepared.shape == (96, 128, 3)
    model, _ = timm_weights("test_resnet")
    x = torch.from_numpy((prepared.astype(np.float32) / 255 - 0.5) / 0.5).permute(2, 0, 1)[None]
    with torch.inference_mode():
        maps = model.forward_features(x).clamp(min=1e-6)
    pooled = maps.pow(3).mean((2, 3)).pow(1 / 3)[0].numpy()
    assert np.allclose(encoder.encode([prepared])[0], pooled / np.linalg.norm(pooled), atol=1e-5)


@pytest.mark.parametrize(("name", "width", "pooled"), [("test_resnet", 96, False), ("test_vit", 64, True)])
def test_by_default_maps_are_pooled_and_transformers_pool_themselves(name, width, pooled):
    _, weights = timm_weights(name)
    source = timm_features(name, "default", weights=weights, facts=InputFacts.same_for_all((160, 160), HALF, HALF))
    assert (source.is_pooled, source.channels) == (pooled, width)
    patches = timm_features(name, "local", weights=weights, facts=InputFacts.same_for_all((160, 160), HALF, HALF))
    (local,) = patches.local([patches.prepare(PICTURE)])
    assert local.shape == ({"test_resnet": 5 * 5, "test_vit": 10 * 10}[name], width)  # strides 32 and 16


def test_weights_of_another_architecture_are_refused(tmp_path):
    _, weights = timm_weights("test_vit")
    facts = {"input_px": {"ground": (160, 160)}, "mean": HALF, "std": HALF}
    write_encoder(
        tmp_path / "w",
        backbone="timm:test_resnet",
        aggregation="own",
        dimension=96,
        backbone_weights=weights,
        **facts,
    )
    with pytest.raises(InputError, match="weights of timm's test_resnet without its classifier"):
        load_encoder(f"dir:{tmp_path / 'w'}")


def test_unknown_names_and_missing_connections_are_said(monkeypatch):
    with pytest.raises(InputError, match=r"a model of timm; found timm:resnet_nonsense"):
        load_encoder("timm:resnet_nonsense")
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for spec in ("timm:test_convnext", "hf:nobody/nothing@v1"):
        with pytest.raises(InputError) as error:
            load_encoder(spec)
        assert "with a connection" in error.value.remedy


def test_a_spec_that_nobody_named_fetches_nothing(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # a fetch would be tried, were it allowed
    with pytest.raises(InputError, match=r"the encoder hf:nobody/nothing on this machine; .*backends\.retrieval = "):
        load_encoder("hf:nobody/nothing", local_only=True)


def test_a_missing_package_names_the_extra():
    with pytest.raises(InputError, match=r"geosleuth\[encoders\]"):
        import_extra("no_such_package_anywhere")


def save_transformers(folder, model, side=64):
    model.save_pretrained(folder, safe_serialization=True)
    processor = transformers.BitImageProcessor(
        size={"shortest_edge": side + 10},
        crop_size={"height": side, "width": side},
        image_mean=list(HALF),
        image_std=list(HALF),
    )
    processor.save_pretrained(folder)
    return f"dir:{folder}"


@pytest.fixture(scope="module")
def dinov2(tmp_path_factory):
    torch.manual_seed(0)
    config = transformers.Dinov2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=64, patch_size=16
    )
    return save_transformers(tmp_path_factory.mktemp("dinov2"), transformers.Dinov2Model(config))


def test_dinov2_gives_its_class_token_and_its_patches(dinov2):
    encoder = load_encoder(dinov2)
    assert (encoder.dimension, encoder.input_side_px) == (32, 64)
    prepared = encoder.prepare(PICTURE)
    assert prepared.shape == (64, 64, 3)  # the whole picture, where the processor would cut out the middle
    model = transformers.AutoModel.from_pretrained(dinov2.removeprefix("dir:")).eval()
    x = torch.from_numpy((prepared.astype(np.float32) / 255 - 0.5) / 0.5).permute(2, 0, 1)[None]
    with torch.inference_mode():
        tokens = model(pixel_values=x).last_hidden_state[0].numpy()
    assert np.allclose(encoder.encode([prepared])[0], tokens[0] / np.linalg.norm(tokens[0]), atol=1e-5)
    (patches,) = load_source(dinov2, "local").local([prepared])
    assert np.allclose(patches, tokens[1:], atol=1e-5)


def test_a_vocabulary_is_fitted_on_the_patches_of_a_transformer(dinov2, tmp_path):
    rng = np.random.default_rng(4)
    pictures = [rng.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(6)]
    fitted = fit_encoder(pictures, base=dinov2, aggregation="netvlad", out=tmp_path / "fitted")
    vectors = fitted.encode([fitted.prepare(picture) for picture in pictures])
    assert vectors.shape == (6, 5)
    with pytest.raises(InputError, match="a finished encoder"):
        fit_encoder(pictures, base=f"dir:{tmp_path / 'fitted'}", aggregation="netvlad", out=tmp_path / "again")


def test_of_two_towers_the_one_that_sees_is_taken(tmp_path):
    small = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = {**small, "image_size": 64, "patch_size": 16}
    clip = transformers.CLIPModel(transformers.CLIPConfig(vision_config=vision, text_config={**small, "vocab_size": 9}))
    siglip = transformers.SiglipModel(
        transformers.SiglipConfig(vision_config=vision, text_config={**small, "vocab_size": 9})
    )
    for name, model in (("clip", clip), ("siglip", siglip.half())):
        encoder = load_encoder(save_transformers(tmp_path / name, model))
        assert encoder.encode([encoder.prepare(PICTURE)]).shape == (1, 32)
        assert not any("text" in key for key in encoder.source._model.state_dict())


def test_amosnet_pools_thirty_fields_of_the_fifth_convolution(tmp_path):
    rng = np.random.default_rng(0)
    shapes = {
        "conv1": (96, 3, 11, 11),
        "conv2": (256, 48, 5, 5),
        "conv3": (384, 256, 3, 3),
        "conv4": (384, 192, 3, 3),
        "conv5": (256, 192, 3, 3),
    }
    blobs = {f"{n}.weight": rng.normal(0, np.prod(s[1:]) ** -0.5, s).astype(np.float32) for n, s in shapes.items()}
    blobs |= {f"{n}.bias": np.zeros(s[0], np.float32) for n, s in shapes.items()}
    facts = {
        "backbone": "amosnet",
        "aggregation": "own",
        "dimension": 7680,
        "input_px": {"ground": (227, 227)},
        "mean": (0.4, 0.45, 0.48),
        "std": (1 / 255,) * 3,
    }
    write_encoder(tmp_path / "a", backbone_weights=blobs, **facts)
    encoder = load_encoder(f"dir:{tmp_path / 'a'}")
    (vector,) = encoder.encode([encoder.prepare(PICTURE)])
    assert vector.shape == (30 * 256,)
    fields = vector.reshape(256, 30)  # per channel: 16 of 4 x 4, 9 of 3 x 3, 4 of 2 x 2, 1 of the whole
    for start, end in ((0, 16), (16, 25), (25, 29)):
        assert np.allclose(fields[:, start:end].max(1), fields[:, 29], atol=1e-7)
    assert (fields >= 0).all()
    assert fields[:, 29].max() > 0
    del blobs["conv3.bias"]
    write_encoder(tmp_path / "b", backbone_weights=blobs, **facts)
    with pytest.raises(InputError, match=r"conv3\.bias of AMOSNet, \(384,\); found nothing of this name"):
        load_encoder(f"dir:{tmp_path / 'b'}")


def test_a_tower_that_this_version_does_not_know_is_said(tmp_path):
    write_encoder(
        tmp_path / "t",
        backbone="transformers",
        backbone_config={"model_type": "seer_of_tomorrow"},
        aggregation="own",
        dimension=32,
        backbone_weights={"weight": np.zeros(3, np.float32)},
        input_px={"ground": (64, 64)},
        mean=HALF,
        std=HALF,
    )
    with pytest.raises(InputError, match="vision tower of transformers; found 'seer_of_tomorrow'"):
        load_encoder(f"dir:{tmp_path / 't'}")


def test_weights_of_another_tower_are_refused(tmp_path):
    config = transformers.ViTConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, image_size=64, patch_size=16
    )
    facts = {"aggregation": "own", "dimension": 32, "input_px": {"ground": (64, 64)}, "mean": HALF, "std": HALF}
    tower = transformers_model.tower_config(transformers.ViTModel(config))
    write_encoder(
        tmp_path / "w",
        backbone="transformers",
        backbone_config=tower,
        backbone_weights={"weight": np.zeros(3, np.float32)},
        **facts,
    )
    with pytest.raises(InputError, match="weights of a ViTModel; found others"):
        load_encoder(f"dir:{tmp_path / 'w'}")
