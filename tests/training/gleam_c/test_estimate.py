import pytest

from geosleuth.training.gleam_c.config import DataConfig, GleamCConfig, InputConfig, ModelConfig
from geosleuth.training.gleam_c.estimate import Estimate, estimate

pytest.importorskip("timm")


def config(side, **model):
    square = (side, side)
    sizes = InputConfig(ground=square, panorama=(side, 2 * side), drone=square, satellite=square, map=square)
    data = (DataConfig(set="vigor", root="r", split="same-train"),)
    return GleamCConfig(
        name="x", epochs=1, data=data, input=sizes, model=ModelConfig(backbone="timm:test_convnext2", **model)
    )


def test_four_times_the_pixels_are_four_times_the_work_and_memory():
    small, large = estimate(config(64)), estimate(config(128))
    assert large.parameters == small.parameters == 348_800
    assert large.flops_per_pair == pytest.approx(4 * small.flops_per_pair, rel=0.02)
    assert large.activation_bytes_per_pair == pytest.approx(4 * small.activation_bytes_per_pair, rel=0.15)


def test_checkpointing_keeps_less_and_computes_as_much_forward():
    kept, anew = estimate(config(128)), estimate(config(128, gradient_checkpointing=True))
    assert anew.activation_bytes_per_pair < 0.7 * kept.activation_bytes_per_pair


def test_a_batch_needs_its_pairs_beside_what_is_fixed():
    assert Estimate(10, 1.0, 7, 160).bytes(3) == 181
