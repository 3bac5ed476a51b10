"""Runs of a tiny model on lessons of noise: what LoRA promises, and that nothing is lost."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.load import load_vlm
from geosleuth.tools.vlm.model import Prompt
from geosleuth.training.lora import stages
from geosleuth.training.lora.train import train_adapters
from geosleuth.training.lora.watch import last_checkpoint

torch = pytest.importorskip("torch")
pytest.importorskip("peft")
safetensors = pytest.importorskip("safetensors.torch")

WEIGHTS = "adapter_model.safetensors"


def weights(adapter: Path):
    return safetensors.load_file(adapter / WEIGHTS)


@pytest.fixture(scope="module")
def two(tiny, kit, tmp_path_factory):
    """A run of two stages, with what was seen meanwhile."""
    out = tmp_path_factory.mktemp("run") / "out"
    config = kit.settings(
        tiny, kit.stage("first", epochs=12), kit.stage("second", epochs=2), machine={"accumulation": 1}
    )
    bases, between, told = [], {}, []

    def load(*args):
        bases.append(load_base(*args))
        return bases[-1]

    def tell(progress):
        told.append(progress)
        if progress.stage == "second" and not between:
            between.update(files(out / "first"))

    load_base = stages.load_trained_base
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "load_trained_base", load)
        lessons = {"first": kit.Noise(8), "second": [kit.Noise(4), kit.Noise(4)]}
        report = train_adapters(config, out, lessons=lessons, on_progress=tell)
    return {"config": config, "report": report, "bases": bases, "between": between, "told": told, "out": out}


def files(folder: Path):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_small_set_is_learned(two):
    first, second = two["report"].stages
    assert (first.steps, second.steps) == (24, 4)
    assert first.last_loss < 0.4 * first.first_loss
    assert second.first_loss < 0.6 * first.first_loss  # it begins with what the first has learned
    assert (first.lessons, first.left_out, first.was_done) == (8, {}, False)
    phases = [(one.phase, one.stage) for one in two["told"]]
    assert phases[0] == ("reading", "first")
    assert phases[-1] == ("training", "second")
    assert two["told"][-1].done == two["told"][-1].total == 4
    assert two["told"][-1].tokens_per_s > 0


def test_the_tool_runs_what_was_trained(two, tiny, kit):
    report = two["report"]
    assert report.spec == f"dir:{tiny}+dir:{two['out']}/first+dir:{two['out']}/second"

    def france(spec):
        asked = [Prompt(kit.Noise()[i].turns[:1]) for i in range(4)]
        return load_vlm(spec).for_photo(reuse=False).score(asked, list(kit.ANSWERS)).log_probabilities.diagonal()

    before, after = france(f"dir:{tiny}"), france(report.spec)
    assert (after > before + 1).all()


def test_the_base_is_untouched(two, tiny):
    stored = safetensors.load_file(tiny / "model.safetensors")
    for base in two["bases"]:
        own = {
            name.replace(".base_layer", ""): value
            for name, value in base.model.state_dict().items()
            if "lora_" not in name
        }
        equal = [any(torch.equal(value, other) for other in stored.values()) for value in own.values()]
        assert len(equal) >= len(stored)
        assert all(equal)


def test_the_second_stage_leaves_the_first_adapter_as_it_was(two):
    assert two["between"].keys() >= {WEIGHTS, "adapter_config.json", "README.md"}
    assert files(two["out"] / "first") == two["between"]


def test_a_stage_learns_on_top_of_the_one_before(two, tiny, kit, tmp_path):
    alone = kit.settings(tiny, kit.stage("second", epochs=2), machine={"accumulation": 1})
    report = train_adapters(alone, tmp_path / "alone", lessons={"second": [kit.Noise(4), kit.Noise(4)]})
    stacked, single = weights(two["out"] / "second"), weights(report.stages[0].adapter)
    assert stacked.keys() == single.keys()
    assert any(not torch.allclose(stacked[name], single[name], atol=1e-3) for name in stacked)
    assert report.stages[0].first_loss > 1.5 * two["report"].stages[1].first_loss


def test_merged_equals_unmerged(two, tiny, kit):
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText

    tokens = torch.arange(20, 60)[None]
    plain = AutoModelForImageTextToText.from_pretrained(tiny)
    with torch.inference_mode():
        without = plain(input_ids=tokens).logits
        adapted = PeftModel.from_pretrained(plain, two["out"] / "first").eval()
        unmerged = adapted(input_ids=tokens).logits
        merged = adapted.merge_and_unload()(input_ids=tokens).logits
    assert (unmerged - without).abs().max() > 0.1
    assert (merged - unmerged).abs().max() < 1e-4


def test_an_adapters_file_is_safetensors_and_names_its_base(two, tiny):
    adapter = two["out"] / "first"
    assert sorted(files(adapter)) == ["README.md", "adapter_config.json", WEIGHTS]
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == str(tiny)
    shapes = {name: tuple(value.shape) for name, value in weights(adapter).items()}
    assert len(shapes) == 2 * 7 * 2  # two factors of seven projections in two layers, and none of the tower's
    assert all(".language_model." in name for name in shapes)
    assert shapes["base_model.model.model.language_model.layers.0.mlp.down_proj.lora_A.weight"] == (2, 128)
    card = (two["out"] / "second" / "README.md").read_text(encoding="utf-8")
    assert "on top of dir:first" in card
    assert str(two["out"]) not in card


def test_an_adapter_for_another_base_is_refused(two, tiny_models):
    with pytest.raises(InputError, match="weights have other shapes") as refused:
        load_vlm(f"dir:{tiny_models.tiny_llava()}+dir:{two['out']}/first")
    assert refused.value.wanted.startswith("an adapter for dir:")
    assert refused.value.remedy.startswith("Name the base that it was trained on: ")


def test_a_run_that_is_done_is_not_trained_again(two, kit):
    before = files(two["out"] / "second")
    told = []
    again = train_adapters(two["config"], two["out"], on_progress=told.append)
    assert told == []
    assert [stage.was_done for stage in again.stages] == [True, True]
    assert again.stages[0].last_loss == two["report"].stages[0].last_loss
    assert files(two["out"] / "second") == before


def test_metrics_and_record(two):
    work = two["out"] / "training"
    lines = [json.loads(line) for line in (work / "first" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 25))
    about = json.loads((work / "about.json").read_text(encoding="utf-8"))
    assert about[0]["data"]["first"]["sources"] == [{"from": "noise", "lessons": 8, "used": 8, "weight": 8.0}]
    assert {"torch", "transformers", "peft"} <= about[0]["versions"].keys()
    assert list((work / "first" / "tensorboard").iterdir())
    assert not list(work.glob("*/checkpoint-*"))


def test_a_run_that_was_stopped_ends_in_the_same_weights_to_the_bit(tiny, kit, tmp_path):
    chosen = kit.stage("only", epochs=3, lora={"r": 2, "alpha": 8, "dropout": 0.2})
    machine = {"batch_size": 2, "accumulation": 1, "checkpoint_minutes": 1e-6}
    config = kit.settings(tiny, chosen, machine=machine)
    lessons = {"only": kit.Noise(4)}

    def stop(progress):
        if progress.phase == "training" and progress.done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train_adapters(config, tmp_path / "cut", lessons=lessons, on_progress=stop)
    work = tmp_path / "cut" / "training" / "only"
    assert last_checkpoint(work, clean=False).name == "checkpoint-3"
    (work / "checkpoint-4").mkdir()  # as a kill in the middle of writing leaves it
    cut = train_adapters(config, tmp_path / "cut", lessons=lessons)
    whole = train_adapters(config, tmp_path / "whole", lessons=lessons)
    assert cut.stages[0].resumed_at == 3
    assert cut.stages[0].steps == whole.stages[0].steps == 6
    assert (cut.stages[0].adapter / WEIGHTS).read_bytes() == (whole.stages[0].adapter / WEIGHTS).read_bytes()
    steps = [json.loads(line)["step"] for line in (work / "metrics.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4, 5, 6]


def test_batches_and_recomputed_activations_change_nothing_but_rounding(tiny, kit, tmp_path):
    """The loss is over all learned tokens of a step, whichever batch they are in."""
    chosen = kit.stage("only", max_steps=2, warmup_ratio=0, lora={"r": 2, "alpha": 8, "dropout": 0})
    found = []
    for number, machine in enumerate(
        (
            {"batch_size": 8, "accumulation": 1},
            {"batch_size": 2, "accumulation": 4, "gradient_checkpointing": True, "group_by_length": False},
        )
    ):
        config = kit.settings(tiny, chosen, machine=machine)
        report = train_adapters(config, tmp_path / str(number), lessons={"only": kit.Noise(8)})
        found.append(weights(report.stages[0].adapter))
        lines = (tmp_path / str(number) / "training" / "only" / "metrics.jsonl").read_text().splitlines()
        found[-1]["loss"] = torch.tensor([json.loads(line)["loss"] for line in lines])
    one, several = found
    for name, value in one.items():
        assert torch.allclose(value, several[name], atol=1e-4), name


def test_the_tower_learns_too_where_it_is_asked_to(tiny, kit, tmp_path):
    chosen = kit.stage("only", max_steps=1, lora={"r": 2, "vision": True})
    report = train_adapters(kit.settings(tiny, chosen), tmp_path / "run", lessons={"only": kit.Noise(4)})
    names = weights(report.stages[0].adapter)
    assert any(".visual.blocks.1.attn.qkv.lora_B" in name for name in names)
    assert not any("merger" in name or "patch_embed" in name for name in names)
    load_vlm(report.spec)


def test_other_settings_are_refused(two, kit):
    other = two["config"].model_copy(update={"max_length": 128})
    with pytest.raises(InputError, match="another max_length"):
        train_adapters(other, two["out"])
    quicker = two["config"].machine.model_copy(update={"checkpoint_minutes": 1.0})
    train_adapters(two["config"].model_copy(update={"machine": quicker}), two["out"])


def test_other_lessons_are_refused(two, kit):
    (two["out"] / "second" / "adapter_config.json").rename(two["out"] / "second" / "kept")
    with pytest.raises(InputError, match="the lessons that the stage second began with"):
        train_adapters(two["config"], two["out"], lessons={"second": kit.Noise(5)})
    (two["out"] / "second" / "kept").rename(two["out"] / "second" / "adapter_config.json")


def test_pictures_are_decoded_in_other_processes(tiny, kit, tmp_path):
    chosen = kit.stage("only", max_steps=2)
    found = []
    for workers in (0, 1):
        config = kit.settings(tiny, chosen, machine={"workers": workers})
        report = train_adapters(config, tmp_path / str(workers), lessons={"only": kit.Noise(8)})
        found.append((report.stages[0].adapter / WEIGHTS).read_bytes())
    assert found[0] == found[1]


def test_a_folder_of_something_else_is_refused(tiny, kit, tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"notes\.txt"):
        train_adapters(kit.settings(tiny), tmp_path, lessons={"only": kit.Noise(4)})
    with pytest.raises(InputError, match="some for nobody"):
        train_adapters(kit.settings(tiny), tmp_path, lessons={"nobody": kit.Noise(4)})


def test_a_run_in_use_is_refused(two, tmp_path):
    from geosleuth.indexes.lock import locked

    with locked(two["out"], "x", "y"), pytest.raises(InputError, match="another that trains it now"):
        train_adapters(two["config"], two["out"])


def test_four_bits_need_a_gpu(tiny, kit, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is one")
    config = kit.settings(tiny, machine={"quantise": "4bit"})
    with pytest.raises(InputError, match="a CUDA GPU") as refused:
        train_adapters(config, tmp_path / "run", lessons={"only": kit.Noise(4)})
    assert "quantise" in refused.value.remedy


def test_a_base_that_is_none(kit, tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        train_adapters(kit.settings(tmp_path / "none"), tmp_path / "run", lessons={"only": kit.Noise(4)})


def test_a_loss_that_is_no_number_ends_the_run():
    from types import SimpleNamespace

    from geosleuth.training.lora.watch import Watch

    watch = Watch("only", None, None, 10, lambda _: None, lambda *_: None)
    with pytest.raises(InputError, match="nan at step 7 of only"):
        watch.note(SimpleNamespace(global_step=7), {"loss": np.nan})
