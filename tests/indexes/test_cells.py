"""Cells as arrays agree with h3 itself."""

import h3.api.basic_int as h3
import numpy as np
import pytest

from geosleuth.indexes.cells import all_cells, areas_km2, cells_at, centres, children, parents, resolutions


def test_every_resolution_has_its_published_number_of_cells() -> None:
    assert [len(all_cells(r)) for r in range(4)] == [122, 842, 5882, 41162]  # h3geo.org, table of cell statistics


def test_parents_and_children_are_those_of_h3() -> None:
    cells = all_cells(2)[::50]
    assert (parents(cells, 1) == [h3.cell_to_parent(c, 1) for c in cells.tolist()]).all()
    ours = {int(c) for c in children(cells, 4)}
    assert ours == {c for cell in cells.tolist() for c in h3.cell_to_children(cell, 4)}


def test_pentagon_has_one_child_less() -> None:
    pentagon = np.array(sorted(h3.get_pentagons(3))[:1], dtype=np.uint64)
    assert len(children(pentagon, 4)) == 6


def test_areas_sum_to_the_sphere() -> None:
    assert areas_km2(all_cells(1)).sum() == pytest.approx(510_065_622, rel=1e-4)  # 4 pi R^2 with R = 6371.007 km


def test_centres_lie_in_their_cells() -> None:
    cells = all_cells(1)
    assert (cells_at(*centres(cells), 1) == cells).all()
    assert set(resolutions(cells).tolist()) == {1}
