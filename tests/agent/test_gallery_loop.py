"""The loop over a gallery that is drawn and kept in memory: what is searched, when it widens, where the answer lies."""

import importlib.util
import sys
from pathlib import Path

import pytest

from geosleuth.agent.agent import Agent
from geosleuth.agent.embedded_tools import TOOLS
from geosleuth.agent.gallery_tools import GALLERY_TOOLS
from geosleuth.agent.inquiry import Inquiry
from geosleuth.agent.references import References
from geosleuth.agent.settings import Settings
from geosleuth.agent.toolbox import Finding
from geosleuth.indexes.geodesy import distance_km
from geosleuth.tools.evidence import Evidence, NearPlace, NearPoints


def neighbour(name: str):
    """Tests are no package (import-mode importlib), so a neighbour is loaded by its path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = sys.modules.setdefault(name, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


galleries, scenes = neighbour("galleries"), neighbour("scenes")
SWEDISH = 24  # references on a street of Lund, 100 m apart; as many in Porto


@pytest.fixture(scope="module")
def gallery():
    swedish = galleries.street(SWEDISH)
    portuguese = galleries.street(24, galleries.PORTO, first_seed=300, country="PT")
    return galleries.MemoryGallery(swedish.references + portuguese.references, swedish.pixels | portuguese.pixels)


def says_country(code: str):
    def read_text(scene):
        """Read signs."""
        return Finding("1 line", (scenes.says(code, ratio=1e6),))

    return read_text


def says_place(lat: float, lon: float, spread_km: float = 0.03):
    def metadata(scene):
        """Read a position."""
        place = NearPlace(lat=lat, lon=lon, spread_km=spread_km, weight=1e9)
        likelihood = NearPoints(places=(place,), floor=1.0)
        claim = f"The file's EXIF places it at {lat}, {lon}."
        return Finding(
            "1 finding", (Evidence(tool="metadata", type="metadata.gps", claim=claim, likelihood=likelihood),)
        )

    return metadata


def agent(gallery, read_text=scenes.read_text, metadata=scenes.metadata, **settings) -> Agent:
    own = {"metadata": metadata, "read_text": read_text}
    if gallery is None:
        return Agent(Settings(**settings), tools=TOOLS | own)
    references = References(gallery, gallery.encoder, Settings().backends.matching)
    return Agent(Settings(**settings), tools=TOOLS | GALLERY_TOOLS | own, references=references)


def calls(answer) -> list[str]:
    return [f"{step.tool} {step.args or ''}".strip() for step in answer.trace if step.tool in GALLERY_TOOLS]


SEEN = galleries.place(105, shift=12)  # the sixth place of the street, by a camera a little farther right
SIXTH = (galleries.LUND[0] + 0.0009 * 5, galleries.LUND[1])
UNSEEN = galleries.place(9000)  # nowhere in the gallery


def test_a_verified_reference_brings_the_answer_to_its_street(gallery):
    without = agent(None, says_country("SE")).localize(SEEN)
    answer = agent(gallery, says_country("SE")).localize(SEEN)
    assert calls(answer) == ["submap", "retrieve", "verify"]
    assert answer.status == "localized"
    assert distance_km(answer.point.lat, answer.point.lon, *SIXTH) < 0.05
    assert answer.radius_km < 0.1
    assert without.radius_km > 10  # the whole of Sweden
    best = answer.candidates[0]
    assert (best.uri, best.verification.verdict) == ("ground/105.jpg", "match")
    assert best.distance_km < 0.05
    assert best.verification.points
    assert {e.type for e in answer.evidence} >= {"retrieval.candidates", "verification.match"}
    assert answer.contradictions == ()
    assert answer.backends["index"].startswith("memory; 48 references; embedded ")
    assert answer.backends["retrieval"].startswith("embedded")


def test_several_references_that_hold_are_compared(gallery):
    again = galleries.reference(900, SIXTH[0] + 0.0002, SIXTH[1], country="SE")  # 22 m on, a camera farther to the left
    both = galleries.MemoryGallery([*gallery.references, again], gallery.pixels | {again.id: galleries.place(105, 60)})
    answer = agent(both, says_country("SE")).localize(SEEN)
    assert calls(answer) == ["submap", "retrieve", "verify", "compare"]
    assert {one.uri for one in answer.candidates if one.verification.verdict == "match"} == {
        "ground/105.jpg",
        "ground/900.jpg",
    }
    assert [one.verification and one.verification.verdict for one in answer.candidates[:3]].count("match") == 2
    assert distance_km(answer.point.lat, answer.point.lon, *SIXTH) < 0.05
    assert answer.contradictions == ()


def test_the_submap_was_searched_and_no_more(gallery):
    gallery.searches.clear()
    agent(gallery, says_country("SE")).localize(SEEN)
    assert gallery.searches == [SWEDISH]


@pytest.fixture(scope="module")
def rejected(gallery):
    """The answer on a photo from nowhere in the gallery, and how many references each search compared."""
    gallery.searches.clear()
    return agent(gallery, says_country("SE")).localize(UNSEEN), tuple(gallery.searches)


def test_a_photo_from_nowhere_in_the_gallery_is_not_pulled_to_it(rejected):
    without = agent(None, says_country("SE")).localize(UNSEEN)
    answer, _ = rejected
    assert (answer.point, answer.radius_km, answer.status) == (without.point, without.radius_km, without.status)
    assert answer.countries == without.countries
    assert answer.regions == without.regions
    assert {one.verification.verdict for one in answer.candidates} == {"no_match"}
    # One of the last search and one of all verifications: each speaks of all candidates that are known.
    assert [e.contribution_bits for e in answer.evidence if e.tool in ("retrieval", "verification")] == [0.0] * 2


def test_rejections_widen_the_search_up_to_the_whole_gallery(rejected):
    answer, searches = rejected
    assert calls(answer) == [
        "submap",
        "retrieve",
        "verify",
        "retrieve {'share': 0.999}",
        "verify {'top': 20}",
        "retrieve {'by': 'everything', 'rerank': 'none'}",
        "verify {'top': 30}",
    ]
    assert searches == (24, 24, 48)
    assert all(step.ok for step in answer.trace)  # none was refused as a repetition


def test_signs_of_the_wrong_country_do_not_hide_the_place(gallery):
    answer = agent(gallery, says_country("PT")).localize(SEEN)
    assert calls(answer)[-1].startswith("verify")
    assert answer.candidates[0].uri == "ground/105.jpg"
    # Ten thousand to one of a sign against a match of which 3 % are wrong: neither is to be had without the other.
    assert {share.code for share in answer.countries if share.probability > 0.05} == {"PT", "SE"}
    assert any("feature matches" in one.claim and one.bits > 10 for one in answer.contradictions)
    assert answer.status == "coarse"


def test_a_wrong_position_in_the_file_does_not_hide_the_place_and_is_contradicted(gallery):
    answer = agent(gallery, says_country("PT"), says_place(*galleries.PORTO)).localize(SEEN)
    assert answer.candidates[0].uri == "ground/105.jpg"
    assert answer.candidates[0].verification.verdict == "match"
    (found,) = [c for c in answer.contradictions if "EXIF" in c.claim]
    assert found.bits > 10
    assert answer.status == "coarse"  # a position against a match: one of them is wrong, and nobody can say which


def test_a_position_in_the_next_street_is_no_contradiction(gallery):
    near = says_place(SIXTH[0] + 0.0015, SIXTH[1])  # 170 m north
    answer = agent(gallery, says_country("SE"), near).localize(SEEN)
    assert answer.contradictions == ()
    assert answer.status == "localized"


def test_a_failed_search_does_not_end_the_run(gallery):
    def retrieve(scene):
        """Fail."""
        raise OSError("the disk is gone")

    tools = TOOLS | GALLERY_TOOLS | {"read_text": says_country("SE"), "retrieve": retrieve}
    one = Agent(Settings(), tools=tools, references=References(gallery, gallery.encoder, "embedded"))
    answer = one.localize(SEEN)
    assert calls(answer) == ["submap", "retrieve"]
    assert "The tool retrieve did not take part: OSError: the disk is gone" in answer.notes
    assert answer.country.code == "SE"


def test_references_whose_pictures_are_gone_are_said_and_no_rejection(gallery):
    from dataclasses import replace

    empty = replace(gallery, gone=frozenset(one.id for one in gallery.references), searches=[])
    answer = agent(empty, says_country("SE")).localize(SEEN)
    assert calls(answer) == ["submap", "retrieve", "verify"]
    assert {one.verification and one.verification.verdict for one in answer.candidates} == {"unreadable"}
    assert answer.radius_km > 10


def test_satellite_references_are_candidates_that_this_check_does_not_apply_to():
    tiles = [galleries.reference(700 + i, 55.7 + 0.001 * i, 13.19, "satellite", "SE") for i in range(24)]
    above = galleries.MemoryGallery(tiles, {one.id: galleries.place(700 + i) for i, one in enumerate(tiles)})
    answer = agent(above, says_country("SE")).localize(SEEN)
    assert calls(answer) == ["submap", "retrieve", "verify"]
    verdicts = [one.verification.verdict for one in answer.candidates]
    assert verdicts == ["not_applicable"] * 10
    assert answer.radius_km > 10


def test_the_limits_of_the_loop_hold(gallery):
    answer = agent(gallery, says_country("SE"), max_steps=5).localize(UNSEEN)
    assert len(answer.trace) == 6  # the metadata is not counted
    assert any("max_steps" in note for note in answer.notes)


def test_the_default_limit_suffices_for_all_the_rules():
    from geosleuth.agent.planner_rules import RULES

    assert len(RULES) <= Settings().max_steps


def test_one_agent_opens_its_references_once(monkeypatch, gallery):
    opened = []

    def open_references(settings):
        opened.append(settings)
        return References(gallery, gallery.encoder, "embedded")

    monkeypatch.setattr("geosleuth.agent.agent.open_references", open_references)
    one = Agent(Settings(), tools={"metadata": scenes.metadata})
    assert opened == []  # not before a photo asks for it
    one.localize(scenes.PICTURE)
    one.localize(scenes.PICTURE)
    assert len(opened) == 1


def test_the_state_stays_small(gallery):
    import pickle

    from langgraph.checkpoint.memory import InMemorySaver

    from geosleuth.agent.graph import build_graph

    saver = InMemorySaver()
    one = agent(gallery, says_country("SE"))
    run = one.investigation(one.load(SEEN), Inquiry())
    config = {"configurable": {"thread_id": "1"}}
    state = build_graph(saver).invoke({}, config, context=run)
    stored = build_graph(saver).get_state(config).values
    assert stored["looks"] == state["looks"]
    assert len(state["looks"][0].candidates) > 5
    size = len(pickle.dumps((dict(saver.storage), dict(saver.blobs), dict(saver.writes))))
    assert size < 600_000  # the pixels alone are 0.7 MB; a dozen checkpoints hold 24 candidates each
