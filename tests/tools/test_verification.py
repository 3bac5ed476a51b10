"""Verdicts on real and made pairs, and the evidence that follows."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.reference import Reference
from geosleuth.indexes.geodesy import LatLon, geodesic_km
from geosleuth.indexes.photo import Photo, load_photo, open_photo
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.evidence import NearPoints, Nothing
from geosleuth.tools.matching import load_matcher, match_prepared
from geosleuth.tools.positions import density_ratio, photos_per_km2
from geosleuth.tools.verification import spread_km, verify

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_photos = pytest.mark.skipif(not (DATA / "vpr-small").exists(), reason="vpr-small is not beside this checkout")
LUND = {  # of labels.csv: 1 and 2 are 12 m apart, 29 is 180 m off
    "lund_01.jpg": (55.698167, 13.195389),
    "lund_02.jpg": (55.698242, 13.195200),
    "lund_29.jpg": (55.699708, 13.194522),
}


@dataclass
class Pictures:
    """What verification asks of a gallery: pictures by uri."""

    pictures: dict[str, Photo] = field(default_factory=dict)

    def picture(self, reference: Reference) -> Photo:
        if reference.uri not in self.pictures:
            raise InputError("the picture of a reference", f"no file {reference.uri}", "Mount its folder again.")
        return self.pictures[reference.uri]


def candidate(rank: int, uri: str, at: tuple[float, float] = (55.7, 13.2), **more: Any) -> Candidate:
    row = {"view": "ground", "similarity": 0.9, "score": 0.9} | more
    return Candidate(rank=rank, reference_id=f"id{rank}", uri=uri, lat=at[0], lon=at[1], **row)


def noise(seed: int, shift: int = 0) -> Photo:
    """A picture of coarse noise; a shift shows another part of the same, somewhat nearer."""
    small = np.random.default_rng(seed).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    grown = small[shift : shift + 60, shift : shift + 80].repeat(8, axis=0).repeat(8, axis=1)
    return load_photo(grown, name=f"noise {seed}")


def test_each_kind_of_candidate_gets_its_verdict() -> None:
    damaged = open_photo(_jpeg(noise(3))[:3000])
    gallery = Pictures({"same.jpg": noise(1, 4), "other.jpg": noise(2), "cut.jpg": damaged})
    given = [
        candidate(1, "other.jpg"),
        candidate(2, "17/1/2", view="satellite"),
        candidate(3, "same.jpg"),
        candidate(4, "gone.jpg"),
        candidate(5, "cut.jpg"),
        candidate(6, "same.jpg"),
    ]
    found = verify(noise(1), given, gallery, top=5)
    assert [one.verification and one.verification.verdict for one in found.candidates] == [
        "no_match",
        "not_applicable",
        "match",
        "unreadable",
        "unreadable",
        None,
    ]
    reasons = [one.verification.reason for one in found.candidates if one.verification]
    assert "unrelated pictures reach as many by chance" in reasons[0]
    assert "a satellite picture and a photo from the ground have no local features in common" in reasons[1]
    assert "no file gone.jpg" in reasons[3]
    assert [one.reference_id for one in found.matched] == ["id3"]
    assert [one.model_copy(update={"verification": None}) for one in found.candidates] == given


def test_a_match_is_evidence_near_its_reference() -> None:
    gallery = Pictures({"a.jpg": noise(1, 4)})
    (evidence,) = verify(noise(1), [candidate(1, "a.jpg")], gallery).evidence
    assert (evidence.tool, evidence.type, evidence.group) == ("verification", "verification.match", "verification")
    assert isinstance(evidence.likelihood, NearPoints)
    (place,) = evidence.likelihood.places
    verification = verify(noise(1), [candidate(1, "a.jpg")], gallery).candidates[0].verification
    assert verification is not None
    assert (place.lat, place.lon) == (55.7, 13.2)
    assert place.spread_km == spread_km(verification.inliers)
    expected = density_ratio(place.spread_km, 0.03, photos_per_km2(LatLon(55.7, 13.2)))
    assert place.weight == pytest.approx(expected)
    assert evidence.claim.startswith(
        f'{verification.inliers} of {verification.matched} feature matches with "a.jpg" agree with one change of'
    )
    assert "at 55.70000, 13.20000." in evidence.claim
    assert evidence.support[0].reference == "id1"
    assert evidence.support[0].source == "a.jpg"


def test_the_spread_shrinks_with_what_agrees_and_stays_above_a_receivers_error() -> None:
    assert spread_km(25) == pytest.approx(0.0279, abs=1e-4)  # hypot(10, 130 / 5) m
    assert spread_km(100) == pytest.approx(0.0164, abs=1e-4)  # hypot(10, 13) m
    assert 0.010 < spread_km(100_000) < 0.0101


def test_several_matches_share_one_likelihood_and_contradictions_are_named() -> None:
    gallery = Pictures({"a.jpg": noise(1, 4), "b.jpg": noise(1, 4), "far.jpg": noise(1, 4)})
    near, far = (55.7, 13.2), (48.0, 2.0)
    given = [candidate(1, "a.jpg", near), candidate(2, "b.jpg", (55.7001, 13.2)), candidate(3, "far.jpg", far)]
    (evidence,) = verify(noise(1), given, gallery).evidence
    assert isinstance(evidence.likelihood, NearPoints)
    places = evidence.likelihood.places
    alone = [density_ratio(p.spread_km, 0.03, photos_per_km2(LatLon(p.lat, p.lon))) for p in places]
    assert [p.weight / ratio for p, ratio in zip(places, alone, strict=True)] == pytest.approx([1 / 3] * 3)
    assert "; 1 more within 100 m of it agree" in evidence.claim
    assert 'Farther off and against it: "far.jpg"' in evidence.claim


def test_without_a_match_nothing_is_said_and_the_reason_counts() -> None:
    gallery = Pictures({"a.jpg": noise(2)})
    given = [candidate(1, "a.jpg"), candidate(2, "t", view="drone"), candidate(3, "gone.jpg")]
    (evidence,) = verify(noise(1), given, gallery).evidence
    assert isinstance(evidence.likelihood, Nothing)
    assert "None of 3 candidates is verified: 1 show another scene (at most " in evidence.claim
    assert "1 are no views from the ground, which this check cannot compare; 1 could not be read" in evidence.claim
    (empty,) = verify(noise(1), [], gallery).evidence
    assert empty.claim == "There was no candidate to verify."


@needs_photos
def test_the_next_photo_of_a_walk_matches_and_the_farther_ones_do_not() -> None:
    gallery = Pictures({name: load_photo(DATA / "vpr-small" / "images" / name) for name in LUND})
    given = [candidate(1, "lund_29.jpg", LUND["lund_29.jpg"]), candidate(2, "lund_02.jpg", LUND["lund_02.jpg"])]
    found = verify(gallery.pictures["lund_01.jpg"], given, gallery)
    assert [one.uri for one in found.matched] == ["lund_02.jpg"]
    likelihood = found.evidence[0].likelihood
    assert isinstance(likelihood, NearPoints)
    place = likelihood.places[0]
    error_km = geodesic_km(LatLon(place.lat, place.lon), LatLon(*LUND["lund_01.jpg"]))
    assert error_km == pytest.approx(0.0145, abs=0.002)
    assert error_km < 2 * place.spread_km


@needs_photos
@pytest.mark.slow
def test_most_true_pairs_are_accepted_and_hardly_any_false_one() -> None:
    """The walk's pairs, and all of them against photos of three other towns; 5 minutes."""
    matcher = load_matcher()
    rows = [(DATA / name, row) for name in ("vpr-small", "streetscapes-cc") for row in _labels(DATA / name)]
    prepared = [matcher.prepare(load_photo(folder / row["file"]).pixels) for folder, row in rows]
    places = [LatLon(float(row["lat"]), float(row["lon"])) for _, row in rows]
    walk = [i for i, (_, row) in enumerate(rows) if row.get("place") == "lund"]
    accepted: list[float] = []
    served = set()
    for a in walk:
        for b in range(len(rows)):
            if b != a and match_prepared(matcher, prepared[a], prepared[b]).verdict == "match":
                accepted.append(1000 * geodesic_km(places[a], places[b]))
                served |= {a} if accepted[-1] <= 50 else set()
    assert len(walk) == 29
    assert len(served) >= 0.8 * len(walk)
    assert np.mean(np.array(accepted) <= 50) >= 0.98


def _labels(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _jpeg(photo: Photo) -> bytes:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(photo.pixels).save(buffer, "JPEG")
    return buffer.getvalue()
