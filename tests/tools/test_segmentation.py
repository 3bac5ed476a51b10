"""Shares are counted as a person would; the true architectures run; what is no ADE20K segmenter is refused.

The models are tiny, with random weights: they show that the path is whole, not that a road is found.
"""

import json
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import Photo, load_photo
from geosleuth.tools.ade20k import class_name
from geosleuth.tools.segmentation import Segmenter, load_segmenter

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


def photo(height: int = 96, width: int = 128) -> Photo:
    return load_photo(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def ade_folder(source: Path, target: Path, offset: int = 0) -> Path:
    """A copy of a model folder whose classes are named as ADE20K's."""
    shutil.copytree(source, target)
    config = json.loads((target / "config.json").read_text())
    config["id2label"] = {str(index + offset): class_name(index) for index in range(150)}
    if offset:
        config["id2label"]["0"] = "background"
    config["label2id"] = {name: int(index) for index, name in config["id2label"].items()}
    (target / "config.json").write_text(json.dumps(config))
    return target


class Painter(torch.nn.Module):
    """Stands for a network: its logits say one class per region, whatever it is shown."""

    def __init__(self, classes: np.ndarray, count: int = 150) -> None:
        super().__init__()
        self.logits = torch.nn.functional.one_hot(torch.from_numpy(classes), count).permute(2, 0, 1)[None].float() * 9

    def forward(self, **_: object) -> SimpleNamespace:
        return SimpleNamespace(logits=self.logits)


def segformer_processor(side: int = 64) -> object:
    from transformers import SegformerImageProcessor

    return SegformerImageProcessor(size={"height": side, "width": side})


def test_shares_are_those_of_the_map() -> None:
    painted = np.zeros((64, 64), np.int64)
    painted[:16], painted[16:48], painted[48:] = 2, 1, 6  # a quarter sky, half building, a quarter road
    shares = Segmenter("double", Painter(painted), segformer_processor(), 0).class_shares(photo())
    assert shares.shape == (150,)
    assert {index: shares[index] for index in np.flatnonzero(shares)} == pytest.approx({1: 0.5, 2: 0.25, 6: 0.25})


def test_a_background_class_takes_its_share_and_shifts_the_others() -> None:
    painted = np.zeros((64, 64), np.int64)  # three quarters background
    painted[48:] = 7  # road, one behind
    shares = Segmenter("double", Painter(painted, 151), segformer_processor(), 1).class_shares(photo())
    assert {index: shares[index] for index in np.flatnonzero(shares)} == pytest.approx({6: 0.25})


def test_what_the_processor_filled_up_is_not_counted() -> None:
    """A picture twice as wide as high lies in the upper half of a square; the lower half is padding."""
    from transformers import MaskFormerImageProcessor

    class Queries(torch.nn.Module):
        def forward(self, **_: object) -> SimpleNamespace:
            sure = torch.full((1, 2, 151), -9.0)  # two queries: sky and road; the last class is "nothing"
            sure[0, 0, 2] = sure[0, 1, 6] = 9.0
            masks = torch.full((1, 2, 32, 32), -9.0)
            masks[0, 0, :8] = masks[0, 1, 8:] = 9.0  # sky in the upper half of the picture; road there and below it
            return SimpleNamespace(class_queries_logits=sure, masks_queries_logits=masks)

    processor = MaskFormerImageProcessor(
        size={"shortest_edge": 64, "longest_edge": 128}, size_divisor=1, pad_size={"height": 128, "width": 128}
    )
    shares = Segmenter("double", Queries(), processor, 0).class_shares(photo(64, 128))
    assert {index: shares[index] for index in np.flatnonzero(shares)} == pytest.approx({2: 0.5, 6: 0.5})


@pytest.mark.parametrize("size", [(96, 128), (1, 1), (3000, 3), (3, 3000)])
def test_maskformer_and_segformer_cover_the_whole_picture(size: tuple[int, int], tiny_models, tmp_path: Path) -> None:
    for folder in (tiny_models.tiny_maskformer(), tiny_models.tiny_segformer()):
        segmenter = load_segmenter(f"dir:{ade_folder(folder, tmp_path / folder.name)}")
        shares = segmenter.class_shares(photo(*size))
        assert shares.min() >= 0
        assert shares.sum() == pytest.approx(1.0)
        assert re.fullmatch(rf"{folder.name}@[0-9a-f]{{12}}", segmenter.weights)


def test_the_shares_are_those_of_the_models_own_map(tiny_models, tmp_path: Path) -> None:
    """Against transformers called by hand, on a photo that needs no padding."""
    from PIL import Image
    from transformers import AutoImageProcessor, SegformerForSemanticSegmentation

    folder = ade_folder(tiny_models.tiny_segformer(), tmp_path / "segformer")
    picture = photo(64, 64)
    processor = AutoImageProcessor.from_pretrained(folder)
    model = SegformerForSemanticSegmentation.from_pretrained(folder).eval()
    with torch.inference_mode():
        outputs = model(**processor(images=Image.fromarray(picture.pixels), return_tensors="pt"))
    counts = np.bincount(
        processor.post_process_semantic_segmentation(outputs, [(64, 64)])[0].numpy().ravel(), minlength=150
    )
    assert load_segmenter(f"dir:{folder}").class_shares(picture) == pytest.approx(counts / 4096)


def test_mask2former_and_upernet_run_too(tmp_path: Path) -> None:
    from transformers import (
        Mask2FormerConfig,
        Mask2FormerForUniversalSegmentation,
        Mask2FormerImageProcessor,
        SegformerImageProcessor,
        UperNetConfig,
        UperNetForSemanticSegmentation,
    )

    names = {index: class_name(index) for index in range(150)}
    labels = {"id2label": names, "label2id": {name: index for index, name in names.items()}}
    stages = ["stage1", "stage2", "stage3", "stage4"]
    swin = {"model_type": "swin", "image_size": 64, "embed_dim": 8, "depths": [1, 1, 1, 1], "num_heads": [1, 1, 2, 2],
            "window_size": 2, "out_features": stages}  # fmt: skip
    small = {"hidden_dim": 32, "feature_size": 32, "mask_feature_size": 32, "encoder_feedforward_dim": 32,
             "dim_feedforward": 32, "encoder_layers": 1, "decoder_layers": 2, "num_attention_heads": 2,
             "num_queries": 6}  # fmt: skip
    universal = Mask2FormerForUniversalSegmentation(Mask2FormerConfig(backbone_config=swin, **small, **labels))
    universal.save_pretrained(tmp_path / "mask2former")
    Mask2FormerImageProcessor(size={"height": 64, "width": 64}).save_pretrained(tmp_path / "mask2former")
    uper = {"hidden_size": 16, "pool_scales": [1, 2], "use_auxiliary_head": False}
    UperNetForSemanticSegmentation(UperNetConfig(backbone_config=swin, **uper, **labels)).save_pretrained(
        tmp_path / "upernet"
    )
    SegformerImageProcessor(size={"height": 64, "width": 64}).save_pretrained(tmp_path / "upernet")
    for name in ("mask2former", "upernet"):
        assert load_segmenter(f"dir:{tmp_path / name}").class_shares(photo()).sum() == pytest.approx(1.0)


def test_one_load_serves_all_photos(tiny_models, tmp_path: Path) -> None:
    spec = f"dir:{ade_folder(tiny_models.tiny_segformer(), tmp_path / 'segformer')}"
    first = load_segmenter(spec)
    assert load_segmenter(spec) is first
    config = tmp_path / "segformer" / "config.json"
    os.utime(config, ns=(config.stat().st_mtime_ns + 10**9,) * 2)  # written anew: another model
    assert load_segmenter(spec) is not first


def test_a_huge_photo_is_reduced_before_the_processor_sees_it() -> None:
    seen: list[tuple[int, int]] = []
    processor = segformer_processor()

    class Watching:
        def __call__(self, images, return_tensors):
            seen.append(images.size)
            return processor(images=images, return_tensors=return_tensors)

        post_process_semantic_segmentation = staticmethod(processor.post_process_semantic_segmentation)

    segmenter = Segmenter("double", Painter(np.zeros((8, 8), np.int64)), Watching(), 0)
    segmenter.class_shares(load_photo(np.zeros((2000, 4000, 3), np.uint8)))
    assert seen == [(1280, 640)]


def test_a_large_input_is_counted_on_a_bounded_map() -> None:
    targets: list[tuple[int, int]] = []
    processor = segformer_processor(1024)

    class Watching:
        def __call__(self, images, return_tensors):
            return processor(images=images, return_tensors=return_tensors)

        def post_process_semantic_segmentation(self, outputs, target_sizes):
            targets.extend(target_sizes)
            return processor.post_process_semantic_segmentation(outputs, target_sizes=target_sizes)

    Segmenter("double", Painter(np.zeros((8, 8), np.int64)), Watching(), 0).class_shares(photo())
    assert targets == [(512, 512)]


def test_a_model_with_other_labels_is_refused(tiny_models, tmp_path: Path) -> None:
    folder = ade_folder(tiny_models.tiny_segformer(), tmp_path / "swapped")
    config = json.loads((folder / "config.json").read_text())
    config["id2label"]["6"], config["id2label"]["11"] = "sidewalk", "road"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="6 is 'sidewalk', not 'road'"):
        load_segmenter(f"dir:{folder}")


def test_weights_that_are_not_safetensors_are_never_read(tiny_models, tmp_path: Path) -> None:
    folder = ade_folder(tiny_models.tiny_maskformer(), tmp_path / "maskformer")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")  # a pickle that would run a command
    with pytest.raises(
        InputError, match=r"with its weights as safetensors; found .* but with pytorch_model\.bin"
    ) as caught:
        load_segmenter(f"dir:{folder}")
    assert "convert them with save_pretrained" in caught.value.remedy


def test_a_backbone_without_its_head_is_refused(tiny_models, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = ade_folder(tiny_models.tiny_segformer(), tmp_path / "segformer")
    tensors = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith("decode_head.classifier")}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"without 2 of them, such as decode_head\.classifier\.bias"):
        load_segmenter(f"dir:{folder}")


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("dir:/no/such/folder", "no such folder"),
        ("embedded", "'embedded'"),
        ("openai:m@http://127.0.0.1:1", "Wanted a segmenter"),
        ("hf:a/b+hf:c/d", "without adapters"),
    ],
)
def test_what_is_no_segmenter_is_refused(spec: str, found: str) -> None:
    with pytest.raises(InputError, match=found):
        load_segmenter(spec)


def test_a_model_that_does_not_segment_is_refused(tiny_models) -> None:
    with pytest.raises(InputError, match="a model of the kind clip"):
        load_segmenter(f"dir:{tiny_models.tiny_clip()}")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"without config\.json"):
        load_segmenter(f"dir:{tmp_path}")


def test_a_batch_gives_what_each_photo_gives_alone(tiny_models, tmp_path: Path) -> None:
    """In order, whatever the shapes: none is filled up to the size of another."""
    photos = [photo(*size) for size in ((96, 128), (64, 64), (96, 128), (40, 200))]
    for folder in (tiny_models.tiny_maskformer(), tiny_models.tiny_segformer()):
        segmenter = load_segmenter(f"dir:{ade_folder(folder, tmp_path / folder.name)}", "cpu")
        alone = [segmenter.class_shares(one) for one in photos]
        together = segmenter.shares_of([segmenter.prepare(one) for one in photos])
        assert np.abs(np.array(together) - np.array(alone)).max() < 1e-4
    assert segmenter.shares_of([]) == []


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="a device that torch can use; found 'no-such-device'"):
        Segmenter("double", Painter(np.zeros((8, 8), np.int64)), segformer_processor(), 0, "no-such-device")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="found 'cuda'"):
            Segmenter("double", Painter(np.zeros((8, 8), np.int64)), segformer_processor(), 0, "cuda")


def test_too_little_memory_says_to_ask_for_fewer() -> None:
    class Full(torch.nn.Module):
        def forward(self, **_: object) -> object:
            raise torch.OutOfMemoryError("CUDA out of memory")

    segmenter = Segmenter("double", Full(), segformer_processor(), 0, "cpu")
    with pytest.raises(InputError, match=r"memory on cpu for 2 pictures of \(64, 64\) pixels at once"):
        segmenter.shares_of([segmenter.prepare(photo())] * 2)
