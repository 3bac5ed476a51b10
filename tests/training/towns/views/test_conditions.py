import numpy as np

from geosleuth.training.towns.making.classes import UNLABELLED, class_number, class_of
from geosleuth.training.towns.views.conditions import infrared, night


def picture(*kinds, grey=100):
    labels = np.array([[class_number(kind) if kind else UNLABELLED for kind in kinds]] * 4, np.uint8)
    return np.full((*labels.shape, 3), grey, np.uint8), labels


def test_class_numbers_are_ade20ks_from_one():
    assert [class_number(kind) for kind in ("wall", "sky", "tree", "road", "streetlight", "flag")] == [
        1,
        3,
        5,
        7,
        88,
        150,
    ]
    assert class_of(7) == "road"


def test_infrared_shows_leaves_bright_and_water_black():
    pixels, labels = picture("tree", "grass", "road", "river", "sky", None)
    seen = infrared(pixels, labels)
    assert (seen == seen[..., :1]).all()  # one band, thrice
    tree, grass, road, river, sky, unlabelled = seen[0, :, 0].tolist()
    assert min(tree, grass) > 150
    assert road == unlabelled == 85  # 0.85 of the visible grey
    assert (river, sky) == (12, 36)


def test_infrared_keeps_a_crowns_light_and_shade():
    dark, light = (infrared(*picture("tree", grey=grey))[0, 0, 0] for grey in (40, 110))
    assert light - dark > 40


def test_night_is_dark_but_for_lamps():
    pixels, labels = picture("road", "building", "streetlight", "sky", grey=150)
    dark = night(pixels, labels, np.random.default_rng(0)).astype(float).mean((0, 2))
    assert max(dark[0], dark[1], dark[3]) < 45
    assert dark[2] > 100


def test_lamplight_falls_where_it_is_said():
    pixels, labels = picture("road", "road")
    light = np.zeros((4, 2), np.float32)
    light[:, 1] = 1.0
    dark = night(pixels, labels, np.random.default_rng(0), light=light).astype(float)
    assert dark[:, 1].mean() > 2.5 * dark[:, 0].mean()
    assert dark[:, 1, 0].mean() > dark[:, 1, 2].mean() + 30  # sodium is yellow


def test_night_is_the_generators():
    pixels, labels = picture("road", "sky")
    first, again, other = (night(pixels, labels, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
