import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_c import checkpoint
from geosleuth.training.gleam_c.checkpoint import Counters

torch = pytest.importorskip("torch")


def network():
    torch.manual_seed(0)
    module = torch.nn.Linear(3, 2)
    return module, torch.optim.AdamW(module.parameters(), lr=0.1)


def step(module, optimiser, seed):
    torch.manual_seed(seed)
    optimiser.zero_grad()
    module(torch.randn(4, 3)).square().sum().backward()
    optimiser.step()


def test_what_goes_on_from_a_checkpoint_is_what_would_have_been(tmp_path):
    module, optimiser = network()
    step(module, optimiser, 1)
    kept = np.arange(6, dtype=np.int32).reshape(2, 3)
    checkpoint.save(tmp_path, module, optimiser, Counters(epoch=1, total_steps=1), kept)
    step(module, optimiser, 2)
    other, its_optimiser = network()
    counters, neighbours = checkpoint.load(tmp_path, other, its_optimiser)
    assert (counters.epoch, counters.total_steps) == (1, 1)
    assert (neighbours == kept).all()
    step(other, its_optimiser, 2)
    assert torch.equal(other.weight, module.weight)
    assert torch.equal(other.bias, module.bias)


def test_only_the_newest_stays(tmp_path):
    module, optimiser = network()
    step(module, optimiser, 1)
    (tmp_path / ".step-00000001.part").mkdir()  # a run was killed while it wrote
    for steps in (1, 2, 2, 3):
        checkpoint.save(tmp_path, module, optimiser, Counters(total_steps=steps), None)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000003"]


def test_nothing_is_there_at_first(tmp_path):
    assert checkpoint.load(tmp_path, *network()) is None


@pytest.mark.parametrize("name", ["weights.safetensors", "optimiser.safetensors", "state.json"])
def test_damage_is_said(tmp_path, name):
    module, optimiser = network()
    step(module, optimiser, 1)
    checkpoint.save(tmp_path, module, optimiser, Counters(total_steps=1), None)
    path = tmp_path / "step-00000001" / name
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(InputError, match="cannot be read"):
        checkpoint.load(tmp_path, *network())


def test_weights_of_another_network_are_refused(tmp_path):
    module, optimiser = network()
    step(module, optimiser, 1)
    checkpoint.save(tmp_path, module, optimiser, Counters(total_steps=1), None)
    other = torch.nn.Linear(5, 2)
    with pytest.raises(InputError, match="size mismatch"):
        checkpoint.load(tmp_path, other, torch.optim.AdamW(other.parameters()))
