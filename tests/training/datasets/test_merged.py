"""Merged sets: numbers that cannot collide, and how often a pair is drawn."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.columns import NOWHERE, columns
from geosleuth.training.datasets.cross_view import NO_PLACE, CrossViewSet, Modality, Skipped
from geosleuth.training.datasets.merged import drawing_weights, merged

SATELLITE, PANORAMA = Modality("satellite", "satellite"), Modality("panorama", "panorama")
DRONE, STREET = Modality("drone", "drone"), Modality("street", "ground")


def made(name, query_places, places, *, kinds=(PANORAMA,), kind=None, semi=None, where=None):
    return CrossViewSet(
        name,
        "train",
        columns([f"{name}/q{i}" for i in range(len(query_places))], query_places, kinds, modality=kind),
        columns([f"{name}/r{i}" for i in range(len(places))], places, (SATELLITE,), positions=where),
        None if semi is None else np.array(semi),
        (Skipped("x.jpg", "no such file"),),
    )


def test_numbers_are_moved_and_modalities_united():
    one = made("A", [3, 0], [0, 3, NO_PLACE], semi=[[0, -1, 2], [1, 1, -1]])
    two = made("B", [839, 839, 842], [839, 842], kinds=(DRONE, PANORAMA), kind=[0, 1, 0])
    three = made("C", [1], [1, 2], kinds=(STREET,), semi=[[1]])
    found = merged([one, two, three])
    assert (found.name, found.split) == ("A + B + C", "train")
    assert found.queries.paths == ["A/q0", "A/q1", "B/q0", "B/q1", "B/q2", "C/q0"]
    # A uses places to 3, so B begins at 4; B's greatest is 842 + 4, so C begins at 847.
    assert found.queries.places.tolist() == [3, 0, 843, 843, 846, 848]
    assert found.references.places.tolist() == [0, 3, NO_PLACE, 843, 846, 848, 849]
    assert found.queries.modalities == (PANORAMA, DRONE, STREET)
    assert found.queries.modality.tolist() == [0, 0, 1, 0, 1, 2]
    assert found.references.modalities == (SATELLITE,)
    # C's reference 1 is the seventh of all; B has no semi-positives, C fewer than A.
    assert found.semi_positives.tolist() == [
        [0, -1, 2],
        [1, 1, -1],
        [-1, -1, -1],
        [-1, -1, -1],
        [-1, -1, -1],
        [6, -1, -1],
    ]
    assert [one.path for one in found.skipped] == ["A: x.jpg", "B: x.jpg", "C: x.jpg"]


def test_without_semi_positives_there_are_none():
    assert merged([made("A", [0], [0]), made("B", [0], [0])]).semi_positives is None


place_lists = st.lists(
    st.lists(st.integers(0, 6), min_size=1, max_size=8).flatmap(
        lambda places: st.tuples(
            st.just(places), st.lists(st.sampled_from([*places, NO_PLACE]), min_size=1, max_size=8)
        )
    ),
    min_size=1,
    max_size=5,
)


@given(place_lists)
@settings(deadline=None, max_examples=60)
def test_a_reference_answers_a_query_as_before_and_never_one_of_another_set(sets):
    given_sets = [made(f"S{i}", queries, references) for i, (queries, references) in enumerate(sets)]
    found = merged(given_sets)
    after = found.queries.places[:, None] == found.references.places[None, :]
    first_q = first_r = 0
    for one in given_sets:
        rows, cols = slice(first_q, first_q + len(one.queries)), slice(first_r, first_r + len(one.references))
        before = one.queries.places[:, None] == one.references.places[None, :]
        assert np.array_equal(after[rows, cols], before)
        after[rows, cols] = False
        first_q, first_r = rows.stop, cols.stop
    assert not after.any()
    assert (found.references.places == NO_PLACE).sum() == sum(r.count(NO_PLACE) for _, r in sets)


def test_tiles_on_one_spot_in_two_sets_are_one_place():
    day = made("day", [0, 1, 2], [0, 1, 2], where=[(10, 20), (11, 21), (11, 21)])
    night = made("night", [0, 1], [0, 1], where=[(11.0000001, 21), (12, 22)])
    nowhere = made("nowhere", [0], [0], where=[NOWHERE])
    found = merged([day, night, nowhere])
    # Night's tile 0 is on day's tile 1, and so on its tile 2, which alone a set may tell apart; places from 0 to 5.
    assert found.references.places.tolist() == [0, 1, 2, 1, 4, 5]
    assert found.queries.places.tolist() == [0, 1, 2, 1, 4, 5]


def test_the_same_reference_in_two_sets_is_refused():
    with pytest.raises(InputError, match=r"found A/r0 in A train and in A train\. Leave one of the two out"):
        merged([made("A", [0], [0]), made("A", [0], [0])])
    with pytest.raises(InputError, match="data sets to merge; found none"):
        merged([])


def config(weight=None, **modality_weights):
    return SimpleNamespace(weight=weight, modality_weights=modality_weights)


def test_without_weights_every_pair_is_in_every_epoch():
    sets = [made("A", [0] * 3, [0]), made("B", [0] * 7, [0])]
    assert drawing_weights(sets, [config(), config()]).tolist() == [1.0] * 10


def test_equal_weights_draw_as_many_pairs_of_each_set():
    # 2 pairs and 8 pairs, as many of each: both of the 2, and each of the 8 in a quarter of the epochs.
    sets = [made("A", [0] * 2, [0]), made("B", [0] * 8, [0])]
    assert drawing_weights(sets, [config(1.0), config(1.0)]) == pytest.approx([1.0] * 2 + [0.25] * 8)
    # 1 : 20 asks for 40 of the 8 beside the 2: so all 8, and 8 / 20 = 0.4 of A's pairs, 0.2 of each.
    assert drawing_weights(sets, [config(1.0), config(20.0)]) == pytest.approx([0.2] * 2 + [1.0] * 8)


def test_a_set_without_a_weight_weighs_as_many_as_it_has():
    # 4 beside 2 pairs: A has 4, B's 8 are to be 2 in number.
    sets = [made("A", [0] * 4, [0]), made("B", [0] * 8, [0])]
    assert drawing_weights(sets, [config(), config(2.0)]) == pytest.approx([1.0] * 4 + [0.25] * 8)


def test_modalities_are_weighted_within_their_set():
    # Among 3 pairs of which the drone's weighs 4 and the street's 1 each: 4/6, 1/6, 1/6 of the set's 3 pairs, thus
    # 2, 0.5, 0.5; the other set's pair has 1. Scaled by 2: 1, 0.25, 0.25 and 0.5.
    sets = [made("A", [0] * 3, [0], kinds=(DRONE, STREET), kind=[0, 1, 1]), made("B", [0], [0])]
    assert drawing_weights(sets, [config(drone=4.0), config()]) == pytest.approx([1.0, 0.25, 0.25, 0.5])


def test_a_modality_that_the_set_lacks_is_refused():
    sets = [made("A", [0], [0], kinds=(DRONE, STREET))]
    with pytest.raises(InputError, match=r'modalities of A in modality_weights; found "dron"\. Use: drone, street\.'):
        drawing_weights(sets, [config(dron=2.0)])


@given(st.lists(st.tuples(st.integers(1, 9), st.none() | st.floats(0.01, 100)), min_size=1, max_size=5))
@settings(deadline=None, max_examples=60)
def test_chances_are_shares_of_an_epoch_and_the_scarcest_is_whole(parts):
    sets = [made(f"S{i}", [0] * n, [0]) for i, (n, _) in enumerate(parts)]
    chances = drawing_weights(sets, [config(weight) for _, weight in parts])
    assert chances.max() == pytest.approx(1.0)
    assert chances.min() > 0
    pairs = [chunk.sum() for chunk in np.split(chances, np.cumsum([n for n, _ in parts])[:-1])]
    wanted = [n if weight is None else weight for n, weight in parts]
    assert np.divide(pairs, pairs[0]) == pytest.approx(np.divide(wanted, wanted[0]))
