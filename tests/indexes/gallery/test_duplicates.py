"""The same image at the same place and elsewhere; 1e-5 degrees of latitude are 1.112 m."""

from __future__ import annotations

import pytest

from geosleuth.indexes.gallery.duplicates import Known, Rows, find_duplicates, reference_id
from geosleuth.indexes.gallery.reference import Reference
from geosleuth.indexes.gallery.table import reference_table

A, B = "a" * 64, "b" * 64
A_LIKE = "a" * 63 + "0"  # equal in the first 64 bits, which are the key


def rows(*places: tuple[str, float, float]) -> Rows:
    references = [
        Reference(reference_id(sha, lat, lon, "ground"), f"{n}.jpg", 0, lat, lon, "ground", sha256=sha)
        for n, (sha, lat, lon) in enumerate(places)
    ]
    return Rows.of(reference_table(references))


def test_an_id_is_of_bytes_place_and_view() -> None:
    one = reference_id(A, 55.7, 13.2, "ground")
    assert len(one) == 16
    assert one == reference_id(A, 55.7000000001, 13.2, "ground")
    assert reference_id(A, -0.000001, 0.0, "ground") == reference_id(A, 0.000001, 0.0, "ground")
    assert len({one, reference_id(B, 55.7, 13.2, "ground"), reference_id(A, 55.7, 13.2, "map")}) == 2 + 1


@pytest.mark.parametrize(
    ("metres", "kept"),
    [(0.5, False), (0.99, False), (3.0, True)],
)
def test_within_a_metre_it_is_one_reference(metres: float, kept: bool) -> None:
    keep, problems = find_duplicates(rows((A, 10.0, 20.0), (B, 10.0, 20.0), (A, 10.0 + metres / 111_195.0, 20.0)))
    assert keep.tolist() == [True, True, kept]
    assert [problem.kind for problem in problems] == ["repeated" if kept else "duplicate"]


def test_across_the_date_line_and_at_the_pole() -> None:
    keep, _ = find_duplicates(rows((A, 0.0, 179.999999), (A, 0.0, -179.999999), (B, 90.0, 0.0), (B, 90.0, 120.0)))
    assert keep.tolist() == [True, False, True, False]


def test_equal_beginnings_of_hashes_are_not_equal_images() -> None:
    keep, problems = find_duplicates(rows((A, 10.0, 20.0), (A_LIKE, 10.0, 20.0)))
    assert keep.all()
    assert problems == []


def test_what_is_in_the_index_stays_and_is_not_reported_again() -> None:
    keep, problems = find_duplicates(rows((A, 10.0, 20.0), (A, 11.0, 20.0), (A, 11.0, 20.0)), settled=2)
    assert keep.tolist() == [True, True, False]
    assert [(p.kind, p.uri, p.reason) for p in problems] == [
        ("duplicate", "2.jpg", "the same image and place as 1.jpg")
    ]


def test_known_references_are_found_by_image_and_place() -> None:
    known = Known(rows((A, 10.0, 20.0), (B, 10.0, 20.0), (A, 0.0, 179.999999)))
    for sha, lat, lon, wanted in (
        (A, 10.000005, 20.0, ("0.jpg", 0)),
        (B, 10.0, 20.0, ("1.jpg", 0)),
        (A, 0.0, -179.999999, ("2.jpg", 0)),
        (A, 10.00003, 20.0, None),
        (A_LIKE, 10.0, 20.0, None),
        ("c" * 64, 10.0, 20.0, None),
    ):
        assert known.find(sha, lat, lon, reference_id(sha, lat, lon, "ground")) == wanted
