"""Where words stand on the pages of the PDF."""

import importlib.util
import io
import sys
from itertools import pairwise
from pathlib import Path

import pypdf
import pytest

from geosleuth.agent.report.content import ReportContent
from geosleuth.agent.report.html_report import report_html
from geosleuth.agent.report.pdf_report import report_pdf

spec = importlib.util.spec_from_file_location("full", Path(__file__).with_name("full.py"))
full = sys.modules.setdefault("full", importlib.util.module_from_spec(spec))
spec.loader.exec_module(full)


def set_lines(content: ReportContent, monkeypatch) -> list[list[tuple[float, float, str, str]]]:
    """(left, right, text, direction) of what is set on each line, from left to right."""
    from geosleuth.agent.report.pdf_document import Document

    found, plain = {}, Document.cell

    def cell(self, wide, high, text, **others):
        way = self.text_shaping["direction"].value.lower()
        found.setdefault((self.page, round(self.get_y(), 2)), []).append((self.get_x(), self.get_x() + wide, text, way))
        return plain(self, wide, high, text, **others)

    monkeypatch.setattr(Document, "cell", cell)
    report_pdf(content)
    return [sorted(line) for line in found.values()]


def claim_of(lines: list[list[tuple[float, float, str, str]]], words: str) -> list[tuple[str, str]]:
    """Text and direction of the claim that ends so, each piece beginning where the one before it ends."""
    line = next(line for line in lines if any(words in one[2] for one in line))
    claim = [one for one in line if one[2] != "reading: CLDR"][2:-1]
    assert all(one[1] == pytest.approx(other[0]) for one, other in pairwise(claim))
    return [(text, way) for _, _, text, way in claim]


def test_signs_from_right_to_left_keep_their_numbers_spaces_and_quotes(monkeypatch):
    claims = [
        'Lines "شارع 25", "محطة" are Arabic',
        'Line "شارع الكورنيش 25" in Arabic script',
        '"רחוב דיזנגוף 99" is the name of x',
    ]
    evidence = [full.answers.evidence(claim, 3.0 - i) for i, claim in enumerate(claims)]
    lines = set_lines(full.content(evidence=evidence, candidates=[], contradictions=[]), monkeypatch)
    # As a browser shows the HTML, seen in Chromium: the sign turned, its number left of it, the English untouched.
    several = [('Lines "', "ltr"), ("25", "ltr"), ("شارع ", "rtl"), ('", "', "ltr"), ("محطة", "rtl")]
    assert claim_of(lines, "are Arabic") == [*several, ('" are Arabic', "ltr")]
    one = [('Line "', "ltr"), ("25", "ltr"), ("شارع الكورنيش ", "rtl"), ('" in Arabic script', "ltr")]
    assert claim_of(lines, "in Arabic script") == one
    first = [('"', "ltr"), ("99", "ltr"), ("רחוב דיזנגוף ", "rtl"), ('" is the name of x', "ltr")]
    assert claim_of(lines, "is the name of x") == first


def test_a_claim_begins_at_the_left_whatever_its_first_letter(monkeypatch):
    content = full.content(evidence=[full.answers.evidence("שלום is it", 3.0)], candidates=[], contradictions=[])
    assert claim_of(set_lines(content, monkeypatch), " is it") == [("שלום", "rtl"), (" is it", "ltr")]
    assert "<td>שלום is it</td>" in report_html(content)


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


@pytest.mark.parametrize("rows", range(36, 46))
def test_what_leads_in_to_a_list_or_a_table_stands_with_it(rows):
    """Whatever the length of the table before it, and so wherever on its page the next lead-in would stand."""
    evidence = [full.answers.evidence(f"claim {i}", 3.0) for i in range(rows)]
    evidence += [full.answers.evidence(f"vain {i}", 0.0, "nothing") for i in range(9)]
    content = ReportContent(full.answers.answer(evidence=evidence, notes=["A note."]))
    for page in pages(report_pdf(content)):
        lines = [line for line in page.splitlines() if line.strip()][:-1]  # without the page's number
        last = next(line for line in reversed(lines) if not line.startswith("Page "))
        assert not last.endswith(":"), last
        assert not last.startswith("No. Bits"), last
        assert last not in ("Evidence", "Steps", "Countries", "Limits of the method")
