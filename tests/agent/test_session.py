import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver

from geosleuth.agent.agent import Agent
from geosleuth.agent.cases.checkpoints import StateSerializer
from geosleuth.agent.embedded_tools import TOOLS
from geosleuth.agent.gallery_tools import GALLERY_TOOLS
from geosleuth.agent.inquiry import Hint, Inquiry, Observation, RequestedCall, Sun
from geosleuth.agent.references import References
from geosleuth.agent.settings import Settings
from geosleuth.agent.toolbox import Finding
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo


def neighbour(name: str):
    """Tests are no package (import-mode importlib), so a neighbour is loaded by its path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = sys.modules.setdefault(name, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


galleries, scenes = neighbour("galleries"), neighbour("scenes")
OTHER = scenes.PICTURE // 2


class Counted:
    """The stub tools, which count how often each was called."""

    def __init__(self, **tools):
        self.made: list[str] = []
        self.tools = {name: self._counting(name, tool) for name, tool in (scenes.STUBS | tools).items()}

    def _counting(self, name, tool):
        import functools

        @functools.wraps(tool)
        def call(*args, **kwargs):
            self.made.append(name)
            return tool(*args, **kwargs)

        return call


def asked(session, *statements, **inquiry):
    *_, last = session.ask(Inquiry(statements=statements, **inquiry))
    return last.localization


def test_a_hint_changes_the_answer_and_no_tool_runs_again():
    stubs = Counted()
    session = Agent(Settings(), tools=stubs.tools).session(scenes.PICTURE)
    first = asked(session)
    assert stubs.made == ["metadata", "read_text", "locatability", "submap"]
    second = asked(session, Hint(text="not Portugal"))
    assert stubs.made == ["metadata", "read_text", "locatability", "submap"]
    assert first.country.code == "PT"
    # 10,000 to 1 for Portugal from the sign, 99 to 1 against it from the hint.
    odds = [a.countries[0].probability / (1 - a.countries[0].probability) for a in (first, second)]
    assert odds[0] / odds[1] == pytest.approx(99, rel=0.02)
    assert [(s.tool, s.turn) for s in second.trace][-1] == ("hint", 2)
    assert [(e.tool, e.photo) for e in second.evidence] == [("metadata", 0), ("reading", 0), ("hint", None)]
    assert [e.id for e in second.evidence][:2] == [e.id for e in first.evidence]


def test_taking_a_hint_back_gives_the_earlier_answer():
    session = Agent(Settings(), tools=scenes.STUBS).session(scenes.PICTURE)
    first, _, third = asked(session), asked(session, Hint(text="in Brazil")), asked(session)
    assert third.countries == first.countries
    assert third.evidence == first.evidence
    assert third.point == first.point


def test_evidence_that_is_left_out_does_not_count_and_is_shown():
    session = Agent(Settings(), tools=scenes.STUBS).session(scenes.PICTURE)
    first = asked(session)
    sign = next(e for e in first.evidence if e.tool == "reading")
    without = asked(session, left_out=(sign.id,))
    assert sign.contribution_bits > 5
    assert [(e.contribution_bits, e.left_out) for e in without.evidence if e.id == sign.id] == [(0.0, True)]
    assert without.status == "not_locatable"
    assert {c.code: c.probability for c in without.countries}.get("PT", 0) < 0.05
    assert asked(session).countries == first.countries


def test_contradictions_name_rows_of_all_evidence():
    def metadata(_):
        """Read a position."""
        return Finding("1", (scenes.stands(41.9, 12.5),))

    def read_text(_):
        """Read signs."""
        return Finding("2 lines", (scenes.says("PT", group="a"), scenes.says("UA", ratio=1e6, group="b")))

    session = Agent(Settings(), tools={"metadata": metadata, "read_text": read_text}).session(scenes.PICTURE)
    first = asked(session)
    portuguese = first.evidence[1]
    second = asked(session, left_out=(portuguese.id,))
    (found,) = second.contradictions
    assert {second.evidence[i].claim for i in found.evidence} == {"It stands at 41.9, 12.5.", "The sign is of UA."}


def test_two_photos_of_one_sign_are_hardly_more_than_one():
    one = asked(Agent(Settings(), tools=scenes.STUBS).session(scenes.PICTURE))
    stubs = Counted()
    two = asked(Agent(Settings(), tools=stubs.tools).session([scenes.PICTURE, OTHER]))
    assert stubs.made == ["metadata", "read_text", "locatability", "submap"] * 2
    assert [facts.sha256 for facts in two.photos] == [load_photo(p).sha256 for p in (scenes.PICTURE, OTHER)]
    assert two.photo == two.photos[0]
    assert [e.photo for e in two.evidence] == [0, 0, 1, 1]
    assert [s.photo for s in two.trace] == [0] * 4 + [1] * 4
    odds = [a.countries[0].probability / (1 - a.countries[0].probability) for a in (one, two)]
    # The second sign counts a tenth (the correlation is 0.9): 10,000 ** (0.1 * 1.2) is 3, and not 10,000.
    assert 1.5 < odds[1] / odds[0] < 6


def test_a_photo_that_is_added_later_is_looked_at_and_the_first_is_not_again():
    stubs = Counted()
    session = Agent(Settings(), tools=stubs.tools).session(scenes.PICTURE)
    asked(session)
    session.add(OTHER)
    answer = asked(session)
    assert stubs.made == ["metadata", "read_text", "locatability", "submap"] * 2
    assert [(s.photo, s.turn) for s in answer.trace] == [(0, 1)] * 4 + [(1, 2)] * 4


def test_localize_takes_photos_of_one_scene_and_what_a_person_sees():
    agent = Agent(Settings(), tools={"metadata": scenes.metadata})
    left = agent.localize([scenes.PICTURE, OTHER], observations={"driving_side": "left"})
    assert len(left.photos) == 2
    assert [s.tool for s in left.trace] == ["metadata", "hint", "metadata"]
    (seen,) = [e for e in left.evidence if e.tool == "observation"]
    assert seen.photo is None
    assert {c.code for c in left.countries[:4]} & {"IN", "GB", "JP", "ID"}
    assert "driving_side" not in {q.key for q in left.questions}
    assert "driving_side" in {q.key for q in agent.localize(scenes.PICTURE).questions}


def test_an_interrupted_run_goes_on_where_it_stopped():
    stubs, saver = Counted(), InMemorySaver(serde=StateSerializer())
    agent = Agent(Settings(), tools=stubs.tools)
    session = agent.session(scenes.PICTURE, thread_id="case", checkpointer=saver)
    steps = session.ask(Inquiry(statements=(Hint(text="in Portugal"),)))
    assert [next(steps).trace.tool for _ in range(3)] == ["metadata", "hint", "read_text"]
    steps.close()
    again = Agent(Settings(), tools=stubs.tools).session(scenes.PICTURE, thread_id="case", checkpointer=saver)
    assert again.interrupted
    *_, last = again.resume()
    assert not again.interrupted
    assert stubs.made == ["metadata", "read_text", "locatability", "submap"]
    whole = asked(Agent(Settings(), tools=scenes.STUBS).session(scenes.PICTURE), Hint(text="in Portugal"))
    assert last.localization.countries == whole.countries
    assert [s.tool for s in last.localization.trace] == [s.tool for s in whole.trace]


def test_a_finished_run_is_answered_again_from_what_is_stored():
    stubs, saver = Counted(), InMemorySaver(serde=StateSerializer())
    first = asked(Agent(Settings(), tools=stubs.tools).session(scenes.PICTURE, thread_id="1", checkpointer=saver))
    made = list(stubs.made)
    *_, last = Agent(Settings(), tools=stubs.tools).session(scenes.PICTURE, thread_id="1", checkpointer=saver).resume()
    assert stubs.made == made
    assert last.localization.evidence == first.evidence


def test_nothing_stored_is_said():
    with pytest.raises(InputError, match="a run to go on with"):
        Agent(Settings(), tools=scenes.STUBS).session(scenes.PICTURE).resume()


def test_a_picture_that_was_turned_since_is_looked_at_anew():
    stubs, saver = Counted(), InMemorySaver(serde=StateSerializer())
    agent, photo = Agent(Settings(), tools=stubs.tools), load_photo(scenes.PICTURE)
    asked(agent.session(photo, thread_id="1", checkpointer=saver))
    turned = replace(photo, edits=("rotated by 90 degrees",))
    answer = asked(agent.session(turned, thread_id="1", checkpointer=saver))
    assert stubs.made == ["metadata", "read_text", "locatability", "submap"] * 2
    assert len(answer.trace) == 4
    assert answer.photo.edits == ("rotated by 90 degrees",)


# -- with a gallery ------------------------------------------------------------------------------------------------


def searching(tools=None):
    street = galleries.street(12)
    porto = galleries.street(12, galleries.PORTO, first_seed=300, country="PT")
    gallery = galleries.MemoryGallery(street.references + porto.references, street.pixels | porto.pixels)
    own = {"metadata": scenes.metadata, "read_text": scenes.read_text}
    references = References(gallery, gallery.encoder, "embedded")
    return Agent(Settings(), tools=TOOLS | GALLERY_TOOLS | own | (tools or {}), references=references), gallery


SEEN = galleries.place(105, shift=12)


def test_a_hint_makes_the_search_run_again_and_nothing_else():
    agent, _ = searching()
    session = agent.session(SEEN)
    first = asked(session)
    looked = dict.fromkeys(one.reference_id for one in first.candidates if one.verification)
    second = asked(session, Hint(text="in Sweden"), Hint(text="not Portugal"))
    fresh = [(s.tool, s.by) for s in second.trace if s.turn == 2]
    assert {"metadata", "read_text", "locatability"}.isdisjoint(tool for tool, _ in fresh)
    assert ("retrieve", "RulePlanner") in fresh
    assert any(one.verification and one.verification.verdict == "match" for one in second.candidates)
    assert second.country.code == "SE"
    assert len([e for e in second.evidence if e.tool == "retrieval"]) == 1
    assert looked


def with_planner(*replies):
    agent, gallery = searching()
    tools = {name: tool.function for name, tool in agent.tools.items()}
    planner = scenes.scripted(*replies)
    return Agent(Settings(), planner=planner, tools=tools, references=agent.references), gallery, planner


def test_the_investigator_asks_for_the_whole_gallery_and_for_one_candidate():
    agent, gallery, _ = with_planner(*[AIMessage("enough")] * 4)
    session = agent.session(SEEN)
    asked(session)
    assert gallery.searches == []
    found = asked(session, calls=(RequestedCall(tool="retrieve", args={"by": "everything", "rerank": "none"}),))
    assert [(s.tool, s.by) for s in found.trace if s.turn == 2] == [("retrieve", "investigator")]
    assert gallery.searches == [len(gallery)]
    last = found.candidates[-1]
    call = RequestedCall(tool="verify", args={"rank": last.rank})
    after = asked(session, calls=(call,))
    verdicts = {one.reference_id: one.verification for one in after.candidates}
    assert [ref for ref, verdict in verdicts.items() if verdict is not None] == [last.reference_id]
    again = asked(session, calls=(call,))
    assert again.trace[-1].result.startswith(f"candidate {last.rank} was verified before: ")


def test_calls_that_cannot_be_made_are_said_before_anything_runs():
    session = Agent(Settings(), tools=scenes.STUBS).session(scenes.PICTURE)
    with pytest.raises(InputError, match="Name an index to search"):
        asked(session, calls=(RequestedCall(tool="retrieve"),))
    with pytest.raises(InputError, match="share: input should be"):
        asked(session, calls=(RequestedCall(tool="submap", args={"share": "much"}),))
    with pytest.raises(InputError, match="Wanted photo 3; found 1 photos"):
        asked(session, calls=(RequestedCall(tool="submap", photo=2),))


def test_a_planner_that_is_a_model_hears_of_what_was_found_before():
    agent, _, planner = with_planner(*[AIMessage("enough")] * 4)
    session = agent.session(SEEN)
    asked(session, calls=(RequestedCall(tool="read_text"),))
    asked(session, Hint(text="in Sweden"))
    told = [str(message.content) for message in planner.heard[-1]]
    assert any("The sign is of PT." in text and "found_before" in text for text in told)
    assert any("in Sweden" in text for text in told)
    # The result of a call that no planner made is no ToolMessage: many models refuse one without its call.
    assert not any(getattr(message, "tool_call_id", None) for message in planner.heard[0])


def test_the_sun_needs_a_time_and_a_time_needs_the_sun():
    from datetime import datetime

    agent = Agent(Settings(), tools=scenes.STUBS)
    with pytest.raises(InputError, match="a time by itself says nothing"):
        agent.localize(scenes.PICTURE, taken=datetime(2024, 6, 1, 12, 30))
    with pytest.raises(InputError, match="the time at which the sun stood so"):
        agent.localize(scenes.PICTURE, sun=(None, 40.0))


def test_an_inquiry_survives_as_json():
    from datetime import UTC, datetime

    statements = (
        Hint(text="in Portugal"),
        Observation(question="driving_side", option="left"),
        Sun(taken=datetime(2024, 6, 1, tzinfo=UTC), elevation_deg=40.0),
    )
    inquiry = Inquiry(
        statements=statements, left_out=("a" * 12,), calls=(RequestedCall(tool="verify", args={"rank": 2}),)
    )
    assert Inquiry.model_validate_json(inquiry.model_dump_json()) == inquiry
    assert json.loads(inquiry.model_dump_json())["statements"][0] == {"kind": "hint", "text": "in Portugal"}


# -- what a review found ---------------------------------------------------------------------------------------------


def test_photos_that_an_interrupted_run_had_not_reached_are_looked_at_by_the_next():
    stubs, saver = Counted(), InMemorySaver(serde=StateSerializer())
    agent = Agent(Settings(), tools=stubs.tools)
    steps = agent.session([scenes.PICTURE, OTHER], thread_id="1", checkpointer=saver).ask()
    next(steps)
    steps.close()
    again = agent.session([scenes.PICTURE, OTHER], thread_id="1", checkpointer=saver)
    answer = asked(again, Hint(text="not Spain"))
    assert sorted(stubs.made) == sorted(["metadata", "read_text", "locatability", "submap"] * 2)
    assert {e.photo for e in answer.evidence} == {0, 1, None}
    assert answer.country.code == "PT"


def test_a_photo_that_is_added_to_an_interrupted_run_waits_for_the_next_question():
    saver = InMemorySaver(serde=StateSerializer())
    session = Agent(Settings(), tools=scenes.STUBS).session(scenes.PICTURE, thread_id="1", checkpointer=saver)
    steps = session.ask()
    next(steps)
    steps.close()
    session.add(OTHER)
    *_, last = session.resume()
    assert len(last.localization.photos) == 1
    assert len(asked(session).photos) == 2


def test_ids_do_not_depend_on_what_was_said_first():
    agent = Agent(Settings(), tools=scenes.STUBS)
    plain = asked(agent.session(scenes.PICTURE))
    hinted = asked(agent.session(scenes.PICTURE), Hint(text="not Spain"))
    ids = [{e.tool: e.id for e in answer.evidence}["reading"] for answer in (plain, hinted)]
    assert ids[0] == ids[1]
    # So what is left out stays left out where the state was lost.
    again = asked(agent.session(scenes.PICTURE), Hint(text="not Spain"), left_out=(ids[0],))
    assert [e.left_out for e in again.evidence if e.tool == "reading"] == [True]


def test_another_picture_has_other_ids():
    agent, photo = Agent(Settings(), tools=scenes.STUBS), load_photo(scenes.PICTURE)
    turned = replace(photo, edits=("rotated by 90 degrees",))
    assert {e.id for e in asked(agent.session(photo)).evidence}.isdisjoint(
        e.id for e in asked(agent.session(turned)).evidence
    )


def test_what_was_left_out_and_is_not_found_is_told():
    answer = asked(Agent(Settings(), tools=scenes.STUBS).session(scenes.PICTURE), left_out=("0" * 12,))
    assert "1 clue that was to be left out did not turn up again: see whether another says the same." in answer.notes


def test_ids_cannot_be_guessed_and_hold_with_and_without_a_cap(tmp_path, monkeypatch):
    from geosleuth.agent import finding_ids

    ids = {}
    for folder in ("here", "elsewhere", "here"):
        monkeypatch.setattr("platformdirs.user_data_dir", lambda _, at=folder: str(tmp_path / at))
        for cap in (None, 50.0):
            finding_ids.machine_key.cache_clear()
            answer = asked(Agent(Settings(precision_cap_km=cap), tools=scenes.STUBS).session(scenes.PICTURE))
            ids.setdefault(folder, []).append([e.id for e in answer.evidence])
    finding_ids.machine_key.cache_clear()
    assert all(one == ids["here"][0] for one in ids["here"])
    assert len(ids["here"]) == 4
    assert set(ids["elsewhere"][0]).isdisjoint(ids["here"][0])
    assert (tmp_path / "here" / "finding.key").stat().st_mode & 0o777 == 0o600


def test_a_call_that_is_made_twice_adds_nothing_and_is_not_made_again_by_resuming():
    stubs, saver = Counted(), InMemorySaver(serde=StateSerializer())
    session = Agent(Settings(), tools=stubs.tools).session(scenes.PICTURE, thread_id="1", checkpointer=saver)
    first = asked(session)
    second = asked(session, calls=(RequestedCall(tool="read_text"),))
    assert stubs.made.count("read_text") == 2
    assert [(e.id, e.contribution_bits) for e in second.evidence] == [
        (e.id, e.contribution_bits) for e in first.evidence
    ]
    *_, last = session.resume()
    assert stubs.made.count("read_text") == 2
    assert last.localization.evidence == second.evidence


def test_a_search_that_is_left_out_stays_so_when_it_is_made_again():
    searches = []

    def retrieve(_):
        """Search."""
        searches.append(len(searches) + 1)
        words = f"search {searches[-1]}"
        evidence = scenes.says("SE", 100.0, tool="retrieval").model_copy(update={"claim": words})
        return Finding(words, (evidence,))

    agent, _ = searching({"retrieve": retrieve})
    session = agent.session(SEEN)
    first = asked(session)
    (search,) = [e for e in first.evidence if e.tool == "retrieval"]
    second = asked(session, Hint(text="in Brazil"), left_out=(search.id,))
    (again,) = [e for e in second.evidence if e.tool == "retrieval"]
    assert (search.claim, again.claim) == ("search 1", "search 2")
    assert again.left_out


def test_photos_that_contradict_each_other_are_told():
    def read_text(scene):
        """Read signs."""
        code = "PT" if scene.photo.pixels[0, 0, 0] == scenes.PICTURE[0, 0, 0] else "UA"
        return Finding("1 line", (scenes.says(code, 1e6, group="language:Latn"),))

    agent = Agent(Settings(), tools=scenes.STUBS | {"read_text": read_text})
    answer = asked(agent.session([scenes.PICTURE, OTHER]))
    assert answer.status == "coarse"
    (found,) = answer.contradictions
    assert {answer.evidence[i].photo for i in found.evidence} == {0, 1}


def test_asking_for_the_belief_runs_and_deletes_nothing():
    saver = InMemorySaver(serde=StateSerializer())
    agent, photo = Agent(Settings(), tools=scenes.STUBS), load_photo(scenes.PICTURE)
    session = agent.session(photo, thread_id="1", checkpointer=saver)
    answer = asked(session)
    belief, ids = session.weighed()
    assert ids == [e.id for e in answer.evidence]
    assert belief.country_probabilities()["PT"] == pytest.approx(answer.country.probability)
    turned = agent.session(replace(photo, edits=("rotated",)), thread_id="1", checkpointer=saver)
    with pytest.raises(InputError, match="nothing was asked yet"):
        turned.weighed()
    assert session.weighed()[1] == ids


def test_gathering_finds_what_an_answer_rests_on_and_draws_none(monkeypatch):
    from geosleuth.agent import graph

    agent = Agent(Settings(), tools=scenes.STUBS)
    answer = agent.localize(scenes.PICTURE)
    monkeypatch.setattr(graph, "draw_conclusion", lambda *_: pytest.fail("an answer was drawn"))
    evidence, trace = agent.session(scenes.PICTURE).gather()
    assert [one.claim for one in evidence] == [one.claim for one in answer.evidence]
    assert [(step.tool, step.result) for step in trace] == [(step.tool, step.result) for step in answer.trace]


def test_gathering_tells_of_a_tool_that_failed():
    evidence, trace = Agent(Settings(), tools=scenes.STUBS | {"read_text": scenes.broken}).session(OTHER).gather()
    assert [one.tool for one in evidence] == ["metadata"]
    assert [step.failure.reason for step in trace if step.failure] == ["the model file is gone"]
