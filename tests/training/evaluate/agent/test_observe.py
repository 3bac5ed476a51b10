"""The agent on a few drawn photos: looked at once, kept when done, and the same with another prior."""

import importlib.util
import logging
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.agent.agent import Agent
from geosleuth.agent.session import Session
from geosleuth.agent.settings import Backends, Settings
from geosleuth.agent.toolbox import Finding, Scene
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon
from geosleuth.indexes.photo import load_photo
from geosleuth.tools import metadata, recognition
from geosleuth.tools.prior import RecordedPredictions
from geosleuth.training.evaluate import observed
from geosleuth.training.evaluate.agent import observe as module
from geosleuth.training.evaluate.agent.observe import observe, truths
from geosleuth.training.evaluate.agent.with_prior import with_prior
from geosleuth.training.evaluate.labelled import LabelledPhoto

LISBON, AT_SEA = LatLon(38.7223, -9.1393), LatLon(-50.0, -130.0)
QUICK = frozenset({"read_text"})  # the one tool that takes seconds


def neighbour(name: str):
    """Tests are no package, so the neighbour in tests/agent is loaded by its path."""
    spec = importlib.util.spec_from_file_location(f"observe_{name}", Path(__file__).parents[3] / "agent" / f"{name}.py")
    loaded = sys.modules.setdefault(spec.name, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def photos(tmp_path: Path) -> list[LabelledPhoto]:
    """Three drawn photos, of which the second is no photo."""
    root = tmp_path / "set"
    (root / "day").mkdir(parents=True)
    for number, name in enumerate(["day/a.jpg", "b.jpg", "c.jpg"]):
        blocks = np.random.default_rng(number).integers(0, 255, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(blocks).resize((64, 48)).save(root / name)
    (root / "b.jpg").write_bytes(b"no photo")
    return [
        LabelledPhoto(root / "day/a.jpg", LISBON, "PT", "Lisbon"),
        LabelledPhoto(root / "b.jpg", LISBON, ""),
        LabelledPhoto(root / "c.jpg", AT_SEA, ""),
    ]


@pytest.fixture
def gathered(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the agent looked at each photo."""
    made: Counter[str] = Counter()
    gather = Session.gather

    def counting(self: Session):
        made[self.photos[0].name] += 1
        return gather(self)

    monkeypatch.setattr(Session, "gather", counting)
    return made


def run(photos: list[LabelledPhoto], notes: Path, settings: Settings | None = None, **options):
    root = photos[0].path.parents[1]
    return observe(photos, settings or Settings(), notes, root=root, **{"without": QUICK, "processes": 1} | options)


def test_truths_are_the_sets_words_and_the_files_hash(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    gone = LabelledPhoto(tmp_path / "elsewhere" / "gone.jpg", LISBON, "ES", file="x/gone.jpg")
    labels = truths([*photos, gone], tmp_path / "set")
    assert [one.file for one in labels] == ["day/a.jpg", "b.jpg", "c.jpg", "x/gone.jpg"]
    assert [one.country for one in labels] == ["PT", "PT", None, "ES"]  # of a set that names none: where it lies
    assert [one.city for one in labels] == ["Lisbon", None, None, None]
    assert labels[0].sha256 == load_photo(photos[0].path).sha256
    assert labels[3].sha256 == ""
    assert truths([], tmp_path) == []


def test_what_is_observed_is_what_the_agent_answers_from(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    told = []
    seen = run(photos, tmp_path / "notes", progress=lambda *moment: told.append(moment))
    assert told == [(1, 3), (2, 3), (3, 3)]
    answer = Agent(Settings(), tools=_without_reading()).localize(photos[0].path)
    assert [one.claim for one in seen[0].evidence] == [one.claim for one in answer.evidence]
    assert seen[0].calls == Counter(step.tool for step in answer.trace) == {"metadata": 1, "locatability": 1}
    assert seen[0].seconds > 0
    assert seen[0].failures == seen[2].failures == ()


def _without_reading():
    return {name: tool.function for name, tool in Agent(Settings()).tools.items() if name not in QUICK}


def test_a_photo_that_cannot_be_read_is_there_without_evidence(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    seen = run(photos, tmp_path / "notes")[1]
    assert (seen.evidence, seen.seconds, seen.calls) == ((), 0.0, {})
    assert len(seen.failures) == 1
    assert seen.failures[0].startswith("photo: Wanted a photo (JPEG")


def test_a_second_run_looks_at_nothing(photos: list[LabelledPhoto], tmp_path: Path, gathered: Counter[str]) -> None:
    first = run(photos, tmp_path / "notes")
    assert run(photos, tmp_path / "notes") == first
    mended = [*photos[:2], LabelledPhoto(photos[2].path, LISBON, "PT")]
    assert run(mended, tmp_path / "notes")[2].truth.country == "PT"
    assert gathered == {"a.jpg": 1, "c.jpg": 1}


def test_a_run_that_was_killed_goes_on(photos: list[LabelledPhoto], tmp_path: Path, gathered: Counter[str]) -> None:
    def kill(done: int, _: int) -> None:
        raise KeyboardInterrupt(str(done))

    with pytest.raises(KeyboardInterrupt, match="1"):
        run(photos, tmp_path / "notes", progress=kill)
    assert gathered == {"a.jpg": 1}
    assert len(run(photos, tmp_path / "notes")) == 3
    assert gathered == {"a.jpg": 1, "c.jpg": 1}


def test_another_prior_looks_again_but_no_costly_tool_does(
    photos: list[LabelledPhoto], tmp_path: Path, gathered: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run(photos, tmp_path / "notes")
    table = tmp_path / "answers.csv"
    table.write_text(
        "model,source_file,predicted_country,predicted_city,lat,lon\n"
        "m,a.jpg,Spain,,,\nm,b.jpg,Spain,,,\nm,c.jpg,no idea,,,\n"
    )
    monkeypatch.setattr(metadata, "read_metadata", lambda _: pytest.fail("metadata were read again"))
    seen = run(photos, tmp_path / "notes", Settings(backends=Backends(prior=f"file:{table}")))
    assert gathered == {"a.jpg": 2, "c.jpg": 2}
    assert [one.tool for one in seen[0].evidence].count("prior") == 1
    swapped = with_prior(plain, RecordedPredictions.read(table))
    assert [one.evidence for one in swapped] == [one.evidence for one in seen]
    assert swapped[1].evidence == ()  # whatever a model says of it, the agent never saw the photo
    assert [one.evidence for one in with_prior(swapped, None)] == [one.evidence for one in plain]


def test_a_tool_left_out_is_another_run(photos: list[LabelledPhoto], tmp_path: Path, gathered: Counter[str]) -> None:
    run(photos[:1], tmp_path / "notes")
    (seen,) = run(photos[:1], tmp_path / "notes", without=QUICK | {"metadata"})
    assert "metadata" not in seen.calls
    assert seen.evidence == ()
    assert gathered["a.jpg"] == 2


def test_a_tool_that_failed_is_named_and_the_photo_looked_at_again(
    photos: list[LabelledPhoto], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_):
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(metadata, "read_metadata", broken)
        (seen,) = run(photos[:1], tmp_path / "notes")
    assert seen.failures == ("metadata: OSError: the disk is gone",)
    assert seen.calls == {"metadata": 1, "locatability": 1}
    (seen,) = run(photos[:1], tmp_path / "notes")
    assert seen.failures == ()
    assert [one.tool for one in seen.evidence] == ["metadata"]


def test_a_photo_that_ran_out_of_time_is_told_and_not_kept(
    photos: list[LabelledPhoto], tmp_path: Path, gathered: Counter[str]
) -> None:
    hasty = Settings(max_seconds=1e-6)
    for _ in range(2):
        (seen,) = run(photos[:1], tmp_path / "notes", hasty)
        assert seen.failures[-1] == "max_seconds: tools may be missing, for the limit of 1e-06 s was reached"
    assert gathered["a.jpg"] == 2


def test_a_fault_of_ours_is_one_photos(
    photos: list[LabelledPhoto], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(_):
        raise ZeroDivisionError("by us")

    monkeypatch.setattr(Session, "gather", faulty)
    seen = run(photos, tmp_path / "notes")
    assert [one.failures for one in seen][::2] == [("photo: a fault of geosleuth, ZeroDivisionError: by us",)] * 2


@pytest.mark.parametrize("cap", [None, 25.0])
def test_a_fault_of_ours_is_logged_without_its_words_and_the_photos_name(
    photos: list[LabelledPhoto],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    cap: float | None,
) -> None:
    def faulty(_):
        raise ZeroDivisionError("by FARMACIA")

    monkeypatch.setattr(Session, "gather", faulty)
    caplog.set_level(logging.INFO, "geosleuth.training.evaluate.agent.observe")
    run(photos[:1], tmp_path / "notes", Settings(precision_cap_km=cap))
    fault, *trace = [one for one in caplog.records if one.name == "geosleuth.training.evaluate.agent.observe"]
    assert (fault.levelname, fault.getMessage()) == ("ERROR", "A fault of geosleuth over a photo: ZeroDivisionError")
    assert fault.exc_info is None
    assert [(one.levelname, one.getMessage()) for one in trace] == ([] if cap else [("INFO", "Its trace")])


def test_what_no_photo_could_do_without_ends_the_run(
    photos: list[LabelledPhoto], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unusable(_):
        raise InputError("a model", "none", "Name one.")

    monkeypatch.setattr(Session, "gather", unusable)
    for processes in (1, 2):
        with pytest.raises(InputError, match="Wanted a model"):
            run(photos, tmp_path / "notes", processes=processes)


def test_threads_find_the_same_in_the_same_order(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    def core(seen):
        return [(one.truth, [piece.claim for piece in one.evidence], one.calls) for one in seen]

    assert core(run(photos, tmp_path / "two", processes=2)) == core(run(photos, tmp_path / "one"))


def test_errors_say_what_to_do(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no tool 'ocr'.*Tools here: metadata, read_text"):
        run(photos, tmp_path / "notes", without=frozenset({"ocr"}))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a folder to keep notes in"):
        run(photos, tmp_path / "file")


def test_photos_of_the_set_are_taken_out_of_the_settings_index(
    photos: list[LabelledPhoto], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    galleries = neighbour("galleries")
    gallery = galleries.street(4, at=LISBON)  # 100 m apart; the first is where the first photo was taken

    def columns(*names: str):
        from geosleuth.indexes.gallery.table import reference_table

        return reference_table(gallery.references).select(names)

    listed = type("Listed", (type(gallery),), {"columns": staticmethod(columns)})(gallery.references, gallery.pixels)
    references = module.References(listed, gallery.encoder, "embedded")
    searched = []

    def retrieve(scene: Scene) -> Finding:
        """Count what can be found."""
        searched.append(len(scene.references.gallery))
        return Finding("counted")

    monkeypatch.setattr(module, "open_references", lambda _: references)
    monkeypatch.setattr("geosleuth.agent.agent.GALLERY_TOOLS", {"retrieve": retrieve})
    run(photos[:1], tmp_path / "notes")
    run(photos[:1], tmp_path / "notes", references=references)
    assert searched == [3, 4]  # what was handed over is searched as it is


def test_reading_is_not_repeated_by_any_run(
    photos: list[LabelledPhoto], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    monkeypatch.setattr(recognition, "recognise", lambda photo: made.append(photo.name) or [])
    for steps in (16, 15):  # another setting: another observation of the same findings
        (seen,) = run(photos[:1], tmp_path / "notes", Settings(max_steps=steps), without=frozenset())
        assert seen.calls["read_text"] == 1
    (plain,) = observed.observe(photos[:1], tmp_path / "notes")
    assert plain.size == (64, 48)
    assert [one.claim for one in plain.evidence] == [one.claim for one in seen.evidence]
    assert made == ["a.jpg"]


def test_a_photo_that_lies_is_looked_at_upright_by_either_way_and_its_notes_spare_time(
    photos: list[LabelledPhoto], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    street = Image.open(Path(__file__).parents[4] / "docs" / "match.jpg")
    street.transpose(Image.Transpose.ROTATE_180).save(photos[0].path, quality=95)
    shown, slow = [], 0.5

    def recognise(photo):
        shown.append(photo.edits)
        time.sleep(slow)
        return []

    monkeypatch.setattr(recognition, "recognise", recognise)
    for steps in (16, 15):  # the second time the notes have what was read
        (seen,) = run(photos[:1], tmp_path / "notes", Settings(max_steps=steps), without=frozenset())
        assert seen.seconds >= slow  # what it took to look, whenever that was
    (plain,) = observed.observe(photos[:1], tmp_path / "notes")
    assert plain.size == street.size
    assert shown == [("rotated by 180 degrees",)]
