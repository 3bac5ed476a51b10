import json
from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.comparison_prompts import SAME_PLACE
from geosleuth.tools.gleam_x import WHY, pair_prompt
from geosleuth.training.gleam_x.lessons import record_prompt, verifier_lessons
from geosleuth.training.gleam_x.record import Reasons
from geosleuth.training.gleam_x.record_file import read_records, write_records

YES_WHY = Reasons(agreeing=("a red roof",), disagreeing=("parked cars",), conclusion="The roof is at the same bend.")
NO_WHY = Reasons(disagreeing=("没有河流",), conclusion="河流不见了，不是同一个地方。")


def test_the_verdict_comes_first_and_then_why(made, root):
    records = [made(1, explanation=YES_WHY), made(2, "no_match", "zh", explanation=NO_WHY)]
    lessons = verifier_lessons(records, root)
    assert len(lessons) == 2
    for lesson, answer, language in zip((lessons[0], lessons[1]), ("Yes", "No"), ("en", "zh"), strict=True):
        assert [turn.role for turn in lesson.turns] == ["system", "user", "assistant", "user", "assistant"]
        assert lesson.turns[1].parts[-1] == SAME_PLACE
        assert lesson.turns[2].parts == (answer,)
        assert lesson.turns[3].parts == (WHY[language],)
    (text,) = lessons[0].turns[4].parts
    assert list(json.loads(text)) == ["agreeing", "disagreeing", "conclusion", "same_place"]  # the order that WHY names
    keys = [WHY["en"].index(key) for key in json.loads(text)]
    assert keys == sorted(keys)
    (text,) = lessons[1].turns[4].parts
    lists = '{"agreeing": [], "disagreeing": ["没有河流"], '
    assert text == lists + '"conclusion": "河流不见了，不是同一个地方。", "same_place": false}'


def test_it_is_asked_as_the_verifier_asks_with_the_record_s_views(made, root):
    record = made(3, query_view="drone", reference_view="map")
    lesson = verifier_lessons([record], root)[0]
    photo, tile = lesson.turns[1].images
    assert (photo[0, 0, 0], tile[0, 0, 0]) == (3, 103)
    wanted = pair_prompt(photo, tile, view="map", photo_view="drone")
    assert [turn.parts for turn in lesson.turns[:2]] == [turn.parts for turn in wanted.turns]
    assert "taken obliquely from the air by a drone" in lesson.turns[1].parts[2]
    assert "The candidate, a map" in lesson.turns[1].parts[3]
    asked = record_prompt(record, root)
    assert asked.turns[1].parts[2] == lesson.turns[1].parts[2]


@pytest.mark.parametrize(("explanations", "explanation"), [(False, YES_WHY), (True, None)])
def test_without_reasons_the_verdict_alone_is_taught(made, root, explanations, explanation):
    lessons = verifier_lessons([made(1, explanation=explanation)], root, explanations=explanations)
    assert [turn.role for turn in lessons[0].turns] == ["system", "user", "assistant"]
    assert lessons.about()["with_reasons"] == 0


def test_reasons_for_another_verdict_are_not_taught_beside_the_label(made, root):
    wrong = made(1, explanation=NO_WHY, teacher_label="no_match")
    revised = made(2, explanation=YES_WHY, teacher_label="no_match", human_revised=True)
    by_label = verifier_lessons([wrong, revised], root)
    assert [len(by_label[i].turns) for i in (0, 1)] == [3, 5]  # a person's reasons are for the label
    assert by_label[0].turns[2].parts == ("Yes",)
    assert by_label.about()["reasons_left_out"] == 1
    by_teacher = verifier_lessons([wrong], root, verdicts="teacher")
    assert by_teacher[0].turns[2].parts == ("No",)
    assert json.loads(by_teacher[0].turns[4].parts[0])["same_place"] is False


def test_what_is_taught_is_counted(made, root, tmp_path):
    path = tmp_path / "pairs.jsonl"
    write_records(path, [made(1, explanation=YES_WHY, teacher="openai:t@u"), made(1, lang="zh"), made(2, "no_match")])
    with path.open("a") as file:
        file.write("no record\n")
    about = verifier_lessons(read_records(path), root).about()
    assert json.loads(json.dumps(about)) == {
        "kind": "pairs for the verifier (GLEAM-X)",
        "lessons": 3,
        "bad_lines": 1,
        "with_reasons": 1,
        "reasons_left_out": 0,
        "verdicts": {"match": 2, "no_match": 1},
        "verdicts_of": "label",
        "languages": {"en": 2, "zh": 1},
        "sets": {"made for a test": 3},
        "teachers": {"openai:t@u": 1},
        "human_revised": 0,
    }


def test_a_picture_that_cannot_be_read_is_an_error_of_its_lesson(made, root):
    lessons = verifier_lessons([made(1), made(99), made(1, query_path="../x.png")], root)
    assert len(lessons[0].turns) == 3
    with pytest.raises(InputError, match=r"99\.png"):
        lessons[1]
    with pytest.raises(InputError, match="Wanted a picture below"):
        lessons[2]
    assert repr(verifier_lessons([made(1)], Path("nowhere"))) == "VerifierLessons(1 pairs, 0 with reasons)"
