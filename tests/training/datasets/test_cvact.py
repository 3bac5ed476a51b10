"""CVACT: a real MATLAB file, as its authors' has the variables."""

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cvact import cvact

IDS = ["AAAA_aaaaaaaaaaaaaaaaa", "BBBB-bbbbbbbbbbbbbbbbb", "CCCCcccccccccccccccccc", "DDDDdddddddddddddddddd"]
# On the zone's central meridian, 147 E, eastings are 500,000. The meridian from the equator to 45 degrees is
# 4,984,944.378 m long (GRS 80), UTM shortens it to 0.9996, and the equator has 10,000,000: 5,017,049.60 at 45 S.
UTM = [[500_000, 5_017_049.6], [500_000, 10_000_000], [5_017_049.6, 500_000], [0, 0]]


def write(root, inner="", **changed):
    io = pytest.importorskip("scipy.io")
    for folder, ending in (("streetview", "grdView"), ("satview_polish", "satView_polish")):
        (root / inner / folder).mkdir(parents=True)
        for one in IDS:
            (root / inner / folder / f"{one}_{ending}.jpg").touch()
    table = {
        "panoIds": np.array(IDS),
        "utm": np.array(UTM, float),
        "trainSet": {"name": "train", "trainInd": np.array([[1], [3], [4]])},
        "valSet": {"name": "val", "valInd": np.array([[2]])},
    }
    io.savemat(root / "ACT_data.mat", table | changed)
    return root


@pytest.mark.parametrize("inner", ["", "ANU_data_small"])
def test_indices_count_from_one(tmp_path, inner):
    found = cvact(write(tmp_path, inner), "train")
    folder = tmp_path / inner
    assert found.queries.paths == [f"{folder}/streetview/{IDS[i]}_grdView.jpg" for i in (0, 2, 3)]
    assert found.references.paths == [f"{folder}/satview_polish/{IDS[i]}_satView_polish.jpg" for i in (0, 2, 3)]
    assert found.queries.places.tolist() == found.references.places.tolist() == [0, 1, 2]
    assert found.queries.modalities[0].view == "panorama"
    assert cvact(tmp_path, "val").queries.paths == [f"{folder}/streetview/{IDS[1]}_grdView.jpg"]


def test_metres_of_utm_become_degrees_in_either_order(tmp_path):
    where = cvact(write(tmp_path), "train").references.positions
    assert where[0] == pytest.approx([-45.0, 147.0], abs=1e-6)
    assert where[1].tolist() == where[0].tolist()  # northing first
    assert np.isnan(where[2]).all()  # (0, 0) lies in no zone
    assert cvact(tmp_path, "val").queries.positions[0] == pytest.approx([0.0, 147.0], abs=1e-6)


def test_the_zone_of_each_pair_is_taken_where_the_table_has_it(tmp_path):
    # 45 N on the central meridian: 4,984,944.378 m x 0.9996 = 4,982,950.40. Zone 31 has it at 3 E, zone 1 at 177 W.
    north, south = [500_000, 4_982_950.4], [500_000, 5_017_049.6]
    write(tmp_path, utm=np.array([north, south, north, north]), utmZone=np.array([[31], [-1], [1], [61]]))
    where = cvact(tmp_path, "train").queries.positions
    assert where[0] == pytest.approx([45.0, 3.0], abs=1e-6)
    assert where[1] == pytest.approx([45.0, -177.0], abs=1e-6)
    assert np.isnan(where[2]).all()  # there are 60 zones
    assert cvact(tmp_path, "val").queries.positions[0] == pytest.approx([-45.0, -177.0], abs=1e-6)


def test_a_cell_array_of_ids_reads_as_a_char_matrix(tmp_path):
    found = cvact(write(tmp_path, panoIds=np.array(IDS, object)), "train")
    assert IDS[0] in found.queries.paths[0]


def test_missing_pictures_are_counted(tmp_path):
    write(tmp_path)
    (tmp_path / f"streetview/{IDS[0]}_grdView.jpg").unlink()
    (tmp_path / f"satview_polish/{IDS[2]}_satView_polish.jpg").unlink()
    found = cvact(tmp_path, "train")
    assert IDS[3] in found.queries.paths[0]
    assert [(one.path, one.reason) for one in found.skipped] == [
        (f"streetview/{IDS[0]}_grdView.jpg", "no such file"),
        (f"satview_polish/{IDS[2]}_satView_polish.jpg", "no such file"),
        (f"streetview/{IDS[2]}_grdView.jpg", "its satellite tile is missing"),
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"trainSet": {"trainInd": np.array([[0]])}},  # counts from 1
        {"trainSet": {"trainInd": np.array([[5]])}},
        {"trainSet": {"other": 1}},
        {"utm": np.zeros((3, 2))},
        {"utmZone": np.zeros((3, 1))},
        {"panoIds": np.array(["../a", "b", "c", "d"])},
    ],
)
def test_a_table_with_other_content_is_refused(tmp_path, changed):
    write(tmp_path, **changed)
    with pytest.raises(InputError, match=r"panoIds, utm, trainSet.trainInd in .*Copy the data set's table again"):
        cvact(tmp_path, "train")


def test_a_file_that_is_no_table_is_refused(tmp_path):
    write(tmp_path)
    for content in (b"", b"nothing of MATLAB" * 20):
        (tmp_path / "ACT_data.mat").write_bytes(content)
        with pytest.raises(InputError, match="a file that cannot be read"):
            cvact(tmp_path, "train")


def test_a_wrong_root_is_told_what_was_looked_for(tmp_path):
    with pytest.raises(
        InputError, match=r"CVACT in .*: ACT_data.mat, streetview, satview_polish; found none of them; it holds nothing"
    ):
        cvact(tmp_path, "train")
    with pytest.raises(InputError, match="train, val"):
        cvact(tmp_path, "test")


def test_without_scipy_it_says_how_to_get_it(tmp_path, monkeypatch):
    write(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "scipy.io", None)
    with pytest.raises(InputError, match=r"package scipy.*pip install 'geosleuth\[train\]'"):
        cvact(tmp_path, "train")
