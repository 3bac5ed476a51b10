"""Label Studio: tasks and configuration as its documents ask for them, and a hand-made export read back.

The export below follows "Label Studio JSON format of annotated tasks" of its guide, with results as its Choices,
TextArea and Rating tags write them. Its SDK (label-studio-sdk 2.1.2, LabelInterface) found configuration and
predictions valid; it is no dependency.
"""

import importlib.util
import json
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_x.record import Reasons
from geosleuth.training.review.decisions_file import append, read_lines
from geosleuth.training.review.label_studio_answers import import_annotations
from geosleuth.training.review.label_studio_tasks import labelling_config, tasks
from geosleuth.training.review.outcome import revised

spec = importlib.util.spec_from_file_location("review_items", Path(__file__).with_name("review_items.py"))
made = sys.modules.setdefault("review_items", importlib.util.module_from_spec(spec))
spec.loader.exec_module(made)


def parsed(kind: str) -> ElementTree.Element:
    return ElementTree.fromstring(labelling_config(kind))  # noqa: S314  our own


def result(name: str, kind: str, value) -> dict:
    field = {"choices": "choices", "textarea": "text", "rating": "rating"}[kind]
    return {
        "id": f"{name}-1",
        "type": kind,
        "value": {field: value},
        "origin": "manual",
        "to_name": "query",
        "from_name": name,
    }


def annotation(who, minute: int, *results: dict, **more) -> dict:
    given = {
        "id": 100 + minute,
        "completed_by": who,
        "result": list(results),
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2026-02-01T09:00:00.000000Z",
        "updated_at": f"2026-02-01T10:{minute:02}:00.549513Z",
        "lead_time": 12.3,
    }
    return given | more


def exported(path: Path, annotations: dict[str, list[dict]]) -> Path:
    tasks = [
        {"id": number, "annotations": given, "drafts": [], "predictions": [], "data": {"item_id": item}, "project": 1}
        for number, (item, given) in enumerate(annotations.items())
    ]
    path.write_text(json.dumps(tasks))
    return path


ACCEPT, EDIT, REJECT = (result("verdict", "choices", [one]) for one in ("accept", "edit", "reject"))
SAME = (result("agreeing", "textarea", ["a junction"]), result("conclusion", "textarea", ["The roads agree."]))


def test_tasks_have_what_the_configuration_asks_for(tmp_path):
    for review in (made.pairs(tmp_path / "a", 2), made.answers(tmp_path / "b", 2)):
        view = parsed(review.kind)
        asked = {tag.get("value")[1:] for tag in view.iter() if (tag.get("value") or "").startswith("$")}
        names = {tag.get("name") for tag in view.iter() if tag.get("toName")}
        objects = {tag.get("name") for tag in view.iter() if tag.tag in ("Image", "Text")}
        assert {tag.get("toName") for tag in view.iter() if tag.get("toName")} <= objects
        for task, item in zip(tasks(review), review.items, strict=True):
            assert task["data"]["item_id"] == item.id
            assert asked <= task["data"].keys()
            for prediction in task["predictions"]:
                for one in prediction["result"]:
                    assert one["from_name"] in names
                    assert one["to_name"] in objects
                    assert one["type"] == "textarea"
    kinds = {tag.tag for tag in parsed("pair").iter()}
    assert {"Image", "Choices", "TextArea"} <= kinds
    ratings = parsed("reasons").findall("Rating")
    assert [(tag.get("name"), tag.get("maxRating")) for tag in ratings] == [
        ("presence", "5"),
        ("logic", "5"),
        ("help", "5"),
    ]


def test_pictures_are_addressed_as_local_files(tmp_path):
    review = made.pairs(tmp_path, 1)
    (task,) = tasks(review)
    assert task["data"]["query"] == "/data/local-files/?d=pictures/street.jpg"
    assert task["data"]["reference"] == "/data/local-files/?d=pictures/above/tile.jpg"
    strange = review.items[0].record.model_copy(update={"query_path": "a b/ü&d=x#.jpg"})
    item = review.items[0].model_copy(update={"record": strange})
    (task,) = tasks(type(review)(review.path, "pair", review.root, (item,)), "https://example.org/")
    assert task["data"]["query"] == "https://example.org/a%20b/%C3%BC%26d%3Dx%23.jpg"


def test_predictions_fill_in_the_teachers_words(tmp_path):
    (task,) = tasks(made.pairs(tmp_path, 1))
    (prediction,) = task["predictions"]
    assert prediction["model_version"] == "rules"
    texts = {one["from_name"]: one["value"]["text"] for one in prediction["result"]}
    assert texts == {"agreeing": ["a junction"], "conclusion": ["The roads agree."]}
    assert task["data"]["label"] == "The same place"


def test_an_export_becomes_decisions_of_its_annotators(tmp_path):
    review = made.pairs(tmp_path, 4)
    ids = [item.id for item in review.items]
    new = result("conclusion", "textarea", ["Both bend."])
    path = exported(
        tmp_path / "export.json",
        {
            ids[0]: [annotation(1, 1, ACCEPT, *SAME), annotation({"id": 2, "email": "ben@example.org"}, 2, ACCEPT)],
            ids[1]: [annotation(1, 3, EDIT, result("agreeing", "textarea", ["a bend\n", "a wall"]), new)],
            ids[2]: [
                annotation(1, 4, REJECT, result("why", "choices", ["absent"]), result("note", "textarea", ["no tower"]))
            ],
            ids[3]: [
                annotation(1, 5, ACCEPT),
                annotation(1, 6, REJECT, result("why", "choices", ["The label is wrong"])),
            ],
        },
    )
    done = import_annotations(review, path, {"1": "anna", "ben@example.org": "ben"})
    assert (done.added, done.known, done.left_out) == (5, 0, ())
    said = {line.item: line for line in read_lines(review, "anna")}
    assert [said[item].verdict for item in ids] == ["accept", "edit", "reject", "reject"]
    assert said[ids[1]].edited == Reasons(agreeing=("a bend", "a wall"), conclusion="Both bend.")
    assert (said[ids[2]].why, said[ids[2]].note) == ("absent", "no tower")
    assert said[ids[3]].why == "label_wrong"  # the last annotation counts; words are as good as the alias
    assert said[ids[0]].via == "label-studio"
    assert said[ids[0]].at.isoformat() == "2026-02-01T10:01:00.549513+00:00"
    assert [line.verdict for line in read_lines(review, "ben")] == ["accept"]
    assert [one.pair_id for one in revised(review)] == ["p0"]
    again = import_annotations(review, path, {"1": "anna", "ben@example.org": "ben"})
    assert (again.added, again.known) == (0, 5)


def test_ratings_come_back(tmp_path):
    review = made.answers(tmp_path, 1)
    stars = [result(name, "rating", value) for name, value in (("presence", 4), ("logic", 2), ("help", 5))]
    path = exported(
        tmp_path / "export.json", {"a0": [annotation(7, 1, result("verdict", "choices", ["rate"]), *stars)]}
    )
    assert import_annotations(review, path).added == 1
    (line,) = read_lines(review, "label-studio-7")
    assert (line.presence, line.logic, line.help) == (4, 2, 5)


def test_what_cannot_be_read_is_left_out_and_told(tmp_path):
    review = made.pairs(tmp_path, 1)
    item = review.items[0].id
    given = [
        annotation(1, 1, was_cancelled=True),
        annotation(2, 2, *SAME),
        annotation(3, 3, REJECT),
        annotation(4, 4, ACCEPT, result("conclusion", "textarea", ["Another."])),
        annotation(5, 5, EDIT, *SAME),
        annotation(6, 6, EDIT, result("conclusion", "textarea", ["x" * 401])),
        annotation(None, 7, REJECT, result("why", "choices", ["other"])),
    ]
    done = import_annotations(review, exported(tmp_path / "export.json", {item: given, "another": []}))
    assert done.added == 0
    told = "\n".join(done.left_out)
    for words in (
        "no item of this review: 'another'",
        "label-studio-1: skipped by the annotator",
        "label-studio-2: no verdict",
        "label-studio-3: rejected without a reason",
        "label-studio-4: accepted, with a changed text",
        "label-studio-5: edited, with the same text",
        "label-studio-6: conclusion: String should have at most 400 characters",
        "p0 (en), annotation 107: no annotator with a number, nor one named",
    ):
        assert words in told
    assert review.reviewers() == []


def test_what_was_decided_later_on_the_page_stands(tmp_path):
    review = made.pairs(tmp_path, 1)
    item = review.items[0].id
    append(review, "anna", made.reject(item, 60 * 24 * 365))
    path = exported(tmp_path / "export.json", {item: [annotation(1, 1, ACCEPT)]})
    assert import_annotations(review, path, {"1": "anna"}).known == 1
    assert [line.verdict for line in read_lines(review, "anna")] == ["reject"]


def test_annotators_who_cannot_be_told_apart_are_left_out_unless_named(tmp_path):
    review = made.pairs(tmp_path, 1)
    given = [
        annotation(None, 1, ACCEPT),
        annotation({"email": "b@x.org"}, 2, ACCEPT),
        annotation({"id": "a.b"}, 3, ACCEPT),
    ]
    path = exported(tmp_path / "export.json", {"p0 (en)": given})
    done = import_annotations(review, path, {"b@x.org": "ben"})
    assert (done.added, len(done.left_out)) == (1, 2)
    assert review.reviewers() == ["ben"]


def test_names_that_differ_in_capitals_alone_add_nothing(tmp_path):
    review = made.pairs(tmp_path, 1)
    path = exported(tmp_path / "export.json", {"p0 (en)": [annotation(1, 1, ACCEPT), annotation(2, 2, ACCEPT)]})
    with pytest.raises(InputError, match="a reviewer's name of its own"):
        import_annotations(review, path, {"1": "Zoe", "2": "zoe"})
    assert review.reviewers() == []


def test_an_export_of_another_form_is_told_and_not_a_crash(tmp_path):
    review = made.pairs(tmp_path, 1)
    path = exported(tmp_path / "export.json", {"p0 (en)": [annotation(1, 1, ACCEPT)]})
    tasks = json.loads(path.read_text())
    tasks.append(tasks[0] | {"data": {"item_id": ["x"]}})
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(tasks).encode())
    done = import_annotations(review, path)
    assert (done.added, done.left_out) == (1, ("no item of this review: \"['x']\"",))
    for wrong in (result("note", "textarea", 5), result("verdict", "choices", 5), result("note", "textarea", [None])):
        exported(path, {"p0 (en)": [annotation(2, 1, wrong)]})
        with pytest.raises(InputError, match=r"0\.annotations\.0\.result\.0\.value\..*valid (list|string)"):
            import_annotations(review, path)


def test_two_thousand_tasks_take_no_time(tmp_path):
    review = made.pairs(tmp_path, 2000)
    path = exported(tmp_path / "export.json", {item.id: [] for item in review.items})
    begun = time.process_time()
    assert import_annotations(review, path).left_out == ()
    assert time.process_time() - begun < 0.5  # 0.02 s; 1.8 s where each was looked for in the list of all tasks


def test_what_is_no_export_is_told(tmp_path):
    review = made.pairs(tmp_path, 1)
    path = tmp_path / "export.json"
    for content in ("{", '[{"id": 1, "verdict": "accept", "annotator": 1}]', "\xff"):
        path.write_text(content, encoding="latin-1")
        with pytest.raises(InputError, match='in the format "JSON"'):
            import_annotations(review, path)
    with pytest.raises(InputError, match="1 tasks, none with an item_id"):
        import_annotations(review, exported(path, {"another": []}))
    with pytest.raises(InputError, match="a file to import"):
        import_annotations(review, tmp_path / "none.json")
    with pytest.raises(InputError, match="a reviewer's name"):
        import_annotations(review, exported(path, {"p0 (en)": [annotation(1, 1, ACCEPT)]}), {"1": "../anna"})
