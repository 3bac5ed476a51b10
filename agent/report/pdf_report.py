"""The report as PDF, with letters of all scripts."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from geosleuth.agent.report.blocks import Block, Bullets, Facts, Grid, Map, Paragraph, Pictures, Report, Section
from geosleuth.agent.report.content import ReportContent
from geosleuth.agent.report.fonts import faces_for
from geosleuth.agent.report.map_drawing import draw_map
from geosleuth.agent.report.map_shapes import Drawing
from geosleuth.agent.report.map_svg import svg_of
from geosleuth.agent.report.sections import report_of
from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.agent.report.pdf_document import Document

_BODY, _SMALL, _TABLE = 9.5, 8.5, 8.5  # points
_HEADINGS = {2: 13.0, 3: 10.5}
_GAP_MM = 2.2
_FACT_SHARE = 0.24  # of the width, for names
_LONGEST_PICTURE_MM = 150.0  # two thirds of a page, so that its caption and facts stand with it
_PAIR_GAP_MM = 5.0
_HEADING_MM, _CAPTION_MM = 12.0, 13.0  # with the space around them; a caption has two lines


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

    report = report_of(content)
    drawing = draw_map(content.answer, width=720, height=420)
    words = [*_texts(report), *(one.text for one in drawing.words)]
    further, lost = faces_for(words)
    replaced = {ord(char): f"[U+{ord(char):04X}]" for char in lost}
    document = Document(report.running_head.translate(replaced), further)
    document.set_title(report.title)
    document.set_lang("en")
    document.set_creator(f"geosleuth {content.answer.version}")
    document.set_creation_date(_date(content))
    document.add_page()
    writer = _Writer(document, drawing, replaced)
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


class _Writer:
    """Sets blocks one below the other."""

    def __init__(self, document: Document, drawing: Drawing, replaced: dict[int, str]) -> None:
        self.pdf, self.drawing, self.replaced = document, drawing, replaced

    def title(self, report: Report) -> None:
        self._lines(report.title, 16, "B")
        self.pdf.set_text_color(80)
        self._lines(report.subtitle, _BODY)
        self.pdf.set_text_color(0)

    def section(self, section: Section) -> None:
        size = _HEADINGS[section.level]
        self.pdf.keep(_HEADING_MM + self._least_mm(section.blocks[0]))  # a heading stands with what it heads
        self.pdf.set_y(self.pdf.get_y() + 1.5 * _GAP_MM)
        self.pdf.start_section(section.title.translate(self.replaced), level=section.level - 2)
        self._lines(section.title, size, "B")
        for block in section.blocks:
            self.block(block)

    def _least_mm(self, block: Block) -> float:
        """Height of what cannot be parted from the block's beginning."""
        if isinstance(block, Map):
            return float(self.drawing.height * self.pdf.epw / self.drawing.width) + _CAPTION_MM
        return max(high for _, high in self._sizes(block)) + _CAPTION_MM if isinstance(block, Pictures) else 12.0

    def block(self, block: Block) -> None:
        match block:
            case Paragraph():
                self._paragraph(block)
            case Bullets():
                for item in block.items:
                    self._lines(f"• {item}", _BODY, indent=3.0)
            case Facts():
                rows = [(fact.name, fact.value) for fact in block.rows]
                self._table(rows, (_FACT_SHARE, 1 - _FACT_SHARE), (), bold_first=True)
            case Grid():
                self._table(block.rows, block.widths, block.numeric, head=block.head)
            case Pictures():
                self._pictures(block)
            case Map():
                self._map(block)
        self.pdf.set_y(self.pdf.get_y() + _GAP_MM)

    def _paragraph(self, block: Paragraph) -> None:
        if block.kind == "lead":
            self._lines(block.text, 14, "B")
        elif block.kind == "warning":
            self._lines(block.text, _BODY, "B")
        else:
            self._lines(block.text, _SMALL if block.kind == "note" else _BODY)

    def _lines(self, text: str, size: float, style: str = "", indent: float = 0.0, width: float = 0.0) -> None:
        from geosleuth.agent.report.pdf_document import base_of

        pdf, text = self.pdf, text.translate(self.replaced)
        pdf.set_font("sans", style, size)
        x, width = pdf.l_margin + indent, width or pdf.epw - indent
        for line in pdf.wrap(text, width):
            pdf.keep(pdf.line_mm)
            y = pdf.get_y()
            pdf.line_of(line, x, y, width, base_of(text))
            pdf.set_xy(pdf.l_margin, y + pdf.line_mm)

    def _table(
        self,
        rows: Sequence[tuple[str, ...]],
        widths: tuple[float, ...],
        numeric: tuple[int, ...],
        *,
        head: tuple[str, ...] | None = None,
        bold_first: bool = False,
    ) -> None:
        """Rows of wrapped cells; the head stands on every page, and a row longer than a page goes on."""
        if head is not None:
            self._row(head, widths, numeric, None, "B" * len(head))
        for row in rows:
            self._row(row, widths, numeric, head, "B" + " " * len(row) if bold_first else " " * len(row))

    def _row(
        self,
        row: tuple[str, ...],
        widths: tuple[float, ...],
        numeric: tuple[int, ...],
        head: tuple[str, ...] | None,
        styles: str,
    ) -> None:
        from geosleuth.agent.report.pdf_document import base_of

        pdf = self.pdf
        row = tuple(cell.translate(self.replaced) for cell in row)
        cells = []
        for cell, share, style in zip(row, widths, styles, strict=False):
            pdf.set_font("sans", style.strip(), _TABLE)
            cells.append(pdf.wrap(cell, share * pdf.epw - 2.4))
        step, done, tallest = pdf.line_mm, 0, max(map(len, cells))
        while done < tallest:
            fits = int((pdf.room_mm - 1.2) / step)
            if fits < min(tallest - done, 4):  # fewer lines than these at a page's foot tell nothing
                pdf.add_page()
                if head is not None:
                    self._row(head, widths, numeric, None, "B" * len(head))
                continue
            y, x = pdf.get_y(), pdf.l_margin
            count = min(fits, tallest - done)
            for i, (lines, share, style) in enumerate(zip(cells, widths, styles, strict=False)):
                pdf.set_font("sans", style.strip(), _TABLE)
                for k, line in enumerate(lines[done : done + count]):
                    at = y + 0.6 + k * step
                    pdf.line_of(line, x + 1.2, at, share * pdf.epw - 2.4, base_of(row[i]), right=i in numeric)
                x += share * pdf.epw
            done += count
            bottom = y + count * step + 1.2
            pdf.set_draw_color(200)
            pdf.line(pdf.l_margin, bottom, pdf.l_margin + pdf.epw, bottom)
            pdf.set_xy(pdf.l_margin, bottom)

    def _pictures(self, block: Pictures) -> None:
        pdf, sizes = self.pdf, self._sizes(block)
        each = self._column_mm(block)
        tallest = max(high for _, high in sizes)
        pdf.keep(tallest + _CAPTION_MM)
        top = pdf.get_y() + 1
        for i, (one, (wide, high)) in enumerate(zip(block.pictures, sizes, strict=True)):
            x = pdf.l_margin + i * (each + _PAIR_GAP_MM)
            pdf.image(io.BytesIO(one.jpeg), x=x, y=top, w=wide, h=high, alt_text=one.alt.translate(self.replaced))
        bottom = top + tallest + 1
        for i, one in enumerate(block.pictures):
            pdf.set_y(top + tallest + 1)
            self._lines(one.caption, _SMALL, indent=i * (each + _PAIR_GAP_MM), width=each)
            bottom = max(bottom, pdf.get_y())
        pdf.set_xy(pdf.l_margin, bottom)

    def _column_mm(self, block: Pictures) -> float:
        count = len(block.pictures)
        return float(self.pdf.epw - _PAIR_GAP_MM * (count - 1)) / count

    def _sizes(self, block: Pictures) -> list[tuple[float, float]]:
        """Width and height of each picture on the page, mm."""
        each = self._column_mm(block)
        scales = [min(each / one.size[0], _LONGEST_PICTURE_MM / one.size[1]) for one in block.pictures]
        return [(one.size[0] * by, one.size[1] * by) for one, by in zip(block.pictures, scales, strict=True)]

    def _map(self, block: Map) -> None:
        """Shapes by the SVG, words by the document's own fonts, so that they can be of any script."""
        from geosleuth.agent.report.pdf_document import base_of

        pdf = self.pdf
        mm = pdf.epw / self.drawing.width
        high = self.drawing.height * mm
        pdf.keep(high + _CAPTION_MM)
        left, top = pdf.l_margin, pdf.get_y() + 1
        picture = io.BytesIO(svg_of(self.drawing, words=False).encode())
        with pdf.rect_clip(left, top, pdf.epw, high):  # land goes on a little beyond the picture
            pdf.image(picture, x=left, y=top, w=pdf.epw, h=high, alt_text=block.alt.translate(self.replaced))
        for one in self.drawing.words:
            pdf.set_font("sans", "B" if one.bold else "", one.size * mm / 25.4 * 72)
            text = one.text.translate(self.replaced)
            long = pdf.get_string_width(text)
            x = left + one.x * mm - {"start": 0.0, "middle": long / 2, "end": long}[one.anchor]
            pdf.line_of(text, x, top + one.y * mm - pdf.line_mm * 0.68, long, base_of(text))
        pdf.set_xy(left, top + high + 1)
        self._lines(block.caption, _SMALL)
