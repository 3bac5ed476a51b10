"""A report of several photos of one scene says which is which."""

import importlib.util
import io
import sys
from pathlib import Path

import pypdf
import pytest

from geosleuth.agent.report.content import ReportContent
from geosleuth.agent.report.html_report import report_html
from geosleuth.agent.report.pdf_report import report_pdf
from geosleuth.agent.report.sections import report_of

spec = importlib.util.spec_from_file_location("full", Path(__file__).with_name("full.py"))
full = sys.modules.setdefault("full", importlib.util.module_from_spec(spec))
spec.loader.exec_module(full)


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def several(**changes: object) -> ReportContent:
    """Six photos of one scene; two steps and two findings that tell nothing, of the first and of the third."""
    names = ("street-scene.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg")
    facts = [{"name": name, "sha256": f"{i}" * 64, "size": [640, 480]} for i, name in enumerate(names, start=1)]
    vain = [full.answers.evidence("No line of text", 0.0, "nothing") | {"photo": photo} for photo in (0, 2)]
    step = {"tool": "read_text", "result": "no line", "seconds": 1.5, "by": "perceive"}
    trace = [step | {"step": 1, "photo": 0}, step | {"step": 2, "photo": 2}]
    told = {"photo": facts[0], "photos": facts, "evidence": vain, "trace": trace}
    return ReportContent(full.answers.answer(**told | changes))


def test_of_several_photos_each_finding_in_vain_and_each_step_names_its_own():
    sections = {one.title: one.blocks for one in report_of(several()).sections}
    assert sections["Evidence"][-1].items == ("Photo 1, reading: No line of text", "Photo 3, reading: No line of text")
    steps = sections["Steps"][0]
    assert steps.head == ("Step", "Tool", "Asked by", "Photo", "Result", "Seconds")
    assert [row[3] for row in steps.rows] == ["1", "3"]
    assert sum(steps.widths) == pytest.approx(1.0)
    alone = {one.title: one.blocks for one in report_of(full.content()).sections}
    assert "Photo" not in alone["Steps"][0].head
    assert "reading: No line of text on the left" in alone["Evidence"][-1].items


def test_a_report_of_several_photos_is_of_all_of_them():
    report = report_of(several())
    assert report.title == "Where were these photos taken? street-scene.jpg and 5 more"
    hashes = "111111111111, 222222222222, 333333333333, 444444444444 and 2 more"
    assert report.running_head == f"street-scene.jpg and 5 more, SHA-256 {hashes}"
    assert hashes in pages(report_pdf(several()))[-1].splitlines()[0]  # on one line
    assert "the answer rests on the photos alone" in report_html(several())
    assert "No place can be told from these photos" in report_html(several(point=None, country=None))
