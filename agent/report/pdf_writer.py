"""Sets the blocks of a report on the pages of a PDF. Imported only where fpdf2 is known to be there."""

from __future__ import annotations

import io
from collections.abc import Sequence

from geosleuth.agent.report.blocks import Block, Bullets, Facts, Grid, Map, Paragraph, Pictures, Report, Section
from geosleuth.agent.report.map_shapes import Drawing
from geosleuth.agent.report.map_svg import svg_of
from geosleuth.agent.report.pdf_document import Document
from geosleuth.agent.report.pdf_table import FEWEST, Table
from geosleuth.agent.report.reading_order import line_of

_BODY, _SMALL = 9.5, 8.5  # points
_HEADINGS = {2: 13.0, 3: 10.5}
_GAP_MM, _INDENT_MM = 2.2, 3.0
_LONGEST_PICTURE_MM = 150.0  # two thirds of a page, so that its caption and facts stand with it
_PAIR_GAP_MM = 5.0
_HEADING_MM, _CAPTION_MM = 12.0, 13.0  # with the space around them; a caption has two lines


class Writer:
    """Sets blocks one below the other."""

    def __init__(self, document: Document, drawing: Drawing) -> None:
        self.pdf, self.drawing = document, drawing

    def title(self, report: Report) -> None:
        """Set what stands above the first section."""
        self._lines(report.title, 16, "B")
        self.pdf.set_text_color(80)
        self._lines(report.subtitle, _BODY)
        self.pdf.set_text_color(0)

    def section(self, section: Section) -> None:
        """Set a heading and its blocks."""
        size = _HEADINGS[section.level]
        self.pdf.keep(_HEADING_MM + self._least_mm(section.blocks))  # a heading stands with what it heads
        self.pdf.set_y(self.pdf.get_y() + 1.5 * _GAP_MM)
        self.pdf.start_section(self.pdf.drawable(section.title), level=section.level - 2)
        self._lines(section.title, size, "B")
        for i, block in enumerate(section.blocks):
            if isinstance(block, Paragraph):  # so does what leads in to a list or a table
                self.pdf.keep(self._least_mm(section.blocks[i:]))
            self.block(block)

    def _least_mm(self, blocks: Sequence[Block]) -> float:
        """Height of what cannot be parted from the beginning of some blocks."""
        match blocks[0]:
            case Map():
                return float(self.drawing.height * self.pdf.epw / self.drawing.width) + _CAPTION_MM
            case Pictures():
                return max(high for _, high in self._sizes(blocks[0])) + _CAPTION_MM
            case Facts() | Grid():
                return Table.of(blocks[0]).least_mm(self.pdf)
            case Bullets():
                return self._first_mm(blocks[0].items[0], _INDENT_MM)
            case Paragraph() if len(blocks) > 1 and isinstance(blocks[1], Bullets | Grid):
                return self._first_mm(blocks[0].text) + _GAP_MM + self._least_mm(blocks[1:])
            case Paragraph():
                return self._first_mm(blocks[0].text)

    def _first_mm(self, text: str, indent: float = 0.0) -> float:
        self.pdf.set_font("sans", "", _BODY)
        return min(len(self.pdf.wrap(text, self.pdf.epw - indent)), FEWEST) * self.pdf.line_mm

    def block(self, block: Block) -> None:
        """Set one block, and the gap below it."""
        match block:
            case Paragraph():
                self._paragraph(block)
            case Bullets():
                for item in block.items:
                    self._lines(f"• {item}", _BODY, indent=_INDENT_MM)
            case Facts() | Grid():
                Table.of(block).set(self.pdf)
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
        pdf = self.pdf
        pdf.set_font("sans", style, size)
        x, width = pdf.l_margin + indent, width or pdf.epw - indent
        for line in pdf.wrap(text, width):
            pdf.keep(pdf.line_mm)
            y = pdf.get_y()
            pdf.set_line(line, x, y, width)
            pdf.set_xy(pdf.l_margin, y + pdf.line_mm)

    def _pictures(self, block: Pictures) -> None:
        pdf, sizes = self.pdf, self._sizes(block)
        each = self._column_mm(block)
        tallest = max(high for _, high in sizes)
        pdf.keep(tallest + _CAPTION_MM)
        top = pdf.get_y() + 1
        for i, (one, (wide, high)) in enumerate(zip(block.pictures, sizes, strict=True)):
            x = pdf.l_margin + i * (each + _PAIR_GAP_MM)
            pdf.image(io.BytesIO(one.jpeg), x=x, y=top, w=wide, h=high, alt_text=self.pdf.drawable(one.alt))
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
        pdf = self.pdf
        mm = pdf.epw / self.drawing.width
        high = self.drawing.height * mm
        pdf.keep(high + _CAPTION_MM)
        left, top = pdf.l_margin, pdf.get_y() + 1
        picture = io.BytesIO(svg_of(self.drawing, words=False).encode())
        with pdf.rect_clip(left, top, pdf.epw, high):  # land goes on a little beyond the picture
            pdf.image(picture, x=left, y=top, w=pdf.epw, h=high, alt_text=self.pdf.drawable(block.alt))
        for one in self.drawing.words:
            pdf.set_font("sans", "B" if one.bold else "", one.size * mm / 25.4 * 72)
            line = line_of(pdf.drawable(one.text))
            long = pdf.width_of(line)
            x = left + one.x * mm - {"start": 0.0, "middle": long / 2, "end": long}[one.anchor]
            pdf.set_line(line, x, top + one.y * mm - pdf.line_mm * 0.68, long)
        pdf.set_xy(left, top + high + 1)
        self._lines(block.caption, _SMALL)
