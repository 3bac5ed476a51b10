"""The contrastive loss in one process; two processes are in test_gather."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from geosleuth.training.gleam_c.loss import clamp_log_scale, initial_log_scale, symmetric_info_nce


def close(found, expected):
    """Compare as numbers; torch.testing would import 500 modules."""
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-6)


def unit(rows, width, seed):
    x = torch.randn(rows, width, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(x, dim=1)


def test_two_orthogonal_pairs_by_hand():
    both, scale = torch.eye(2), torch.tensor(3.0)
    # each row: log p of its own = -ln(1 + e^-3), of the other 3 less
    assert symmetric_info_nce(both, both, scale, label_smoothing=0.0).item() == pytest.approx(
        math.log(1 + math.exp(-3)), rel=1e-6
    )
    # smoothing takes 0.1 / 2 from its own and gives it to the other: + 0.05 x 3
    assert symmetric_info_nce(both, both, scale, label_smoothing=0.1).item() == pytest.approx(
        math.log(1 + math.exp(-3)) + 0.15, rel=1e-6
    )


def test_it_is_the_mean_of_both_directions():
    queries, references = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.eye(2)
    # logits [[1, 0], [1, 0]]; query -> reference: ln(1 + e^-1) and ln(1 + e^1); reference -> query: ln 2 twice
    expected = (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(1)) + 2 * math.log(2)) / 4
    found = symmetric_info_nce(queries, references, torch.tensor(1.0), label_smoothing=0.0)
    assert found.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("local", [True, False])
def test_it_is_torchs_cross_entropy(local):
    queries, references, scale = unit(7, 5, 1), unit(7, 5, 2), torch.tensor(14.0)
    logits = scale * queries @ references.T
    cross = torch.nn.functional.cross_entropy
    expected = (
        cross(logits, torch.arange(7), label_smoothing=0.1) + cross(logits.T, torch.arange(7), label_smoothing=0.1)
    ) / 2
    found = symmetric_info_nce(queries, references, scale, local=local)
    close(found, expected)


@settings(max_examples=25, deadline=None)
@given(valid=st.lists(st.booleans(), min_size=2, max_size=9).filter(any), local=st.booleans())
def test_left_out_pairs_are_as_if_they_were_not_there(valid, local):
    keep = torch.tensor(valid)
    queries, references = unit(len(valid), 4, 3), unit(len(valid), 4, 4)
    scale = torch.tensor(9.0)
    few = [x[keep].clone().requires_grad_() for x in (queries, references)]
    expected = symmetric_info_nce(*few, scale)
    expected.backward()
    queries[~keep], references[~keep] = math.nan, math.inf  # whatever stands there does not matter
    full = [x.requires_grad_() for x in (queries, references)]
    found = symmetric_info_nce(*full, scale, valid=keep, local=local)
    found.backward()
    close(found, expected)
    for one, all_of_it in zip(few, full, strict=True):
        close(all_of_it.grad[keep], one.grad)
        assert (all_of_it.grad[~keep] == 0).all()


def test_without_any_valid_pair_loss_and_gradients_are_zero():
    inputs = [unit(3, 4, 5).requires_grad_(), unit(3, 4, 6).requires_grad_(), torch.tensor(14.0, requires_grad=True)]
    loss = symmetric_info_nce(*inputs, valid=torch.zeros(3, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert all((one.grad == 0).all() for one in inputs)


def test_it_is_computed_in_float32_under_autocast():
    queries, references, scale = unit(6, 64, 7).bfloat16(), unit(6, 64, 8).bfloat16(), torch.tensor(100.0)
    expected = symmetric_info_nce(queries.float(), references.float(), scale)
    with torch.autocast("cpu", torch.bfloat16):
        found = symmetric_info_nce(queries, references, scale)
    assert found.dtype == torch.float32
    assert found.item() == expected.item()


def test_the_scale_starts_at_one_over_the_temperature_and_stays_below_its_limit():
    assert initial_log_scale(0.07) == pytest.approx(2.65926, abs=1e-5)
    log_scale = torch.nn.Parameter(torch.tensor(5.0))
    clamp_log_scale(log_scale, 100.0)
    assert log_scale.item() == pytest.approx(np.log(100.0))
    log_scale.data.fill_(-1.0)
    clamp_log_scale(log_scale, 100.0)
    assert log_scale.item() == -1.0
