import numpy as np
import pytest
import shapely

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon
from geosleuth.tools.submap_cells import fit_cells, nearest_cells, select_cells

LUND, BERLIN, AURORA = LatLon(55.705, 13.195), LatLon(52.525, 13.405), LatLon(44.005, -79.465)
TOWNS = (LUND, BERLIN, AURORA)


@pytest.fixture(scope="module")
def cells():
    """Thirty references in each of three towns, all in one square of 0.01 degrees."""
    lats = np.concatenate([town.lat + np.linspace(-0.002, 0.002, 30) for town in TOWNS])
    lons = np.concatenate([town.lon + np.linspace(-0.002, 0.002, 30) for town in TOWNS])
    return fit_cells(lats, lons, k=3)


def towns_in(submap):
    return submap.contains([t.lat for t in TOWNS], [t.lon for t in TOWNS]).tolist()


def density(shares):
    """A belief with these probabilities per square of 0.01 degrees in Lund, Berlin, Aurora."""

    def log_density(lats, lons):
        areas = 1.11195**2 * np.cos(np.radians(lats))
        town = [
            int(np.argmin([abs(lat - t.lat) + abs(lon - t.lon) for t in TOWNS]))
            for lat, lon in zip(lats, lons, strict=True)
        ]
        with np.errstate(divide="ignore"):
            return np.log(np.array(shares)[town] / areas)

    return log_density


def test_a_square_of_ground_for_each_town(cells):
    assert sorted(cells.counts.tolist()) == [30, 30, 30]
    assert len(cells.lats) == 3
    # 0.01 degrees are 1.11195 km; at 60 north half of that from east to west
    assert fit_cells(np.array([60.0]), np.array([5.0])).area_km2 == pytest.approx([1.11195**2 * 0.5], rel=1e-6)


def test_fewest_cells_that_hold_the_share(cells):
    belief = density((0.6, 0.3, 0.1))
    assert towns_in(select_cells(cells, share=0.6, log_density=belief)) == [True, False, False]
    submap = select_cells(cells, share=0.7, log_density=belief)
    assert towns_in(submap) == [True, True, False]
    assert submap.share_held == pytest.approx(0.9)
    assert submap.frame["probability"].tolist() == pytest.approx([0.6, 0.3])  # in the order of the belief
    assert submap.frame["references"].tolist() == [30, 30]
    assert submap.countries == ()
    assert submap.reason is None


def test_belief_elsewhere_does_not_count(cells):
    # Nine tenths of the belief lie where the gallery has nothing: of the rest, Lund has 6 of 10 parts.
    submap = select_cells(cells, share=0.6, log_density=density((0.06, 0.03, 0.01)))
    assert towns_in(submap) == [True, False, False]
    assert submap.share_held == pytest.approx(0.6)


def test_countries_are_spread_over_the_gallery_s_ground_in_them(cells):
    submap = select_cells(cells, share=0.85, country_probabilities={"DE": 0.5, "SE": 0.4, "CA": 0.1, "BR": 3.0})
    assert towns_in(submap) == [True, True, False]
    assert submap.share_held == pytest.approx(0.9)
    assert submap.frame["probability"].tolist() == pytest.approx([0.5, 0.4])


def test_the_cell_of_the_peak_is_always_in(cells):
    submap = select_cells(cells, share=0.6, log_density=density((0.6, 0.3, 0.1)), peak=AURORA)
    assert towns_in(submap) == [True, False, True]
    assert submap.share_held == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "there is no belief yet"),
        ({"country_probabilities": {}}, "there is no belief yet"),
        ({"country_probabilities": {"BR": 1.0}}, "the gallery has no reference where the belief is"),
        ({"log_density": density((0.0, 0.0, 0.0))}, "the gallery has no reference where the belief is"),
        ({"log_density": density((0.4, 0.3, 0.3))}, "it takes all 3 cells to hold 95% of the belief"),
    ],
)
def test_the_whole_world_and_why(cells, arguments, reason):
    submap = select_cells(cells, **arguments)
    assert submap.reason == f"the whole world, because {reason}"
    assert towns_in(submap) == [True, True, True]


def test_cells_nearest_to_a_point(cells):
    copenhagen = LatLon(55.68, 12.57)  # 40 km from Lund, 355 km from Berlin
    assert towns_in(nearest_cells(cells, copenhagen, count=1)) == [True, False, False]
    assert towns_in(nearest_cells(cells, copenhagen, count=2)) == [True, True, False]
    assert (
        nearest_cells(cells, copenhagen, count=3).reason
        == "the whole world, because the gallery has no more than 3 cells"
    )


def test_what_is_drawn_is_what_is_searched():
    rng = np.random.default_rng(0)
    lats, lons = rng.uniform(-60, 75, 5000), rng.uniform(-180, 180, 5000)
    submap = nearest_cells(fit_cells(lats, lons, k=50), LatLon(-17.0, 179.9), count=5)  # Fiji
    inside = submap.contains(lats, lons)
    assert 300 < inside.sum() < 700  # 5 of 50 cells
    assert inside.sum() == submap.frame["references"].sum()
    assert (shapely.intersects_xy(submap.geometry, lons, lats) == inside).all()
    assert submap.geometry.bounds[0] == -180.0
    assert submap.geometry.bounds[2] == 180.0


def test_a_submap_can_be_drawn(cells, tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    submap = select_cells(cells, share=0.6, log_density=density((0.6, 0.3, 0.1)))
    axes = submap.frame.plot(color="#b03060")
    axes.set(xlim=(-180, 180), ylim=(-90, 90))
    axes.set_axis_off()
    axes.figure.savefig(tmp_path / "submap.png")
    from PIL import Image

    pixels = np.asarray(Image.open(tmp_path / "submap.png").convert("RGB")).astype(int)
    drawn = (abs(pixels - (0xB0, 0x30, 0x60)).sum(axis=2) < 30).mean()
    assert 0.02 < drawn < 0.5


def test_many_squares_are_made_larger():
    rng = np.random.default_rng(0)
    cells = fit_cells(rng.uniform(-60, 60, 200_000), rng.uniform(-180, 180, 200_000), k=10)
    assert 5_000 < len(cells.lats) <= 50_000
    assert cells.counts.sum() == 200_000


def test_errors_say_what_was_wanted(cells):
    with pytest.raises(InputError, match="a gallery without references"):
        fit_cells(np.empty(0), np.empty(0))
    with pytest.raises(InputError, match="k = 0"):
        fit_cells(np.array([1.0]), np.array([1.0]), k=0)
    with pytest.raises(InputError, match="share of the belief"):
        select_cells(cells, share=0.0, country_probabilities={"DE": 1.0})
    with pytest.raises(InputError, match="ISO 3166-1"):
        select_cells(cells, country_probabilities={"XX": 1.0})
