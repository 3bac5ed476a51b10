"""Notes of the tools' findings: written once, found again, and never in the place of another's."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from geosleuth.agent import embedded_tools
from geosleuth.agent.embedded_tools import TOOLS
from geosleuth.agent.models import Models, PhotoModels
from geosleuth.agent.settings import Backends, Settings
from geosleuth.agent.toolbox import Finding, Scene, Tool
from geosleuth.indexes.photo import Photo, load_photo
from geosleuth.tools import metadata, reading, recognition
from geosleuth.tools.evidence import Evidence, NearPlace, NearPoints, OverRegions, Support
from geosleuth.tools.prior import RecordedPredictions
from geosleuth.tools.textline import TextLine
from geosleuth.training.evaluate.agent import tool_notes
from geosleuth.training.evaluate.agent.tool_notes import FindingNote, ToolNotes

BOX = ((1.0, 1.0), (50.1, 1.0), (50.1, 9.7), (1.0, 9.7))
LINE = TextLine(text="www.casa.pt", box=BOX, script="Latn", script_confidence=1.0, score=0.9, recogniser="ppocr")
PLACE = NearPlace(lat=0.1 + 0.2, lon=-180.0, spread_km=1e-3, weight=1e17, name="«São»")
GPS = Evidence(
    tool="metadata",
    type="metadata.gps",
    claim="A line\nand a \u202e turn.",
    likelihood=NearPoints(places=(PLACE,), floor=1.0),
    support=(Support(box=((0.5, 1.5), (2.5, 3.5)), text="x"),),
    seconds=0.25,
)
CODES = Evidence(tool="prior", type="prior.country", claim="PT.", likelihood=OverRegions(log_ratios={"PT": 1 / 3}))


def photo(shade: int = 100) -> Photo:
    return load_photo(np.full((40, 60, 3), shade, dtype=np.uint8))


def clues(lines: Sequence[TextLine], size: tuple[int, int]) -> list[Evidence]:
    """As the real ones, whose word tables take seconds to load."""
    told = [f"{line.text} stands in {size}." for line in lines]
    likelihood = OverRegions(log_ratios={"PT": 2.0})
    return [Evidence(tool="reading", type="reading.domain", claim=claim, likelihood=likelihood) for claim in told]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What is behind the tools, counted; recogniser, clues and model, which take seconds, always say the same."""
    made: Counter[str] = Counter()

    def counting(name, function):
        def call(*args, **kwargs):
            made[name] += 1
            return function(*args, **kwargs)

        return call

    monkeypatch.setattr(metadata, "read_metadata", counting("metadata", lambda _: [GPS]))
    monkeypatch.setattr(recognition, "recognise", counting("recognise", lambda _: [LINE]))
    monkeypatch.setattr(reading, "clues", counting("clues", clues))
    monkeypatch.setattr(embedded_tools, "_model_prior", counting("model", lambda *_: (CODES,)))
    monkeypatch.setattr(embedded_tools, "_locatability", counting("locatability", embedded_tools._locatability))
    return made


def by_model(**settings) -> PhotoModels:
    return Models(Settings(backends=Backends(prior="openai:some@http://localhost:1/v1"), **settings)).for_photo()


def test_a_finding_comes_back_as_it_was() -> None:
    found = Finding("two lines", (GPS, CODES), (LINE,), figures={"score": 0.1, "countries": ["PT"]})
    text = FindingNote.of(found, 1.5).model_dump_json()
    back = FindingNote.model_validate_json(text).finding()
    assert (back.summary, back.evidence, back.lines) == (found.summary, found.evidence, found.lines)
    assert (back.locatability, back.figures, back.images) == (None, found.figures, ())


def test_each_photo_is_looked_at_once_in_any_run(tmp_path: Path, asked: Counter[str]) -> None:
    for _ in range(2):
        tools = ToolNotes(tmp_path).wrapped(TOOLS)
        found = [tools["metadata"](Scene(photo(shade))) for shade in (100, 101, 100)]
        assert [one.evidence for one in found] == [(GPS,)] * 3
        scores = [tools["locatability"](Scene(photo())).locatability for _ in range(2)]
        assert scores[0] == scores[1] == TOOLS["locatability"](Scene(photo())).locatability
    assert asked["metadata"] == 2
    assert asked["locatability"] == 1 + 2  # the two without notes


def test_lines_that_were_read_before_are_told_anew_and_as_the_tool_itself_tells_them(
    tmp_path: Path, asked: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(found: Finding) -> list[str]:
        return [piece.model_dump_json(exclude={"seconds"}) for piece in found.evidence]

    tools = ToolNotes(tmp_path).wrapped(TOOLS)
    first = tools["read_text"](Scene(photo()))
    assert told(first) == told(tools["read_text"](Scene(photo())))
    assert (asked["recognise"], asked["clues"]) == (1, 1)
    monkeypatch.setattr(tool_notes, "source_version", lambda *_: "a rule has changed")
    assert told(tools["read_text"](Scene(photo()))) == told(first)
    assert (asked["recognise"], asked["clues"]) == (1, 2)
    itself = TOOLS["read_text"](Scene(photo()))
    assert (told(itself), itself.lines, itself.summary) == (told(first), first.lines, first.summary)
    assert first.evidence[0].claim == "www.casa.pt stands in (60, 40)."


def test_another_version_of_the_code_looks_again(
    tmp_path: Path, asked: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = ToolNotes(tmp_path).wrapped(TOOLS)
    tools["metadata"](Scene(photo()))
    monkeypatch.setattr(tool_notes, "source_version", lambda *_: "another")
    tools["metadata"](Scene(photo()))
    monkeypatch.setattr(recognition, "recogniser_version", lambda: "one")
    tools["read_text"](Scene(photo()))
    monkeypatch.setattr(recognition, "recogniser_version", lambda: "another")
    tools["read_text"](Scene(photo()))
    assert (asked["metadata"], asked["recognise"]) == (2, 2)


def test_locatability_depends_on_the_lines(tmp_path: Path, asked: Counter[str]) -> None:
    look = ToolNotes(tmp_path).wrapped(TOOLS)["locatability"]
    assert look(Scene(photo())).locatability != look(Scene(photo(), (LINE,))).locatability
    assert asked["locatability"] == 2


def test_a_models_prior_is_asked_for_once_per_way_to_ask(tmp_path: Path, asked: Counter[str]) -> None:
    prior = ToolNotes(tmp_path).wrapped(TOOLS)["prior"]
    for models in (by_model(), by_model(), by_model(prior_samples=8), by_model(vlm_max_pixels=3136)):
        assert prior(Scene(photo(), models=models)).evidence == (CODES,)
    assert asked["model"] == 3


def test_another_file_in_a_models_folder_is_another_model(tmp_path: Path, asked: Counter[str]) -> None:
    weights = tmp_path / "model" / "model.safetensors"
    weights.parent.mkdir()
    prior = ToolNotes(tmp_path / "notes").wrapped(TOOLS)["prior"]
    for content in ("a", "a and more"):
        weights.write_text(content)
        models = Models(Settings(backends=Backends(prior=f"dir:{weights.parent}"))).for_photo()
        prior(Scene(photo(), models=models))
        prior(Scene(photo(), models=models))
    assert asked["model"] == 2


def test_what_looks_at_more_than_the_photo_is_not_noted(tmp_path: Path, asked: Counter[str]) -> None:
    tools = ToolNotes(tmp_path).wrapped(TOOLS)
    assert "PT 70%" in tools["prior"](Scene(photo(), belief=lambda: {"PT": 0.7})).summary.replace("Portugal", "PT")
    assert "PT 20%" in tools["prior"](Scene(photo(), belief=lambda: {"PT": 0.2})).summary.replace("Portugal", "PT")
    recorded = RecordedPredictions(Path("answers.csv"), "model", {}, "0" * 64)
    assert "no prediction" in tools["prior"](Scene(photo(), recorded=recorded)).summary
    for _ in range(2):
        tools["metadata"](Scene(photo(), planner_sees=True))
    assert asked["metadata"] == 2
    assert not list(tmp_path.iterdir())


def test_only_built_in_tools_are_wrapped_and_they_keep_their_words(tmp_path: Path) -> None:
    def own(scene: Scene) -> Finding:
        """Read it my way."""
        return Finding("mine")

    tools = ToolNotes(tmp_path).wrapped({**TOOLS, "read_text": own})
    assert tools["read_text"] is own
    assert tools["submap"] is TOOLS["submap"]
    assert Tool.of("prior", tools["prior"]).schema == Tool.of("prior", TOOLS["prior"]).schema


def test_a_failure_is_no_finding(tmp_path: Path, asked: Counter[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_):
        raise OSError("the file is gone")

    tools = ToolNotes(tmp_path).wrapped(TOOLS)
    with monkeypatch.context() as patch:
        patch.setattr(metadata, "read_metadata", broken)
        with pytest.raises(OSError, match="the file is gone"):
            tools["metadata"](Scene(photo()))
    assert tools["metadata"](Scene(photo())).evidence == (GPS,)


def test_a_damaged_note_is_made_anew(tmp_path: Path, asked: Counter[str], caplog: pytest.LogCaptureFixture) -> None:
    tools = ToolNotes(tmp_path).wrapped(TOOLS)
    tools["metadata"](Scene(photo()))
    (note,) = (tmp_path / "metadata").iterdir()
    note.write_text(note.read_text()[:40])
    with caplog.at_level(logging.WARNING):
        assert tools["metadata"](Scene(photo())).evidence == (GPS,)
    assert "cannot be used, and is made anew" in caplog.text
    tools["metadata"](Scene(photo()))
    assert asked["metadata"] == 2


def test_text_that_json_cannot_hold_is_told_and_not_kept(
    tmp_path: Path, asked: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    half = GPS.model_construct(**{**dict(GPS), "claim": "\ud800"})
    monkeypatch.setattr(metadata, "read_metadata", lambda _: [half])
    assert ToolNotes(tmp_path).wrapped(TOOLS)["metadata"](Scene(photo())).evidence == (half,)
    assert not list((tmp_path / "metadata").iterdir())


def test_seconds_that_notes_spare_are_known(tmp_path: Path, asked: Counter[str]) -> None:
    notes = ToolNotes(tmp_path)
    tools = notes.wrapped(TOOLS)
    first, again = photo(), photo()
    tools["metadata"](Scene(first))
    assert notes.spared_s(first) == 0.0
    (path,) = (tmp_path / "metadata").iterdir()
    path.write_text(
        FindingNote.model_validate_json(path.read_text()).model_copy(update={"seconds": 9.0}).model_dump_json()
    )
    tools["metadata"](Scene(again))
    assert 8.0 < notes.spared_s(again) < 9.0  # less what it takes to read the note
    assert notes.spared_s(first) == 0.0
