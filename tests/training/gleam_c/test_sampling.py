"""Batches: what must hold whatever the data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_c.sampling import batches, of_rank


@st.composite
def epochs(draw):
    """Places, neighbours with gaps and strangers, and settings."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    count = draw(st.integers(4, 40))
    places = np.concatenate((np.arange(count), rng.integers(0, count, draw(st.integers(0, 80)))))
    rng.shuffle(places)
    width = draw(st.integers(2, 12))
    # -1 fills, and places that no query shows (a gallery has more tiles than the queries need)
    neighbours = rng.integers(-1, count + 3, (len(places), width)).astype(np.int32)
    return {
        "places": places.astype(np.int64),
        "neighbours": draw(st.sampled_from([neighbours, None])),
        "batch_size": 2 * draw(st.integers(1, count // 2)),
        "select": draw(st.integers(2, width)),
        "seed": draw(st.integers(0, 5)),
        "epoch": draw(st.integers(0, 5)),
        "weights": draw(st.sampled_from([None, np.full(len(places), 1.0)])),
    }


@settings(max_examples=150, deadline=None)
@given(given_=epochs())
def test_no_place_twice_in_a_batch_and_no_pair_twice_in_an_epoch(given_):
    found = batches(**given_)
    assert found.dtype == np.int64
    assert found.shape[1] == given_["batch_size"]
    assert len(found) >= 1
    assert found.min() >= 0
    assert found.max() < len(given_["places"])
    assert len(np.unique(found)) == found.size
    for batch in given_["places"][found]:
        assert len(set(batch)) == len(batch)
    assert np.array_equal(found, batches(**given_))


@settings(max_examples=60, deadline=None)
@given(given_=epochs())
def test_what_is_left_over_fills_no_further_batch(given_):
    found = batches(**given_)
    left = np.setdiff1d(np.arange(len(given_["places"])), found)
    assert len(np.unique(given_["places"][left])) < given_["batch_size"]


def lookalikes(groups, size):
    """Places in groups: the neighbours of each are the others of its group, in a fixed order."""
    places = np.arange(groups * size)
    mates = np.array([[o for o in range(p // size * size, p // size * size + size) if o != p] for p in places])
    return places, mates.astype(np.int32)


def test_a_batch_of_lookalikes():
    places, neighbours = lookalikes(groups=50, size=8)
    found = batches(places, neighbours, batch_size=8, select=7, seed=1, epoch=0)
    # of 7 the 4 nearest and 3 by chance: the first pair of the first batch brings all others of its group of 8
    first = found[0]
    assert sorted(first) == [first[0] // 8 * 8 + i for i in range(8)]
    assert first[1:5].tolist() == neighbours[first[0]][:4].tolist()
    assert set(first[5:]) == set(neighbours[first[0]][4:].tolist())
    together = np.mean([len(set(batch // 8)) for batch in found])
    by_chance = np.mean([len(set(b // 8)) for b in batches(places, None, batch_size=8, select=7, seed=1, epoch=0)])
    assert together < 4 < 7 < by_chance  # of 50 groups 8 draws hit 7.5


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1000), select=st.integers(2, 20), batch_size=st.integers(2, 40))
def test_hard_neighbours_are_present(seed, select, batch_size):
    rng = np.random.default_rng(seed)
    places = np.arange(200)
    neighbours = np.array([rng.permutation(np.delete(places, p))[:20] for p in places], np.int32)
    first = batches(places, neighbours, batch_size=batch_size, select=select, seed=seed, epoch=0)[0]
    half = select - select // 2
    brought = first[1 : 1 + select]  # nothing is used before the first pair of the first batch
    row = neighbours[first[0]].tolist()
    assert brought[:half].tolist() == row[: min(half, batch_size - 1)]
    assert set(brought[half:]) <= set(row[half:])
    assert len(brought) == min(select, batch_size - 1)


def test_the_random_half_differs_between_epochs_and_covers_all():
    places = np.arange(60)
    neighbours = np.array([np.delete(places, p)[:12] for p in places], np.int32)
    seen = set()
    for epoch in range(200):
        first = batches(places, neighbours, batch_size=5, select=4, seed=3, epoch=epoch)[0]
        seen |= {neighbours[first[0]].tolist().index(place) for place in first[3:5]}
    assert seen == set(range(2, 12))


def test_of_a_neighbour_with_several_queries_another_one_comes_each_time():
    places = np.array([0, 0, 0, 1, 1, 1])
    neighbours = np.where(places[:, None] == 0, 1, 0).astype(np.int32).repeat(2, axis=1)
    found = batches(places, neighbours, batch_size=2, select=2, seed=0, epoch=0)
    assert found.shape == (3, 2)
    assert sorted(found.ravel()) == list(range(6))


def test_seeds_and_epochs_shuffle_anew():
    places, neighbours = lookalikes(10, 6)
    one, other_epoch, other_seed = (
        batches(places, neighbours, batch_size=6, select=4, seed=seed, epoch=epoch)
        for seed, epoch in ((1, 0), (1, 1), (2, 0))
    )
    assert not np.array_equal(one, other_epoch)
    assert not np.array_equal(one, other_seed)


def test_weights_are_shares_of_epochs():
    places = np.arange(300)
    weights = np.repeat([0.05, 0.3, 1.0], 100)
    shown = np.zeros(300, int)
    per_epoch = []
    for epoch in range(40):
        found = batches(places, None, batch_size=2, select=2, seed=4, epoch=epoch, weights=weights)
        np.add.at(shown, found.ravel(), 1)
        per_epoch.append([(found // 100 == group).sum() for group in range(3)])
    # 40 x weight, to within 1 by construction and 1 for the last, incomplete batch
    assert np.abs(shown - 40 * weights).max() <= 2
    assert shown[:100].min() >= 1  # none is starved
    few, some, all_ = np.mean(per_epoch, axis=0)
    assert few == pytest.approx(5, abs=0.5)
    assert some == pytest.approx(30, abs=0.6)
    assert all_ == pytest.approx(100, abs=0.5)
    assert np.std([one[0] for one in per_epoch]) > 0  # not the same ones, nor as many, each time


@pytest.mark.parametrize("weight", [0.0, 1.5, np.nan])
def test_weights_are_in_range(weight):
    with pytest.raises(ValueError, match="weights"):
        batches(np.arange(4), None, batch_size=2, select=2, seed=0, epoch=0, weights=np.array([1, 1, 1, weight]))


def test_processes_have_contiguous_parts():
    found = batches(np.arange(12), None, batch_size=6, select=2, seed=0, epoch=0)
    parts = [of_rank(found, rank, 3) for rank in range(3)]
    assert [part.shape for part in parts] == [(2, 2)] * 3
    assert np.array_equal(np.concatenate(parts, axis=1), found)
    assert np.array_equal(of_rank(found[1], 2, 3), found[1, 4:])


def test_a_batch_needs_as_many_places():
    places = np.array([0, 1, 2, 0, 1, 2])
    with pytest.raises(InputError, match=r"at least 4 different places.*found 3 in epoch 2.*smaller batch_size"):
        batches(places, None, batch_size=4, select=2, seed=0, epoch=2)
