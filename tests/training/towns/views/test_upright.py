import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.lettering import sign_picture
from geosleuth.training.towns.town import Rendered, TownObject
from geosleuth.training.towns.views.panorama import panorama
from geosleuth.training.towns.views.passing import objects_on_a_day
from geosleuth.training.towns.views.seen import LEAST_SHARE
from geosleuth.training.towns.views.sprites import Points, paint
from geosleuth.training.towns.views.street_photo import street_photo

spec = importlib.util.spec_from_file_location("hand_town", Path(__file__).parent.with_name("hand_town.py"))
hand = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hand)


def view(town, x=60.0, y=60.0, **options) -> Rendered:
    return panorama(town, x, y, height_px=360, width_px=720, **options)


def texts(rendered: Rendered) -> list[tuple[str | None, str | None]]:
    return [(s.text, s.language) for s in rendered.seen if s.kind == "signboard"]


def test_a_thing_is_where_and_as_large_as_it_should_be() -> None:
    post = TownObject("pole", 60.0, 70.0, 0.0, 1.0, 5.0, None, (200, 0, 200))  # 10 m to the north
    rows, columns = np.nonzero(view(hand.hand_town(post)).labels == class_number("pole"))
    # Half a degree a pixel: up to atan(2.5 / 10) = 14.0 degrees, as far down, atan(0.5 / 10) = 2.9 to each side.
    assert (rows.min(), rows.max() + 1) == pytest.approx((180 - 28.1, 180 + 28.1), abs=1)
    assert (columns.min(), columns.max() + 1) == pytest.approx((360 - 5.7, 360 + 5.7), abs=1)


def test_a_thing_at_the_edge_of_the_view_is_on_both_sides_of_it() -> None:
    post = TownObject("pole", 60.0, 50.0, 0.0, 1.0, 5.0, None, (200, 0, 200))  # behind
    columns = np.nonzero(view(hand.hand_town(post)).labels == class_number("pole"))[1]
    assert set(columns) == {0, 1, 2, 3, 4, 5, 714, 715, 716, 717, 718, 719}


def test_nearer_things_hide_farther_ones_and_walls_hide_things() -> None:
    near = TownObject("pole", 60.0, 66.0, 0.0, 1.0, 5.0, None, (200, 0, 200))
    far = TownObject("bench", 60.0, 70.0, 0.0, 0.6, 0.9, None, (0, 0, 200))
    behind = TownObject("bus", 66.0, 95.0, 0.0, 2.5, 3.0, 0.0, (0, 200, 0))  # north of the red block
    for order in ((near, far, behind), (behind, far, near)):
        labels = view(hand.hand_town(*order)).labels
        assert (labels == class_number("pole")).any()
        assert not (labels == class_number("bench")).any()
        assert not (labels == class_number("bus")).any()


def test_a_bus_that_passes_through_the_camera_is_left_out() -> None:
    bus = TownObject("bus", 60.0, 64.0, 0.0, 2.5, 3.0, 0.0, (0, 200, 0))
    assert not (view(hand.hand_town(bus)).labels == class_number("bus")).any()
    assert (view(hand.hand_town(bus), y=50.0).labels == class_number("bus")).any()


def test_the_text_of_a_sign_is_seen_if_and_only_if_it_is_drawn_to_be_read() -> None:
    town = hand.hand_town(hand.sign())
    assert texts(view(town)) == [("BAKERY", "en")]
    assert texts(view(town, readable=False)) == [(None, None)]


def test_a_board_shows_the_lettering_of_its_text() -> None:
    board = hand.sign(width_m=12.0)
    town = hand.hand_town(board)
    photo = street_photo(town, 60.0, 72.0, heading_deg=0.0, fov_deg=80.0, height_px=300, width_px=400, eye_m=3.2)
    unread = street_photo(
        town, 60.0, 72.0, heading_deg=0.0, fov_deg=80.0, height_px=300, width_px=400, eye_m=3.2, readable=False
    )
    rows, columns = np.nonzero(photo.labels == class_number("signboard"))
    part = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    drawn = sign_picture("BAKERY", "en", board.colour, board.text_colour, 48)
    size = (columns.max() + 1 - columns.min(), rows.max() + 1 - rows.min())
    wanted = cv2.resize(drawn, size, interpolation=cv2.INTER_AREA).astype(float).ravel()
    alike = [np.corrcoef(wanted, view.pixels[part].astype(float).ravel())[0, 1] for view in (photo, unread)]
    assert alike[0] > 0.8
    assert alike[0] > alike[1] + 0.2


def test_unreadable_views_differ_on_the_boards_alone() -> None:
    town = hand.hand_town(hand.sign(), hand.car())
    read, unread = view(town), view(town, readable=False)
    differs = (read.pixels != unread.pixels).any(axis=2)
    assert differs.any()
    assert (read.labels[differs] == class_number("signboard")).all()
    np.testing.assert_array_equal(read.labels, unread.labels)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({}, (60.0, 5.0)),  # 75 m away: 4 pixels high
        ({}, (90.0, 72.0)),  # at more than 60 degrees from the front
        ({"facing_deg": 0.0, "y_m": 70.0}, (60.0, 60.0)),  # from behind
    ],
)
def test_small_slanted_and_turned_signs_have_no_text(changes: dict[str, float], place: tuple[float, float]) -> None:
    found = texts(view(hand.hand_town(hand.sign(**changes)), *place))
    assert set(found) <= {(None, None)}


def test_a_hidden_sign_has_no_text() -> None:
    bus = TownObject("bus", 60.0, 68.0, 0.0, 2.5, 6.0, 90.0, (0, 200, 0))
    assert texts(view(hand.hand_town(hand.sign(), bus))) != [("BAKERY", "en")]


def test_a_board_gets_narrower_as_one_walks_around_it_and_its_back_is_blank() -> None:
    town = hand.hand_town(hand.sign(y_m=60.0, base_m=1.0), structures=())
    width = []
    for degrees in (0, 45, 60):
        way = np.radians(180 - degrees)
        labels = view(town, 60 + 20 * np.sin(way), 60 + 20 * np.cos(way), heading_deg=-degrees).labels
        width.append(int((labels == class_number("signboard")).any(axis=0).sum()))
    assert width[1] / width[0] == pytest.approx(np.cos(np.radians(45)), abs=0.06)
    assert width[2] / width[0] == pytest.approx(0.5, abs=0.06)
    back = view(town, 60.0, 80.0, heading_deg=180.0)
    board = back.pixels[back.labels == class_number("signboard")]
    assert len(board) > 100
    assert (board == board[0]).all()


def test_text_runs_from_left_to_right() -> None:
    middles = []
    for text in ("I......", "......I"):
        shown = view(hand.hand_town(hand.sign(text=text, width_m=18.0)))
        white = (shown.pixels > 180).all(axis=2) & (shown.labels == class_number("signboard"))
        middles.append(np.nonzero(white)[1].mean())
    assert middles[0] < middles[1]


def test_only_passing_things_move_and_only_with_rng() -> None:
    still, moving = hand.car(passing=False), hand.car(x_m=62.0)
    town = hand.hand_town(still, moving)
    assert objects_on_a_day(town, None) == ((0, still), (1, moving))
    days = [objects_on_a_day(town, np.random.default_rng(seed)) for seed in range(60)]
    assert all(day[0] == (0, still) for day in days)
    gone = sum(len(day) == 1 for day in days)
    assert 10 < gone < 40  # two of five
    elsewhere = [day[1][1] for day in days if len(day) == 2]
    assert all(thing.facing_deg == 45.0 and thing != moving for thing in elsewhere)
    # It drives along its own way: north-east or south-west.
    assert all(thing.x_m - 62.0 == pytest.approx(thing.y_m - 66.0) for thing in elsewhere)
    np.testing.assert_array_equal(view(town).pixels, view(town).pixels)


def test_people_walk_a_few_metres() -> None:
    person = TownObject("person", 60.0, 66.0, 0.0, 0.5, 1.75, None, (200, 0, 0), passing=True)
    days = [objects_on_a_day(hand.hand_town(person), np.random.default_rng(seed)) for seed in range(40)]
    walked = [np.hypot(day[0][1].x_m - 60.0, day[0][1].y_m - 66.0) for day in days if day]
    assert 2.0 < max(walked) <= 5.0


def test_another_day_changes_nothing_but_traffic_and_sky() -> None:
    town = hand.hand_town(hand.car(), hand.sign())
    plain, other = view(town), view(town, rng=np.random.default_rng(3))
    sky_or_car = np.isin(plain.labels, (3, class_number("car"))) | np.isin(other.labels, (3, class_number("car")))
    assert (plain.pixels != other.pixels).any()
    np.testing.assert_array_equal(plain.pixels[~sky_or_car], other.pixels[~sky_or_car])


def test_specks_are_not_listed() -> None:
    post = TownObject("pole", 60.0, 70.0, 0.0, 0.05, 0.3, None, (200, 0, 200))
    rendered = view(hand.hand_town(post))
    assert 0 < (rendered.labels == class_number("pole")).mean() < LEAST_SHARE
    assert "pole" not in {s.kind for s in rendered.seen}


KINDS = ("tree", "palm", "plant", "car", "van", "bus", "truck", "person", "streetlight", "traffic light")
THIN = ("pole", "bench", "bicycle", "minibike", "signboard", "flag")


@pytest.mark.parametrize("kind", KINDS + THIN)
def test_each_kind_has_a_shape_within_its_outline(kind: str) -> None:
    u, v = (a.ravel().astype(np.float32) for a in np.meshgrid(np.linspace(-1, 1, 41), np.linspace(0, 1, 41)))
    many = np.ones(len(u), dtype=np.float32)
    for side in (False, True):
        points = Points(
            u, v, 2 * many, 3 * many, 120 * np.ones((len(u), 3), np.float32), many > 0 if side else many < 0, 0 * many
        )
        painted = paint(kind, points)
        assert 0.03 < painted.there.mean() <= 1
        assert painted.there[v < 0.6].any()
        assert painted.colour[painted.there].min() >= 0
        assert painted.colour[painted.there].max() <= 300  # clipped in the end
