"""Reasoned pairs, all invented."""

import json

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.georeasoner import reasoned as module
from geosleuth.training.georeasoner.reasoned import ReasonedView, read_reasoned


def lines(path, *rows):
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in rows), encoding="utf-8")
    return path


def test_lines_are_read_leniently(tmp_path):
    for name in "abcd":
        (tmp_path / f"{name}.jpg").write_bytes(b"")
    path = lines(
        tmp_path / "pairs.jsonl",
        {"image": "a.jpg", "country": "Portugal", "city": "Porto", "reasons": ["Tiles.", " Steep\n streets. "]},
        {
            "Image": "./b.jpg",
            "country": "日本",
            "city": "unknown",
            "reason": "Signs\u2028in kanji.",
            "lat": 35.7,
            "lon": 139.7,
        },
        {
            "path": "c.jpg",
            "country": "",
            "city": "Springfield",
            "reasons": {"signs": "English"},
            "latitude": 99,
            "lng": 0,
        },
        {"file": "d.jpg", "country": "Narnia", "city": "Bree", "reasons": ["A lamp."], "lat": 1},
    )
    read = read_reasoned(path)
    assert read.views == (
        ReasonedView(tmp_path / "a.jpg", "PT", "Porto", ("Tiles.", "Steep streets.")),
        ReasonedView(tmp_path / "b.jpg", "JP", None, ("Signs in kanji.",), (35.7, 139.7)),
        ReasonedView(tmp_path / "c.jpg", None, "Springfield", ("signs: English",)),
        ReasonedView(tmp_path / "d.jpg", None, "Bree", ("A lamp.",)),
    )
    assert read.notes == {module.BAD_POSITION: 2, module.BAD_COUNTRY: 1}
    assert repr(read) == "Reasoned(pairs: 4 pairs, 0 lines skipped)"


def test_lines_that_cannot_be_used_are_counted_with_their_reasons(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/a.jpg").write_bytes(b"")
    good = {"image": "a.jpg", "country": "PT", "city": "Porto", "reasons": "Tiles."}
    path = lines(
        tmp_path / "pairs.jsonl",
        good,
        good,
        "{broken",
        "[1]",
        "",
        good | {"image": 3},
        good | {"image": "../pairs.jsonl"},
        good | {"image": "b.jpg"},
        {"image": "a.jpg", "reasons": "x"},
        good | {"country": "unknown", "city": None},
        good | {"country": "Narnia", "city": ""},
        good | {"reasons": []},
    )
    read = read_reasoned(path, tmp_path / "set")
    assert len(read) == 1
    assert read.skip_reasons == {
        module.NOT_READABLE: 2,
        module.NO_PLACE: 2,
        "there before": 1,
        module.NO_IMAGE: 1,
        module.OUTSIDE: 1,
        "no such file": 1,
        module.BAD_COUNTRY: 1,
        module.NO_REASONS: 1,
    }
    assert read.skipped[0].path == "line 2"
    about = read.about()
    assert (about["pairs"], about["with_city"], about["skipped"]) == (1, 1, read.skip_reasons)
    assert json.loads(json.dumps(about)) == about


def test_files_without_pairs(tmp_path):
    with pytest.raises(InputError, match="none that can be read"):
        read_reasoned(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match=r"found none \(no lines\)"):
        read_reasoned(lines(tmp_path / "empty.jsonl"))
    with pytest.raises(InputError, match=r"found none .*1 x no such file"):
        read_reasoned(lines(tmp_path / "x.jsonl", {"image": "a.jpg", "country": "PT", "reasons": "x"}))


def test_codes_of_countries_may_be_written_small(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.jpg").write_bytes(b"")
    rows = [{"image": f"{name}.jpg", "country": code, "reasons": "x"} for name, code in (("a", "fr"), ("b", "no"))]
    assert [view.country for view in read_reasoned(lines(tmp_path / "pairs.jsonl", *rows)).views] == ["FR", "NO"]
