"""A verifier judged on pairs whose answers are written by hand; its reasons, and whether they mind the pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.gleam_x import match_prompt
from geosleuth.tools.vlm.model import Reply, Scores
from geosleuth.training.evaluate.vlm.answer_file import AnswerFile
from geosleuth.training.evaluate.vlm.explanations import explanation_rows, explanation_statistics, is_in
from geosleuth.training.evaluate.vlm.failures import pair_rows_html
from geosleuth.training.evaluate.vlm.grounding import Named, ground, grounding_statistics, kept_after, swaps_of
from geosleuth.training.evaluate.vlm.intervals import figures
from geosleuth.training.evaluate.vlm.listers import SecondLook, load_lister
from geosleuth.training.evaluate.vlm.measured import measured_verifier, roc_points
from geosleuth.training.evaluate.vlm.verifier import Asker, ReasonsAnswer, VerdictAnswer, ask_pairs, verdict_prompt
from geosleuth.training.evaluate.vlm.verifier_rows import groups, once_each, pair_rows
from geosleuth.training.gleam_x.record import PairRecord, Reasons

# What each picture shows; its grey level is 10 times its number. The queries are 1 and 2, the tiles 3 to 6.
SHOWN = {
    1: {"church", "river"},
    2: {"school"},
    3: {"church", "river"},
    4: {"tower"},
    5: {"school"},
    6: {"church"},
}
# query, tile, label, rank, what the model makes of it
PAIRS = [
    (1, 3, "match", None, 2.0),
    (1, 4, "no_match", 1, -1.0),
    (2, 5, "match", None, -0.5),
    (2, 4, "no_match", 7, 1.0),
]


class Scripted:
    """A model that judges by the table above and writes what the first tile of a pair shows, whatever it is shown."""

    spec, weights = "dir:scripted", "scripted@1"

    def __init__(self, writes=None) -> None:
        self.asked = 0
        self._writes = writes or (lambda query, tile: reasons(SHOWN[query] & SHOWN[tile], SHOWN[query] ^ SHOWN[tile]))

    def for_photo(self):
        return self

    def score(self, prompts, _answers) -> Scores:
        self.asked += 1
        odds = {(q, t): logit for q, t, _, _, logit in PAIRS}
        found = []
        for prompt in prompts:
            numbers = [round(float(image.mean()) / 10) for image in prompt.images]
            if len(numbers) == 1:  # a second look
                logit = 1.0 if any(word in str(prompt.turns[-1].parts[-1]) for word in SHOWN[numbers[0]]) else -1.0
            else:
                logit = odds[tuple(numbers)]
            yes = 1 / (1 + np.exp(-logit))
            found.append(np.log([yes / 2, yes / 2, (1 - yes) / 2, (1 - yes) / 2]))
        return Scores(np.array(found))

    def generate(self, prompts, **_options):
        self.asked += 1
        query, tile = (round(float(image.mean()) / 10) for image in prompts[0].images)
        return [[Reply(self._writes(query, tile), True, 40)]]


class Words:
    """Finds the words of the table above; `lists_all` as towns do."""

    name, lists_all = "the table", True

    def named(self, text, _language):
        return frozenset(word for word in set().union(*SHOWN.values()) if word in text)

    def shown(self, picture, asked):
        return asked & self.all_of(picture)

    def all_of(self, picture):
        return frozenset(SHOWN[int(picture.stem)])


class Flat:
    """Texts with the same number of letters are alike."""

    weights = "flat@1"

    def encode(self, texts):
        angle = np.array([len(text) % 2 * np.pi / 2 for text in texts])
        return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def reasons(agreeing, disagreeing, conclusion="Done.", same_place=True) -> str:
    said = {"agreeing": sorted(agreeing), "disagreeing": sorted(disagreeing)}
    return json.dumps(said | {"conclusion": conclusion, "same_place": same_place})


def record(query, tile, label, rank=None, lang="en", explanation=None) -> PairRecord:
    return PairRecord(
        pair_id=f"{query}-{tile}",
        query_path=f"{query}.png",
        query_view="ground",
        query_modality="night" if query == 2 else "day",
        satellite_path=f"{tile}.png",
        label=label,
        lang=lang,
        explanation=explanation,
        source_dataset="by hand",
        hard_negative_rank=rank,
    )


RECORDS = [record(q, t, label, rank) for q, t, label, rank, _ in PAIRS]


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    for number in SHOWN:
        Image.new("RGB", (32, 32), (10 * number,) * 3).save(folder / f"{number}.png")
    return folder


def asker(root, model=None, folder: Path | None = None) -> Asker:
    verdicts = AnswerFile(folder / "verdicts.jsonl" if folder else None, VerdictAnswer)
    written = AnswerFile(folder / "reasons.jsonl" if folder else None, ReasonsAnswer)
    return Asker(model or Scripted(), root, verdicts, written)


def values(section, column: str) -> dict[str, float | None]:
    return {name: figure.value for name, figure in section.columns[column].items()}


def test_the_question_is_the_tool_s(root):
    candidate = Candidate(rank=1, reference_id="3", uri="3", lat=0, lon=0, view="satellite", similarity=0, score=0)
    pixels = np.zeros((4, 4, 3), dtype=np.uint8)
    ours, theirs = verdict_prompt(RECORDS[0], pixels, pixels), match_prompt(pixels, candidate, pixels)
    texts = [[part for turn in one.turns for part in turn.parts if isinstance(part, str)] for one in (ours, theirs)]
    assert texts[0] == texts[1]


def test_figures_by_hand(root):
    asked = ask_pairs(RECORDS, asker(root))
    rec = measured_verifier(asked, model="m", data="d")
    found = values(rec.sections[0], "all")
    # One match of two and one other of two are judged right; two of four are said to be matches, and two are.
    assert (found["accuracy"], found["TPR"], found["TNR"], found["yes-rate less base rate"]) == (0.5, 0.5, 0.5, 0.0)
    # 2.0 above both others, -0.5 above -1.0 alone: three of four.
    assert found["AUC"] == 0.75
    # Each alone in its bin: P(yes) .881 true, .269 false, .378 true, .731 false.
    assert found["ECE"] == pytest.approx((0.1192 + 0.2689 + 0.6225 + 0.7311) / 4, abs=1e-4)
    assert "ECE, calibrated" not in found
    assert any("No calibration could be fitted" in note for note in rec.notes)
    assert rec.notes[0] == "4 pairs, 2 of one place and 2 of two."
    assert rec.roc == ((0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0))


def test_groups_and_ranks(root):
    asked = ask_pairs([*RECORDS, record(1, 3, "match", lang="zh")], asker(root))
    rows = pair_rows(asked)
    assert len(once_each(rows)) == 4
    found = {name: [row.item for row in some] for name, some in groups(rows).items()}
    assert found == {
        "modality: day": ["1-3", "1-4"],
        "modality: night": ["2-5", "2-4"],
        "language: en": ["1-3", "1-4", "2-5", "2-4"],
        "language: zh": ["1-3"],
        "hard negatives, rank 1": ["1-4"],
        "hard negatives, rank 6 to 20": ["2-4"],
    }


def test_a_roc_needs_both_labels(root):
    assert roc_points(pair_rows(ask_pairs(RECORDS[:1], asker(root)))) == ()


def test_nothing_is_asked_twice(root, tmp_path):
    model = Scripted()
    ask_pairs([*RECORDS, record(1, 3, "match", lang="zh")], asker(root, model, tmp_path), explanations=True)
    assert model.asked == 4 + 5  # the verdict of a pair is one question in both languages, its reasons are two
    model = Scripted()
    ask_pairs(RECORDS, asker(root, model, tmp_path), explanations=True)
    assert model.asked == 0


def test_a_picture_that_is_gone_counts_as_wrong(root, caplog):
    asked = ask_pairs([RECORDS[0], record(1, 9, "no_match", 2)], asker(root))
    rec = measured_verifier(asked, model="m", data="d")
    assert values(rec.sections[0], "all")["accuracy"] == 0.5
    assert values(rec.sections[0], "all")["without an answer"] == 0.5
    assert rec.missing[0][0] == "1-9"
    assert "9.png" in rec.missing[0][1]
    assert caplog.messages == ["Pair 1-9 is not answered; the report says why"]


def test_where_no_pair_can_be_read_nothing_is_measured(root):
    wanted = r"pairs that the model can be asked about; found none of 2, the first because: 1-9: .*9\.png.*--root"
    with pytest.raises(InputError, match=wanted):
        ask_pairs([record(1, 9, "match"), record(8, 3, "no_match")], asker(root))


def test_explanations_by_hand(root):
    texts = {
        3: reasons(["church"], [], "The same.", True),
        4: reasons([], ["塔"], "不同。", False),
        5: "no JSON",
    }
    model = Scripted(lambda _, tile: texts[tile])
    reference = Reasons(agreeing=("church",), conclusion="The same.")
    records = [
        record(1, 3, "match", explanation=reference),
        record(1, 4, "no_match", 1, "en", Reasons(conclusion="Odd")),
        record(2, 5, "match", explanation=reference),
    ]
    asked = ask_pairs(records, asker(root, model), explanations=True)
    rows = explanation_rows(asked, {"en": Flat()})
    assert [row.readable for row in rows] == [True, True, False]
    assert [row.language_right for row in rows] == [True, False, None]
    assert [row.contradicts for row in rows] == [False, False, None]
    assert [row.verdict_right for row in rows] == [True, True, False]
    assert rows[0].similarity == pytest.approx(1.0)
    assert rows[0].characters == len("church The same.")
    assert rows[1].similarity == pytest.approx(float(len("塔 不同。") % 2 == 1))  # "Odd" has three letters
    found = figures(explanation_statistics(rows), [row.query for row in rows])
    assert found["JSON valid at the first try"].value == pytest.approx(2 / 3)
    assert found["in the language asked for, of the readable"].value == 0.5
    assert found["tokens written, median"].value == 40


@pytest.mark.parametrize(
    ("text", "language", "right"),
    [
        ("The church", "en", True),
        ("教堂", "en", False),
        ("The 教堂", "en", False),
        ("T 形路口", "zh", True),
        ("A church 教堂", "zh", False),
        ("12, 3", "zh", False),
    ],
)
def test_languages_by_their_letters(text, language, right):
    assert is_in(text, language) is right


def swapped_pictures(records) -> dict[str, tuple[str, str]]:
    return {name: (one.query_path, one.satellite_path) for name, one in swaps_of(records).items()}


def test_swapped_pairs_have_the_same_verdict():
    found = swapped_pictures([*RECORDS, record(1, 6, "match")])
    assert found["1-3"] == ("1.png", "6.png")
    assert found["1-6"] == ("1.png", "3.png")
    assert found["1-4"] == ("1.png", "5.png")  # the other query's true tile
    assert found["2-4"] in (("2.png", "3.png"), ("2.png", "6.png"))
    assert "2-5" not in found
    wrong = [record(1, 4, "no_match"), record(1, 5, "no_match")]
    assert swapped_pictures([record(1, 3, "match"), *wrong]) == {"1-4": ("1.png", "5.png"), "1-5": ("1.png", "4.png")}


def test_a_place_with_one_tile_is_shown_from_elsewhere():
    found = swaps_of([record(1, 3, "match"), record(2, 3, "match")])
    assert (found["1-3"].query_path, found["1-3"].satellite_path) == ("2.png", "3.png")
    assert found["1-3"].query_modality == "night"
    assert found["2-3"].query_path == "1.png"


def test_features_of_the_old_query_must_go_too(root):
    records = [record(1, 3, "match"), record(2, 3, "match")]  # church and river, of which the school has none
    blind = ground(records, asker(root, Scripted(lambda *_: reasons(["church", "river"], []))), Words())
    assert [(row.swapped, row.must_go, row.kept) for row in blind.rows] == [("2.png", 2, 2), ("1.png", 0, 0)]
    looking = ground(records, asker(root), Words())
    assert [(row.swapped, row.must_go, row.kept) for row in looking.rows] == [("2.png", 2, 0), ("1.png", 1, 0)]


def test_a_pair_that_cannot_be_checked_is_told_by_its_id(root, caplog):
    found = ground([RECORDS[0], record(1, 9, "match")], asker(root), Words())
    assert found.left_out["a picture or an answer that cannot be had"] > 0
    assert "Pair 1-9 is not checked: see that its pictures are there, and whole" in caplog.messages
    assert ".png" not in caplog.text


def test_what_must_go_by_hand():
    before = Named(frozenset({"church", "river"}), frozenset({"tower"}), frozenset({"school"}))
    after = Named(frozenset({"church"}), frozenset({"river"}), frozenset({"school"}))
    # The query shows church and river, the new tile church alone: the river cannot be agreeing any more, and is not;
    # tower and school are in neither, and the school is still named.
    assert kept_after(before, after, frozenset({"church", "river"}), frozenset({"church"})) == (3, 1)


def swapped(root, model) -> dict[str, float | None]:
    records = [*RECORDS[:2], record(1, 6, "match"), RECORDS[2], record(2, 6, "no_match")]
    found = ground(records, asker(root, model), Words())
    assert found.left_out == {"no other picture with the same verdict: no swap": 1}  # school has one tile
    statistics = grounding_statistics(found.rows)
    return {name: one.value for name, one in figures(statistics, [row.query for row in found.rows]).items()}


def test_a_model_that_looks_keeps_nothing(root):
    found = swapped(root, Scripted())
    assert found["precision: named and shown"] == 1.0
    assert found["hallucinated, per explanation"] == 0.0
    assert found["agreeing, shown by both"] == 1.0
    assert found["disagreeing, shown by one alone"] == 1.0
    assert found["recall: shown and named"] == 1.0
    assert found["after the swap: kept of what must go"] == 0.0
    assert found["after the swap: the same text"] == 0.0


def test_a_model_that_writes_from_the_verdict_keeps_all(root):
    found = swapped(root, Scripted(lambda *_: reasons(["tower"], ["river"], "A tower.")))
    assert found["after the swap: kept of what must go"] == 1.0
    assert found["after the swap: the same text"] == 1.0
    # The tower is named five times, and shown by tile 4 alone; the river five times, shown by pairs with query 1.
    assert found["precision: named and shown"] == pytest.approx((1 + 3) / 10)
    assert found["hallucinated, per explanation"] == pytest.approx(6 / 5)


def test_a_second_look_asks_of_each_line(root):
    model = Scripted()
    look = SecondLook(model)
    assert look.named(" A church. ", "en") == {"a church"}
    assert look.named("  ", "en") == frozenset()
    asked = frozenset({"a church", "a tower"})
    assert look.shown(root / "3.png", asked) == {"a church"}
    assert look.shown(root / "3.png", asked) == {"a church"}
    assert model.asked == 1
    found = ground(RECORDS[:2], asker(root, model), look)
    assert found.rows[0].there is None
    assert "recall: shown and named" not in grounding_statistics(found.rows)


def test_a_lister_that_is_none_is_refused():
    with pytest.raises(InputError, match='"towns" or a model for a second look'):
        load_lister("nobody")


def test_failures_are_shown_as_pictures(root):
    texts = {5: reasons([], ["<script>"], "Not the same.", False), 4: reasons([], [], "The same.", True)}
    model = Scripted(lambda _, tile: texts.get(tile, "no JSON"))
    asked = ask_pairs(RECORDS, asker(root, model), explanations=True)
    rows = pair_rows_html(asked, measured_verifier(asked, model="m", data="d"), root)
    missed = rows["Matches taken for other places, the surest first"]
    assert missed.count("data:image/jpeg") == 2
    assert "true: the same place; answer: another place, ln P(yes)/P(no) -0.50" in missed
    assert "<script>" not in missed
    accepted = rows["Other places taken for matches, the surest first"]
    assert "hard negative 7; answer: the same place" in accepted


def test_towns_list_what_they_show(root):
    lister = load_lister("towns")
    assert lister.named("A sign is written in Cyrillic script.", "en") == {"script_cyrillic"}
    assert lister.named("西里尔文招牌", "zh") == {"script_cyrillic"}
    with pytest.raises(InputError):  # no picture of towns
        lister.shown(root / "1.png", frozenset({"script_cyrillic"}))
    found = ground(RECORDS[:1], asker(root), lister)
    assert found.left_out == {"a picture or an answer that cannot be had": 1}
