"""Several sets as one: what is trained on, and what is said of it."""

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_c.config import DataConfig
from geosleuth.training.gleam_c.training_data import open_training_data


def write(root, header, rows, *files):
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    (root / "manifest.csv").write_text("\n".join([header, *rows]) + "\n")
    return root


@pytest.fixture
def sets(tmp_path):
    """Two cells with a photo each and a third whose photo is not there; one map tile."""
    photos = write(
        tmp_path / "photos",
        "cell_id,sat_path,lat,lon,zoom,query_ids,split",
        ["a,sat/a.jpg,1,1,18,p,train", "b,sat/b.jpg,1,2,18,q,train", "c,sat/c.jpg,1,3,18,gone,train"],
        *("sat/a.jpg", "sat/b.jpg", "sat/c.jpg", "query/p.jpg", "query/q.jpg"),
    )
    maps = write(
        tmp_path / "maps",
        "cell_id,map_path,sat_path,lat,lon,zoom,split",
        ["m,map/m.png,sat/m.jpg,5,5,18,train"],
        *("map/m.png", "sat/m.jpg"),
    )
    return photos, maps


def test_each_set_is_said_with_what_an_epoch_takes_of_it(sets):
    photos, maps = sets
    configs = [
        DataConfig(set="setvl", root=photos, split="train", weight=1.0),
        DataConfig(set="map", root=maps, split="train", weight=1.0),
    ]
    found = open_training_data(configs)
    # Equal weights draw as many pairs of each: the one map, and one photo of two.
    assert found.said == (
        (
            "SetVL-480K train: 2 queries, 3 references; 1 skipped: 1 no such file (first: gone); "
            "weight 1: about 1 of 2 pairs an epoch"
        ),
        "MAP train: 1 queries, 1 references; none skipped; weight 1: about 1 of 1 pairs an epoch",
    )
    assert found.weights.tolist() == [0.5, 0.5, 1.0]
    assert found.places.tolist() == [0, 1, 2]
    assert [path.rsplit("/", 1)[1] for path in found.tiles.paths] == ["a.jpg", "b.jpg", "m.jpg"]  # c has no query
    assert found.positions.tolist() == [[1, 1], [1, 2], [5, 5]]


def test_without_weights_all_pairs_are_taken(sets):
    found = open_training_data([DataConfig(set="setvl", root=sets[0], split="train")])
    assert found.weights is None
    assert found.said[0].endswith("; no weight: about 2 of 2 pairs an epoch")


def test_a_modality_that_is_not_there_is_refused(sets):
    config = DataConfig(set="map", root=sets[1], split="train", modality_weights={"drone": 2.0})
    with pytest.raises(InputError, match=r'modality_weights; found "drone"\. Use: map'):
        open_training_data([config])
