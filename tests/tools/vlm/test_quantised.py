"""Weights in 8 and 4 bits on a tiny Qwen2.5-VL: what they take, what they answer, and what is refused."""

from weakref import WeakValueDictionary

import numpy as np
import pytest

from geosleuth.agent.settings import load_settings
from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm import loaded, quantised
from geosleuth.tools.vlm.load import VlmOptions, load_vlm
from geosleuth.tools.vlm.model import Prompt, Turn
from geosleuth.tools.vlm.quantised import BYTES, PACKAGES, check_bits, weight_bytes

ASKED = Prompt((Turn("user", ("Where was this photo taken?", np.full((56, 56, 3), 90, np.uint8))),))


class Sized:
    spec = "dir:big"
    n_parameters = 7_000_000_000


@pytest.mark.parametrize("bits", [8, 4])
def test_a_quantised_base_takes_adapters_and_less_memory(tiny_models, bits):
    pytest.importorskip(PACKAGES[bits])
    base = tiny_models.tiny_qwen()
    spec = f"dir:{base}+dir:{tiny_models.tiny_lora(base, 0)}"
    whole, small = load_vlm(spec), load_vlm(spec, VlmOptions(bits=bits))
    plain = load_vlm(f"dir:{base}", VlmOptions(bits=bits))
    assert plain.base is small.base
    assert small.base is not whole.base
    name, adapter = whole.weights.split(" + ")
    assert small.weights == f"{name} in {bits} bits + {adapter}"  # neither answers nor calibrations are shared
    projection = small.base.model.get_submodule("model.language_model.layers.0.self_attn.q_proj")
    stored = sum(part.numel() * part.element_size() for part in quantised._parts(projection.base_layer.weight))
    # 64 x 64 weights; beside them a scale in float32 for each row, or a byte for each block of 64 and two tables.
    assert 64 * 64 * bits // 8 < stored < 4 * 64 * 64 // 2
    assert weight_bytes(small.base.model) < weight_bytes(whole.base.model)
    scores = [one.for_photo().score([ASKED], ["yes", "no", "France"]).log_probabilities for one in (whole, small)]
    apart = np.abs(scores[0] - scores[1]).max()
    adapted = np.abs(scores[1] - plain.for_photo().score([ASKED], ["yes", "no", "France"]).log_probabilities).max()
    assert 0 < apart < adapted  # rounding moves it, and less than the adapter does
    [[reply]] = small.for_photo().generate([ASKED], max_tokens=4)
    assert reply.tokens <= 4


def test_whole_weights_are_counted_once():
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(10, 20, bias=False), torch.nn.Linear(10, 20, bias=False))
    assert weight_bytes(model) == 2 * 4 * 200
    model[1].weight = model[0].weight
    assert weight_bytes(model) == 4 * 200


def test_other_bits_are_refused(tiny_models):
    with pytest.raises(InputError, match=r"Wanted weights in 8 or 4 bits; found 2. Set vlm_bits to 8 or 4"):
        load_vlm(f"dir:{tiny_models.tiny_qwen()}", VlmOptions(bits=2))
    with pytest.raises(InputError, match="vlm_bits"):
        load_settings(arguments={"vlm_bits": 6}, environ={})
    assert load_settings(environ={"GEOSLEUTH_VLM_BITS": "4"}).vlm_bits == 4


@pytest.mark.parametrize(("bits", "package"), [(8, "torchao"), (4, "bitsandbytes")])
def test_a_missing_package_is_named(monkeypatch, bits, package):
    monkeypatch.setattr(quantised, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=rf"the package {package} .*Install it with `pip install {package}`"):
        check_bits(bits)


def test_what_fits_in_fewer_bits_runs_on_a_cpu(monkeypatch):
    import torch

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("there is an accelerator")
    monkeypatch.setattr(quantised, "find_spec", lambda _: object())
    monkeypatch.setattr(loaded, "_free_memory", lambda: 6_000_000_000)
    assert BYTES[4] * Sized.n_parameters < 6e9 < BYTES[8] * Sized.n_parameters
    assert loaded._placement(torch, Sized, 4) == (torch.device("cpu"), torch.float32, 4)
    with pytest.raises(InputError, match=r"memory for dir:big with 7.00 G parameters; found 6.0 GB"):
        loaded._placement(torch, Sized, 8)


def test_an_apple_gpu_is_refused(monkeypatch):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA GPU")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(quantised, "find_spec", lambda _: object())
    with pytest.raises(InputError, match=r"a CPU or a CUDA GPU .* in 8 bits; found an Apple GPU. Leave vlm_bits"):
        loaded._placement(torch, Sized, 8)


def test_a_base_is_shared_by_the_bits_that_it_has(monkeypatch):
    """A GPU that has room for 4 bits alone: roles that ask for 4, and that leave it to the machine, share one base."""

    class Sized:
        path, stamp, spec = "base", 1, "dir:base"

    class Base:
        def __init__(self, folder, placement):
            self.folder, self.bits = folder, placement[2]

    monkeypatch.setattr(loaded, "_bases", WeakValueDictionary())
    monkeypatch.setattr(loaded, "LoadedBase", Base)
    room = [4]
    monkeypatch.setattr(loaded, "_placement", lambda _torch, _folder, bits: ("gpu", "half", bits or room[0]))
    left, asked = loaded.load_base(Sized), loaded.load_base(Sized, 4)
    assert left is asked
    assert loaded.load_base(Sized, 8) is not left
    assert loaded.load_base(Sized) is left
    del left, asked
    asked = loaded.load_base(Sized, 4)
    assert loaded.load_base(Sized) is asked
    room[0] = None  # whoever had it so has it so still, though a new one would now be whole
    assert loaded.load_base(Sized) is asked
