"""Tables of SetVL's and MAP's form, written by hand."""

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.manifest import map_tiles, setvl
from geosleuth.training.datasets.open import open_set

HEADER = "cell_id,sat_path,lat,lon,zoom,query_ids,split\n"
ROWS = "c1,sat/1.jpg,10.5,20.5,19,p1 p2,train\nc2,sat/2.png,-11,21,19,p3,train\nc3,sat/3.jpg,12,22,,p4,val\n"


@pytest.fixture
def root(tmp_path):
    for file in ("sat/1.jpg", "sat/2.png", "sat/3.jpg", "map/1.png", "map/2.png", *PHOTOS):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    write(tmp_path, HEADER + ROWS)
    return tmp_path


PHOTOS = ("query/p1.jpg", "query/p2.webp", "query/p3.jpeg", "query/p4.png", "query/n1.jpg")


def write(root, text):
    (root / "manifest.csv").write_text(text, encoding="utf-8")


def relative(root, pictures):
    return [path.removeprefix(f"{root}/") for path in pictures.paths]


def test_photos_go_with_the_tile_of_their_cell(root):
    found = setvl(root, "train")
    assert repr(found) == "SetVL-480K train: 3 queries, 2 references, 0 skipped"
    assert relative(root, found.queries) == ["query/p1.jpg", "query/p2.webp", "query/p3.jpeg"]
    assert found.queries.places.tolist() == [0, 0, 1]
    assert relative(root, found.references) == ["sat/1.jpg", "sat/2.png"]
    assert found.references.places.tolist() == [0, 1]
    assert found.references.positions.tolist() == [[10.5, 20.5], [-11, 21]]
    assert np.isnan(found.queries.positions).all()  # somewhere on the tile
    assert [(one.name, one.view) for one in found.queries.modalities] == [("ground", "ground")]
    assert relative(root, setvl(root, "val").queries) == ["query/p4.png"]


def test_a_map_tile_has_the_position_of_its_satellite_tile(root):
    write(root, "cell_id,map_path,sat_path,lat,lon,zoom,split\nc1,map/1.png,sat/1.jpg,10.5,20.5,19,train\n")
    found = map_tiles(root, "train")
    assert relative(root, found.queries) == ["map/1.png"]
    assert found.queries.positions.tolist() == found.references.positions.tolist() == [[10.5, 20.5]]
    assert [(one.name, one.view) for one in found.queries.modalities] == [("map", "map")]


def test_one_cell_may_have_photos_of_two_modalities_and_two_tiles(root):
    write(
        root,
        "split,query_view,cell_id,sat_path,lat,lon,query_ids,query_modality\n"
        "train,,c1,sat/1.jpg,1,2,p1,\n"
        "train,drone,c1,sat/1.jpg,1,2,n1,infrared drone\n"
        "train,,c1,sat/2.png,1,2,p2,\n"
        "train,,c2,sat/3.jpg,1,2,,\n",  # a tile without photos: of the gallery alone
    )
    found = setvl(root, "train")
    assert [(one.name, one.view) for one in found.queries.modalities] == [
        ("ground", "ground"),
        ("infrared drone", "drone"),
    ]
    assert found.queries.modality.tolist() == [0, 1, 0]
    assert found.queries.places.tolist() == [0, 0, 0]
    assert relative(root, found.references) == ["sat/1.jpg", "sat/2.png", "sat/3.jpg"]
    assert found.references.places.tolist() == [0, 0, 1]


@pytest.mark.parametrize(("name", "modality"), [("night", "night ground"), ("infrared", "infrared drone")])
def test_sets_of_other_light_name_their_modality(root, name, modality):
    assert [one.name for one in open_set(name, root, "train").queries.modalities] == [modality]


def test_missing_pictures_are_skipped_and_counted(root):
    (root / "sat/1.jpg").unlink()
    (root / "query/p3.jpeg").unlink()
    write(root, HEADER + ROWS.replace("p3", "p3 p4"))
    found = setvl(root, "train")
    assert [(one.path, one.reason) for one in found.skipped] == [
        ("sat/1.jpg", "no such file"),
        ("p1", "its satellite tile is missing"),
        ("p2", "its satellite tile is missing"),
        ("p3", "no such file"),
    ]
    assert relative(root, found.queries) == ["query/p4.png"]
    assert found.queries.places.tolist() == found.references.places.tolist()


def test_blank_lines_a_mark_at_the_start_and_further_columns_are_no_matter(root):
    lines = (HEADER + "\n" + ROWS).replace("\n", ",\r\n").replace("split,", "split,source", 1)
    (root / "manifest.csv").write_text("\ufeff" + lines, encoding="utf-8", newline="")
    assert len(setvl(root, "train").queries) == 3


@pytest.mark.parametrize(
    ("row", "line", "column", "found"),
    [
        ("c1,../1.jpg,1,2,19,p1,train", 2, "sat_path", "../1.jpg"),
        ("c1,/sat/1.jpg,1,2,19,p1,train", 2, "sat_path", "/sat/1.jpg"),
        ("c1,sat/../../1.jpg,1,2,19,p1,train", 2, "sat_path", "sat/../../1.jpg"),
        ("c1,C:\\1.jpg,1,2,19,p1,train", 2, "sat_path", "C:\\1.jpg"),
        ("c1,sat/1.jpg,1,2,19,p1 ../../p2,train", 2, "query_ids", "p1 ../../p2"),
        ("c1,,1,2,19,p1,train", 2, "sat_path", ""),
        (",sat/1.jpg,1,2,19,p1,train", 2, "cell_id", ""),
        ("c1,sat/1.jpg,91,2,19,p1,train", 2, "lat", "91"),
        ("c1,sat/1.jpg,1,east,19,p1,train", 2, "lon", "east"),
        ("c1,sat/1.jpg,nan,2,19,p1,train", 2, "lat", "nan"),
        ("c1,sat/1.jpg,1,2,-1,p1,train", 2, "zoom", "-1"),
        ("c1,sat/1.jpg,1,2,25,p1,train", 2, "zoom", "25"),
        ("c1,sat/1.jpg,1,2,19,p1 p1,train", 2, "query_ids", "p1 p1"),
        ("c1,sat/1.jpg,1,2,19,p1,train\nc2,sat/2.png,1,2,19,p1,train", 3, "query_ids", "p1"),
        ("c1,sat/1.jpg,1,2,19,p1,train\nc2,sat/./1.jpg,1,2,19,p2,train", 3, "sat_path", "sat/./1.jpg"),
    ],
)
def test_a_value_that_is_none_is_named_by_file_line_and_column(root, row, line, column, found):
    write(root, HEADER + row + "\n")
    with pytest.raises(InputError) as caught:
        setvl(root, "train")
    assert caught.value.wanted.endswith(f'in {root}/manifest.csv, line {line}, column "{column}"')
    assert caught.value.found == f'"{found}"'
    assert "manifest.py describes it" in caught.value.remedy


def test_a_view_that_the_encoder_does_not_take_is_refused(root):
    write(root, HEADER.replace("split", "split,query_view") + "c1,sat/1.jpg,1,2,19,p1,train,submarine\n")
    with pytest.raises(InputError, match=r'one of ground, drone, satellite, map, panorama in .*"query_view"'):
        setvl(root, "train")


def test_a_table_of_another_form_is_refused(root):
    write(root, "cell_id,sat_path,lat,lon,split\nc1,sat/1.jpg,1,2,train\n")
    with pytest.raises(InputError, match="found no query_ids among cell_id, sat_path"):
        setvl(root, "train")
    with pytest.raises(InputError, match="found no map_path among"):
        map_tiles(root, "train")
    write(root, HEADER.replace("zoom", "lat"))
    with pytest.raises(InputError, match="found a name twice"):
        setvl(root, "train")
    write(root, HEADER + "c1,sat/1.jpg,1\n")
    with pytest.raises(InputError, match=r"Wanted 7 cells in line 2 of .*manifest.csv; found 3\."):
        setvl(root, "train")
    write(root, HEADER)
    with pytest.raises(InputError, match=r"rows in .*manifest.csv; found none"):
        setvl(root, "train")
    write(root, HEADER + 'c1,"sat/1.jpg,1,2\n')
    with pytest.raises(InputError, match="one that cannot be read"):
        setvl(root, "train")
    (root / "manifest.csv").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="a table in UTF-8"):
        setvl(root, "train")


def test_an_unknown_split_lists_those_of_the_table(root):
    with pytest.raises(InputError, match=r'a split of SetVL-480K; found "test"\. Use one of: train, val\.'):
        setvl(root, "test")


def test_a_root_without_a_table_is_told(root):
    with pytest.raises(InputError, match=r"MAP in .*/sat: manifest.csv; found no manifest.csv; it holds 1.jpg, 2.png"):
        map_tiles(root / "sat", "train")
