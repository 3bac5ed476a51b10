"""All roles played by one vision-language model: a tiny Qwen2.5-VL of random weights, so only the wiring is judged."""

import importlib.util
import sys
from pathlib import Path

import pytest

from geosleuth.agent.agent import Agent
from geosleuth.agent.embedded_tools import TOOLS
from geosleuth.agent.gallery_tools import GALLERY_TOOLS
from geosleuth.agent.localization import Localization
from geosleuth.agent.model_tools import MODEL_TOOLS
from geosleuth.agent.models import Models
from geosleuth.agent.references import References
from geosleuth.agent.settings import Backends, Settings


def neighbour(name: str):
    """Tests are no package (import-mode importlib), so a neighbour is loaded by its path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = sys.modules.setdefault(name, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


galleries, scenes = neighbour("galleries"), neighbour("scenes")
UNSEEN = galleries.place(9000)  # no reference shows it, so that geometry leaves the order to the model
VLM_ROLES = ("planner", "prior", "locatability", "pairwise", "gleam_x")


@pytest.fixture(scope="module")
def gallery():
    return galleries.street(5)


@pytest.fixture(scope="module")
def specs(tiny_models):
    base = tiny_models.tiny_qwen_of_few_words()
    return {"base": f"dir:{base}", "adapted": f"dir:{base}+dir:{tiny_models.tiny_lora(base, 1)}"}


def agent(gallery, **settings) -> Agent:
    own = {"metadata": scenes.metadata, "read_text": scenes.read_text}
    references = References(gallery, gallery.encoder, "embedded")
    configured = Settings(vlm_max_pixels=20_000, max_steps=24, **settings)
    tools = TOOLS | GALLERY_TOOLS | MODEL_TOOLS | own
    return Agent(configured, tools=tools, references=references)


def steps(answer, tool):
    return [step for step in answer.trace if step.tool == tool]


def test_one_model_proposes_compares_and_explains(gallery, specs):
    roles = Backends(prior=specs["base"], locatability=specs["base"], pairwise=specs["base"], gleam_x=specs["adapted"])
    answer = agent(gallery, backends=roles).localize(UNSEEN)
    assert Localization.model_validate(answer.model_dump()) == answer
    assert [step.result for step in answer.trace if not step.ok] == []
    # Random weights spread their probability over all words: the prior says how little it is worth, and moves nothing.
    assert "of the model's probability is on names of countries" in steps(answer, "prior")[0].result
    assert answer.locatability.backend == f"dir:{Path(specs['base']).name}"
    assert answer.locatability.reason.startswith("Asked whether the place could be told from the photo")
    assert answer.locatability.weights
    assert steps(answer, "compare")[0].result.startswith("best 3 of 5 candidates, by 9 comparisons")  # 4 + 3 + 2
    assert "no gate says that it helps" in steps(answer, "compare")[0].result
    judged = [one for one in answer.candidates if one.judgement is not None]
    assert len(judged) == 5
    assert {one.judgement.calibrated for one in judged} == {False}
    opinion = next(item for item in answer.evidence if item.type == "gleam_x.match")
    assert (opinion.likelihood, opinion.contribution_bits) == ("nothing", 0)
    assert answer.backends["gleam_x"].startswith(specs["adapted"])
    # Random weights write no JSON: the verdict of each finalist stands, and says that nothing explains it.
    finalists = [one for one in judged if "not explained" in one.judgement.reason or one.judgement.explanation]
    matches = sum(one.judgement.verdict == "match" for one in judged)
    assert len(finalists) == min(3, max(1, matches))


def test_where_the_model_plans_its_words_are_kept_and_the_answer_is_that_of_the_tools(gallery, specs):
    answer = agent(gallery, backends=Backends(planner=specs["base"])).localize(UNSEEN)
    rules = agent(gallery).localize(UNSEEN)
    name = f"VlmPlanner(dir:{Path(specs['base']).name})"
    assert answer.backends["planner"] == name
    assert any(step.by == name for step in answer.trace)
    # Its gibberish is returned once, then the rules take over: they come to what they come to by themselves.
    assert answer.countries == rules.countries


def test_a_gate_that_shuts_leaves_the_order_of_retrieval(gallery, specs, tmp_path):
    from geosleuth.tools.rerank_gate import measured_gate, write_gate

    wide = agent(gallery, backends=Backends(pairwise=specs["base"]))
    weights = wide._models.shared(specs["base"]).weights
    # 40 photos: the right one was first in all, and after reranking in none.
    figures = {"sample": "drawn", "date": "2026-11-21", "among": 10}
    harmful = measured_gate([1] * 40, [2] * 40, strategy="pairwise", weights=weights, **figures)
    write_gate(harmful, tmp_path / "gate.json")
    shut = agent(gallery, backends=Backends(pairwise=specs["base"]), rerank_gate=tmp_path / "gate.json")
    answer = shut.localize(UNSEEN)
    assert "the gate is shut: it harms" in steps(answer, "compare")[0].result
    searched = agent(gallery).localize(UNSEEN)
    assert [one.uri for one in answer.candidates] == [one.uri for one in searched.candidates]


def test_models_are_loaded_once_and_each_photo_has_its_own_view(specs):
    settings = Settings(backends=Backends(planner=specs["base"], prior=specs["base"], gleam_x=specs["adapted"]))
    models = Models(settings)
    first, second = models.for_photo(), models.for_photo()
    assert first.vlm("planner") is first.vlm("prior")  # what one role computed about the photo serves the other
    assert first.vlm("planner") is not second.vlm("planner")
    assert models.shared(specs["base"]) is models.shared(specs["base"])
    assert (models.spec("pairwise"), models.spec("gleam_x")) == (None, specs["adapted"])


@pytest.mark.parametrize("role", VLM_ROLES)
def test_a_model_that_is_not_there_is_named(gallery, role, tmp_path):
    missing = f"dir:{tmp_path / 'nothing'}"
    answering = agent(gallery, backends=Backends(**{role: missing}))
    if role == "planner":  # without its planner there is no investigation, and a person hears of it at once
        from geosleuth.indexes.errors import InputError

        with pytest.raises(InputError, match="nothing"):
            answering.localize(UNSEEN)
        return
    answer = answering.localize(UNSEEN)
    assert any(str(tmp_path) in step.failure.reason for step in answer.trace if step.failure)
    assert any("did not take part" in note for note in answer.notes)


def test_what_is_no_photo_is_told_before_a_model_is_loaded(gallery, tmp_path):
    from geosleuth.indexes.errors import InputError

    (tmp_path / "text.jpg").write_text("no picture")
    asked = agent(gallery, backends=Backends(planner=f"dir:{tmp_path}/no model"))
    with pytest.raises(InputError, match="a photo"):
        asked.localize(tmp_path / "text.jpg")


def test_under_a_cap_no_folder_of_a_model_is_named(gallery, specs):
    roles = Backends(prior=specs["base"], locatability=specs["base"], planner=specs["base"])
    answer = agent(gallery, backends=roles, precision_cap_km=500).localize(UNSEEN)
    assert str(Path(specs["base"].removeprefix("dir:")).parent) not in answer.model_dump_json()
