import pytest

from geosleuth.training.towns.language.phrases import named_features, phrase, sentence
from geosleuth.training.towns.language.vocabulary import FEATURES

IDS = [one.id for one in FEATURES]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("feature", IDS)
def test_every_wording_is_found_again_and_nothing_else(feature, lang):
    for said in (phrase(feature, lang), sentence(feature, lang)):
        assert named_features(said, lang) == {feature}
        assert named_features(said.upper(), lang) == {feature}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("feature", IDS)
def test_every_wording_can_be_taken_back(feature, lang):
    said = phrase(feature, lang)
    assert named_features(f"no {said}" if lang == "en" else f"没有{said}", lang) == frozenset()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_all_wordings_together_are_found_apart(lang):
    joined = "; ".join(phrase(one, lang) for one in IDS)
    assert named_features(joined, lang) == set(IDS)


def test_there_are_forty_features_in_two_languages():
    assert len(set(IDS)) == len(IDS) == 40
    for one in FEATURES:
        assert one.en.phrase.isascii()
        assert not one.zh.phrase.isascii()
    assert len({one.en.phrase for one in FEATURES} | {one.zh.phrase for one in FEATURES}) == 80


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no water", set()),
        ("There is no tower here.", set()),
        ("a tower but no water", {"tower"}),
        ("no trees or towers", set()),
        ("The water is missing.", set()),
        ("The tower is missing in the tile", {"tower"}),
        ("not only a tower but water", {"tower", "water"}),
        ("not far from the river", {"water"}),
        ("The sign is not written in Thai script.", set()),
        ("a zebra crossing", set()),
        ("Intersections and traffic signals", {"junction", "traffic_lights"}),
        ("The road has a double yellow line", {"yellow_line"}),
        ("houses with red tiled roofs and white walls", {"roofs_red", "walls_pale"}),
        ("roofs are mostly grey", {"roofs_grey"}),
        ("Neither a bridge nor a lake can be seen", set()),
        ("palm trees and a water tower", {"palms", "tower"}),
        ("cars drive on the left side of the road", {"traffic_left"}),
        ("The tile doesn't show any parking lot", set()),
        ("grass cannot be seen", set()),
        ("", set()),
    ],
)
def test_english_word_forms_and_negations(text, expected):
    assert named_features(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("没有水面", set()),
        ("有高塔，没有水面", {"tower"}),
        ("看不到树木或桥", set()),
        ("红瓦屋顶", {"roofs_red"}),
        ("屋顶为红色", {"roofs_red"}),
        ("墙面不是红色的", set()),
        ("无论如何都有河", {"water"}),
        ("十字路口旁有草坪", {"junction", "lawn"}),
        ("招牌上的文字不是泰文", set()),
        ("水面不可见", set()),
        ("斑马线", set()),
        ("照片中有高塔，候选图中缺失", {"tower"}),
        ("高塔，仅照片中有", {"tower"}),
    ],
)
def test_chinese_word_forms_and_negations(text, expected):
    assert named_features(text, "zh") == expected
