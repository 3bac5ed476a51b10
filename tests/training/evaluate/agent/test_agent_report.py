"""report.json, the page and its drawings, over invented rows and pictures."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.agent import record
from geosleuth.training.evaluate.agent.paired import paired
from geosleuth.training.evaluate.agent.plots import cumulative_svg, risk_svg
from geosleuth.training.evaluate.agent.record import AgentReport, commit, read_report, report_of
from geosleuth.training.evaluate.agent.report import report_html, write_report
from geosleuth.training.evaluate.agent.scored import Scored, Truth
from geosleuth.training.evaluate.agent.worst import caption, worst

NO_ANSWER = {"point": None, "error_km": None, "point_country": None, "named_country": None, "status": "not_locatable"}
BARE = dict.fromkeys(("probability", "truth_probability", "in_50", "in_90", "area_50_km2", "area_90_km2"))


def row(number: int, **changes: Any) -> Scored:
    truth = {"file": f"{number}.png", "sha256": f"{number:064x}", "lat": 40.0 + number, "lon": 0.0, "country": "FR"}
    filled = {
        "truth": Truth.model_validate(truth | changes.pop("truth", {})),
        "status": "localized",
        "point": (40.0, 0.0),
        "error_km": 10.0,
        "point_country": "FR",
        "named_country": "FR",
        "probability": 0.8,
        "truth_probability": 0.8,
        "in_50": False,
        "in_90": True,
        "area_50_km2": 1000.0,
        "area_90_km2": 100000.0,
    }
    return Scored.model_validate(filled | changes)


def wrong(number: int, probability: float | None, **changes: Any) -> Scored:
    lost = {"error_km": 900.0, "point_country": "DE", "named_country": "DE", "probability": probability, "in_90": False}
    return row(number, **(lost | changes))


def report(rows: list[Scored], **changes: Any) -> AgentReport:
    settings = {"backends": {"prior": "file:a.csv#<b>"}, "limit": None}
    return report_of(rows, "invented", settings, **({"failures": {"read_text: <no>": 2}} | changes))


def test_a_report_is_read_back_as_it_was_written(tmp_path):
    Image.new("RGB", (40, 30), "red").save(tmp_path / "0.png")
    rows = [wrong(0, 0.9), row(1, truth={"country": "JP"}), row(2, **NO_ANSWER)]
    out = tmp_path / "out"
    made = report(rows, skipped=(("x.jpg", "no such file"),), notes=("A <note>.",))
    write_report(out, made, tmp_path)
    assert read_report(out) == read_report(out / "report.json") == made
    assert made.photos == 3
    assert made.counts == {"Asia": 1, "Europe": 2}
    assert made.prior == "file:a.csv#<b>"
    assert sum(one.count for one in made.reliability) == 3
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "A &lt;note&gt;." in page
    assert "read_text: &lt;no&gt;" in page
    assert "<note>" not in page
    assert "<b>" not in page
    assert page.count("data:image/jpeg;base64,") == 2  # photo 0 under two headings; the others are not there
    assert "This picture cannot be read." in page
    assert not re.search(r"<script|https?://", page)
    assert page.count("<svg") == 4


def test_a_file_that_is_no_report_is_refused(tmp_path):
    with pytest.raises(InputError, match="the report of another run") as caught:
        read_report(tmp_path)
    assert "`geosleuth evaluate agent --out FOLDER`" in caught.value.remedy
    (tmp_path / "report.json").write_text('{"format": 1, "task": "verifier"}')
    with pytest.raises(InputError, match="task: input should be 'agent' or 'prior alone'"):
        read_report(tmp_path)


def test_beside_another_run(tmp_path):
    this, other = report([row(i) for i in range(4)]), report([wrong(i, 0.7) for i in range(4)], alone=True)
    changes = paired(this.rows, other.rows)
    write_report(tmp_path, this, tmp_path, compare=other, changes=changes)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "This run less the other: prior alone" in page
    assert "+100.0 points" in page
    assert "in this run alone: 4; in the other: 0." in page


def test_without_probabilities_there_are_no_drawings_of_them():
    made = report([row(i, **BARE) for i in range(3)], alone=True)
    page = report_html(made, {})
    assert "The recorded model alone" in page
    assert page.count("<svg") == 1
    assert risk_svg({"this run": made.rows}) == ""


def test_curves_go_where_the_numbers_are():
    rows = [row(0, error_km=0.0), row(1, error_km=25.0), row(2, error_km=3000.0), row(3, **NO_ANSWER)]
    drawn = cumulative_svg({"a <run>": rows})
    assert "a &lt;run&gt;" in drawn
    points = [tuple(map(float, one.split(","))) for one in re.search(r'points="([^"]+)"', drawn).group(1).split()]
    height = 360 - 14 - 48
    shares = [round(1 - (y - 14) / height, 3) for _, y in points]
    assert shares[0] == 0.25
    assert shares[-1] == 0.75  # the missing point is never within
    assert sorted(set(shares)) == [0.25, 0.5, 0.75]
    assert points[0][0] == 56.0
    assert points[-1][0] == 760 - 190
    risk = risk_svg({"this run": [row(0, probability=0.9), wrong(1, 0.8)]})
    assert 'points="313.0,312.0 570.0,163.0"' in risk  # nobody wrong among half, half of all


def test_the_worst_confidently_wrong_come_first():
    rows = [
        row(0),
        wrong(1, 0.7),
        wrong(2, 0.99),
        wrong(3, 0.8, status="coarse"),
        row(4, **NO_ANSWER, in_90=None),
        wrong(5, 0.7, error_km=5000.0),
        wrong(6, None, truth={"country": None}),
    ]
    found = {title: [int(one.truth.file[0]) for one in some] for title, some in worst(rows).items()}
    assert found == {
        "Answered with the wrong country, the surest first": [2, 5, 1],
        "The true place outside the 90 % region, the farthest first": [5, 1, 2, 3, 6],
        "Not answered, the nearest guess first": [4],
        "The farthest of the others": [0],
    }
    assert len(worst([wrong(i, 0.9) for i in range(20)])["The farthest of the others"]) == 9
    assert worst([]) == {}


def test_captions_quote_what_others_wrote():
    said = caption(row(0, truth={"city": "A\x1b[31mB"}, named_city="C\nD", error_km=1234.5))
    assert said.endswith("B, France; answer: C D, France 80%, answered; 1,234 km away")
    assert "\x1b" not in said
    assert "\n" not in said
    silent = caption(row(0, truth={"country": None}, **NO_ANSWER, probability=None))
    assert silent == "true: not known; answer: none, not answered; no point"


def test_a_commit_is_of_our_checkout_alone(tmp_path, monkeypatch):
    module = tmp_path / "errors.py"
    module.write_text("")
    monkeypatch.setattr(record.errors, "__file__", str(module))
    assert commit() is None  # no repository
    git = [
        "git",
        "-C",
        str(tmp_path),
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
        "-c",
        "commit.gpgsign=false",
    ]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "theirs"], check=True)
    assert commit() is None  # an environment inside another repository
    subprocess.run([*git, "add", "errors.py"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "ours"], check=True)
    assert re.fullmatch(r"[0-9a-f]{12}", commit() or "")
    module.write_text("changed")
    assert re.fullmatch(r"[0-9a-f]{12}\+", commit() or "")


def test_an_unwritable_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a folder to write the report to"):
        write_report(tmp_path / "file", report([row(0)]), Path(tmp_path))
