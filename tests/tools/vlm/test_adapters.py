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
