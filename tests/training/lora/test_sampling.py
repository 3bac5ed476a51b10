import numpy as np

from geosleuth.training.lora.sampling import FILLER, EpochOrder, grouped, shares


def order(parts, **options):
    return EpochOrder(parts, 5, **{"lengths": None, "unit": 4} | options)


def of(sampler, epoch):
    sampler.set_epoch(epoch)
    return list(sampler)


def test_an_epoch_has_every_lesson_once_in_another_order_each_time():
    sampler = order(shares([np.arange(10), np.arange(10, 14)], [10, 4]))
    assert len(sampler) == 16
    assert sorted(of(sampler, 0)) == sorted(of(sampler, 1)) == [FILLER, FILLER, *range(14)]
    assert of(sampler, 0)[14:] == [FILLER, FILLER]  # the last: each process has as many batches
    assert of(sampler, 0) != of(sampler, 1)
    assert of(sampler, 1) == of(order(shares([np.arange(10), np.arange(10, 14)], [10, 4])), 1)


def test_weights_divide_an_epoch_and_no_lesson_comes_again_before_all_have_come():
    few, many = np.arange(4), np.arange(100, 112)
    sampler = order(shares([few, many], [1, 1]))  # eight of each
    epochs = [of(sampler, epoch) for epoch in range(3)]
    for epoch in epochs:
        assert len(epoch) == 16
        assert sum(number < 100 for number in epoch) == 8
        assert all(epoch.count(number) == 2 for number in few)
    seen = [number for epoch in epochs for number in epoch if number >= 100]
    assert sorted(seen) == sorted([*many, *many])  # 3 x 8 = 2 x 12


def test_an_empty_source_gets_no_share():
    [only] = shares([np.arange(0), np.arange(3)], [5, 1])
    assert only.taken == 3


def test_lessons_of_like_length_share_a_batch():
    generator = np.random.default_rng(0)
    lengths = generator.integers(50, 500, 400)
    drawn = generator.permutation(400)

    def padding(numbers):
        batches = lengths[numbers].reshape(-1, 4)
        return 1 - batches.sum() / (4 * batches.max(axis=1)).sum()

    found = grouped(drawn, lengths, 4, generator)
    assert sorted(found) == list(range(400))
    assert padding(drawn) > 0.25
    assert padding(found) < 0.03
    # The batches' own order is by chance: their lengths neither rise nor fall.
    means = lengths[found].reshape(-1, 4).mean(axis=1)
    assert abs(np.corrcoef(np.arange(100), means)[0, 1]) < 0.3


def test_a_short_batch_comes_last():
    lengths = np.arange(10)
    found = grouped(np.arange(10), lengths, 4, np.random.default_rng(0))
    assert sorted(found) == list(range(10))
    assert len(found[8:]) == 2
