"""The order of the classes is that of facts of the field, and models of another order are refused."""

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.ade20k import class_name, class_names, is_name_of, label_offset


def usual() -> dict[int, str]:
    return {index: names[0] for index, names in enumerate(class_names())}


def test_the_150_classes_stand_where_the_weights_published_for_them_say() -> None:
    assert len(class_names()) == 150
    # Index and label as published with the weights; a spot check all over the range.
    published = {
        0: "wall", 1: "building", 2: "sky", 4: "tree", 6: "road", 9: "grass", 11: "sidewalk", 13: "earth",
        16: "mountain", 17: "plant", 20: "car", 25: "house", 26: "sea", 29: "field", 32: "fence", 34: "rock",
        38: "rail", 42: "column", 43: "signboard", 46: "sand", 52: "path", 54: "runway", 60: "river", 68: "hill",
        72: "palm", 79: "hut", 80: "bus", 83: "truck", 87: "street lamp", 91: "dirt track", 93: "pole", 94: "land",
        95: "bannister", 100: "poster", 136: "traffic light", 142: "plate", 149: "flag",
    }  # fmt: skip
    assert all(is_name_of(name, index) for index, name in published.items())
    assert len({class_name(index) for index in range(150)}) == 150


def test_spelling_does_not_count_and_the_first_name_does() -> None:
    assert is_name_of("Road, route", 6)
    assert is_name_of("street-light", 87)
    assert is_name_of("bed ", 7)
    assert not is_name_of("sidewalk, road", 6)


def test_a_model_with_these_labels_counts_from_0() -> None:
    assert label_offset(usual(), "m") == 0
    assert label_offset(usual() | {6: "road, route", 8: "window ", 87: "street lamp", 138: "trash can"}, "m") == 0


def test_a_background_in_front_shifts_all_by_one() -> None:
    shifted = {0: "background"} | {index + 1: name for index, name in usual().items()}
    assert label_offset(shifted, "m") == 1


def test_another_order_is_refused_and_the_error_says_where_it_differs() -> None:
    with pytest.raises(InputError, match="2 other labels in m: 6 is 'sidewalk', not 'road', 11 is 'road'") as caught:
        label_offset(usual() | {6: "sidewalk", 11: "road"}, "m")
    assert "in their order" in caught.value.wanted
    assert caught.value.remedy.startswith("Name a model of that order")


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ({0: "LABEL_0", 1: "LABEL_1"}, "2 classes in m"),
        ({index: f"LABEL_{index}" for index in range(150)}, "150 other labels in m: 0 is 'LABEL_0', not 'wall'"),
        (usual() | {150: "nothing"}, "151 classes in m, the first being 'wall'"),
        (usual() | {0: "other", 150: "flag"}, "other labels in m: 0 is .building., not .wall."),  # nothing is shifted
    ],
)
def test_other_labels_are_refused(labels: dict[int, str], found: str) -> None:
    with pytest.raises(InputError, match=found):
        label_offset(labels, "m")
