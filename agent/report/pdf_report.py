"""The report as PDF, with letters of all scripts."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from datetime import UTC, datetime

from geosleuth.agent.report.blocks import Block, Bullets, Facts, Grid, Map, Paragraph, Pictures, Report
from geosleuth.agent.report.content import ReportContent
from geosleuth.agent.report.fonts import faces_for
from geosleuth.agent.report.map_drawing import draw_map
from geosleuth.agent.report.sections import report_of
from geosleuth.indexes.errors import InputError


def report_pdf(content: ReportContent) -> bytes:
    """Write the report as a PDF file's bytes: the same content gives the same bytes.

    Letters that no font of this system draws are written as their code points, and the first page says so.

    Raises:
        InputError: fpdf2 or uharfbuzz is not installed.
    """
    for package in ("fpdf", "uharfbuzz"):
        if importlib.util.find_spec(package) is None:
            remedy = "Install it with `pip install 'geosleuth[report]'`."
            raise InputError(f"the package {package}, which writes PDF", "none installed", remedy)
    from geosleuth.agent.report.pdf_document import Document
    from geosleuth.agent.report.pdf_writer import Writer

    report = report_of(content)
    drawing = draw_map(content.answer, width=720, height=420)
    words = [*_texts(report), *(one.text for one in drawing.words)]
    further, lost = faces_for(words)
    replaced = {ord(char): f"[U+{ord(char):04X}]" for char in lost}
    document = Document(report.running_head, further, replaced)
    document.set_title(report.title)
    document.set_lang("en")
    document.set_creator(f"geosleuth {content.answer.version}")
    document.set_creation_date(_date(content))
    document.add_page()
    writer = Writer(document, drawing)
    writer.title(report)
    if lost:
        writer.block(Paragraph(_lost_words(lost), "warning"))
    for section in report.sections:
        writer.section(section)
    return bytes(document.output())


def _date(content: ReportContent) -> datetime:
    """When the case was last touched; a report has no clock of its own, so that two of one case are the same."""
    if content.custody is not None and content.custody.events:
        return content.custody.events[-1].at
    return datetime(1970, 1, 1, tzinfo=UTC)  # says "unknown": a PDF must name a date


def _lost_words(lost: frozenset[str]) -> str:
    shown = ", ".join(f"U+{ord(char):04X}" for char in sorted(lost)[:8]) + (" ..." if len(lost) > 8 else "")
    return (
        f"No font of this computer draws {len(lost)} of this report's characters ({shown}): they are written as their "
        "code points in square brackets. Fonts for them are, on Debian, in the packages fonts-noto-core and "
        "fonts-noto-cjk. The HTML report has the characters themselves."
    )


def _texts(report: Report) -> Iterator[str]:
    yield from (report.title, report.subtitle, report.running_head)
    for section in report.sections:
        yield section.title
        for block in section.blocks:
            yield from _texts_of(block)


def _texts_of(block: Block) -> Iterator[str]:
    match block:
        case Paragraph():
            yield block.text
        case Bullets():
            yield from block.items
        case Facts():
            for fact in block.rows:
                yield from (fact.name, fact.value)
        case Grid():
            for row in (block.head, *block.rows):
                yield from row
        case Pictures():
            yield from (one.caption for one in block.pictures)
        case Map():
            yield block.caption
