import numpy as np
import pytest

from geosleuth.indexes.encoders.encoder_folder import write_encoder
from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_c.config import InputConfig, ModelConfig
from geosleuth.training.gleam_c.export import export_encoder
from geosleuth.training.gleam_c.shared_encoder import shared_encoder

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")

SMALL = InputConfig(ground=(32, 32), panorama=(32, 64), drone=(32, 32), satellite=(32, 32), map=(32, 32))
GROUPS = [
    torch.randint(0, 256, (2, 3, 32, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)),
]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # networks this small are slower with more, and far slower on a busy machine
    yield
    torch.set_num_threads(before)


def made(backbone, *, weights="none", sizes=SMALL, seed=0, checkpointing=False):
    torch.manual_seed(seed)
    config = ModelConfig(backbone=backbone, weights=weights, gradient_checkpointing=checkpointing)
    return shared_encoder(config, sizes)


@pytest.mark.parametrize(("name", "width"), [("test_convnext", 64), ("test_vit", 64)])
def test_groups_become_unit_rows_in_their_order(name, width):
    encoder = made(f"timm:{name}").eval()
    with torch.no_grad():
        found = encoder(GROUPS)
    assert (encoder.dimension, encoder.backbone) == (width, f"timm:{name}")
    assert found.shape == (5, width)
    assert found.dtype == torch.float32
    assert torch.allclose(found.norm(dim=1), torch.ones(5), atol=1e-6)
    torch.manual_seed(0)
    options = {"dynamic_img_size": True} if name == "test_vit" else {}
    plain = timm.create_model(name, num_classes=0, **options).eval()
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    for group, rows in zip(GROUPS, (found[:2], found[2:]), strict=True):
        with torch.no_grad():
            expected = plain((group / 255 - mean) / std)
        assert torch.allclose(rows, expected / expected.norm(dim=1, keepdim=True), atol=1e-6)


@pytest.mark.parametrize("name", ["test_convnext", "test_vit", "test_resnet"])
def test_every_weight_gets_the_same_gradient_with_and_without_checkpointing(name):
    gradients = []
    for checkpointing in (False, True):
        encoder = made(f"timm:{name}", checkpointing=checkpointing)
        assert encoder.training
        encoder(GROUPS)[:, 0].sum().backward()
        gradients.append({key: weight.grad for key, weight in encoder.named_parameters()})
    for key, gradient in gradients[0].items():
        assert gradient is not None, key  # or several processes would wait for it
        assert torch.allclose(gradient, gradients[1][key], atol=1e-6), key


def test_batch_norm_is_warned_of(caplog):
    made("timm:test_convnext")
    assert "batch norm" not in caplog.text
    made("timm:test_resnet")
    assert "timm:test_resnet has batch norm" in caplog.text


def test_a_run_goes_on_from_another(tmp_path):
    first = made("timm:test_convnext.r160_in1k")
    export_encoder(first, tmp_path / "run" / "encoder", about="a test")
    wide = SMALL.model_copy(update={"panorama": (64, 128)})
    for spec in ("run", "run/encoder"):
        second = made("timm:test_convnext", weights=f"dir:{tmp_path / spec}", sizes=wide, seed=1)
        assert second.facts.sizes["panorama"] == (64, 128)
        assert all(np.array_equal(second.weights()[key], value) for key, value in first.weights().items())


def test_mean_and_deviation_go_with_the_weights(tmp_path):
    model = timm.create_model("test_convnext", num_classes=0)
    write_encoder(
        tmp_path / "encoder",
        backbone="timm:test_convnext",
        aggregation="own",
        dimension=64,
        backbone_weights={key: value.numpy() for key, value in model.state_dict().items()},
        input_px={"ground": (32, 32)},
        mean=(0.1, 0.2, 0.3),
        std=(0.4, 0.5, 0.6),
    )
    encoder = made("timm:test_convnext", weights=f"dir:{tmp_path}")
    assert (encoder.facts.mean, encoder.facts.std) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert "mean" not in encoder.state_dict()  # a fact, no weight


def test_another_backbone_than_the_runs_is_refused(tmp_path):
    export_encoder(made("timm:test_convnext"), tmp_path / "encoder", about="a test")
    with pytest.raises(InputError, match=r"weights of timm:test_vit, one vector a picture; found timm:test_convnext"):
        made("timm:test_vit", weights=f"dir:{tmp_path}")


def test_a_run_without_an_encoder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no encoder\.json and no encoder/encoder\.json"):
        made("timm:test_convnext", weights=f"dir:{tmp_path}")
    with pytest.raises(InputError, match=r"found no .*nothing\. Name the folder of a run"):
        made("timm:test_convnext", weights=f"dir:{tmp_path / 'nothing'}")


@pytest.mark.parametrize(
    ("backbone", "weights", "message"),
    [
        ("timm:test_convnext", "imagenet", "the weights that training starts from; found 'imagenet'"),
        ("embedded", "none", "a backbone to train; found 'embedded'"),
        ("timm:no_such_network", "none", "a model of timm; found timm:no_such_network"),
    ],
)
def test_settings_that_nothing_answers_are_refused(backbone, weights, message):
    with pytest.raises(InputError, match=message):
        made(backbone, weights=weights)


def test_a_size_that_the_backbone_does_not_take_is_said():
    odd = SMALL.model_copy(update={"map": (40, 40)})  # patches of 16
    with pytest.raises(InputError, match=r"sizes of pictures that timm:test_vit takes; found 40 x 40 \(.*patch size"):
        made("timm:test_vit", sizes=odd)


def test_a_backbone_of_one_size_is_said():
    with pytest.raises(
        InputError, match="pictures of these sizes; found timm:mixer_s32_224, which takes its own alone"
    ):
        made("timm:mixer_s32_224")


def test_a_backbone_without_checkpointing_is_said():
    with pytest.raises(InputError, match="gradient checkpointing; found timm:dla46_c, which has none"):
        made("timm:dla46_c", checkpointing=True)


def test_published_weights_that_cannot_be_had_are_said(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match=r"the weights of timm:test_vit; found none that can be loaded"):
        made("timm:test_vit", weights="published")
