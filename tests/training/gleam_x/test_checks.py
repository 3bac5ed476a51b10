import pytest

from geosleuth.training.gleam_x.checks import contradictions, failed_checks, length
from geosleuth.training.gleam_x.record import Reasons

EN = Reasons(
    agreeing=("the red roof on the left", "a bend of the road"),
    disagreeing=("parked cars",),
    conclusion="The red roof stands at the same bend, so it is the same place.",
)
ZH = Reasons(agreeing=("左侧的红色屋顶",), disagreeing=("停着的车",), conclusion="屋顶与弯道一致，是同一个地方。")


def names(reasons, label="match", language="en", **options):
    return [one.check for one in failed_checks(reasons, label, language, **options)]


def with_conclusion(text, of=EN):
    return of.model_copy(update={"conclusion": text})


def test_good_explanations_pass():
    assert names(EN) == []
    assert names(ZH, language="zh") == []
    assert names(with_conclusion("The parked cars are gone, so it is another place."), "no_match") == []


@pytest.mark.parametrize(
    "text",
    [
        "As the label says, both show the same place.",
        "The ground truth is that the places are alike.",
        "Given that they match, the roofs are the same.",
        "As instructed, I find the same place here.",
        "I was told that these show the same place.",
        "According to the prompt these are one place.",
        "The pair is labelled as a match because of the roof.",
        "The known answer is that the places differ.",
        "It is known that they are the same place, by the roof.",
        "The candidate shows the same place as the photo. That is certain.",
        "The provided label agrees with the roofs seen here.",
        "The task says that the roofs are the same.",
        "Since I was given a match, the roofs agree.",
        "Because the answer is yes, the roofs agree.",
        "You said that it is the same place.",
        "The label is match, and the roofs agree.",
        "The pair was annotated as a match, by its roofs.",
    ],
)
def test_an_english_leak_is_found(text):
    assert names(with_conclusion(text)) == ["leak"]


@pytest.mark.parametrize(
    "text",
    [
        "根据标签，是同一个地方。",
        "已知两图是同一个地方。",
        "题目中指出两图一致，屋顶相同。",
        "这一点是确定的，屋顶相同。",
        "任务说两图一致，屋顶相同。",
        "因为答案是肯定的，屋顶相同。",
    ],
)
def test_a_chinese_leak_is_found(text):
    assert names(with_conclusion(text, ZH), language="zh") == ["leak"]


@pytest.mark.parametrize(
    "text",
    [
        "A sign labelled BAKERY stands at the same corner in both.",
        "The road certainly bends alike, so it is the same place.",
        "The ground is true red in both, and the roofs are alike.",
        "Told apart by the tower, these are not the same streets.",
        "The well known tower stands at the same bend of the river.",
        "The river that is known as Aare bends alike here.",
        "The label on the shop front is red in both.",
        "The street has the same name as stated there.",
        "The map's annotation names the street of the photo.",
        "The label says BAKERY in both, above the same door.",
        "An information board stands next to the same tower.",
    ],
)
def test_innocent_words_are_no_leak(text):
    assert names(with_conclusion(text)) == []


def test_road_markings_are_no_annotation():
    assert names(with_conclusion("地面标注相同，是同一个地方。", ZH), language="zh") == []


def test_the_language_is_checked_by_script_and_by_words():
    assert names(ZH) == ["language"]
    assert names(EN, language="zh") == ["language"]
    french = Reasons(
        agreeing=("le toit rouge à gauche", "le carrefour avec un rond-point"),
        disagreeing=("les voitures garées",),
        conclusion="Les deux images montrent le même endroit, parce que le pont est pareil.",
    )
    (failed,) = failed_checks(french, "match", "en")
    assert (failed.check, str(failed)) == ("language", "it is not written in English (but in 'fr')")
    russian = with_conclusion(
        "Это то же самое место, потому что крыша такая же.", Reasons(agreeing=("крыша",), conclusion="x")
    )
    assert names(russian) == ["language"]
    sign = EN.model_copy(update={"agreeing": ("a sign reading 北京路", "the arcade below it")})
    assert names(sign) == []  # a name on a sign is no other language
    cafe = ZH.model_copy(update={"agreeing": ("左侧 Café Royal 的招牌",)})
    assert names(cafe, language="zh") == []


def test_lengths_have_two_ends():
    assert names(with_conclusion("Same.")) == ["too_short"]
    assert names(EN.model_copy(update={"agreeing": ("a", "a bend of the road")})) == ["too_short"]
    assert names(with_conclusion(" ".join(["the red roof is alike"] * 8))) == []  # 40 words
    assert names(with_conclusion(" ".join(["the red roof is alike"] * 8) + " too")) == ["too_long"]
    assert names(EN.model_copy(update={"agreeing": ("the red roof " * 4 + "there",)})) == ["too_long"]
    assert names(with_conclusion("屋顶相同" * 20, ZH), language="zh") == []
    assert names(with_conclusion("屋顶相同" * 20 + "啊", ZH), language="zh") == ["too_long"]
    assert names(with_conclusion("同一地。", ZH), language="zh") == ["too_short"]
    assert (length("the red roof", "en"), length("红色屋顶，左侧。", "zh")) == (3, 6)


def test_lists_must_bear_the_verdict():
    nothing_agrees = EN.model_copy(update={"agreeing": ()})
    nothing_differs = EN.model_copy(update={"disagreeing": ()})
    assert [one.check for one in contradictions(nothing_agrees, "match")] == ["contradiction"]
    assert "names no feature that agrees" in str(contradictions(nothing_agrees, "match")[0])
    assert [one.check for one in contradictions(nothing_differs, "no_match")] == ["contradiction"]
    other = with_conclusion("It is another place.", nothing_agrees)
    assert contradictions(nothing_differs, "match") == contradictions(other, "no_match") == []


@pytest.mark.parametrize(
    "text",
    [
        "These are clearly two different places.",
        "The roofs differ, so it is not the same place.",
        "The tower is missing: another location.",
        "No sign that this is the same place.",
        "这是两个不同的地方。",
        "河流不见了，不是同一个地方。",
        "两张图是不同的地方：河流。",
    ],
)
def test_a_conclusion_for_another_place_contradicts_a_match(text):
    of = EN if text.isascii() else ZH
    (failed,) = contradictions(with_conclusion(text, of), "match")
    assert (failed.check, "the places differ" in str(failed)) == ("contradiction", True)
    assert contradictions(with_conclusion(text, of), "no_match") == []


@pytest.mark.parametrize(
    "text",
    ["The roof proves that it is the same place.", "The places are the same.", "是同一个地方。", "屋顶说明地点相同。"],
)
def test_a_conclusion_for_the_same_place_contradicts_no_match(text):
    (failed,) = contradictions(with_conclusion(text), "no_match")
    assert "the places are the same, against the verdict" in str(failed)
    assert contradictions(with_conclusion(text), "match") == []


@pytest.mark.parametrize(
    "text",
    [
        "The cars stand in different places, the roofs agree.",
        "It could be another place, but the roof shows the same place.",
        "The roofs and the bend agree.",
        "不同的地方只有停着的车。",
    ],
)
def test_a_conclusion_without_a_clear_verdict_contradicts_none(text):
    assert contradictions(with_conclusion(text), "match") == contradictions(with_conclusion(text), "no_match") == []


def test_what_cannot_be_read_or_was_cut_off_says_so():
    assert names(None) == ["json"]
    assert names(None, finished=False) == ["cut_off"]
    assert names(EN, finished=False) == ["cut_off"]
