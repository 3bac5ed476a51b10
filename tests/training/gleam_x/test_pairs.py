from collections import Counter

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.columns import columns
from geosleuth.training.datasets.cross_view import NO_PLACE, CrossViewSet, Modality
from geosleuth.training.gleam_x.pairs import make_pairs
from geosleuth.training.gleam_x.record_file import write_records


class Angle:
    """A real encoder: what a picture's red says, as an angle; near reds are similar."""

    spec, weights_sha256, dimension, input_side_px = "angle", "a" * 64, 2, 8

    def prepare(self, pixels, view="ground"):
        assert view in ("panorama", "satellite")
        return pixels[..., 0].mean() / 255 * np.pi / 2

    def encode(self, prepared):
        return np.stack([np.cos(prepared), np.sin(prepared)], axis=1).astype(np.float32)


def paint(root, name, red):
    path = root / f"{name}.png"
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (8, 8), (red, 0, 0)).save(path)
    return str(path)


def data_set(root, *, places=8, semi=None, junk=(), per_place=1):
    """Place i is painted with the red 20 i, and so are its queries: ranks follow from the numbers."""
    references = [paint(root, f"tiles/{i}", 20 * i) for i in range(places)]
    queries = [paint(root, f"ground/{i}-{j}", 20 * i + 3) for i in range(places) for j in range(per_place)]
    known = [NO_PLACE if i in junk else i for i in range(places)]
    return CrossViewSet(
        "Made Up",
        "train",
        columns(queries, [i for i in range(places) for _ in range(per_place)], (Modality("panorama", "panorama"),)),
        columns(references, known, (Modality("satellite", "satellite"),)),
        semi_positives=None if semi is None else np.array(semi, np.int64),
    )


def numbers(record):
    return int(record.query_path[7:].split("-")[0]), int(record.satellite_path[6:-4])


def test_wrong_references_come_from_the_ranks_that_were_asked_for(tmp_path):
    found = make_pairs(data_set(tmp_path), tmp_path, encoder=Angle(), ranks=(2, 2))
    assert Counter(one.label for one in found) == {"match": 8, "no_match": 8}
    for one in found:
        query, tile = numbers(one)
        if one.label == "match":
            assert (tile, one.hard_negative_rank) == (query, None)
        else:  # the red of the query lies 3 above its tile's: the nearest wrong one is the next, then the one before
            near = sorted((i for i in range(8) if i != query), key=lambda i: abs(20 * i - (20 * query + 3)))
            assert (tile, one.hard_negative_rank) == (near[1], 2)
    first = found[0]
    assert (first.query_view, first.query_modality, first.reference_view) == ("panorama", "panorama", "satellite")
    assert (first.source_dataset, first.explanation, first.human_revised) == ("Made Up train", None, False)
    assert first.pair_id.startswith("made-up-train-")


def test_what_also_shows_the_place_or_is_of_no_known_place_is_never_wrong(tmp_path):
    semi = [[(i + 1) % 8, -1] for i in range(8)]
    opened = data_set(tmp_path, semi=semi, junk=(5,), per_place=2)
    opened = CrossViewSet(opened.name, "train", opened.queries, opened.references, np.repeat(semi, 2, axis=0))
    for encoder in (Angle(), None):
        found = make_pairs(opened, tmp_path, encoder=encoder, ranks=(1, 7), negatives=6)
        wrong = [numbers(one) for one in found if one.label == "no_match"]
        assert len(wrong) == len(found) // 2 == 14  # place 5 has no true reference left: 7 places, 2 queries each
        assert all(tile not in (query, (query + 1) % 8, 5) for query, tile in wrong)
        assert {query for query, _ in map(numbers, found)} <= {0, 1, 2, 3, 4, 6, 7}
    ranks = [one.hard_negative_rank for one in make_pairs(opened, tmp_path, encoder=Angle(), ranks=(1, 3))]
    assert set(ranks) <= {None, 1, 2, 3}  # counted without the true, the semi-positive and the junk


def test_several_wrong_ones_leave_the_labels_balanced(tmp_path):
    found = make_pairs(data_set(tmp_path), tmp_path, encoder=Angle(), negatives=3)
    assert Counter(one.label for one in found) == {"match": 8, "no_match": 8}
    wrong = Counter(one.query_path for one in found if one.label == "no_match")
    assert sorted(wrong.values()) == [2, 3, 3]
    for end in range(2, 17, 2):  # every beginning is balanced
        assert sum(one.label == "match" for one in found[:end]) == end // 2


def test_the_same_seed_draws_the_same_pairs(tmp_path):
    opened = data_set(tmp_path)
    a, b = (make_pairs(opened, tmp_path, encoder=None, queries=4, seed=3) for _ in range(2))
    assert a == b
    assert len(a) == 8
    assert a != make_pairs(opened, tmp_path, encoder=None, queries=4, seed=4)
    assert all(one.hard_negative_rank is None for one in a)


def test_each_pair_comes_in_each_language(tmp_path):
    found = make_pairs(data_set(tmp_path), tmp_path, encoder=None, queries=3, languages=("en", "zh"))
    assert Counter(one.lang for one in found) == {"en": 6, "zh": 6}
    assert {one.pair_id for one in found if one.lang == "en"} == {one.pair_id for one in found if one.lang == "zh"}
    write_records(tmp_path / "pairs.jsonl", found)  # no pair twice


def test_pictures_that_cannot_be_read_are_left_out(tmp_path):
    opened = data_set(tmp_path)
    (tmp_path / "tiles/3.png").write_bytes(b"no picture")
    (tmp_path / "ground/6-0.png").write_bytes(b"no picture")
    found = make_pairs(opened, tmp_path, encoder=Angle())
    assert {query for query, _ in map(numbers, found)} == {0, 1, 2, 4, 5, 7}
    assert 3 not in {tile for _, tile in map(numbers, found)}


def test_several_true_references_are_all_true(tmp_path):
    opened = data_set(tmp_path, per_place=3)  # turned round: a tile asks for the pictures of its place
    turned = CrossViewSet("Turned", "test", opened.references, opened.queries)
    found = make_pairs(turned, tmp_path, encoder=Angle(), ranks=(1, 3))
    pairs = [(one.query_path[6:-4], one.satellite_path[7:].split("-")[0], one.label) for one in found]
    assert len(pairs) == 16
    assert all((query == place) == (label == "match") for query, place, label in pairs)
    assert {one.reference_view for one in found} == {"panorama"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ranks": (0, 3)}, "Wanted a first and a last rank, from 1; found 0 and 3"),
        ({"ranks": (5, 3)}, "found 5 and 3"),
        ({"negatives": 0}, "Wanted one wrong reference and one query, or more"),
        ({"queries": 0}, "Wanted one wrong reference and one query, or more"),
        ({"languages": ()}, "Wanted one language or more, each once"),
        ({"languages": ("en", "en")}, "Wanted one language or more, each once"),
        ({"ranks": (50, 60)}, "Wanted wrong references; found none in Made Up train"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, changes, said):
    with pytest.raises(InputError, match=said):
        make_pairs(data_set(tmp_path), tmp_path, **{"encoder": Angle(), **changes})


def test_a_root_of_another_set_and_a_set_without_answers_are_refused(tmp_path):
    opened = data_set(tmp_path, places=3)
    with pytest.raises(InputError, match="Wanted pictures below"):
        make_pairs(opened, tmp_path / "tiles", encoder=None)
    with pytest.raises(InputError, match="Wanted queries with a true reference"):
        make_pairs(data_set(tmp_path, places=3, junk=(0, 1, 2)), tmp_path, encoder=None)
