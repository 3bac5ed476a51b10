"""What training sees and what the index sees must be the same: the pictures to the bit, the vectors to 1e-6."""

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.encoders.encoder_folder import read_facts
from geosleuth.indexes.encoders.load import load_encoder
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import open_photo
from geosleuth.training.gleam_c.config import InputConfig, ModelConfig
from geosleuth.training.gleam_c.export import export_encoder
from geosleuth.training.gleam_c.pictures import read_picture
from geosleuth.training.gleam_c.shared_encoder import shared_encoder

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
transformers = pytest.importorskip("transformers")

SIZES = InputConfig(ground=(32, 48), panorama=(32, 96), drone=(64, 64), satellite=(64, 64), map=(32, 32))


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # networks this small are slower with more, and far slower on a busy machine
    yield
    torch.set_num_threads(before)


def made(backbone, weights="none", checkpointing=False):
    torch.manual_seed(0)
    return shared_encoder(ModelConfig(backbone=backbone, weights=weights, gradient_checkpointing=checkpointing), SIZES)


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "noise.jpg"
    rows = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    Image.fromarray(np.repeat(np.repeat(rows, 20, 0), 20, 1)).save(path)  # 400 x 600: decoded at a reduced size
    return path


def assert_equal_in_training_and_index(encoder, run, photo):
    encoder.eval()
    index = load_encoder(f"dir:{run}")
    assert index.spec == f"dir:{run}"
    assert index.dimension == encoder.dimension
    longest = max(max(size) for size in encoder.facts.sizes.values())
    assert index.input_side_px == longest
    for view, size in encoder.facts.sizes.items():
        picture = read_picture(photo, size, side_px=longest)
        prepared = index.prepare(open_photo(photo).pixels_at(index.input_side_px), view)
        assert np.array_equal(picture, prepared)
        with torch.no_grad():
            trained = encoder([torch.from_numpy(picture.transpose(2, 0, 1).copy())[None]])
        assert np.allclose(trained.numpy(), index.encode([prepared]), rtol=0, atol=1e-6)
    return index


@pytest.mark.parametrize("name", ["test_convnext", "test_vit", "test_resnet"])
def test_timm_embeddings_are_equal_in_training_and_index(name, tmp_path, photo):
    encoder = made(f"timm:{name}")
    torch.manual_seed(2)  # a step's worth of change, so that statistics of batches have moved as well
    encoder([torch.randint(0, 256, (4, 3, 64, 64), dtype=torch.uint8)])[:, 0].sum().backward()
    with torch.no_grad():
        for weight in encoder.parameters():
            weight -= 0.01 * weight.grad
    facts = export_encoder(encoder, tmp_path / "run" / "encoder", about="a test")
    assert facts == read_facts(tmp_path / "run" / "encoder")
    assert (facts.backbone, facts.aggregation, facts.about) == (f"timm:{name}", "own", "a test")
    assert facts.input_px["panorama"] == (32, 96)
    assert_equal_in_training_and_index(encoder, tmp_path / "run", photo)


@pytest.fixture(scope="module")
def tiny_vision(tmp_path_factory):
    """Folders as save_pretrained writes them: both towers of CLIP, and DINOv2, which has a mask token."""
    torch.manual_seed(1)
    small = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    seeing = {**small, "image_size": 64, "patch_size": 16}
    clip = transformers.CLIPConfig(vision_config=seeing, text_config={**small, "vocab_size": 9})
    models = {
        "clip": transformers.CLIPModel(clip).half(),
        "dinov2": transformers.Dinov2Model(transformers.Dinov2Config(**seeing, mlp_ratio=1)),
    }
    root = tmp_path_factory.mktemp("transformers")
    for name, model in models.items():
        model.save_pretrained(root / name)
        transformers.BitImageProcessor(
            size={"shortest_edge": 64},
            crop_size={"height": 64, "width": 64},
            image_mean=[0.4, 0.5, 0.6],
            image_std=[0.2, 0.3, 0.4],
        ).save_pretrained(root / name)
    return root


@pytest.mark.parametrize("name", ["clip", "dinov2"])
def test_a_tower_of_transformers_is_exported_whole(name, tiny_vision, tmp_path, photo):
    encoder = made(f"dir:{tiny_vision / name}", weights="published")
    assert encoder.facts.mean == (0.4, 0.5, 0.6)
    encoder([torch.randint(0, 256, (2, 3, 32, 96), dtype=torch.uint8)])[:, 0].sum().backward()
    assert all(weight.grad is not None for weight in encoder.parameters() if weight.requires_grad)
    torch.manual_seed(3)
    pictures = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    saving = made(f"dir:{tiny_vision / name}", weights="published", checkpointing=True)
    assert saving.network.model.is_activation_checkpointing
    assert torch.equal(saving([pictures]), encoder([pictures]))
    facts = export_encoder(encoder, tmp_path / "encoder", about="a test")
    assert facts.backbone == "transformers"
    assert facts.std == (0.2, 0.3, 0.4)
    assert not any("text" in key for key in encoder.weights())
    index = assert_equal_in_training_and_index(encoder, tmp_path, photo)
    # At its own size it is what the folder of transformers gives.
    same = load_encoder(f"dir:{tiny_vision / name}")
    picture = same.prepare(open_photo(photo).pixels)
    assert np.allclose(same.encode([picture]), index.encode([picture]), rtol=0, atol=1e-6)


def test_a_run_with_a_tower_of_transformers_goes_on(tiny_vision, tmp_path):
    first = made(f"dir:{tiny_vision / 'dinov2'}", weights="none")
    assert first.facts.mean == (0.485, 0.456, 0.406)
    export_encoder(first, tmp_path / "encoder", about="a test")
    second = made(f"dir:{tiny_vision / 'dinov2'}", weights=f"dir:{tmp_path}")
    assert all(np.array_equal(second.weights()[key], value) for key, value in first.weights().items())
    with pytest.raises(InputError, match="one vector a picture; found transformers with own pooling"):
        made(f"dir:{tiny_vision / 'clip'}", weights=f"dir:{tmp_path}")


def test_an_export_takes_the_place_of_the_last_one(tmp_path, photo):
    encoder, folder = made("timm:test_convnext"), tmp_path / "run" / "encoder"
    picture = None
    vectors = []
    for about in ("first", "second"):
        export_encoder(encoder, folder, about=about)
        index = load_encoder(f"dir:{tmp_path / 'run'}")
        picture = index.prepare(open_photo(photo).pixels, "map")
        vectors.append(index.encode([picture]))
        assert read_facts(folder).about == about
        with torch.no_grad():
            next(encoder.parameters()).mul_(-1)
    assert not np.allclose(*vectors)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["encoder"]  # nothing of the writing stays


def test_what_is_no_encoder_is_not_replaced(tmp_path):
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "thesis.txt").write_text("ten years")
    with pytest.raises(InputError, match="which holds something else"):
        export_encoder(made("timm:test_convnext"), tmp_path / "encoder", about="a test")
    assert (tmp_path / "encoder" / "thesis.txt").read_text() == "ten years"


def test_a_full_disk_leaves_the_last_export(tmp_path, monkeypatch):
    encoder = made("timm:test_convnext")
    export_encoder(encoder, tmp_path / "encoder", about="whole")

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr("geosleuth.training.gleam_c.export.write_encoder", full)
    with pytest.raises(InputError, match=r"room for the encoder in .*No space left on device"):
        export_encoder(encoder, tmp_path / "encoder", about="cut off")
    assert read_facts(tmp_path / "encoder").about == "whole"
