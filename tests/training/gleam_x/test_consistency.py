import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosleuth.training.gleam_x.consistency import consistent, similarity, words_of
from geosleuth.training.gleam_x.opposed import opposed
from geosleuth.training.gleam_x.record import Reasons


def said(agreeing=(), disagreeing=(), conclusion="c"):
    return Reasons(agreeing=tuple(agreeing), disagreeing=tuple(disagreeing), conclusion=conclusion)


def test_phrases_are_alike_by_their_words():
    assert words_of("The red roofs, on the left!") == {"red", "roof", "left"}
    assert similarity("red roof on the left", "the red roofs") == pytest.approx(2 / 3)
    assert similarity("red roof", "grey roof") == pytest.approx(1 / 3)
    assert similarity("a bus", "the BUS") == 1.0  # "bus" is no plural
    assert words_of("of the") == {"of", "the"}  # nothing else is there


def test_chinese_phrases_are_alike_by_neighbouring_characters():
    assert words_of("红色的屋顶") == {"红色", "屋顶"}
    assert similarity("红色的屋顶", "红色屋顶") == pytest.approx(2 / 3)  # 红色 and 屋顶, of 红色 色屋 屋顶
    assert similarity("红色屋顶", "灰色屋顶") == pytest.approx(2 / 4)
    assert similarity("河流", "教堂") == 0.0
    assert consistent([said(["红色屋顶"]), said(["灰色屋顶"])]) is None  # one half is not enough
    assert words_of("塔") == {"塔"}


def test_only_what_most_name_is_kept():
    samples = [
        said(["the red roof", "a well"], ["no river"], "roof and well"),
        said(["red roofs", "a bend of the road"], [], "roof and bend"),
        said(["a road bend", "a red roof"], ["a hedge"], "bend and roof"),
    ]
    kept = consistent(samples)
    assert kept == said(["the red roof", "a bend of the road"], [], "roof and bend")  # its conclusion names no other
    assert consistent([said(["a well"]), said(["a tower"]), said(["a hedge"])]) is None
    assert consistent([]) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("red roof", "no red roof"),
        ("red tiled roof on the corner", "grey tiled roof on the corner"),
        ("two lanes wide road", "four lanes wide road"),
        ("church tower on the left side", "church tower on the right side"),
        ("church tower on the side", "church tower isn't on the side"),
        ("红色屋顶的房屋", "绿色屋顶的房屋"),
        ("没有树木的道路", "有树木的道路"),
        ("道路左侧的教堂塔楼", "道路右侧的教堂塔楼"),
    ],
)
def test_opposites_are_not_the_same(one, other):
    assert opposed(one, other)
    assert opposed(other, one)
    assert consistent([said([one]), said([other])]) is None


def test_what_is_said_in_other_words_is_not_opposed():
    same = [("red roof on the left", "the red roofs"), ("a gray roof", "a grey roof"), ("2 lanes", "two lanes")]
    same += [("无人机图中的塔", "图中的塔"), ("red and white tower", "red tower"), ("两条车道", "二条车道")]
    assert not any(opposed(one, other) for one, other in same)


def test_opposites_do_not_add_up():
    sides = ["church tower on the left side", "church tower on the right side", "no church tower on the side"]
    assert consistent([said([one]) for one in sides]) is None
    chained = ["church tower on the side", *sides[:2]]  # the first is like either, which are not like each other
    assert consistent([said([one]) for one in chained], of=4) is None


def test_half_is_no_majority_and_samples_of_no_use_count():
    two = [said(["a well"]), said(["the well"])]
    assert consistent(two).agreeing == ("a well",)
    assert consistent(two, of=3).agreeing == ("a well",)
    assert consistent(two, of=4) is None
    assert consistent([said(["a well"]), said(["a tower"])]) is None


def test_the_conclusion_names_what_was_kept():
    samples = [
        said(["a red roof"], ["no river"], "The river is missing: there is no river here."),
        said(["a red roof", "a hedge", "a well"], ["two lanes"], "The red roof is alike."),
        said(["a red roof"], ["a tower"], "The tower is another."),
    ]
    kept = consistent(samples)
    assert (kept.agreeing, kept.disagreeing, kept.conclusion) == (("a red roof",), (), "The red roof is alike.")


def test_a_sample_has_one_vote_for_a_feature():
    assert consistent([said(["a well", "the well", "wells"]), said(["a tower"]), said(["a hedge"])]) is None


def test_sides_are_kept_apart():
    assert consistent([said(["a well"]), said([], ["a well"])]) is None


def test_the_wording_is_the_one_most_like_the_others():
    samples = [said(["tall red brick tower"]), said(["red brick tower"]), said(["red brick tower left"])]
    assert consistent(samples).agreeing == ("red brick tower",)


@given(
    st.lists(
        st.lists(st.sampled_from(["red roof", "a river", "an old tower", "河流", "two lanes"]), max_size=3), max_size=5
    )
)
def test_what_is_kept_was_named_by_more_than_half(samples):
    kept = consistent([said(one) for one in samples])
    all_named = {feature for one in samples for feature in one}
    named = {feature for feature in all_named if 2 * sum(feature in one for one in samples) > len(samples)}
    assert set(kept.agreeing if kept else ()) <= named
    assert len(kept.agreeing if kept else ()) == min(len(named), 3)
