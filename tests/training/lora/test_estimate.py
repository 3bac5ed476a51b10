import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.lora.config import LoraSettings
from geosleuth.training.lora.estimate import check_fits, estimate, settings_for

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
safetensors = pytest.importorskip("safetensors.torch")

SIZES = {  # of the published configurations
    "3B": {"hidden_size": 2048, "num_hidden_layers": 36, "num_attention_heads": 16, "intermediate_size": 11008},
    "7B": {"hidden_size": 3584, "num_hidden_layers": 28, "num_attention_heads": 28, "intermediate_size": 18944},
}


def published(size: str):
    """Return the configuration of Qwen2.5-VL in one of its sizes."""
    tied = size == "3B"
    text = SIZES[size] | {"num_key_value_heads": 2 if tied else 4, "vocab_size": 151936 if tied else 152064}
    vision = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16}
    return transformers.Qwen2_5_VLConfig(
        text_config={**text, "tie_word_embeddings": tied},
        vision_config={**vision, "out_hidden_size": text["hidden_size"]},
        tie_word_embeddings=tied,
    )


@pytest.mark.parametrize(
    ("task", "gigabytes"), [("georeasoner", 80), ("georeasoner", 24), ("georeasoner", 8), ("gleam-x", 8)]
)
def test_settings_that_ship_fit_the_gpu_that_they_name_by_the_estimate(task, gigabytes):
    config = settings_for(gigabytes, task)
    size = "7B" if "7B" in config.base else "3B"
    found = check_fits(config, gigabytes, published(size))
    assert found.parameters == pytest.approx({"3B": 3.75e9, "7B": 8.29e9}[size], rel=0.01)  # as the model cards say
    assert found.total_bytes < gigabytes * 1e9


def test_the_adapters_size_is_counted_by_hand():
    config = settings_for(24)
    found = estimate(config, published("3B"))
    hidden, inner, keys = 2048, 11008, 256
    layer = 2 * (hidden + hidden) + 2 * (hidden + keys) + 3 * (hidden + inner)  # q, o; k, v; gate, up, down
    assert found.trained == 36 * 64 * layer
    assert found.adapter_bytes == found.trained * (16 + 2)  # another one lies below, in bf16


def test_more_than_there_is_is_refused():
    config = settings_for(24)
    with pytest.raises(InputError, match="settings of GeoReasoner for 8 GB") as refused:
        check_fits(config, 8, published("3B"))
    assert "batch_size" in refused.value.remedy


def test_checkpointing_and_smaller_batches_need_less(tiny, kit):
    def total(lora=None, **machine):
        config = kit.settings(tiny, kit.stage("only", lora=lora or LoraSettings(r=2)), machine=machine)
        return estimate(config, on_gpu=False)

    plain, saved = total(), total(gradient_checkpointing=True)
    assert total(batch_size=8).text_bytes == pytest.approx(2 * plain.text_bytes, rel=0.05)
    assert saved.vision_bytes == plain.vision_bytes
    assert total(lora=LoraSettings(r=2, vision=True)).vision_bytes > plain.vision_bytes
    assert plain.fixed_bytes == 0
    assert plain.base_bytes == 4 * plain.parameters


def test_the_stage_that_needs_most_counts(tiny, kit):
    first, second = kit.stage("first", lora=LoraSettings(r=4)), kit.stage("second", lora=LoraSettings(r=2, vision=True))
    alone = [estimate(kit.settings(tiny, one), on_gpu=False) for one in (first, second)]
    both = estimate(kit.settings(tiny, first, second), on_gpu=False)
    assert alone[1].total_bytes > alone[0].total_bytes
    assert both.vision_bytes == alone[1].vision_bytes > alone[0].vision_bytes
    assert both.adapter_bytes == alone[1].adapter_bytes + 4 * alone[0].trained  # below, in float32 as the base


def test_an_adapter_below_is_counted_from_its_file(tiny, kit, tiny_models):
    below = tiny_models.tiny_lora(tiny)
    numbers = sum(value.numel() for value in safetensors.load_file(below / "adapter_model.safetensors").values())
    plain, stacked = (
        estimate(kit.settings(tiny, adapters_before=before), on_gpu=False) for before in ((), (f"dir:{below}",))
    )
    assert stacked.adapter_bytes - plain.adapter_bytes == 4 * numbers
    with pytest.raises(InputError, match="no such folder"):
        estimate(kit.settings(tiny, adapters_before=("dir:none",)), on_gpu=False)


def test_what_is_counted_without_content_is_what_a_real_batch_keeps(tiny, kit):
    """The text model's part against the same hooks on real tensors, with the library's own attention."""
    from transformers import AutoModelForImageTextToText

    from geosleuth.training.lora.estimate import _Kept
    from geosleuth.training.lora.trained_model import NEW, target_modules

    peft = pytest.importorskip("peft")
    config = kit.settings(tiny, kit.stage("only", lora=LoraSettings(r=2, dropout=0.1)))
    model = AutoModelForImageTextToText.from_pretrained(tiny).requires_grad_(requires_grad=False)
    model.add_adapter(
        peft.LoraConfig(r=2, lora_alpha=16, lora_dropout=0.1, target_modules=target_modules(model, vision=False)), NEW
    )
    decoder = model.get_decoder().train()
    with _Kept(decoder) as kept:
        decoder(inputs_embeds=torch.randn(4, config.max_length, 64), use_cache=False)
    assert estimate(config, on_gpu=False).text_bytes == pytest.approx(kept.bytes, rel=0.15)
