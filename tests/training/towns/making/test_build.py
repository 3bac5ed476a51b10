import inspect
import subprocess
import sys

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.towns.making.build import build_town
from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.position import style_of_seed
from geosleuth.training.towns.town import NOTHING

SIDE_M = 256.0
SEEDS = [next(s for s in range(64) if style_of_seed(s).plan == plan) for plan in ("grid", "organic", "radial")]


def fingerprint(seed):
    """Its source runs in another process too: it needs nothing from this file."""
    import hashlib

    from geosleuth.training.towns.making.build import build_town

    town = build_town(seed, side_m=256.0)
    digest = hashlib.sha256()
    for layer in (town.surface, town.height_m, town.colour, town.owner):
        digest.update(layer.tobytes())
    digest.update(repr((town.origin, town.structures, town.objects, town.streets)).encode())
    return digest.hexdigest()


@pytest.fixture(scope="module", params=SEEDS)
def town(request):
    return build_town(request.param, side_m=SIDE_M)


def test_a_seed_gives_the_same_bytes_in_another_process():
    code = f"{inspect.getsource(fingerprint)}\nprint(fingerprint({SEEDS[0]}))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert other.stdout.strip() == fingerprint(SEEDS[0]) != fingerprint(SEEDS[0] + 1)


def test_layers_are_a_grid_of_cells(town):
    cells = (1024, 1024)
    assert town.surface.shape == town.height_m.shape == town.owner.shape == town.colour.shape[:2] == cells
    assert town.side_m == SIDE_M
    assert set(np.unique(town.surface)) <= set(range(1, 151))


def test_every_structures_cells_have_its_height(town):
    heights = np.array([structure.height_m for structure in town.structures], np.float32)
    built = town.owner != NOTHING
    assert np.array_equal(town.height_m[built], heights[town.owner[built]])
    assert (town.height_m[~built] == 0).all()
    assert heights.min() > 0
    assert built.mean() > 0.1


def test_one_can_walk_along_every_street(town):
    assert len(town.streets) > 10
    for street in town.streets:
        start, end = np.array(street.start), np.array(street.end)
        points = start + np.linspace(0, 1, int(np.hypot(*(end - start)) / 0.2) + 2)[:, None] * (end - start)
        columns = np.floor(points[:, 0] / town.cell_m).astype(int)
        rows = town.surface.shape[0] - 1 - np.floor(points[:, 1] / town.cell_m).astype(int)
        assert (town.owner[rows, columns] == NOTHING).all(), street
        assert (town.surface[rows, columns] == class_number("road")).all(), street
        assert street.name


def test_objects_stand_on_open_ground_in_the_town(town):
    kinds = {item.kind for item in town.objects}
    assert {"car", "person", "streetlight", "signboard"} <= kinds
    for item in town.objects:
        class_number(item.kind)  # a class of ADE20K
        assert 0 <= item.x_m < SIDE_M
        assert 0 <= item.y_m < SIDE_M
        assert item.width_m > 0 < item.height_m


def test_signs_speak_the_countrys_language_and_hang_on_walls(town):
    signs = [item for item in town.objects if item.kind == "signboard"]
    assert {sign.language for sign in signs} == {town.style.language}
    names = {street.name for street in town.streets}
    assert {sign.text for sign in signs} & names
    for sign in signs:
        assert sign.text
        if sign.text in names:  # a plate at a corner
            continue
        back = np.radians(sign.facing_deg + 180.0)
        x, y = sign.x_m + 1.2 * np.sin(back), sign.y_m + 1.2 * np.cos(back)  # a step behind the board
        row, column = town.surface.shape[0] - 1 - int(y / town.cell_m), int(x / town.cell_m)
        assert town.owner[row, column] != NOTHING, sign


def test_traffic_keeps_to_its_side(town):
    """Those who pass have the centre line on the other hand than their country's side."""
    sides = []
    for item in town.objects:
        if not item.passing or item.kind == "person":
            continue
        ahead = np.array([np.sin(np.radians(item.facing_deg)), np.cos(np.radians(item.facing_deg))])
        nearest = None
        for street in town.streets:
            start, along = np.array(street.start), np.subtract(street.end, street.start)
            if abs(ahead @ along) < 0.999 * np.hypot(*along):
                continue  # it runs along its own street
            share = np.clip((np.array([item.x_m, item.y_m]) - start) @ along / (along @ along), 0, 1)
            off = np.array([item.x_m, item.y_m]) - (start + share * along)
            if nearest is None or np.hypot(*off) < np.hypot(*nearest):
                nearest = off
        sides.append("right" if ahead[1] * nearest[0] - ahead[0] * nearest[1] > 0 else "left")
    assert len(sides) > 5
    assert set(sides) == {town.style.drive_side}


def test_roofs_differ_more_in_easy_towns():
    def spread(difficulty):
        town = build_town(SEEDS[1], side_m=SIDE_M, difficulty=difficulty)
        roofs = [s.colour for s in town.structures if s.facade]
        return np.array(roofs, float).std(0).mean()

    assert spread(0.0) > 1.8 * spread(1.0)


def test_roof_and_wall_of_a_house_go_together():
    town = build_town(SEEDS[1], side_m=SIDE_M, difficulty=0.0)
    pairs = [(s.colour, s.facade.wall) for s in town.structures if s.facade and s.kind != "tower"]
    roof, wall = (np.array(colours, float) for colours in zip(*pairs, strict=True))
    hues = [(colour[:, 0] - colour[:, 2]) for colour in (roof, wall)]  # red against blue
    assert np.corrcoef(*hues)[0, 1] > 0.6


def test_the_town_lies_in_its_country_and_metres_become_degrees(town):
    assert town.style == style_of_seed(town.seed)
    north = town.position(0.0, 111.195)  # a thousandth of a degree of latitude
    assert north.lat - town.origin.lat == pytest.approx(0.001, rel=1e-4)
    assert north.lon == town.origin.lon


@pytest.mark.parametrize(("change", "error"), [({"side_m": 64}, "Wanted a town of 128 to 2048 m; found 64 m"),
                                               ({"difficulty": 1.5}, "Wanted a difficulty from 0 to 1; found 1.5"),
                                               ({"cell_m": 0.0}, "Wanted cells from")])  # fmt: skip
def test_values_out_of_range_are_errors(change, error):
    with pytest.raises(InputError, match=error):
        build_town(0, **change)
