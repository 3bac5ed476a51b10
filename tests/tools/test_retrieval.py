import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.gallery import Hit, Hits
from geosleuth.indexes.gallery.reference import VIEWS, Reference
from geosleuth.indexes.photo import load_photo
from geosleuth.indexes.photo_edit import Edit, edited
from geosleuth.tools.evidence import Nothing
from geosleuth.tools.retrieval import retrieve
from geosleuth.tools.submap import select_submap, whole_world

COLOURS = "c" * 64


@dataclass
class ColourEncoder:
    """A unit vector along the mean (red, green, blue)."""

    spec: str = "colour"
    weights_sha256: str = COLOURS
    dimension: int = 3
    input_side_px: int = 8
    views_seen: list[str] = field(default_factory=list)

    def prepare(self, pixels, view="ground"):
        self.views_seen.append(view)
        return pixels.astype(np.float32)

    def encode(self, prepared):
        means = np.array([p.mean(axis=(0, 1)) for p in prepared], dtype=np.float32)
        return means / np.linalg.norm(means, axis=1, keepdims=True)


@dataclass
class MemoryGallery:
    """Exact search over references in memory."""

    references: Sequence[Reference]
    vectors: np.ndarray
    location: str = "memory"
    encoder_spec: str = "colour"
    weights_sha256: str = COLOURS
    dimension: int = 3

    def views(self):
        counts = {view: sum(r.view == view for r in self.references) for view in VIEWS}
        return {view: n for view, n in counts.items() if n}

    def search(self, queries, k, *, area=None, views=None):
        rows = [i for i, r in enumerate(self.references) if views is None or r.view in views]
        if area is not None and rows:
            held = area.contains([self.references[i].lat for i in rows], [self.references[i].lon for i in rows])
            rows = [i for i, inside in zip(rows, held, strict=True) if inside]
        similarity = self.vectors[rows] @ queries[0]
        best = np.argsort(-similarity, kind="stable")[:k]
        hits = tuple(Hit(self.references[rows[i]], float(similarity[i])) for i in best)
        return [Hits(hits, len(rows), exact=True)]


def gallery(*rows):
    """Rows of (name, lat, lon, view, (red, green, blue), sha256)."""
    references = [
        Reference(id=name.ljust(16, "0"), uri=name, source=0, lat=lat, lon=lon, view=view, sha256=sha256)
        for name, lat, lon, view, _, sha256 in rows
    ]
    vectors = np.array([row[4] for row in rows], dtype=np.float32)
    return MemoryGallery(references, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


RED = load_photo(np.full((8, 8, 3), (200, 0, 0), dtype=np.uint8))
LUND = gallery(
    ("red", 55.700, 13.190, "ground", (3, 4, 0), "aa"),  # cosine 3/5 with red
    ("redder", 55.701, 13.190, "ground", (4, 3, 0), "bb"),  # 4/5, and 111 m from the first
    ("green", 52.520, 13.400, "ground", (0, 1, 0), "dd"),
    ("tile", 55.700, 13.190, "satellite", (1, 1, 1), "ee"),  # 1 / sqrt(3)
    ("map", 55.700, 13.190, "map", (1, 0, 0), "ff"),
)


def uris(found):
    return [c.uri for c in found.candidates]


def test_views_are_ranked_apart_and_merged_by_rank():
    found = retrieve(RED, LUND, ColourEncoder())
    assert uris(found) == ["redder", "tile", "map", "red", "green"]  # the first of each view, then the second
    assert [c.rank for c in found.candidates] == [1, 2, 3, 4, 5]
    assert [c.similarity for c in found.candidates] == pytest.approx([0.8, 3**-0.5, 1.0, 0.6, 0.0], abs=1e-6)
    assert (found.searched, found.references, found.exact) == (5, 5, True)
    assert uris(retrieve(RED, LUND, ColourEncoder(), k=2)) == ["redder", "tile"]


def test_the_query_is_encoded_as_a_ground_photo_and_views_can_be_chosen():
    encoder = ColourEncoder()
    found = retrieve(RED, LUND, encoder, views=["map", "satellite"])
    assert encoder.views_seen == ["ground"]
    assert uris(found) == ["map", "tile"]
    assert found.references == 2


GPANO = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" GPano:ProjectionType="equirectangular"/>
</rdf:RDF></x:xmpmeta>"""


def panorama(width=64, height=32):
    content = io.BytesIO()
    Image.new("RGB", (width, height), (200, 0, 0)).save(content, "JPEG", xmp=GPANO)
    return load_photo(content.getvalue(), name="around.jpg")


def test_a_panorama_is_encoded_as_one():
    encoder = ColourEncoder()
    found = retrieve(panorama(), LUND, encoder)
    assert encoder.views_seen == ["panorama"]
    assert found.query_view == "panorama"
    assert retrieve(RED, LUND, ColourEncoder()).query_view == "ground"


def test_a_part_of_a_panorama_is_encoded_as_a_photo():
    encoder = ColourEncoder()
    half = edited(panorama(200, 100), Edit(crop=(0.0, 0.0, 1.0, 0.5)))
    assert retrieve(half, LUND, encoder).query_view == "ground"
    assert encoder.views_seen == ["ground"]


class GroundEncoder(ColourEncoder):
    """One that was made for photos alone."""

    def prepare(self, pixels, view="ground"):
        if view != "ground":
            raise InputError(f"an encoder for {view} images", "one for ground", "Choose another encoder or view.")
        return super().prepare(pixels, view)


def test_an_encoder_without_panoramas_takes_one_as_a_photo():
    assert retrieve(panorama(), LUND, GroundEncoder()).query_view == "ground"


def test_a_candidate_is_no_evidence():
    evidence = retrieve(RED, LUND, ColourEncoder(), views=["ground"]).evidence
    assert len(evidence) == 1
    assert evidence[0].likelihood == Nothing(
        reason="a similar picture is a candidate, and no evidence until it is verified"
    )
    assert evidence[0].claim == (
        'Of 3 of 3 references, "redder" at 55.70100, 13.19000 looks most like the photo (similarity 0.80); '
        "1 of the first 3 lie within 100 m of it."
    )
    assert evidence[0].weights == "colour cccccccccccc"


def towns(berlin, bern):
    """Green references in Berlin, red ones in Bern."""
    return gallery(
        *[(f"berlin-{i}", 52.52, 13.40, "ground", (1, 9, 0), "") for i in range(berlin)],
        *[(f"bern-{i}", 46.95, 7.45, "ground", (9, 1, 0), "") for i in range(bern)],
    )


def test_the_submap_is_searched_and_nothing_else():
    found = retrieve(RED, towns(20, 30), ColourEncoder(), submap=select_submap({"DE": 1.0}), k=5)
    assert {uri.split("-")[0] for uri in uris(found)} == {"berlin"}
    assert (found.searched, found.references, found.submap_reason) == (20, 50, None)
    assert found.evidence[0].claim.startswith("Of 20 of 50 references")


def test_too_few_references_in_the_submap_and_the_whole_gallery_is_searched():
    found = retrieve(RED, towns(19, 30), ColourEncoder(), submap=select_submap({"DE": 1.0}), k=5)
    assert {uri.split("-")[0] for uri in uris(found)} == {"bern"}
    assert found.searched == 49
    assert found.submap_reason == ("the whole world, because the submap leaves 19 of 49 references, fewer than 20")
    assert found.evidence[0].support[0].rule == found.submap_reason


@pytest.mark.parametrize(
    ("submap", "reason"),
    [(None, "no submap was asked for"), (whole_world("it is a test"), "the whole world, because it is a test")],
)
def test_without_a_submap_the_reason_says_so(submap, reason):
    found = retrieve(RED, towns(2, 2), ColourEncoder(), submap=submap)
    assert found.searched == 4
    assert found.submap_reason == reason


def test_the_photo_itself_is_found_and_said_or_left_out():
    same = gallery(
        ("copy", 10.0, 10.0, "ground", (1, 0, 0), RED.sha256),
        ("copy elsewhere", 20.0, 20.0, "ground", (1, 0, 0), RED.sha256),
        ("other", 10.0, 10.0, "ground", (4, 3, 0), "bb"),
    )
    found = retrieve(RED, same, ColourEncoder())
    assert uris(found) == ["copy", "copy elsewhere", "other"]
    assert found.evidence[0].claim.endswith('This very picture is in the gallery: "copy", "copy elsewhere".')
    assert uris(retrieve(RED, same, ColourEncoder(), exclude_sha256={RED.sha256}, k=1)) == ["other"]


def test_nothing_left_is_said():
    alone = gallery(("copy", 10.0, 10.0, "ground", (1, 0, 0), RED.sha256))
    found = retrieve(RED, alone, ColourEncoder(), exclude_sha256={RED.sha256})
    assert found.candidates == ()
    assert found.evidence[0].likelihood == Nothing(reason="no reference was left to compare with")


def test_another_encoder_is_refused():
    other = replace(ColourEncoder(), spec="timm:other", weights_sha256="d" * 64)
    with pytest.raises(InputError) as refused:
        retrieve(RED, LUND, other)
    assert "colour, weights cccccccccccc, 3 numbers" in refused.value.wanted
    assert refused.value.found == "timm:other, weights dddddddddddd, 3 numbers"
    assert "backends.retrieval" in refused.value.remedy
    with pytest.raises(InputError, match="5 numbers"):
        retrieve(RED, LUND, ColourEncoder(dimension=5))


def test_a_view_that_the_gallery_lacks_is_refused():
    with pytest.raises(InputError, match=r"references of view drone; found ground, satellite, map in memory"):
        retrieve(RED, LUND, ColourEncoder(), views=["drone"])
