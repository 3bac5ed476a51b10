"""What a threshold keeps, loses and unbalances, by hand; the report shows it and is safe to open."""

import json
import math
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.class_weights import published_weights
from geosleuth.training.georeasoner.street_views import StreetViews, read_street_views, write_street_views
from geosleuth.training.locatability.curation import curate
from geosleuth.training.locatability.curation_report import write_curation_report
from geosleuth.training.locatability.histogram import example_rows, histogram, histogram_svg
from geosleuth.training.locatability.score_set import Scores, score_views
from geosleuth.training.locatability.scorers import Scored, ScoreSettings
from geosleuth.training.locatability.sensitivity import balance_of, sensitivity

HOSTILE = "<script>alert(1)</script>\u202e"


def given(views: StreetViews, values: list[float]) -> Scores:
    """Scores as they are told."""
    by_path = {str(view.path): Scored(value) for view, value in zip(views, values, strict=False)}
    return Scores(ScoreSettings(method="masks"), by_path, ())


def test_what_is_above_the_threshold_is_kept_with_its_score(views):
    scores = given(views, [0.1, 0.4, 0.41, 0.9])  # the others have none, as broken pictures
    kept = curate(views, scores)
    assert [(view.path.stem, view.locatability) for view in kept] == [("2", 0.41), ("3", 0.9)]
    assert kept.name == views.name
    assert [view.path.stem for view in curate(views, scores, 0.05)] == ["0", "1", "2", "3"]


def test_the_manifest_of_what_is_kept_is_read_back(views, tmp_path):
    kept = curate(views, given(views, [0.1 * i for i in range(10)]))
    write_street_views(tmp_path / "kept.csv", kept, views.root)
    assert read_street_views(views.root, tmp_path / "kept.csv").views == kept.views


def test_sensitivity_is_as_by_hand(views):
    # PT has 0 to 4, KE 5 to 8, JP 9; cities are i % 3.
    levels = {one.threshold: one for one in sensitivity(views, given(views, [0.05 + 0.1 * i for i in range(10)]))}
    assert list(levels) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    at = levels[0.4]  # 4 to 9
    assert (at.kept, at.share, at.countries_kept, at.countries_lost) == (6, 0.6, ("JP", "KE", "PT"), ())
    entropy = -(1 / 6 * math.log(1 / 6) * 2 + 4 / 6 * math.log(4 / 6))
    assert at.balance == pytest.approx(entropy / math.log(3))
    assert (at.largest_country, at.largest_share) == ("KE", pytest.approx(4 / 6))
    assert at.cities == 5  # PT 1; KE 2, 0, 1 and again 2; JP 0
    at = levels[0.7]  # 7, 8, 9
    assert (at.kept, at.countries_lost, at.cities) == (3, ("PT",), 3)
    assert at.balance == pytest.approx(-(1 / 3 * math.log(1 / 3) + 2 / 3 * math.log(2 / 3)) / math.log(3))


def test_balance_ends_at_one_and_nought():
    assert balance_of(Counter(A=5, B=5), 2) == pytest.approx(1.0)
    assert balance_of(Counter(A=5, B=5), 4) == pytest.approx(0.5)  # two of the four are lost
    assert balance_of(Counter(A=5), 2) == 0.0
    assert balance_of(Counter(A=5), 1) is None
    assert balance_of(Counter(), 2) is None


def test_nothing_kept_and_no_country(views):
    level = sensitivity(views, given(views, [0.1] * 10), [0.9])[0]
    assert (level.kept, level.share, level.balance, level.largest_country) == (0, 0.0, None, None)
    assert level.countries_lost == ("JP", "KE", "PT")
    unknown = replace(views, views=tuple(replace(view, country=None, city=None) for view in views))
    level = sensitivity(unknown, given(unknown, [0.5] * 10), [0.4])[0]
    assert (level.kept, level.countries_kept, level.largest_share, level.cities) == (10, (), None, 0)
    assert sensitivity(views, given(views, []), [0.4])[0].share is None


def test_a_score_on_an_edge_falls_into_the_bin_above_and_one_into_the_last():
    assert histogram([0.0, 0.3, 0.35, 0.7, 1.0, 0.999999]) == [
        1 if i in (0, 6, 7, 14) else 2 if i == 19 else 0 for i in range(20)
    ]
    assert histogram([0.1 * i for i in range(10)], 10) == [1] * 10


def test_the_drawing_marks_the_threshold_and_what_is_below():
    drawn = histogram_svg([0.12, 0.12, 0.62], 0.4)
    assert drawn.count('class="bar dropped"') == 8
    assert drawn.count('class="bar"') == 12
    assert "kept above 0.4" in drawn
    heights = [float(value) for value in re.findall(r'height="([\d.]+)"><title>0.(?:10|60)', drawn)]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.11)
    line = float(re.search(r'class="threshold" x1="([\d.]+)"', drawn)[1])
    assert line == pytest.approx(56 + 0.4 * (760 - 56 - 16))


def test_examples_are_of_each_tenth_and_the_kept_are_framed(views):
    rows = example_rows(views, given(views, [0.05] * 7 + [0.45, 0.45, 0.95]), 0.4)
    titles = re.findall(r"<h3>(.*?)</h3>", rows)
    assert titles == ["0.9 to 1.0: 1", "0.4 to 0.5: 2", "0.0 to 0.1: 7"]
    assert rows.count('<figure class="right">') == 3
    assert rows.count("<img ") == 8  # five of the seven
    views.views[9].path.unlink()
    assert "This picture cannot be read." in example_rows(views, given(views, [0.05] * 9 + [0.95]), 0.4)


class Page(HTMLParser):
    """The tags of a page, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += attrs

    def handle_data(self, data):
        self.words += data


def test_the_report_is_one_file_with_the_figures_and_names_are_only_text(views, tmp_path):
    hostile = replace(views, name=HOSTILE, views=tuple(replace(view, city=HOSTILE) for view in views))
    out = tmp_path / "out"
    scores = score_views(hostile, out, masks=True)
    figures = write_curation_report(out, hostile, scores, 0.4)
    assert json.loads((out / "report.json").read_text()) == json.loads(json.dumps(figures))
    # i tenths of road and the rest of sky: above 0.4 from i = 3 on (0.3 + 0.7 * 0.168 = 0.418).
    sky = float(published_weights()[2])
    assert 0.3 + 0.7 * sky > 0.4 > 0.2 + 0.8 * sky
    assert (figures["at"]["kept"], figures["scored"], figures["broken"], sum(figures["histogram"])) == (7, 10, 0, 10)
    page = Page((out / "report.html").read_text())
    assert page.tags["script"] == 0
    assert "7 of 10 pictures (70.0%) score above 0.4." in page.words
    assert "Lost above 0.6: Portugal (PT)" in page.words  # 4 tenths of road score 0.4 + 0.6 * 0.168 = 0.501
    assert "\\u202e" in page.words
    sources = [value for name, value in page.attributes if name in ("src", "href")]
    assert sources
    assert all(value.startswith("data:image/jpeg;base64,") for value in sources)


def test_the_report_says_what_was_broken_and_that_the_embedded_score_is_another(views, tmp_path):
    views.views[0].path.write_bytes(b"no picture")
    scores = score_views(views, tmp_path / "out")
    write_curation_report(tmp_path / "out", views, scores, 0.4)
    words = Page((tmp_path / "out" / "report.html").read_text()).words
    assert "1 could not be scored, and are not kept." in words
    assert "0.png" in words
    assert "not GeoReasoner's formula. The paper's threshold of 0.4 means nothing for them" in words


def test_a_report_that_cannot_be_written_is_told(views, tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(InputError, match=r"to keep the report; found .*report\.html: "):
        write_curation_report(tmp_path, views, given(views, [0.5] * 10), 0.4)
