"""LoRA adapters of PEFT on a tiny base."""

import json
import shutil

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.load import load_vlm
from geosleuth.tools.vlm.model import Prompt, Turn

ASKED = Prompt((Turn("user", ("Where was this photo taken?",)),))


def projection(shared):
    [name, *_] = [name for name, _ in shared.base.model.named_modules() if name.endswith("layers.0.self_attn.q_proj")]
    return shared.base.model.get_submodule(name)


def delta(folder):
    """What an adapter adds to the first query projection: B A, times alpha over rank, which tiny_lora sets to 2."""
    from safetensors.numpy import load_file

    weights = load_file(folder / "adapter_model.safetensors")
    down, up = (
        next(w for k, w in weights.items() if f"layers.0.self_attn.q_proj.lora_{half}" in k) for half in ("A", "B")
    )
    return 2.0 * up @ down


@pytest.mark.parametrize("seeds", [(), (0,), (1,), (0, 1), (1, 0)])
def test_the_changes_of_all_adapters_add_up(tiny_models, seeds):
    import torch

    base = tiny_models.tiny_qwen()
    folders = [tiny_models.tiny_lora(base, seed) for seed in seeds]
    load_vlm(f"dir:{base}+dir:{tiny_models.tiny_lora(base, 2)}")  # another is there, and must not work
    shared = load_vlm(f"dir:{base}" + "".join(f"+dir:{folder}" for folder in folders))
    module = projection(shared)
    plain = getattr(module, "base_layer", module)
    given = torch.randn(3, 64, generator=torch.Generator().manual_seed(0))
    weight = plain.weight.detach().numpy() + sum(delta(folder) for folder in folders)
    with shared.base.using(shared.adapters):
        found = module(given).numpy()
    assert np.allclose(found, given.numpy() @ weight.T + plain.bias.detach().numpy(), atol=1e-4)


def test_an_adapter_is_loaded_once(tiny_models):
    base = tiny_models.tiny_qwen()
    spec = f"dir:{base}+dir:{tiny_models.tiny_lora(base, 0)}"
    first = load_vlm(spec)
    held = list(projection(first).lora_A)  # other tests of this process may hold some of their own
    second = load_vlm(spec)
    assert first.adapters == second.adapters
    assert list(projection(second).lora_A) == held


@pytest.mark.parametrize("other", ["tiny_qwen3_vl", "tiny_llava"])
def test_an_adapter_for_another_base_is_refused(tiny_models, other):
    base, wrong = tiny_models.tiny_qwen(), tiny_models.tiny_lora(getattr(tiny_models, other)(), 0)
    right = load_vlm(f"dir:{base}+dir:{tiny_models.tiny_lora(base, 0)}")
    before = right.for_photo().score([ASKED], ["yes"]).log_probabilities
    held = list(projection(right).lora_A)
    with pytest.raises(InputError) as caught:
        load_vlm(f"dir:{base}+dir:{wrong}")
    assert caught.value.wanted == f"an adapter for dir:{base}"
    assert caught.value.found.startswith(f"dir:{wrong}, ")
    assert caught.value.remedy == f"Name the base that it was trained on: {getattr(tiny_models, other)()}."
    # The base, and who shares it, go on as before.
    assert np.array_equal(right.for_photo().score([ASKED], ["yes"]).log_probabilities, before)
    assert list(projection(right).lora_A) == held


def changed(adapter, target, **changes):
    """A copy of an adapter whose configuration says something else."""
    folder = shutil.copytree(adapter, target)
    config = json.loads((folder / "adapter_config.json").read_text()) | changes
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def unfit(tiny_models, how, base, target):
    own = tiny_models.tiny_lora(base, 0)
    if how == "another family":
        return tiny_models.tiny_lora(tiny_models.tiny_llava(), 0)
    if how == "too many layers":
        return tiny_models.tiny_lora(tiny_models.tiny_qwen3_vl(), 0)
    if how == "another rank":
        return changed(own, target, r=8)
    if how == "some layers only":  # the first query projections are wrapped before it fails at a norm, and do something
        return changed(own, target, target_modules=["q_proj", "norm"], init_lora_weights=False)
    folder = shutil.copytree(own, target)
    (folder / "adapter_config.json").write_text("[" * 100_000)
    return folder


@pytest.mark.parametrize("how", ["another family", "too many layers", "another rank", "some layers only", "garbage"])
def test_the_first_adapter_of_a_base_may_be_refused(tiny_models, tmp_path, how):
    base = shutil.copytree(tiny_models.tiny_qwen(), tmp_path / "base")  # of its own: no other test adapted it before
    plain = load_vlm(f"dir:{base}")
    view = plain.for_photo()
    before = view.score([ASKED], ["yes"]).log_probabilities
    wrong = unfit(tiny_models, how, tiny_models.tiny_qwen(), tmp_path / "wrong")
    with pytest.raises(InputError, match=f"Wanted an adapter for dir:{base}; found dir:{wrong}, "):
        load_vlm(f"dir:{base}+dir:{wrong}")
    assert np.array_equal(view.score([ASKED], ["yes"]).log_probabilities, before)
    assert np.array_equal(load_vlm(f"dir:{base}").for_photo().score([ASKED], ["yes"]).log_probabilities, before)
    # The next one fits, and works as on a base that never met the wrong one.
    lora = tiny_models.tiny_lora(tiny_models.tiny_qwen(), 0)
    right = load_vlm(f"dir:{base}+dir:{lora}")
    elsewhere = load_vlm(f"dir:{tiny_models.tiny_qwen()}+dir:{lora}")
    scores = [shared.for_photo().score([ASKED], ["yes"]).log_probabilities for shared in (right, elsewhere)]
    assert np.allclose(*scores, atol=1e-5)
    assert abs(float(scores[0][0, 0] - before[0, 0])) > 0.01
    assert np.array_equal(view.score([ASKED], ["yes"]).log_probabilities, before)


def test_weights_of_other_shapes_are_said_in_our_words(tiny_models, tmp_path):
    base = tiny_models.tiny_qwen()
    folder = changed(tiny_models.tiny_lora(base, 0), tmp_path / "lora", r=8)  # its file holds rank 4
    with pytest.raises(InputError) as caught:
        load_vlm(f"dir:{base}+dir:{folder}")
    # Two layers, three projections, two factors each; the first by name is layer 0's o_proj, whose A has 64 columns.
    example = "model.language_model.layers.0.self_attn.o_proj.lora_A.weight with 4x64 in place of 8x64"
    assert caught.value.found == (
        f"dir:{folder}, in which 12 weights have other shapes than the base asks for, such as {example}"
    )


def test_loading_shows_no_progress_and_leaves_the_setting(tiny_models, tmp_path, capfd):
    from transformers.utils import logging as said

    base = shutil.copytree(tiny_models.tiny_qwen(), tmp_path / "base")
    lora = tiny_models.tiny_lora(tiny_models.tiny_qwen(), 0)
    assert said.is_progress_bar_enabled()
    capfd.readouterr()
    load_vlm(f"dir:{base}+dir:{lora}")
    assert "Loading weights" not in capfd.readouterr().err
    assert said.is_progress_bar_enabled()


def test_an_adapter_without_any_fitting_name_is_refused(tiny_models, tmp_path):
    base = tiny_models.tiny_qwen()
    folder = shutil.copytree(tiny_models.tiny_lora(base, 0), tmp_path / "lora")
    config = json.loads((folder / "adapter_config.json").read_text())
    config["target_modules"] = ["nowhere"]
    (folder / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=f"Wanted an adapter for dir:{base}; found dir:{folder}, which does not fit"):
        load_vlm(f"dir:{base}+dir:{folder}")
    load_vlm(f"dir:{base}").for_photo().score([ASKED], ["yes"])


def test_an_adapter_that_was_written_anew_is_another(tiny_models, tmp_path):
    import os

    base = tiny_models.tiny_qwen()
    folder = shutil.copytree(tiny_models.tiny_lora(base, 0), tmp_path / "lora")
    first = load_vlm(f"dir:{base}+dir:{folder}")
    weights = folder / "adapter_model.safetensors"
    weights.unlink()  # what is loaded may still look into the file
    shutil.copy(tiny_models.tiny_lora(base, 1) / weights.name, weights)
    os.utime(weights, ns=(1, 2**62))
    second = load_vlm(f"dir:{base}+dir:{folder}")
    assert first.adapters != second.adapters
    scores = [shared.for_photo().score([ASKED], ["yes"]).log_probabilities for shared in (first, second)]
    assert scores[0] != scores[1]
