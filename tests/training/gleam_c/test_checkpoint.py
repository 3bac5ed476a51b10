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
    (tmp_path / ".000001.part").mkdir()  # a run was killed while it wrote
    for steps, due in ((1, False), (2, True), (2, False)):
        checkpoint.save(tmp_path, module, optimiser, Counters(total_steps=steps, due=due), None)
    assert [path.name for path in tmp_path.iterdir()] == ["000003"]
    counters, _ = checkpoint.load(tmp_path, *network())
    assert not counters.due  # the later one of two at one step


def test_a_full_disk_keeps_the_one_before(tmp_path, monkeypatch):
    module, optimiser = network()
    step(module, optimiser, 1)
    checkpoint.save(tmp_path, module, optimiser, Counters(total_steps=1), None)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "fsync", full)
    with pytest.raises(InputError, match="No space left"):
        checkpoint.save(tmp_path, module, optimiser, Counters(total_steps=2), None)
    assert [path.name for path in tmp_path.iterdir()] == ["000001"]


def test_nothing_is_there_at_first(tmp_path):
    assert checkpoint.load(tmp_path, *network()) is None


@pytest.mark.parametrize("name", ["weights.safetensors", "optimiser.safetensors", "state.json"])
def test_damage_is_said(tmp_path, name):
    module, optimiser = network()
    step(module, optimiser, 1)
    checkpoint.save(tmp_path, module, optimiser, Counters(total_steps=1), None)
    path = tmp_path / "000001" / name
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
