import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from geosleuth.agent.gallery_tools import GALLERY_TOOLS, _to_verify, _with_verdicts, compare, retrieve, submap, verify
from geosleuth.agent.references import References
from geosleuth.agent.toolbox import Scene
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon, distance_km
from geosleuth.indexes.photo import load_photo
from geosleuth.tools.candidate import Candidate, Verification

_spec = importlib.util.spec_from_file_location("galleries", Path(__file__).with_name("galleries.py"))
galleries = sys.modules.setdefault("galleries", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(galleries)

SWEDEN, PORTUGAL = {"SE": 0.97, "DK": 0.03}, {"PT": 0.97, "ES": 0.03}


@pytest.fixture(scope="module")
def gallery():
    """24 references in Lund, 24 in Porto: more than the 20 below which a submap is given up."""
    swedish = galleries.street(24)
    portuguese = galleries.street(24, galleries.PORTO, first_seed=300, country="PT")
    return galleries.MemoryGallery(swedish.references + portuguese.references, swedish.pixels | portuguese.pixels)


def near(point):
    """A belief that falls with the distance from a point: ln of exp(-km / 10)."""
    return lambda lats, lons: -distance_km(np.asarray(lats), np.asarray(lons), *point) / 10.0


def scene(gallery, pixels, belief=SWEDEN, **more) -> Scene:
    references = References(gallery, gallery.encoder, "embedded")
    point = galleries.LUND if belief is SWEDEN else galleries.PORTO
    facts = {"belief": lambda: belief, "log_density": near(point), "point": lambda: LatLon(*point)}
    return Scene(load_photo(pixels, name="query.jpg"), references=references, **{**facts, **more})


def test_the_submap_says_how_many_references_it_leaves(gallery):
    found = submap(scene(gallery, galleries.place(100)))
    assert found.summary == "1 country holds 0.95 of the belief: Sweden; 24 of 48 references lie there"
    assert found.figures == {"references": 24, "parts": 1}


def test_a_belief_without_an_opinion_leaves_the_whole_gallery_and_says_why(gallery):
    found = submap(scene(gallery, galleries.place(100), belief={}))
    assert found.summary == (
        "the whole world, because there is no belief about countries yet; 48 of 48 references lie there"
    )


def test_cells_are_those_of_the_gallery(gallery):
    found = submap(scene(gallery, galleries.place(100)), by="cells")
    assert "cells of the gallery hold 0.95 of the belief there" in found.summary
    assert 0 < found.figures["references"] <= 24  # Porto is 2,000 km away: exp(-200)


def test_retrieval_searches_the_submap_and_brings_no_evidence_about_the_place(gallery):
    found = retrieve(scene(gallery, galleries.place(103, shift=4)))
    assert found.candidates[0].uri == "ground/103.jpg"
    assert (found.search.searched, found.search.references) == (24, 48)
    assert [item.likelihood.kind for item in found.evidence] == ["nothing"]
    assert found.summary == ("24 candidates among 24 of 48 references: 1 country holds 0.95 of the belief: Sweden")
    assert found.figures["candidates"][0]["uri"] == "ground/103.jpg"


def test_the_place_is_missed_by_a_wrong_submap_and_found_in_the_whole_gallery(gallery):
    wrong = scene(gallery, galleries.place(103, shift=4), belief=PORTUGAL)
    assert "ground/103.jpg" not in {one.uri for one in retrieve(wrong).candidates}
    found = retrieve(wrong, by="everything", rerank="none")
    assert found.candidates[0].uri == "ground/103.jpg"
    assert found.search.searched == 48


def test_a_submap_of_few_references_gives_way_to_the_whole_gallery_with_its_reason():
    few, many = galleries.street(5), galleries.street(24, galleries.PORTO, first_seed=300, country="PT")
    both = galleries.MemoryGallery(few.references + many.references, few.pixels | many.pixels)
    found = retrieve(scene(both, galleries.place(103)))
    assert found.summary == (
        "29 candidates among 29 of 29 references: "
        "the whole world, because the submap leaves 5 of 29 references, fewer than 20"
    )
    assert found.search.searched == 29


def test_the_belief_orders_what_looks_alike(gallery):
    twins = galleries.street(24, galleries.PORTO, first_seed=100, country="PT")  # the same pictures, 2,000 km away
    both = galleries.MemoryGallery(
        [
            *galleries.street(24).references,
            *(galleries.reference(500 + i, one.lat, one.lon, country="PT") for i, one in enumerate(twins.references)),
        ],
        galleries.street(24).pixels
        | {galleries.reference(500 + i, 0, 0).id: galleries.place(100 + i) for i in range(24)},
    )
    query = galleries.place(105)
    in_sweden = retrieve(scene(both, query), by="everything", rerank="belief").candidates[0]
    in_portugal = retrieve(scene(both, query, belief=PORTUGAL), by="everything", rerank="belief").candidates[0]
    assert (in_sweden.country, in_portugal.country) == ("SE", "PT")
    assert in_sweden.similarity == pytest.approx(in_portugal.similarity)
    paper = retrieve(scene(both, query, belief=PORTUGAL), by="everything", rerank="paper").candidates[0]
    assert paper.country == "PT"


def candidate(number: int, view="ground", verdict=None) -> Candidate:
    verification = verdict and Verification(verdict=verdict, reason="by hand", matcher="none")
    return Candidate(
        rank=number, reference_id=f"{number:016x}", uri=f"{number}.jpg", lat=0, lon=0, view=view,
        similarity=0.5, score=0.5, verification=verification,
    )  # fmt: skip


def test_verdicts_of_an_earlier_search_are_kept():
    before = (candidate(1, verdict="no_match"), candidate(2))
    merged = _with_verdicts((candidate(3), candidate(1)), before)
    assert [one.verification and one.verification.verdict for one in merged] == [None, "no_match"]


def test_only_what_nobody_verified_is_verified_and_the_photos_own_view_to_the_full_depth():
    mixed = (
        candidate(1, "ground", "no_match"), candidate(2, "satellite"), candidate(3, "ground"),
        candidate(4, "satellite"), candidate(5, "ground"), candidate(6, "ground"),
    )  # fmt: skip
    # The first three by rank, and the first three from the ground: 1, 3 and 5.
    assert [one.rank for one in _to_verify(mixed, 3)] == [2, 3, 5]


def test_pairs_decide_among_the_verified_and_ties_keep_the_order(gallery):
    def held(number, inliers):
        verification = Verification(verdict="match", reason="by hand", matcher="none", inliers=inliers, matched=200)
        return candidate(number).model_copy(update={"verification": verification})

    # 60 and 70 may differ by chance (their difference scatters by 11), 70 and 120 may not.
    given = (candidate(1, verdict="no_match"), held(2, 60), held(3, 70), held(4, 120), candidate(5))
    found = compare(scene(gallery, galleries.place(1), candidates=given))
    assert [one.uri for one in found.candidates] == ["4.jpg", "2.jpg", "3.jpg", "1.jpg", "5.jpg"]
    assert [one.rank for one in found.candidates] == [1, 2, 3, 4, 5]
    assert found.summary.startswith("best 3 of 5 candidates, by ")
    assert [one["uri"] for one in found.figures["best"]] == ["4.jpg", "2.jpg", "3.jpg"]
    assert found.evidence == ()


def test_nothing_to_verify_or_compare_is_said(gallery):
    bare = scene(gallery, galleries.place(1))
    assert verify(bare).summary == "no candidate is left to verify"
    assert compare(bare).summary == "there is no candidate to compare"


def test_without_an_index_the_tools_say_what_to_do():
    bare = Scene(load_photo(galleries.place(1), name="query.jpg"), belief=lambda: SWEDEN)
    for tool in (submap, retrieve):
        with pytest.raises(InputError, match="Name one with --index"):
            tool(bare)


def test_every_tool_has_a_sentence_and_takes_its_defaults():
    from geosleuth.agent.toolbox import toolbox

    tools = toolbox(GALLERY_TOOLS)
    assert list(tools) == ["submap", "retrieve", "verify", "compare"]
    assert all(tool.complaint({}) is None for tool in tools.values())
    assert "less than 1" in tools["retrieve"].complaint({"share": 1.5})
    assert tools["retrieve"].complaint({"by": "street"})
    assert tools["verify"].complaint({"top": 0})
