"""Two processes against one: run as a script, this file is the second process (rank 1)."""

import os
import subprocess
import sys
from datetime import timedelta
from itertools import product

import numpy as np
import pytest
import torch
from torch import distributed

from geosleuth.training.gleam_c.gather import gathered
from geosleuth.training.gleam_c.loss import symmetric_info_nce

PAIRS = 8
VALID = {
    "all": [1] * PAIRS,
    "4 and 1": [1, 1, 1, 1, 0, 0, 1, 0],
    "3 and 0": [1, 0, 1, 1, 0, 0, 0, 0],
    "none": [0] * PAIRS,
}
# local, which rows are valid, gather_gradients
EQUAL = [*product((True, False), (None, *VALID), (True,))]
PLAIN = [(True, "all", False), (False, "all", False)]


class Contrast(torch.nn.Module):
    """A tiny encoder of both pictures, and the temperature."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.encoder = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4))
        self.log_scale = torch.nn.Parameter(torch.tensor(2.0))

    def forward(self, queries, references, **options):
        q, r = (torch.nn.functional.normalize(self.encoder(x), dim=1) for x in (queries, references))
        return symmetric_info_nce(q, r, self.log_scale.exp(), **options)


def step(rank, world_size, local, valid, gather_gradients):
    """Return all weights after one step of SGD (Adam would hide a wrong factor), and the mean loss.

    The mean of the gradients over the processes is taken here as DistributedDataParallel takes it: making one of those
    imports 900 modules, 6 s in either process.
    """
    module = Contrast()
    pairs = torch.randn(2, PAIRS, 6, generator=torch.Generator().manual_seed(2))
    rows = slice(rank * PAIRS // world_size, (rank + 1) * PAIRS // world_size)
    loss = module(
        *pairs[:, rows],
        valid=None if valid is None else torch.tensor(VALID[valid], dtype=torch.bool)[rows],
        rank=rank,
        world_size=world_size,
        local=local,
        gather_gradients=gather_gradients,
    )
    loss.backward()
    weights = list(module.parameters())
    sums = torch.cat([one.grad.flatten() for one in weights] + [loss.detach().reshape(1)])
    if world_size > 1:
        distributed.all_reduce(sums)
    mean = sums / world_size
    return torch.cat([one.detach().flatten() for one in weights]) - 0.5 * mean[:-1], mean[-1]


def close(found, expected):
    """Compare as numbers; torch.testing would import 500 modules."""
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)


def gathers(rank):
    """Gather 2 rows per process, and weigh the result differently in each."""
    out = {}
    for gradients in (True, False):
        x = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).add(10 * rank).requires_grad_()
        everything = gathered(x, gradients=gradients)
        (everything * torch.arange(8.0).reshape(4, 2) * (rank + 1)).sum().backward()
        out[gradients] = everything.detach(), x.grad
    out["bool"] = gathered(torch.tensor([rank == 0, True]), gradients=False)
    return out


def everything(rank, store):
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=2, timeout=timedelta(seconds=120)
    )
    try:
        found = {case: step(rank, 2, *case) for case in EQUAL + PLAIN}
        others = {case: gathered(weights[None], gradients=False) for case, (weights, _) in found.items()}
        return found, others, gathers(rank)
    finally:
        distributed.destroy_process_group()


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    threads = torch.get_num_threads()
    store = tmp_path_factory.mktemp("store") / "store"
    other = subprocess.Popen([sys.executable, __file__, str(store)], env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        result = everything(0, store)
        assert other.wait(30) == 0
        return result
    finally:
        other.kill()
        other.wait()
        torch.set_num_threads(threads)


@pytest.mark.parametrize("case", EQUAL, ids=str)
def test_two_processes_take_the_step_of_one(two, case):
    weights, loss = step(0, 1, *case)
    found, found_loss = two[0][case]
    close(found, weights)
    close(found_loss, loss)
    first, second = two[1][case]
    assert torch.equal(first, second)  # both processes have the same weights
    moved = (weights - torch.cat([one.detach().flatten() for one in Contrast().parameters()])).abs().max()
    assert (moved > 0.01) == (case[1] != "none")


@pytest.mark.parametrize("case", PLAIN, ids=str)
def test_without_gradients_through_the_gather_they_do_not(two, case):
    weights, loss = step(0, 1, *case)
    found, found_loss = two[0][case]
    close(found_loss, loss)  # the loss does not show it
    assert (found - weights).abs().max() > 0.01


def test_rows_come_in_the_order_of_ranks_and_gradients_are_summed_over_them(two):
    rows = torch.tensor([[1.0, 2.0], [3.0, 4.0], [11.0, 12.0], [13.0, 14.0]])
    weights = torch.arange(4.0).reshape(2, 2)  # of rank 0's rows: once in rank 0, twice in rank 1
    values, gradient = two[2][True]
    assert torch.equal(values, rows)
    assert torch.equal(gradient, 3 * weights)
    values, gradient = two[2][False]
    assert torch.equal(values, rows)
    assert torch.equal(gradient, weights)
    assert two[2]["bool"].tolist() == [True, True, False, True]


def test_one_process_has_all_rows():
    x = torch.zeros(2, 3)
    assert gathered(x) is x


if __name__ == "__main__":
    everything(1, sys.argv[1])
