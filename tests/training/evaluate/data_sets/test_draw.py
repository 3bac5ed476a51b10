"""Which photos a draw takes. Files are invented, and none is opened."""

from collections import Counter
from pathlib import Path

from geosleuth.indexes.geodesy import LatLon
from geosleuth.training.evaluate.data_sets.draw import spread
from geosleuth.training.evaluate.labelled import LabelledPhoto


def photos(counts: dict[str, int], folder: str = "") -> list[LabelledPhoto]:
    return [
        LabelledPhoto(Path(folder, f"{code}{n}.jpg"), LatLon(0, 0), code)
        for code, count in counts.items()
        for n in range(count)
    ]


def drawn(among: list[LabelledPhoto], count: int, seed: int = 0) -> list[str]:
    return [among[i].path.name for i in spread(among, seed)[:count]]


def test_each_beginning_has_the_countries_proportions() -> None:
    # Eight of one country stand at 1/16, 3/16, 5/16 ..., four of the other at 1/8, 3/8, 5/8, 7/8.
    among = photos({"FR": 8, "PE": 4})
    assert Counter(name[:2] for name in drawn(among, 3)) == {"FR": 2, "PE": 1}
    assert Counter(name[:2] for name in drawn(among, 6)) == {"FR": 4, "PE": 2}
    assert [name[:2] for name in drawn(among, 4)] == ["FR", "PE", "FR", "FR"]
    assert sorted(spread(among, 0)) == list(range(12))


def test_a_draw_is_the_same_in_another_order_and_folder_and_another_by_another_seed() -> None:
    among = photos({"FR": 30, "PE": 10})
    assert drawn(among, 8) == drawn(among[::-1], 8)
    assert drawn(among, 8) == drawn(photos({"FR": 30, "PE": 10}, "elsewhere"), 8)
    assert drawn(among, 8) != drawn(among, 8, seed=1)


def test_a_missing_photo_leaves_the_others_of_its_country_in_their_order() -> None:
    among = photos({"FR": 30})
    without = [photo for photo in among if photo.path.name != drawn(among, 1)[0]]
    assert drawn(without, 7) == drawn(among, 8)[1:]
