import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import NO_PLACE, CrossViewSet, Modality, Pictures, Skipped
from geosleuth.training.evaluate.cross_view.curves import _apart
from geosleuth.training.evaluate.cross_view.evaluate import Evaluation, rank_and_measure
from geosleuth.training.evaluate.cross_view.picture_rows import drawn, worst
from geosleuth.training.evaluate.cross_view.record import RunRecord, differences, read_record, record_of
from geosleuth.training.evaluate.cross_view.report import prepare_folder, write_report

GROUND, DRONE, TILE = Modality("photo", "ground"), Modality("drone", "drone"), Modality("tile", "satellite")
# fmt: off
TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "table", "thead", "tbody", "tr", "th",
    "td", "figure", "figcaption", "img", "div", "br", "small", "bdi", "svg", "polyline", "line", "text",
}
# fmt: on
HOSTILE = "<script>alert(1);&\u202e'\"\x1b[31m.png"


def pictures(folder: Path, names, places, modality=None, positions=None) -> Pictures:
    folder.mkdir(exist_ok=True)
    for i, name in enumerate(names):
        Image.new("RGB", (20, 10), (20 * i, 90, 200)).save(folder / name, format="PNG")
    return Pictures(
        paths=[str(folder / name) for name in names],
        modalities=(GROUND, DRONE) if modality else (TILE,),
        modality=np.array(modality or [0] * len(names), np.int16),
        places=np.array(places, np.int64),
        positions=np.full((len(names), 2), np.nan) if positions is None else np.array(positions),
    )


def unit(degrees):
    angles = np.radians(np.array(degrees, dtype=np.float64))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def evaluation(data: CrossViewSet, query_degrees, encoder="dir:runs/one", **more) -> Evaluation:
    vectors = unit(query_degrees), unit([20 * i for i in range(len(data.references))])
    ranks, measures = rank_and_measure(data, *vectors, more.pop("valid", None))
    return Evaluation(data, encoder, "0123456789abcdef", ranks, measures, **more)


@pytest.fixture
def data(tmp_path):
    """Six tiles 0.001 degrees of latitude apart, and four queries: photos of 0 and 1, drone pictures of 2 and 5."""
    positions = [(10 + 0.001 * i, 20.0) for i in range(6)]
    tiles = pictures(tmp_path / "tiles", [HOSTILE, *(f"{i}.png" for i in range(1, 6))], range(6), positions=positions)
    queries = pictures(
        tmp_path / "photos",
        [f"q{i}.png" for i in range(4)],
        [0, 1, 2, 5],
        modality=[0, 0, 1, 1],
        positions=[positions[0], positions[1], (np.nan, np.nan), positions[5]],
    )
    semi = np.array([[1, -1], [-1, -1], [-1, -1], [-1, -1]])
    return CrossViewSet("invented", "test", queries, tiles, semi)


# Query 0 sees tile 1 before its own (a semi-positive); 1 is right; 2 sees 1 first; 5 sees 0, 1, 2, 3, 4 first.
DEGREES = [11, 20, 29, 1]


class Page(HTMLParser):
    """What a browser would find: tags, their attributes, and the words between."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words += data


def page_of(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def test_the_errors_are_shown_worst_first_with_similarity_and_metres(data, tmp_path):
    found = evaluation(data, DEGREES)
    assert worst(found).tolist() == [3, 0, 2]
    assert drawn(found).tolist() == [0, 2, 3]
    write_report(tmp_path / "out", found)
    page = page_of(tmp_path / "out")
    captions = re.findall(r"(?:query|true reference|number)[^\n]*?(?=photos/|tiles/)", page.words)
    # Of query 3: 99 degrees from its own tile (cos -0.156), 1 from tile 0, which is 5 x 110.6 m away.
    assert captions[:3] == [
        "query: drone",
        "true reference: place 6 of 6, similarity -0.156",
        "number 1, similarity 1.000, 553 m away",
    ]
    assert "number 1, similarity 0.988, 111 m away, semi-positive" in captions
    # Query 2 has no position: that of its true tile is taken, one tile from tile 1.
    assert captions.index("query: drone", 1) > 0
    assert "number 1, similarity 0.988, 111 m away" in captions
    assert sum(tag == "img" for tag, _ in page.tags) == 2 * (5 + 3 + 3)  # both sections, until the true one is reached


def test_figures_of_every_modality_are_in_the_table(data, tmp_path):
    write_report(tmp_path / "out", evaluation(data, DEGREES))
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(<td.*?)</tr>", text)]
    by_name = {row[0]: row for row in rows}
    assert by_name["all"][1] == "4"
    assert by_name["all"][2].startswith("25.0 % [")
    assert by_name["photo"][2].startswith("50.0 % [")
    assert by_name["drone"][2].startswith("0.0 % [")
    assert by_name["photo"][7] == "100.0 %"  # hit rate: the semi-positive is no error
    assert by_name["all"][-1] == "16.7 %"  # chance: one of six
    assert "Recall@1 is 25.0 %" in text
    assert text.count("<polyline") == 4  # all, photo, drone, chance


def test_the_page_runs_nothing_fetches_nothing_and_escapes_names(data, tmp_path):
    hostile = replace(data, name="<img src=x onerror=alert(1)>")
    write_report(tmp_path / "out", evaluation(hostile, DEGREES, encoder="dir:<b>run</b>"))
    page = page_of(tmp_path / "out")
    assert {tag for tag, _ in page.tags} <= TAGS
    policy = [a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv")]
    assert policy == [
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ]
    assert all(a["src"].startswith("data:image/jpeg;base64,") for tag, a in page.tags if tag == "img")
    assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on") or a == "href"]
    # The name of the tile is there, as words; what would turn or colour the line is written out.
    assert "alert(1)" in page.words
    assert "\\u202e" in page.words
    assert "\x1b" not in page.words
    assert "\u202e" not in page.words


def test_missing_pictures_are_shown_as_missing_and_listed(data, tmp_path):
    Path(data.references.paths[5]).unlink()
    Path(data.queries.paths[0]).write_bytes(b"no picture")
    broken = Skipped(data.queries.paths[0], "not an image instead of a photo")
    skipped = replace(data, skipped=(Skipped("splits/list.txt:7", "no tile of that <name>"),))
    found = evaluation(skipped, DEGREES, unreadable=(broken,), valid=np.array([False, True, True, True]))
    record = write_report(tmp_path / "out", found)
    words = page_of(tmp_path / "out").words
    assert words.count("This picture cannot be read.") == 2  # tile 5, which is true for query 3, in both sections
    assert "Queries that cannot be read, and count as not found: 1." in words
    assert "Rows that were left out when the data set was opened: 1." in words
    assert "not an image instead of a photo" in words
    assert "no tile of that <name>" in words
    assert record.unreadable == ((data.queries.paths[0], broken.reason),)
    assert record.ranks == (None, 0, 1, 5)


def test_junk_is_told_where_the_gallery_is(data, tmp_path):
    places = np.where(np.arange(6) == 5, NO_PLACE, data.references.places)
    found = evaluation(replace(data, references=replace(data.references, places=places)), DEGREES)
    write_report(tmp_path / "out", found)
    assert "against 5 references (and 1 that are junk by the data set's rules" in page_of(tmp_path / "out").words
    assert "without a true reference in the gallery, which count as not found: 1." in page_of(tmp_path / "out").words


def test_ties_at_the_first_place_are_told(data, tmp_path):
    write_report(tmp_path / "out", evaluation(data, [10, 20, 40, 100]))  # query 0 between the tiles 0 and 1
    words = page_of(tmp_path / "out").words
    assert "exactly as similar: 1. They count as right, as the field has it; as errors, R@1 would be 75.0 %." in words


def test_a_run_without_errors_says_so(data, tmp_path):
    write_report(tmp_path / "out", evaluation(data, [0, 20, 40, 100]))
    assert page_of(tmp_path / "out").words.count("There is none.") == 2


def test_two_runs_are_compared_query_by_query(data, tmp_path):
    write_report(tmp_path / "before", evaluation(data, DEGREES, encoder="dir:runs/before"))
    other = read_record(tmp_path / "before")  # the folder will do
    now = evaluation(data, [0, 31, 40, 100], encoder="dir:runs/now")  # 1 is lost; 0, 2 and 3 are won
    changes = {one.modality: one for one in differences(now, other)}
    assert set(changes) == {"all", "photo", "drone"}
    assert (changes["all"].this, changes["all"].other, changes["all"].difference) == (0.75, 0.25, 0.5)
    assert (changes["all"].gained, changes["all"].lost) == (3, 1)
    # Four changes of 1, -1, 1, 1: the mean of four draws with putting back.
    assert changes["all"].interval == (-0.5, 1.0)
    assert (changes["photo"].gained, changes["photo"].lost, changes["photo"].difference) == (1, 1, 0.0)
    assert changes["drone"].interval == (1.0, 1.0)
    write_report(tmp_path / "now", now, compare=other)
    words = page_of(tmp_path / "now").words
    assert "+50.0 points [-50.0, 100.0]" in words
    assert "dir:runs/before" in words


def test_only_runs_on_the_same_pictures_are_compared(data, tmp_path):
    record = record_of(evaluation(data, DEGREES))
    moved = replace(data, references=replace(data.references, paths=[f"/else{p}" for p in data.references.paths]))
    assert differences(evaluation(moved, DEGREES), record)[0].difference == 0.0  # another root is no matter
    places = replace(data.references, places=data.references.places[::-1].copy())
    other = evaluation(replace(data, references=places), DEGREES)
    with pytest.raises(
        InputError, match=r"on the same pictures \(invented test, 4 queries\); found one on invented test"
    ):
        differences(other, record)
    with pytest.raises(InputError, match="the same pictures"):
        write_report(tmp_path / "out", other, compare=record)
    assert not (tmp_path / "out").exists()


def test_the_record_is_read_as_it_was_written(data, tmp_path):
    record = write_report(tmp_path / "out", evaluation(data, DEGREES))
    assert read_record(tmp_path / "out" / "report.json") == record
    stored = json.loads((tmp_path / "out" / "report.json").read_text())
    assert stored["ranks"] == [1, 0, 1, 5]
    assert stored["measures"]["overall"]["recall"]["1"] == 0.25
    assert RunRecord.model_validate(stored) == record
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == ["report.html", "report.json"]


def test_errors_name_what_is_wrong(tmp_path):
    with pytest.raises(InputError, match=r"the report of another run to compare with; found .*No such file"):
        read_record(tmp_path / "none.json")
    (tmp_path / "other.json").write_text('{"format": 1}')
    with pytest.raises(InputError, match=r"evaluate retrieval --out FOLDER"):
        read_record(tmp_path / "other.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a folder to write the report to"):
        prepare_folder(tmp_path / "file" / "out")


def test_names_of_curves_that_end_together_are_moved_apart():
    placed = _apart([100.0, 100.0, 102.0, 300.0])
    assert placed == [100.0, 117.0, 134.0, 300.0]
    low = _apart([336.0, 336.0, 336.0])  # at the lower edge they go up
    assert sorted(low)[1:] == pytest.approx([sorted(low)[0] + 17, sorted(low)[0] + 34])
    assert max(low) <= 380 - 44 + 17
