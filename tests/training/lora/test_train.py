"""Runs of a tiny model on lessons of noise: what LoRA promises, and that nothing is lost."""

import json
import multiprocessing
import os
import signal
import socket
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.load import load_vlm
from geosleuth.tools.vlm.model import Prompt
from geosleuth.training.lora import stages, train
from geosleuth.training.lora.adapter_trainer import rate_at, steps_of
from geosleuth.training.lora.sampling import EpochOrder, shares
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
    with pytest.raises(InputError, match="max_length: 256 then, 128 now"):
        train_adapters(other, two["out"])
    first = two["config"].stages[0].model_copy(update={"epochs": 1.0})
    other = two["config"].model_copy(update={"stages": (first, two["config"].stages[1])})
    with pytest.raises(InputError) as refused:
        train_adapters(other, two["out"])
    assert refused.value.found == "stages.first.epochs: 12.0 then, 1.0 now"
    quicker = two["config"].machine.model_copy(update={"checkpoint_minutes": 1.0})
    train_adapters(two["config"].model_copy(update={"machine": quicker}), two["out"])


@pytest.mark.parametrize("workers", [0, 1])
def test_other_lessons_are_refused_once_something_was_learned(tiny, kit, tmp_path, workers):
    config = kit.settings(tiny, machine={"checkpoint_minutes": 1e-6, "accumulation": 1, "workers": workers})

    def stop(progress):
        if progress.phase == "training":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train_adapters(config, tmp_path, lessons={"only": kit.Noise(8)}, on_progress=stop)
    with pytest.raises(InputError, match="the lessons that the stage only began with"):
        train_adapters(config, tmp_path, lessons={"only": kit.Noise(9)})
    with pytest.raises(InputError, match="the lessons that the run began with; found another one as number"):
        train_adapters(config, tmp_path, lessons={"only": kit.Noise(8, shift=1)})
    assert train_adapters(config, tmp_path, lessons={"only": kit.Noise(8)}).stages[0].steps == 4


def test_where_nothing_was_learned_settings_and_lessons_can_be_corrected(tiny, kit, tmp_path):
    wrong = kit.settings(tmp_path / "none", max_length=128)
    right = kit.settings(tiny, kit.stage("only", epochs=1))
    with pytest.raises(InputError, match="no such folder"):
        train_adapters(wrong, tmp_path / "run", lessons={"only": kit.Noise(4)})
    with pytest.raises(InputError, match="none of 4 usable"):
        train_adapters(right, tmp_path / "run", lessons={"only": kit.Noise(4, broken=(0, 1, 2, 3))})
    report = train_adapters(right, tmp_path / "run", lessons={"only": kit.Noise(8)})
    assert report.stages[0].lessons == 8


def test_a_run_of_one_step_learns_at_its_full_rate(tiny, kit, tmp_path):
    report = train_adapters(kit.settings(tiny, kit.stage("only", epochs=1)), tmp_path, lessons={"only": kit.Noise(8)})
    assert report.stages[0].steps == 1
    assert any(value.any() for name, value in weights(report.stages[0].adapter).items() if "lora_B" in name)
    [line] = (tmp_path / "training" / "only" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(line)["lr"] == pytest.approx(0.01)


def test_the_rate_of_each_step():
    assert [rate_at(step, 4, 2, "linear") for step in range(4)] == [0.5, 1, 1, 0.5]
    assert [rate_at(step, 3, 1, "constant_with_warmup") for step in range(3)] == [1, 1, 1]
    assert [rate_at(step, 2, 0, "cosine") for step in range(2)] == pytest.approx([1, 0.5])
    assert rate_at(0, 1, 1, "cosine") == 1


@pytest.mark.parametrize(("epochs", "most", "steps"), [(1, 20, 6), (1000, 20, 20), (2, None, 12), (0.5, None, 3)])
def test_max_steps_never_lengthens(kit, epochs, most, steps):
    config = kit.settings("base", machine={"batch_size": 2, "accumulation": 2})
    order = EpochOrder(shares([np.arange(24)], [1]), 1, lengths=None, unit=2)
    alone = SimpleNamespace(count=1)
    assert steps_of(kit.stage("only", epochs=epochs, max_steps=most), config, order, alone) == steps


def in_a_group(rank, port, config, out, lessons):
    """What torchrun starts, forked: nothing is imported anew."""
    from accelerate.state import AcceleratorState

    asked = {"WORLD_SIZE": 2, "RANK": rank, "LOCAL_RANK": rank, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in asked.items()})
    AcceleratorState._reset_state(reset_partial_state=True)  # of this test's own process
    train_adapters(config, out, lessons={"only": lessons})


def test_two_processes_learn_what_one_learns_where_batches_do_not_divide_evenly(tiny, kit, tmp_path):
    """Ten lessons, two processes of two at once and one of four: the same steps, to rounding."""
    chosen = kit.stage("only", lora={"r": 2, "alpha": 8, "dropout": 0})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    forked = multiprocessing.get_context("fork")
    halves = kit.settings(tiny, chosen, machine={"batch_size": 2})
    both = [
        forked.Process(target=in_a_group, args=(rank, port, halves, tmp_path / "two", kit.Noise(10)), daemon=True)
        for rank in range(2)
    ]
    for process in both:
        process.start()
    report = train_adapters(kit.settings(tiny, chosen), tmp_path / "one", lessons={"only": kit.Noise(10)})
    for process in both:
        process.join(timeout=120)
    assert [process.exitcode for process in both] == [0, 0]
    assert report.stages[0].steps == 4
    found, expected = weights(tmp_path / "two" / "only"), weights(tmp_path / "one" / "only")
    for name, value in expected.items():
        assert torch.allclose(value, found[name], atol=1e-5), name


@pytest.mark.parametrize("minutes", [1e-6, 10])  # in a checkpoint, and in the adapter
def test_a_full_disk_is_said_and_the_run_goes_on_when_there_is_room(tiny, kit, tmp_path, minutes):
    resource = pytest.importorskip("resource")
    config = kit.settings(tiny, machine={"checkpoint_minutes": minutes, "accumulation": 1})
    lessons = {"only": kit.Noise(8)}
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, before[1]))
    try:
        with pytest.raises(InputError, match="room for the run in") as refused:
            train_adapters(config, tmp_path, lessons=lessons)
        with pytest.raises(RuntimeError) as unsaid:
            torch.save(torch.zeros(10_000), tmp_path / "optimizer.pt")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    (tmp_path / "optimizer.pt").unlink()
    assert "Make room" in refused.value.remedy
    assert train._is_no_room(unsaid.value)
    assert not train._is_no_room(RuntimeError("shapes do not match"))
    assert train_adapters(config, tmp_path, lessons=lessons).stages[0].steps == 4


@pytest.mark.parametrize("vision", [False, True])
def test_a_frozen_tower_is_not_gone_back_through(tiny, kit, tmp_path, monkeypatch, vision):
    """Nor where activations are computed anew, for which transformers would have its embeddings give gradients."""
    asked, stack = [], stages.stack

    def watched(base, before, settings):
        stack(base, before, settings)
        base.model.model.visual.register_forward_hook(
            lambda _module, _given, out: asked.append(any(one.requires_grad for one in out.values()))
        )

    monkeypatch.setattr(stages, "stack", watched)
    chosen = kit.stage("only", max_steps=1, lora={"r": 2, "vision": vision})
    config = kit.settings(tiny, chosen, machine={"gradient_checkpointing": True})
    report = train_adapters(config, tmp_path / "run", lessons={"only": kit.Noise(4)})
    assert set(asked) == {vision}
    changed = {name for name, value in weights(report.stages[0].adapter).items() if "lora_B" in name and value.any()}
    assert any("language_model" in name for name in changed)
    assert any("visual" in name for name in changed) == vision


def test_the_bases_own_dropout_is_put_out(tiny, kit):
    base = stages.load_trained_base(kit.settings(tiny), torch.device("cpu"))
    for module in base.model.modules():
        if hasattr(module, "attention_dropout"):
            module.attention_dropout = 0.5
    stages.stack(base, (), kit.stage("only", lora={"r": 2, "dropout": 0}).lora)
    tokens = torch.arange(20, 60)[None]
    one, other = (base.model.train()(input_ids=tokens).logits for _ in range(2))
    assert torch.equal(one, other)


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
    (tmp_path / "other" / "training").mkdir(parents=True)
    (tmp_path / "other" / "training" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="other with training"):
        train_adapters(kit.settings(tiny), tmp_path / "other", lessons={"only": kit.Noise(4)})
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
    from geosleuth.training.lora.watch import Watch

    watch = Watch("only", None, None, 10, lambda _: None, lambda *_: None)
    with pytest.raises(InputError, match="nan at step 7 of only"):
        watch.note(SimpleNamespace(global_step=7), {"loss": np.nan})
